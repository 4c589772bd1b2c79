"""The basic profile: what the tutorial's own page speaks, one room at a time."""

from __future__ import annotations

import json

import pytest

from tests.support.client import basic, join
from tests.support.fixtures import StartServer
from tests.support.server import Server

pytestmark = pytest.mark.asyncio


async def test_one_is_in_general_at_first(server: Server) -> None:
    ada, bob = server.people(2)
    async with basic(server, ada) as a, basic(server, bob) as b:
        await b.say("are you here?")
        heard = await a.until("are you here?")
    assert (heard["room"], heard["from"]) == ("general", bob.name)


async def test_the_name_of_the_login_counts_and_not_what_a_client_says_in_from(server: Server) -> None:
    ada, bob = server.people(2)
    async with basic(server, ada) as a, basic(server, bob) as b:
        await b.say("I am there")
        echo = await a.say("I am olga", from_="olga")
        assert echo["from"] == ada.name
        assert (await b.until("I am olga"))["from"] == ada.name


async def test_a_message_is_the_same_bytes_in_both_profiles(server: Server) -> None:
    ada, bob = server.people(2)
    async with basic(server, ada) as a, join(server, bob) as b:
        await b.enter("general")
        await a.send("the same for all")
        heard = [await a.socket.recv(), await b.socket.recv()]
        while json.loads(heard[1])["type"] != "new_message":
            heard[1] = await b.socket.recv()
    assert heard[0] == heard[1]


async def test_changing_to_a_room_of_no_name_makes_a_public_one(server: Server) -> None:
    ada, bob = server.people(2)
    room = server.room()
    async with basic(server, ada) as a:
        await a.change_room(room)
        assert (await a.say("first"))["room"] == room
    listed = (await server.call(bob, "GET", "/api/rooms"))["rooms"]
    assert [(found["kind"], found["member"]) for found in listed if found["room"] == room] == [
        ("public", False)
    ]
    assert [entry["type"] for entry in server.entries(room)] == [
        "room_changed",
        "member_joined",
        "new_message",
    ]


async def test_a_message_is_for_its_room_only(server: Server) -> None:
    inside, also_inside, outside = server.people(3)
    room, other = server.room(), server.room()
    async with basic(server, inside) as a, basic(server, also_inside) as b, basic(server, outside) as c:
        await a.change_room(room)
        await b.change_room(room)
        await c.change_room(other)
        await b.say("b is here")
        await c.say("c is here")
        await a.say("for the room")
        await b.until("for the room")
        await c.say("c still hears")
        # Is anyone outside this room at all? One is, and hears only what is said there.
        assert [event["payload"]["message"] for event in c.heard] == ["c is here", "c still hears"]


async def test_one_who_changed_rooms_hears_the_old_one_no_more(server: Server) -> None:
    ada, bob = server.people(2)
    old, new = server.room(), server.room()
    async with basic(server, ada) as a, basic(server, bob) as b:
        await b.change_room(old)
        await a.change_room(old)
        await a.say("I am here")
        await b.say("before")
        await a.until("before")
        await a.change_room(new)
        await a.say("I am gone")
        await b.say("after")
        await a.say("what did I miss?")
        assert [event["payload"]["message"] for event in a.heard] == [
            "I am here",
            "before",
            "I am gone",
            "what did I miss?",
        ]


async def test_what_is_sent_after_changing_rooms_goes_to_the_new_one_though_nobody_waits(
    server: Server,
) -> None:
    rooms = [server.room() for _ in range(20)]
    async with basic(server, server.person()) as client:
        for number, room in enumerate(rooms):
            await client.change_room(room)
            await client.send(f"message {number}")
        await client.until("message 19")
    assert [server.entries(room)[-1]["message"] for room in rooms] == [f"message {n}" for n in range(20)]


async def test_who_could_not_change_rooms_does_not_speak_in_the_old_one(server: Server) -> None:
    ada, bob = server.people(2)
    old, new = server.room(), server.room()
    async with basic(server, ada) as a, basic(server, bob) as b:
        await a.change_room(old)
        await a.say("here")
        await b.change_room(old)
        await b.say("here too")
        await a.change_room("no/such/name")
        await a.send("meant for another room")
        await a.change_room(new)
        await a.say("there")
        await b.say("quiet here")
        assert [event["payload"]["message"] for event in b.heard] == ["here too", "quiet here"]


async def test_nothing_but_messages_is_ever_sent(start_server: StartServer) -> None:
    server = start_server(presence_interval_seconds=0, presence_grace_seconds=0, room_head_interval_seconds=0)
    ada, bob = server.people(2)
    room, other = server.room(), server.room()
    async with basic(server, ada) as a, join(server, bob) as b:
        await a.change_room(other)
        await a.say("I belong there")
        await a.change_room(room)
        await a.say("and am here")
        await b.enter(room)
        said = await b.say(room, "hi")
        await b.ask("edit_message", room=room, seq=said["seq"], message="hi!")
        await b.ask("react", room=room, seq=said["seq"], emoji="👍")
        await b.send("typing", room=room)
        await b.ask("delete_message", room=room, seq=said["seq"])
        await b.enter(other)
        await b.say(other, f"@{ada.name} @here")
        await b.ask("exit", room=room)
        await server.call(bob, "POST", f"/api/rooms/{room}/leave")
        for frame in ("no JSON", "[]", '{"type": "nonsense"}', '{"type": "send_message", "payload": 1}'):
            await a.socket.send(frame)
        await a.say("is anybody here?")
    assert {event["type"] for event in a.heard} == {"new_message"}
    assert [event["payload"]["message"] for event in a.heard][-2:] == ["hi", "is anybody here?"]


async def test_events_of_the_full_profile_do_nothing(server: Server) -> None:
    room = server.room()
    async with basic(server, server.person()) as client:
        for type_ in ("enter", "exit", "typing"):
            await client.socket.send(json.dumps({"type": type_, "ref": 1, "payload": {"room": room}}))
        assert (await client.say("still here"))["room"] == "general"
        assert len(client.heard) == 1
    assert server.entries(room) == []


async def test_in_the_full_profile_there_is_no_changing_of_rooms(server: Server) -> None:
    async with join(server, server.person()) as client:
        ref = await client.send("change_room", name="general")
        error = await client.first(lambda event: event.ref == ref, "an answer")
    assert (error.type, error["code"], error["retry"]) == ("error", "wrong_profile", False)
