"""The WebSocket protocol, byte by byte: RFC 6455 on the very transport that the chat uses."""

from __future__ import annotations

import asyncio
import json
import struct

import pytest

from tests.support.fixtures import StartServer
from tests.support.raw import (
    ACCEPT,
    BINARY,
    CLOSE,
    CONT,
    KEY,
    PING,
    PONG,
    TEXT,
    Frame,
    Raw,
    close,
    event,
    frame,
    handshake,
    raw,
    raw_socket,
)
from tests.support.server import Server

pytestmark = pytest.mark.asyncio

LIMIT = 64 * 1024


async def _still_works(socket: Raw) -> None:
    await socket.send(frame(TEXT, event("enter", room="general")))
    assert (await socket.heard("entered"))["room"] == "general"


# --- frames


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        *(
            pytest.param(
                times * frame(TEXT, b" " * length, masked=False), 1002, id=f"unmasked-{length}-{times}"
            )
            for length in (0, 2, 30, 200)
            for times in (1, 2)
        ),
        *(
            pytest.param(frame(opcode, b"{}", rsv=rsv), 1002, id=f"reserved-bits-{rsv}-on-{opcode}")
            for rsv in range(1, 8)
            for opcode in (TEXT, PING, CLOSE)
        ),
        *(
            pytest.param(frame(opcode), 1002, id=f"opcode-{opcode}")
            for opcode in (*range(3, 8), *range(11, 16))
        ),
        *(
            pytest.param(frame(opcode, b"x", fin=False), 1002, id=f"fragmented-control-{opcode}")
            for opcode in (PING, PONG, CLOSE)
        ),
        *(
            pytest.param(frame(opcode, b"x" * 126), 1002, id=f"long-control-{opcode}")
            for opcode in (PING, PONG, CLOSE)
        ),
        pytest.param(frame(CONT, b"x"), 1002, id="continues-nothing"),
        pytest.param(frame(CONT, b"x", fin=False), 1002, id="begins-by-continuing"),
        pytest.param(frame(TEXT, b"x", fin=False) + frame(TEXT, b"y"), 1002, id="begins-twice"),
        pytest.param(frame(BINARY, b"x"), 1003, id="binary"),
        pytest.param(frame(BINARY, b""), 1003, id="empty-binary"),
        pytest.param(frame(BINARY, b"x", fin=False), 1003, id="fragmented-binary"),
        pytest.param(frame(TEXT, declared=2**40), 1009, id="a-tebibyte"),
        pytest.param(frame(TEXT, declared=LIMIT + 1), 1009, id="one-byte-too-many-is-said"),
        pytest.param(
            frame(TEXT, b"x" * LIMIT, fin=False) + frame(CONT, b"x"),
            1009,
            id="one-byte-too-many-in-fragments",
        ),
        pytest.param(
            frame(TEXT, b"", fin=False) + 5000 * frame(CONT, b"", fin=False),
            1009,
            id="empty-fragments-for-ever",
        ),
        pytest.param(frame(CLOSE, b"x"), 1002, id="close-of-one-byte"),
        pytest.param(close(1000, b"\xff"), 1007, id="close-that-is-not-utf-8"),
    ],
)
async def test_a_broken_frame_ends_the_connection_with_its_code(
    server: Server, sent: bytes, code: int
) -> None:
    person = server.known("ada-0")
    async with raw_socket(server, person) as socket, raw_socket(server, person) as other:
        await socket.send(sent)
        assert (await socket.closed())[0] == code
        await _still_works(other)


async def test_a_length_that_no_frame_can_have_ends_the_connection(server: Server) -> None:
    async with raw_socket(server, server.person()) as socket:
        await socket.send(b"\x81\xff" + struct.pack("!Q", 2**63) + b"mask")
        assert (await socket.closed())[0] in (1002, 1009)


@pytest.mark.parametrize("length", [125, 126, 127, 128, 65_535, 65_536])
@pytest.mark.parametrize("chop", [0, 997])
async def test_texts_of_every_length_that_is_allowed_are_read(server: Server, length: int, chop: int) -> None:
    async with raw_socket(server, server.known("ada-0")) as socket:
        await socket.send(frame(TEXT, event("enter", padded_to=length, room="general")), chop=chop)
        assert (await socket.heard("entered"))["room"] == "general"


async def test_a_frame_may_come_byte_by_byte(server: Server) -> None:
    async with raw_socket(server, server.known("ada-0")) as socket:
        await socket.send(frame(TEXT, event("enter", room="general")), chop=1)
        assert (await socket.heard("entered"))["room"] == "general"


async def test_many_frames_may_come_in_one_piece(server: Server) -> None:
    async with raw_socket(server, server.known("ada-0")) as socket:
        await socket.send(b"".join(frame(TEXT, event(f"no {number}")) for number in range(100)))
        answers = [(await socket.heard("error"))["message"] for _ in range(100)]
    assert answers == [f"There is no event of type 'no {number}'." for number in range(100)]


async def test_an_empty_text_is_no_json_and_no_end(server: Server) -> None:
    async with raw_socket(server, server.known("ada-0")) as socket:
        await socket.send(frame(TEXT))
        assert (await socket.heard("error"))["code"] == "bad_json"
        await _still_works(socket)


async def test_what_the_server_sends_is_whole_and_unmasked(server: Server) -> None:
    async with raw_socket(server, server.person()) as socket:
        await socket.send(frame(TEXT, event("enter", room="general")))
        await socket.heard("entered")
        await socket.send(frame(PING, b"x") + frame(TEXT, event("no")) + close(1000))
        frames: list[Frame] = []
        while not frames or frames[-1].opcode != CLOSE:
            frames.append(await socket.read())
    assert {(found.fin, found.rsv, found.masked) for found in frames} == {(True, 0, False)}
    assert {found.opcode for found in frames} == {TEXT, PONG, CLOSE}


# --- fragments and UTF-8


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
async def test_fragments_are_joined(server: Server, size: int) -> None:
    text = event("enter", room="general")
    parts = [text[place : place + size] for place in range(0, len(text), size)]
    async with raw_socket(server, server.known("ada-0")) as socket:
        for place, part in enumerate(parts):
            await socket.send(frame(CONT if place else TEXT, part, fin=place == len(parts) - 1))
        assert (await socket.heard("entered"))["room"] == "general"


async def test_a_ping_between_fragments_is_answered_before_their_message(server: Server) -> None:
    text = event("enter", room="general")
    async with raw_socket(server, server.known("ada-0")) as socket:
        await socket.send(frame(TEXT, text[:10], fin=False) + frame(PING, b"now"))
        pong = await socket.read()
        assert (pong.opcode, pong.payload) == (PONG, b"now")
        await socket.send(frame(CONT, b"", fin=False) + frame(CONT, text[10:]))
        assert (await socket.heard("entered"))["room"] == "general"


NOT_UTF8 = {
    "surrogate": b"\xed\xa0\x80",
    "overlong": b"\xc0\xaf",
    "beyond-unicode": b"\xf4\x90\x80\x80",
    "stray": b"\x80",
    "truncated": b"\xce",
    "latin-1": b"caf\xe9 \xff",
}


@pytest.mark.parametrize("bad", NOT_UTF8.values(), ids=NOT_UTF8)
@pytest.mark.parametrize("cut", [None, 4, 5, 6])
async def test_text_that_is_not_utf8_ends_the_connection(server: Server, bad: bytes, cut: int | None) -> None:
    text = b"fine " + bad
    sent = frame(TEXT, text) if cut is None else frame(TEXT, text[:cut], fin=False) + frame(CONT, text[cut:])
    async with raw_socket(server, server.known("ada-0")) as socket:
        await socket.send(sent)
        assert (await socket.closed())[0] == 1007


@pytest.mark.parametrize("character", ["\ufffe", "\U0010ffff", "é", "長", "🎂", "\ufeff", "\ud7ff", "\ue000"])
async def test_every_character_is_taken_whole_and_in_pieces(server: Server, character: str) -> None:
    person = server.person()
    async with raw_socket(server, person) as socket:
        await socket.send(frame(TEXT, event("enter", room="general")))
        await socket.heard("entered")
        for number, chop in enumerate((0, 1)):
            payload = {"room": "general", "id": f"i{number}", "message": character}
            text = json.dumps({"type": "send_message", "payload": payload}, ensure_ascii=False).encode()
            parts = [text] if not chop else [text[place : place + 1] for place in range(len(text))]
            for place, part in enumerate(parts):
                await socket.send(frame(CONT if place else TEXT, part, fin=place == len(parts) - 1))
            assert (await socket.heard("new_message"))["message"] == character


# --- pings and closing


@pytest.mark.parametrize("payload", [b"", b"12345678", b"\xff\x00\xfe", b"x" * 125])
@pytest.mark.parametrize("chop", [0, 1])
async def test_a_ping_is_answered_with_what_it_carried(server: Server, payload: bytes, chop: int) -> None:
    async with raw_socket(server, server.known("ada-0")) as socket:
        await socket.send(frame(PING, payload), chop=chop)
        pong = await socket.until(PONG)
        assert pong.payload == payload


async def test_each_ping_is_answered_in_order(server: Server) -> None:
    async with raw_socket(server, server.known("ada-0")) as socket:
        await socket.send(b"".join(frame(PING, b"%d" % number) for number in range(10)))
        assert [(await socket.until(PONG)).payload for _ in range(10)] == [
            b"%d" % number for number in range(10)
        ]


async def test_a_pong_that_nobody_asked_for_is_ignored(server: Server) -> None:
    async with raw_socket(server, server.known("ada-0")) as socket:
        await socket.send(frame(PONG) + frame(PONG, b"unasked"))
        await _still_works(socket)


@pytest.mark.parametrize(
    "code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]
)
async def test_a_close_is_answered_with_its_code(server: Server, code: int) -> None:
    async with raw_socket(server, server.known("ada-0")) as socket:
        await socket.send(close(code, b"r" * 123))
        assert (await socket.until(CLOSE)).close[0] == code
        assert await socket.ended() == b""


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65_535])
async def test_a_close_code_that_may_not_be_sent_is_an_error(server: Server, code: int) -> None:
    async with raw_socket(server, server.known("ada-0")) as socket:
        await socket.send(close(code))
        assert (await socket.until(CLOSE)).close[0] == 1002
        assert await socket.ended() == b""


async def test_a_close_without_a_code_is_answered(server: Server) -> None:
    async with raw_socket(server, server.known("ada-0")) as socket:
        await socket.send(frame(CLOSE))
        assert (await socket.until(CLOSE)).close[0] in (1000, 1005)
        assert await socket.ended() == b""


async def test_what_comes_after_a_close_is_ignored(server: Server) -> None:
    person = server.person()
    async with raw_socket(server, person) as socket:
        message = event("send_message", room="general", id="late", message="too late")
        await socket.send(
            frame(TEXT, event("enter", room="general"))
            + close(1000)
            + frame(TEXT, message)
            + frame(PING)
            + close(1000)
        )
        assert (await socket.until(CLOSE)).close[0] == 1000
        assert await socket.ended() == b""
    assert "too late" not in str(server.entries("general"))


@pytest.mark.parametrize("cut", [None, 20])
async def test_what_was_said_before_a_close_is_kept(server: Server, cut: int | None) -> None:
    person = server.person()
    async with raw_socket(server, person) as socket:
        await socket.send(frame(TEXT, event("enter", room="general")))
        await socket.heard("entered")
        text = event("send_message", room="general", id="last", message="my last words")
        whole = frame(TEXT, text)
        in_two = frame(TEXT, text[:cut], fin=False) + frame(CONT, text[cut:])
        await socket.send((whole if cut is None else in_two) + close(1000))
        await socket.ended()
    async with raw_socket(server, person) as socket:
        await socket.send(frame(TEXT, event("send_message", room="general", id="last", message="x")))
        assert (await socket.heard("new_message"))["message"] == "my last words"


async def test_a_connection_that_ends_without_a_close_harms_nobody(server: Server) -> None:
    person = server.known("ada-0")
    async with raw_socket(server, person) as other:
        for rest in (b"", frame(TEXT, event("enter", room="general"))[:9], frame(TEXT, b"half", fin=False)):
            async with raw_socket(server, person) as socket:
                await socket.send(rest)
                await socket.no_more()
                await socket.ended()
        await _still_works(other)


@pytest.mark.parametrize(
    "broken", [frame(TEXT, b"\xff"), frame(BINARY), frame(3)], ids=["text", "binary", "opcode"]
)
async def test_after_a_close_frame_the_server_sends_nothing(start_server: StartServer, broken: bytes) -> None:
    server = start_server(room_head_interval_seconds=0)
    ada, bob = server.people(2)
    async with raw_socket(server, ada) as a, raw_socket(server, bob) as b:
        for socket in (a, b):
            await socket.send(frame(TEXT, event("enter", room="general")))
            await socket.heard("entered")
        await b.send(broken)
        told = await b.until(CLOSE)
        await a.send(frame(TEXT, event("send_message", room="general", id="m", message="@here")))
        await a.heard("new_message")
        await b.send(frame(CLOSE, told.payload))
        assert await b.ended() == b""


async def test_who_never_answers_a_close_is_dropped(server: Server) -> None:
    async with raw_socket(server, server.known("ada-0")) as socket:
        await socket.send(frame(BINARY))
        assert (await socket.until(CLOSE)).close[0] == 1003
        assert await socket.ended() == b""


# --- the heartbeat


async def test_who_never_answers_a_ping_is_closed(start_server: StartServer) -> None:
    server = start_server(ping_seconds=0.2, pong_seconds=0.2)
    async with raw_socket(server, server.person()) as socket, raw_socket(server, server.person()) as page:
        assert (await socket.until(PING)).payload == b""
        assert (await socket.until(CLOSE)).close == (4508, "no answer to ping")
        await socket.ended()
        assert (await page.until(CLOSE)).close == (4508, "no answer to ping")


@pytest.mark.parametrize(
    "sign",
    [frame(PONG), frame(PING, b"me too"), frame(TEXT, b"not even JSON"), frame(CONT)],
    ids=["pong", "ping", "text", "fragment"],
)
async def test_any_frame_counts_as_life(start_server: StartServer, sign: bytes) -> None:
    server = start_server(ping_seconds=0.1, pong_seconds=0.1)
    async with raw_socket(server, server.person()) as socket:
        if sign[0] & 0x0F == CONT:
            await socket.send(frame(TEXT, b"an endless", fin=False))
            sign = frame(CONT, b" message", fin=False)
        for _ in range(6):
            await socket.until(PING)
            await socket.send(sign)
        await socket.until(PING)
        assert (await socket.until(CLOSE)).close == (4508, "no answer to ping")


# --- the handshake


async def _handshake(server: Server, request: bytes) -> tuple[int, dict[str, str]]:
    async with raw(server) as socket:
        await socket.send(request)
        answer = await socket.answer()
        return answer.status, answer.headers


async def test_a_good_handshake_is_accepted(server: Server) -> None:
    status, headers = await _handshake(server, handshake(server, **server.known("ada-0").bearer))
    assert (status, headers["sec-websocket-accept"]) == (101, ACCEPT)
    assert (headers["upgrade"].lower(), headers["connection"].lower()) == ("websocket", "upgrade")
    assert "sec-websocket-protocol" not in headers
    assert "sec-websocket-extensions" not in headers


@pytest.mark.parametrize(
    "changes",
    [
        {"Connection": "keep-alive, Upgrade"},
        {"Connection": "uPGRADE"},
        {"Upgrade": "WebSocket"},
        {"Sec_WebSocket_Extensions": "x-unknown; a=1"},
        {"Sec_WebSocket_Extensions": "permessage-deflate; client_max_window_bits=7"},
        {"Sec_WebSocket_Protocol": "chat, superchat"},
    ],
)
async def test_what_is_offered_and_not_known_is_declined(server: Server, changes: dict[str, str]) -> None:
    request = handshake(server, **server.known("ada-0").bearer, **changes)
    status, headers = await _handshake(server, request)
    assert (status, headers["sec-websocket-accept"]) == (101, ACCEPT)
    assert "sec-websocket-protocol" not in headers
    assert "sec-websocket-extensions" not in headers


async def test_the_protocol_is_chosen_from_those_offered(server: Server) -> None:
    request = handshake(
        server, **server.known("ada-0").bearer, Sec_WebSocket_Protocol="chat, hubbub.v1, hubbub.v2"
    )
    status, headers = await _handshake(server, request)
    assert (status, headers["sec-websocket-protocol"]) == (101, "hubbub.v1")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"Sec_WebSocket_Key": None}, 400),
        ({"Sec_WebSocket_Key": "c2hvcnQ="}, 400),
        ({"Sec_WebSocket_Key": "not base64 at all!!"}, 400),
        ({"Sec_WebSocket_Key": f"{KEY}\r\nSec-WebSocket-Key: {KEY}"}, 400),
        ({"Sec_WebSocket_Version": None}, 400),
        ({"Sec_WebSocket_Version": "8"}, 426),
        ({"Sec_WebSocket_Version": "x"}, 426),
        ({"Sec_WebSocket_Protocol": "hubbub.v1, \xff\x00"}, 400),
        ({"Sec_WebSocket_Protocol": "a b"}, 400),
        ({"Authorization": "Bearer \xff\xfe"}, 401),
        ({"Authorization": "\xff"}, 401),
        ({"start": "GET /ws?otp=\xff HTTP/1.1"}, 400),
        ({"start": "GET /ws?otp HTTP/1.1", "Authorization": None}, 401),
        ({"Origin": "http://\xff"}, 403),
        ({"Upgrade": None}, 426),
        ({"Connection": None}, 426),
        ({"start": "POST /ws HTTP/1.1"}, 405),
        ({"start": "GET /ws HTTP/1.0"}, 505),
        ({"start": "GET /elsewhere HTTP/1.1"}, 404),
        ({"X_Long": "x" * 20_000}, 431),
        ({f"X_{number}": "x" for number in range(150)}, 431),
        ({"start": f"GET /ws?{'x' * 20_000} HTTP/1.1"}, 431),
    ],
)
async def test_a_bad_handshake_is_refused_with_its_status(
    server: Server, changes: dict[str, str | None], expected: int
) -> None:
    request = handshake(server, **{**server.known("ada-0").bearer, **changes})  # type: ignore[arg-type]
    status, headers = await _handshake(server, request)
    assert status == expected
    if changes.get("Sec_WebSocket_Version") is not None:
        assert headers["sec-websocket-version"] == "13"


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /ws HTTP/1.1\nHost: x\n\n",
        b"GET /ws HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
        b"GET /ws HTTP/9.9\r\n\r\n",
        b"GET  /ws HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00" * 100,
        b"nonsense\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_answered_or_ended_and_harms_nobody(server: Server, request_: bytes) -> None:
    async with raw_socket(server, server.known("ada-0")) as other:
        async with raw(server) as socket:
            await socket.send(request_)
            await socket.no_more()
            assert not (await socket.ended()).startswith(b"HTTP/1.1 101")
        await _still_works(other)


async def test_a_handshake_that_does_not_arrive_is_waited_for_only_so_long(start_server: StartServer) -> None:
    server = start_server(handshake_seconds=0.3)
    async with raw(server) as silent, raw(server) as slow:
        await slow.send(handshake(server)[:-10])
        assert (await slow.answer()).status == 408
        assert await slow.ended() == b""
        assert await silent.ended() == b""


async def test_a_handshake_may_come_in_small_pieces(server: Server) -> None:
    async with raw(server) as socket:
        await socket.send(handshake(server, **server.known("ada-0").bearer), chop=7)
        assert (await socket.answer()).status == 101
        await asyncio.sleep(0)
        await socket.send(frame(PING, b"hi"))
        assert (await socket.until(PONG)).payload == b"hi"
