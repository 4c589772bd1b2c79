"""Talking in the full profile: entering, sending, editing, deleting, reacting, replying, over real sockets."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.support.client import FULL, Client, RefusedByServer, join, opened
from tests.support.server import Server

pytestmark = pytest.mark.asyncio

_TIME = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


async def _refusal(client: Client, type_: str, **payload: object) -> tuple[str, str | None]:
    """Code and field with which an event is refused."""
    with pytest.raises(RefusedByServer) as refused:
        await client.ask(type_, **payload)
    return refused.value.code, refused.value.event.payload.get("field")


async def _history(server: Server, client: Client, room: str) -> list[dict[str, Any]]:
    answer = await server.call(server.known(client.name), "GET", f"/api/rooms/{room}/messages")
    messages: list[dict[str, Any]] = answer["messages"]
    return messages


async def test_welcome_is_the_first_of_all(server: Server) -> None:
    person = server.person()
    async with join(server, person) as client:
        await client.fence()
        first = client.heard[0]
    assert (first.type, first["user"], first["display_name"]) == ("welcome", person.name, person.name)
    assert (first["role"], first["rooms"]) == ("member", [])
    assert first["limits"] == {
        "message_characters": 10_000,
        "frame_bytes": 65_536,
        "rooms_entered": 200,
        "messages_per_second": 20.0,
        "messages_at_once": 60,
        "typing_seconds": 5.0,
    }
    assert first["server"].startswith("hubbub/")


async def test_what_is_sent_before_the_welcome_is_answered_after_it(server: Server) -> None:
    person = server.person()
    async with opened(server.socket_url, subprotocols=[FULL], additional_headers=person.bearer) as socket:
        client = Client(socket, person.name)
        for _ in range(3):
            await client.send("enter", room="general")
        await client.fence()
    assert [event.type for event in client.heard] == ["welcome", "entered", "entered", "entered", "error"]


async def test_entering_tells_what_there_is_to_know_of_a_room(server: Server) -> None:
    ada, bob = server.people(2)
    room = server.room()
    await server.call(ada, "POST", "/api/rooms", {"name": room, "topic": "tea"})
    async with join(server, ada) as a, join(server, bob) as b:
        await a.enter(room)
        said = await a.say(room, "hi")
        said_epoch = (await a.enter(room))["epoch"]
        entered = await b.enter(room)
    assert said_epoch.startswith(b.welcome["epoch"] + ".")
    message = {name: said[name] for name in ("room", "seq", "id", "from", "message", "sent")}
    assert entered.payload == {
        "room": room,
        "kind": "public",
        "topic": "tea",
        "head": 4,
        "epoch": said_epoch,
        "present": [ada.name, bob.name],
        "present_count": 2,
        "read": 4,
        "unread": 0,
        "mentions": 0,
        "role": "member",
        "more": False,
        "messages": [message],
    }


async def test_entering_shows_the_last_fifty_messages(server: Server) -> None:
    ada, bob = server.people(2)
    room = server.room()
    async with join(server, ada) as a, join(server, bob) as b:
        await a.enter(room)
        for number in range(55):
            await a.send("send_message", room=room, id=str(number), message=f"message {number}")
        await a.until("new_message", message="message 54")
        entered = await b.enter(room)
    assert [message["message"] for message in entered["messages"]] == [
        f"message {number}" for number in range(5, 55)
    ]
    assert entered["earlier"] is True


async def test_one_entry_and_one_answer_for_entering_twice(server: Server) -> None:
    room = server.room()
    async with join(server, server.person()) as client:
        first, second = await client.enter(room), await client.enter(room)
        assert (first["head"], second["head"]) == (2, 2)
        await client.say(room, "once")
        assert await client.unread("new_message") == []


async def test_the_echo_is_the_acknowledgement_and_everyone_gets_it_once(server: Server) -> None:
    ada, bob, cleo = server.people(3)
    room, other = server.room(), server.room()
    async with join(server, ada) as a, join(server, bob) as b, join(server, cleo) as c:
        await a.enter(room)
        await b.enter(room)
        await c.enter(other)
        echo = await a.ask("send_message", room=room, id="mine-1", message="hello")
        assert _TIME.fullmatch(echo["sent"])
        assert echo.type == "new_message"
        expected = {"room": room, "seq": 4, "id": "mine-1", "from": ada.name, "message": "hello"}
        assert echo.payload == expected | {"sent": echo["sent"]}
        heard = await b.until("new_message")
        assert (heard.payload, heard.ref) == (echo.payload, None)
        # Is anyone outside this room at all? Cleo is, and hears nothing of it.
        assert await c.unread("new_message") == []
        assert await a.unread("new_message") + await b.unread("new_message") == []
    kept = {"type": "new_message", **echo.payload}
    del kept["room"]  # a room may be renamed
    assert server.entries(room)[-1] == kept


async def test_the_ref_comes_back_as_it_was_sent(server: Server) -> None:
    async with join(server, server.person()) as client:
        for ref in (7, "seven", "", 0, -1):
            await client.socket.send(
                json.dumps({"type": "enter", "ref": ref, "payload": {"room": "general"}})
            )
            assert (await client.until("entered")).ref == ref
        await client.socket.send('{"type": "enter", "payload": {"room": "general"}, "more": [1]}')
        assert (await client.until("entered")).ref is None


async def test_answers_come_in_the_order_of_the_questions_though_some_must_wait(server: Server) -> None:
    rooms = [server.room() for _ in range(5)]
    async with join(server, server.person()) as client:
        refs = []
        for room in rooms:
            refs += [
                await client.send("enter", room=room),  # makes it, and waits for the disk
                await client.send("exit", room=room),
                await client.send("enter", room="general"),
                await client.send("no_such_event"),
            ]
        await client.fence()
        answered = [event.ref for event in client.heard if event.ref in refs]
    assert answered == refs


async def test_messages_for_a_room_keep_their_order_though_it_has_to_be_looked_up(server: Server) -> None:
    room = server.room()
    async with join(server, server.person()) as client:
        await client.enter(room)
        await client.ask("exit", room=room)
        for number in range(50):
            await client.send("send_message", room=room, id=f"n{number}", message=str(number))
        await client.until("new_message", message="49")
    texts = [entry["message"] for entry in server.entries(room) if entry["type"] == "new_message"]
    assert texts == [str(number) for number in range(50)]


async def test_a_member_may_speak_in_a_room_without_being_in_it(server: Server) -> None:
    ada, bob = server.people(2)
    room = server.room()
    async with join(server, ada) as a, join(server, bob) as b:
        await a.enter(room)
        await b.enter(room)
        await a.ask("exit", room=room)
        assert (await a.say(room, "from outside"))["message"] == "from outside"
        await b.until("new_message", message="from outside")
        await b.say(room, "do you hear me?")
        assert await a.unread("new_message") == []


async def test_who_has_not_entered_a_room_may_not_speak_there(server: Server) -> None:
    ada, bob = server.people(2)
    room = server.room()
    async with join(server, ada) as a, join(server, bob) as b:
        await a.enter(room)
        for type_, more in (
            ("send_message", {"id": "x", "message": "hi"}),
            ("edit_message", {"seq": 1, "message": "hi"}),
            ("delete_message", {"seq": 1}),
            ("react", {"seq": 1, "emoji": "x"}),
            ("typing", {}),
            ("mark_read", {"seq": 1}),
            ("exit", {}),
        ):
            assert await _refusal(b, type_, room=room, **more) == ("not_entered", None), type_
        assert await a.unread("new_message") == []


async def test_leaving_a_room_ends_hearing_it_and_not_belonging_to_it(server: Server) -> None:
    ada, bob = server.people(2)
    room = server.room()
    async with join(server, ada) as a, join(server, bob) as b:
        await a.enter(room)
        await b.enter(room)
        exited = await b.ask("exit", room=room)
        assert (exited.type, exited.payload) == ("exited", {"room": room})
        await a.say(room, "are you there?")
        assert await b.unread("new_message") == []
        assert await _refusal(b, "exit", room=room) == ("not_entered", None)
    async with join(server, bob) as b:
        assert [known["room"] for known in b.welcome["rooms"]] == [room]


async def test_ones_own_message_can_be_edited_and_everyone_hears_of_it(server: Server) -> None:
    ada, bob = server.people(2)
    room = server.room()
    async with join(server, ada) as a, join(server, bob) as b:
        await a.enter(room)
        await b.enter(room)
        said = await a.say(room, "helo")
        edited = await a.ask("edit_message", room=room, seq=said["seq"], message="hello")
        assert _TIME.fullmatch(edited["edited"])
        assert (edited.type, edited.payload) == (
            "message_edited",
            {
                "room": room,
                "seq": said["seq"] + 1,
                "target": said["seq"],
                "from": ada.name,
                "message": "hello",
                "edited": edited["edited"],
            },
        )
        assert (await b.until("message_edited")).payload == edited.payload
        shown = (await b.enter(room))["messages"]
    now = said.payload | {"message": "hello", "edited": edited["edited"], "edits": [edited["seq"]]}
    assert shown == [now]
    assert await _history(server, a, room) == [now]


async def test_nobody_edits_the_words_of_another(server: Server) -> None:
    ada, bob = server.people(2)
    room = server.room()
    async with join(server, ada) as a, join(server, bob) as b:
        await a.enter(room)  # and owns it
        await b.enter(room)
        said = await b.say(room, "mine")
        assert await _refusal(a, "edit_message", room=room, seq=said["seq"], message="x") == (
            "forbidden",
            None,
        )
        await a.fence()
        assert await b.unread("message_edited") == []


async def test_what_is_no_message_can_not_be_edited_deleted_or_reacted_to(server: Server) -> None:
    room = server.room()
    async with join(server, server.person()) as client:
        await client.enter(room)
        for seq in (0, 1, 2, 3, 2**53 - 1):
            for type_, more in (
                ("edit_message", {"message": "x"}),
                ("delete_message", {}),
                ("react", {"emoji": "x"}),
            ):
                found = await _refusal(client, type_, room=room, seq=seq, **more)
                assert found == ("no_such_message", "seq"), (type_, seq)


async def test_a_deleted_message_is_gone_from_everywhere(server: Server) -> None:
    ada, bob = server.people(2)
    room = server.room()
    async with join(server, ada) as a, join(server, bob) as b:
        await a.enter(room)
        await b.enter(room)
        said = await a.say(room, "a secret")
        await a.ask("edit_message", room=room, seq=said["seq"], message="a worse secret")
        await b.ask("react", room=room, seq=said["seq"], emoji="😮")
        deleted = await a.ask("delete_message", room=room, seq=said["seq"])
        assert deleted.payload == {"room": room, "seq": 7, "target": said["seq"], "from": ada.name}
        assert (await b.until("message_deleted")).payload == deleted.payload
        shown = (await b.enter(room))["messages"]
        entries = (await b.enter(room, after=0))["entries"]
        for type_, more in (
            ("edit_message", {"message": "x"}),
            ("delete_message", {}),
            ("react", {"emoji": "x"}),
        ):
            again = await _refusal(a, type_, room=room, seq=said["seq"], **more)
            assert again == ("no_such_message", "seq")
    assert [(message["message"], message["deleted"]) for message in shown] == [("", True)]
    history = await _history(server, a, room)
    everything = json.dumps([shown, entries, history, server.entries(room)])
    assert "secret" not in everything
    assert "😮" not in json.dumps([shown, history], ensure_ascii=False)


async def test_a_message_is_deleted_by_its_author_the_rooms_owner_or_an_administrator(server: Server) -> None:
    owner, author, other = server.people(3)
    room = server.room()
    olga = await server.log_in("olga")
    async with (
        join(server, owner) as a,
        join(server, author) as b,
        join(server, other) as c,
        join(server, olga) as o,
    ):
        for client in (a, b, c, o):
            await client.enter(room)
        said = [(await b.say(room, f"message {number}"))["seq"] for number in range(3)]
        assert await _refusal(c, "delete_message", room=room, seq=said[0]) == ("forbidden", None)
        for client, seq in zip((b, a, o), said, strict=True):
            deleted = await client.ask("delete_message", room=room, seq=seq)
            assert (deleted["target"], deleted["from"]) == (seq, client.name)
        assert [(await c.until("message_deleted"))["target"] for _ in range(3)] == said


async def test_a_reaction_is_added_and_taken_back_once(server: Server) -> None:
    ada, bob = server.people(2)
    room = server.room()
    async with join(server, ada) as a, join(server, bob) as b:
        await a.enter(room)
        await b.enter(room)
        seq = (await a.say(room, "cake?"))["seq"]
        added = await b.ask("react", room=room, seq=seq, emoji="🎂")
        assert (added.type, added.payload) == (
            "reacted",
            {"room": room, "seq": 5, "target": seq, "from": bob.name, "emoji": "🎂"},
        )
        assert (await a.until("reacted")).payload == added.payload
        assert await _refusal(b, "react", room=room, seq=seq, emoji="🎂") == ("conflict", None)
        await a.ask("react", room=room, seq=seq, emoji="🎂")
        await a.ask("react", room=room, seq=seq, emoji="👋🏽")
        shown = (await _history(server, a, room))[0]["reactions"]
        assert shown == {"🎂": [bob.name, ada.name], "👋🏽": [ada.name]}
        taken = await b.ask("react", room=room, seq=seq, emoji="🎂", remove=True)
        assert taken["remove"] is True
        assert await _refusal(b, "react", room=room, seq=seq, emoji="🎂", remove=True) == ("conflict", None)
        await a.ask("react", room=room, seq=seq, emoji="🎂", remove=True)
        assert (await _history(server, a, room))[0]["reactions"] == {"👋🏽": [ada.name]}


@pytest.mark.parametrize("emoji", ["", "two words", "x" * 33, "\n", "\0", "\u2028"])
async def test_a_reaction_is_one_short_sign(server: Server, emoji: str) -> None:
    room = server.room()
    async with join(server, server.person()) as client:
        await client.enter(room)
        seq = (await client.say(room, "hi"))["seq"]
        assert await _refusal(client, "react", room=room, seq=seq, emoji=emoji) == ("bad_payload", "emoji")


async def test_a_message_holds_fifty_different_reactions(server: Server) -> None:
    room = server.room()
    async with join(server, server.person()) as client:
        await client.enter(room)
        seq = (await client.say(room, "hi"))["seq"]
        for number in range(50):
            await client.ask("react", room=room, seq=seq, emoji=f"e{number}")
        assert await _refusal(client, "react", room=room, seq=seq, emoji="e50") == ("conflict", None)


async def test_a_reply_names_a_message_of_the_same_room(server: Server) -> None:
    ada, bob = server.people(2)
    room, other = server.room(), server.room()
    async with join(server, ada) as a, join(server, bob) as b:
        for client in (a, b):
            await client.enter(room)
            await client.enter(other)
        question = await a.say(room, "tea?")
        reply = await b.say(room, "yes", reply_to=question["seq"])
        assert reply["reply_to"] == question["seq"]
        assert (await a.until("new_message", message="yes"))["reply_to"] == question["seq"]
        elsewhere = [(await a.say(other, "elsewhere"))["seq"] for _ in range(5)]
        for seq in (0, 1, elsewhere[-1], 999):
            refusal = await _refusal(b, "send_message", room=room, id="r", message="?", reply_to=seq)
            assert refusal == ("no_such_message", "reply_to"), seq
        await a.ask("delete_message", room=room, seq=question["seq"])
        refusal = await _refusal(b, "send_message", room=room, id="r", message="?", reply_to=question["seq"])
        assert refusal == ("no_such_message", "reply_to")
        assert (await b.say(room, "never mind", id_="r"))["message"] == "never mind"
