"""Bad input over the WebSocket and HTTP: one clear answer, nothing lost, and the connection goes on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.client import Event, RefusedByServer, join
from tests.support.fixtures import StartServer
from tests.support.raw import raw
from tests.support.server import PASSWORD, Server

pytestmark = pytest.mark.asyncio


async def _answer(server: Server, frame: str) -> Event:
    """The error that a frame is answered with, for somebody in `general`, who then can still speak and be heard."""
    async with join(server, server.known("ada-0")) as client:
        await client.enter("general")
        await client.socket.send(frame)
        error = await client.until("error")
        await client.say("general", "still here")
    return error


def _send(**changes: Any) -> str:
    """A good message with something changed, or left out if that is ``...``."""
    payload = {"room": "general", "id": "bad-1", "message": "hi"} | changes
    kept = {name: value for name, value in payload.items() if value is not ...}
    return json.dumps({"type": "send_message", "ref": "r", "payload": kept})


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("", "bad_json"),
        ("hello", "bad_json"),
        ("{", "bad_json"),
        ('{"type": "enter", "payload": {"room": "general"}} and more', "bad_json"),
        ("{'type': 'enter'}", "bad_json"),
        ('{"type": "enter", "payload": {"room": "\\ud800"}}', "bad_json"),
        ('{"type": "enter", "payload": {"room": "\\udc00\\ud800"}}', "bad_json"),
        ('{"type": "enter", "payload": {"room": "a\nb"}}', "bad_json"),
        ("NaN", "bad_json"),
        ('{"type": "enter", "payload": {"room": "general", "after": 1e400}}', "bad_json"),
        ("[" * 60_000, "bad_json"),
        ('{"type": "enter", "payload": ' + '{"a":' * 10_000 + "1" + "}" * 10_001, "bad_json"),
        ("[]", "bad_event"),
        ("null", "bad_event"),
        ("7", "bad_event"),
        ('"enter"', "bad_event"),
        ("{}", "bad_event"),
        ('{"payload": {}}', "bad_event"),
        ('{"type": 7, "payload": {}}', "bad_event"),
        ('{"type": null, "payload": {}}', "bad_event"),
        ('{"type": "", "payload": {}}', "unknown_type"),
        ('{"type": "sendmessage", "payload": {}}', "unknown_type"),
        ('{"type": "new_message", "payload": {}}', "unknown_type"),
    ],
)
async def test_a_frame_that_is_no_event_is_refused(server: Server, frame: str, code: str) -> None:
    error = await _answer(server, frame)
    assert (error["code"], error["retry"]) == (code, False)
    assert len(error["message"]) < 200


async def test_an_unknown_type_is_told_the_nearest_known_one(server: Server) -> None:
    error = await _answer(server, '{"type": "send_mesage", "ref": 9, "payload": {}}')
    assert error.payload == {
        "code": "unknown_type",
        "message": "There is no event of type 'send_mesage'. Did you mean send_message?",
        "retry": False,
        "field": "type",
    }
    assert error.ref == 9


@pytest.mark.parametrize(
    ("frame", "field"),
    [
        ('{"type": "enter"}', "payload"),
        ('{"type": "enter", "payload": null}', "payload"),
        ('{"type": "enter", "payload": "general"}', "payload"),
        ('{"type": "enter", "payload": []}', "payload"),
        ('{"type": "enter", "payload": {}}', "room"),
        ('{"type": "enter", "payload": {"room": 7}}', "room"),
        ('{"type": "enter", "payload": {"room": ""}}', "room"),
        ('{"type": "enter", "payload": {"room": "' + "x" * 201 + '"}}', "room"),
        ('{"type": "enter", "payload": {"room": "general", "after": "3"}}', "after"),
        ('{"type": "enter", "payload": {"room": "general", "after": -1}}', "after"),
        ('{"type": "enter", "payload": {"room": "general", "after": 1.5}}', "after"),
        ('{"type": "enter", "payload": {"room": "general", "after": 9007199254740992}}', "after"),
        (_send(message=...), "message"),
        (_send(message=None), "message"),
        (_send(message=7), "message"),
        (_send(message=["hi"]), "message"),
        (_send(room=...), "room"),
        (_send(room=None), "room"),
        (_send(id=...), "id"),
        (_send(id=""), "id"),
        (_send(id="x" * 65), "id"),
        (_send(id="a b"), "id"),
        (_send(id="é"), "id"),
        (_send(reply_to="3"), "reply_to"),
        ('{"type": "react", "payload": {"room": "general", "seq": 1}}', "emoji"),
        (
            '{"type": "react", "payload": {"room": "general", "seq": 1, "emoji": "x", "remove": "yes"}}',
            "remove",
        ),
        ('{"type": "edit_message", "payload": {"room": "general", "message": "x"}}', "seq"),
        ('{"type": "mark_read", "payload": {"room": "general", "seq": true}}', "seq"),
    ],
)
async def test_of_a_payload_of_the_wrong_shape_the_field_is_named(
    server: Server, frame: str, field: str
) -> None:
    error = await _answer(server, frame)
    assert (error["code"], error["field"], error["retry"]) == ("bad_payload", field, False)
    assert f"The field {field} is " in error["message"]


@pytest.mark.parametrize("ref", ["x" * 65, 1.5, True, [], {"a": 1}])
async def test_a_ref_that_can_not_be_given_back_is_refused(server: Server, ref: object) -> None:
    error = await _answer(server, json.dumps({"type": "enter", "ref": ref, "payload": {"room": "general"}}))
    assert (error["code"], error["field"], error.ref) == ("bad_payload", "ref", None)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("", "empty_message"),
        ("   ", "empty_message"),
        (" \t\r\n\u00a0\u2003\u3000", "empty_message"),
        ("x" * 10_001, "message_too_long"),
        ("🎂" * 10_001, "message_too_long"),
        ("nothing\0more", "bad_text"),
        ("\0", "bad_text"),
    ],
)
@pytest.mark.parametrize("type_", ["send_message", "edit_message"])
async def test_a_text_that_can_not_be_kept_is_refused(
    server: Server, type_: str, message: str, code: str
) -> None:
    async with join(server, server.known("bob-1")) as client:
        await client.enter("general")
        seq = (await client.say("general", "before"))["seq"]
        more = {"id": "bad-2"} if type_ == "send_message" else {"seq": seq}
        with pytest.raises(RefusedByServer) as refused:
            await client.ask(type_, room="general", message=message, **more)
        assert (refused.value.code, refused.value.event["field"]) == (code, "message")
        assert (await client.say("general", "after", id_=None))["message"] == "after"


async def test_a_message_of_just_the_limit_is_taken_as_it_is(server: Server) -> None:
    room = server.room()
    texts = [
        "x" * 10_000,
        "長" * 10_000,
        " padded ",
        "two\nlines\ttabbed",
        "\u202eright to left",
        "a\u200bb",
        "\ufeff",
    ]
    async with join(server, server.person()) as client:
        await client.enter(room)
        assert [(await client.say(room, text))["message"] for text in texts] == texts
    assert [entry["message"] for entry in server.entries(room)[2:]] == texts


async def test_the_length_of_a_message_is_a_setting(start_server: StartServer) -> None:
    server = start_server(message_characters=5, read_limit_bytes=1024)
    async with join(server, server.person()) as client:
        limits = client.welcome["limits"]
        assert (limits["message_characters"], limits["frame_bytes"]) == (5, 1024)
        await client.enter("general")
        await client.say("general", "fives")
        with pytest.raises(RefusedByServer) as refused:
            await client.say("general", "sixsix")
        assert refused.value.event["message"] == "The message has 6 characters; 5 are allowed."
        await client.socket.send("x" * 1025)
        assert (await client.closed())[0] == 1009


@pytest.mark.parametrize(
    "room",
    [
        "a\u202eb",
        "a\u200bb",
        "\u200b",
        "a\0b",
        "a\nb",
        " a",
        "a ",
        "a  b",
        "@",
        "a/b",
        "..",
        ".",
        "x" * 65,
        "a~b",
        "\u2066x",
    ],
)
async def test_a_room_of_a_bad_name_is_not_made(server: Server, room: str) -> None:
    async with join(server, server.known("cleo-2")) as client:
        with pytest.raises(RefusedByServer) as refused:
            await client.enter(room)
        assert refused.value.code in ("bad_name", "no_such_room", "conflict")
        assert (await client.enter("general"))["room"] == "general"
    names = [found["room"] for found in (await server.call(server.person(), "GET", "/api/rooms"))["rooms"]]
    assert room not in names


async def test_names_that_look_alike_are_one_name(server: Server) -> None:
    dan = server.person()
    first = server.room("Straße")
    number = first.split()[1]
    async with join(server, dan) as client:
        await client.enter(first)
        for other in (
            f"STRASSE {number}",
            f"strasse {number}",
            f"ｓｔｒａｓｓｅ {number}",
            f"straße {number}",
        ):
            assert (await client.enter(other))["room"] == first
            answer = await server.request("POST", "/api/rooms", dan, {"name": other})
            assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")


async def test_unknown_fields_are_ignored(server: Server) -> None:
    async with join(server, server.person()) as client:
        await client.socket.send(
            '{"v": 2, "type": "enter", "payload": {"room": "general", "colour": "blue", "type": "x"}, "more": {}}'
        )
        assert (await client.until("entered"))["room"] == "general"


async def test_a_field_given_twice_counts_once(server: Server) -> None:
    async with join(server, server.person()) as client:
        await client.socket.send('{"type": "enter", "payload": {"room": "nowhere", "room": "general"}}')
        assert (await client.until("entered"))["room"] == "general"


async def test_what_was_refused_is_in_no_log_and_its_id_is_free(server: Server) -> None:
    room = server.room()
    async with join(server, server.person()) as client:
        await client.enter(room)
        for message in ("", "x" * 10_001, "\0"):
            with pytest.raises(RefusedByServer):
                await client.say(room, message, id_="try")
        assert (await client.say(room, "at last", id_="try"))["seq"] == 3
    assert len(server.entries(room)) == 3


# --- HTTP


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (b"", "bad_json", None),
        (b"username=ada&password=x", "bad_json", None),
        (b'{"username": "ada"', "bad_json", None),
        (b"\xff\xfe", "bad_json", None),
        (b"[" * 60_000, "bad_payload", None),
        (b"[]", "bad_payload", None),
        (b"null", "bad_payload", None),
        (b"{}", "bad_payload", "username"),
        (b'{"username": "olga"}', "bad_payload", "password"),
        (b'{"username": 7, "password": "x"}', "bad_payload", "username"),
        (b'{"username": "olga", "password": null}', "bad_payload", "password"),
    ],
)
async def test_a_login_of_the_wrong_shape_is_refused(
    server: Server, body: bytes, code: str, field: str | None
) -> None:
    async with server.browser() as browser:
        answer = await browser.post("/login", content=body)
    assert answer.status_code == 400
    assert (answer.json()["code"], answer.json().get("field")) == (code, field)


@pytest.mark.parametrize("name", ["", "\0", "olga\0", "o\u200blga", "x" * 10_000, "\ud83c", "' OR 1=1 --"])
async def test_a_name_that_nobody_has_is_a_wrong_login(server: Server, name: str) -> None:
    body = json.dumps({"username": name, "password": PASSWORD})
    async with server.browser() as browser:
        answer = await browser.post("/login", content=body)
    assert (answer.status_code, answer.json()["code"]) in ((401, "wrong_password"), (400, "bad_json"))


async def test_a_body_that_is_too_large_is_refused_before_it_is_read(server: Server) -> None:
    head = f"POST /login HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Length: {2**40}\r\n\r\n"
    async with raw(server) as socket:
        await socket.send(head.encode())
        answer = await socket.answer()
        assert (answer.status, json.loads(answer.body)["code"]) == (413, "too_large")
        assert await socket.ended() == b""


@pytest.mark.parametrize("length", ["-1", "abc", "1e3", "9" * 5000, "١٢"])
async def test_a_length_that_is_none_is_refused(server: Server, length: str) -> None:
    head = f"POST /login HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Length: {length}\r\n\r\n"
    async with raw(server) as socket:
        await socket.send(head.encode())
        assert (await socket.answer()).status in (400, 413)


async def test_a_body_that_turns_out_too_large_is_refused(server: Server) -> None:
    async with raw(server) as socket:
        await socket.send(
            f"POST /login HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        )
        await socket.send(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
        await socket.send(b"8001\r\n" + b"x" * 0x8001 + b"\r\n")
        answer = await socket.answer()
        assert (answer.status, json.loads(answer.body)["code"]) == (413, "too_large")
        assert await socket.ended() == b""


async def test_a_body_that_does_not_arrive_is_waited_for_only_so_long(start_server: StartServer) -> None:
    server = start_server(handshake_seconds=0.2)
    async with raw(server) as socket:
        await socket.send(
            f"POST /login HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Length: 50\r\n\r\n{{".encode()
        )
        answer = await socket.answer()
        assert (answer.status, json.loads(answer.body)["code"]) == (408, "request_timeout")
        assert json.loads(answer.body)["retry"] is True
        assert await socket.ended() == b""


CLIMBING = (
    "/../pyproject.toml",
    "/..%2fpyproject.toml",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/-/../app.py",
    "/-/..%2fapp.py",
    "/-/%2e%2e/app.py",
    "/-/%2e%2e%2fapp.py",
    "/-/..\\app.py",
    "/-//etc/passwd",
    "//etc/passwd",
    "/-/.git/config",
    "/-/index.js/../../app.py",
    "/api/rooms/../../etc/passwd",
    "/%00",
    "/-/index.js%00.html",
    "/" + "a/" * 3000,
    "/" + "x" * 5000,
)


@pytest.mark.parametrize("path", CLIMBING)
async def test_a_path_that_climbs_leads_nowhere(server: Server, path: str) -> None:
    async with raw(server) as socket:
        await socket.send(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
        answer = await socket.answer()
    assert answer.status in (400, 404), answer


@pytest.mark.parametrize(
    "path", ["/../secret", "/%2e%2e/secret", "/..%2fsecret", "/.hidden", "/sub/../../secret", "/link"]
)
async def test_nothing_outside_of_a_folder_of_ones_own_pages_is_served(
    start_server: StartServer, tmp_path_factory: pytest.TempPathFactory, path: str
) -> None:
    folder = tmp_path_factory.mktemp("site")
    (folder / "static").mkdir()
    for name in ("secret", "static/.hidden"):
        (folder / name).write_text("a secret")
    (folder / "static" / "link").symlink_to(folder / "secret")
    (folder / "static" / "index.html").write_text("welcome")
    server = start_server("--static", str(folder / "static"))
    async with raw(server) as socket:
        host = f"Host: 127.0.0.1:{server.port}"
        await socket.send(f"GET / HTTP/1.1\r\n{host}\r\n\r\n".encode())
        assert (await socket.answer()).body == b"welcome"
        await socket.send(f"GET {path} HTTP/1.1\r\n{host}\r\n\r\n".encode())
        answer = await socket.answer()
    assert answer.status in (400, 404)
    assert b"secret" not in answer.body


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=-1", "limit"),
        ("limit=x", "limit"),
        ("before=x", "before"),
        ("after=1.5", "after"),
        ("around=" + "9" * 30, "around"),
        ("before=1&after=2", "before"),
    ],
)
async def test_a_page_of_history_that_can_not_be_is_refused(server: Server, query: str, field: str) -> None:
    person = server.known("eve-4")
    await server.call(person, "POST", "/api/rooms/general/join")
    answer = await server.request("GET", f"/api/rooms/general/messages?{query}", person)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_payload")
    assert answer.json()["field"] == field


async def test_pages_of_history_lead_through_all_of_it(server: Server) -> None:
    ada = server.person()
    room = server.room()
    async with join(server, ada) as client:
        await client.enter(room)
        for number in range(55):
            await client.send(
                "send_message", room=room, id=f"{room}.{number}".replace(" ", "-"), message=str(number)
            )
        await client.until("new_message", message="54")
    path = f"/api/rooms/{room}/messages"

    async def page(query: str) -> tuple[list[int], bool]:
        found = await server.call(ada, "GET", f"{path}?{query}")
        assert (found["room"], found["head"]) == (room, 57)
        return [message["seq"] for message in found["messages"]], found["more"]

    assert await page("") == (list(range(8, 58)), True)
    assert await page("before=8") == (list(range(3, 8)), False)
    assert await page("after=50") == (list(range(51, 58)), False)
    assert await page("after=0&limit=3") == ([3, 4, 5], True)
    assert await page("around=20&limit=5") == ([18, 19, 20, 21, 22], True)
    assert await page("limit=200") == (list(range(3, 58)), False)
    assert await page("before=3") == ([], False)
    assert await page("after=57") == ([], False)


async def test_a_client_that_can_do_nothing_right_is_answered_each_time(server: Server) -> None:
    async with join(server, server.person()) as client:
        frames = [
            "",
            "x",
            "[]",
            "{}",
            '{"type": "no"}',
            _send(),
            _send(room="nowhere at all"),
            _send(message=""),
        ]
        for frame in frames * 10:
            await client.socket.send(frame)
        await client.enter("general")
        assert len([event for event in client.heard if event.type == "error"]) == 80
