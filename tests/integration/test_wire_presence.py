"""Who is here, and who is typing: users, not connections; merged; and a reload is not a leaving."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.client import connected, join
from tests.support.fixtures import StartServer
from tests.support.server import Server

pytestmark = pytest.mark.asyncio

AT_ONCE = {"presence_interval_seconds": 0, "presence_grace_seconds": 0}
ONCE_AN_HOUR = 3600


async def test_the_first_connection_in_and_the_last_one_out_are_told(start_server: StartServer) -> None:
    server = start_server(**AT_ONCE)
    ada, bob = server.people(2)
    room = server.room()
    async with join(server, ada) as a:
        await a.enter(room)
        first, second = await connected(server, bob), await connected(server, bob)
        await first.enter(room)
        came = await a.until("presence")
        assert came.payload == {"room": room, "came": [bob.name], "went": []}
        entered = await second.enter(room)
        assert (entered["present"], entered["present_count"]) == ([ada.name, bob.name], 2)
        await first.close()
        assert await a.unread("presence") == []
        await second.ask("exit", room=room)
        went = await a.until("presence")
        assert went.payload == {"room": room, "came": [], "went": [bob.name]}
        await second.close()
        assert await a.unread("presence") == []


async def test_nobody_is_told_of_coming_and_going_in_rooms_they_are_not_in(start_server: StartServer) -> None:
    server = start_server(**AT_ONCE)
    ada, bob, cleo = server.people(3)
    room = server.room()
    async with join(server, ada) as a, join(server, cleo) as c:
        await a.enter(room)
        await c.enter(room)
        await c.ask("exit", room=room)
        async with join(server, bob) as b:
            await b.enter(room)
            await a.until("presence", came=[bob.name])
        await a.until("presence", went=[bob.name])
        assert [event["room"] for event in await c.unread("presence") if event["room"] == room] == []


async def test_a_reload_within_the_grace_is_not_seen(start_server: StartServer) -> None:
    server = start_server(presence_interval_seconds=0, presence_grace_seconds=ONCE_AN_HOUR)
    ada, bob, cleo = server.people(3)
    room = server.room()
    async with join(server, ada) as a:
        await a.enter(room)
        for _ in range(3):
            async with join(server, bob) as b:
                await b.enter(room)
        entered = await a.enter(room)
        assert entered["present"] == [ada.name, bob.name]
        async with join(server, cleo) as c:
            await c.enter(room)
            await a.until("presence", came=[cleo.name])
        told = [event.payload for event in a.heard if event.type == "presence" and bob.name in str(event)]
        assert told == [{"room": room, "came": [bob.name], "went": []}]


async def test_who_is_gone_for_longer_than_the_grace_is_seen_to_go_and_to_come(
    start_server: StartServer,
) -> None:
    server = start_server(presence_interval_seconds=0, presence_grace_seconds=0.05, ping_seconds=0.1)
    ada, bob = server.people(2)
    room = server.room()
    async with join(server, ada) as a:
        await a.enter(room)
        for _ in range(2):
            async with join(server, bob) as b:
                await b.enter(room)
                await a.until("presence", came=[bob.name])
            await a.until("presence", went=[bob.name])


async def test_who_comes_within_the_interval_is_told_at_its_end_with_the_others(
    start_server: StartServer,
) -> None:
    server = start_server(presence_interval_seconds=ONCE_AN_HOUR)
    room = server.room()
    ada, first, *others = server.people(30)
    async with join(server, ada) as a, join(server, first) as f:
        await f.enter(server.room())  # the room's maker comes alone: that frame opens the interval
        await a.enter(room)
        sockets = [await connected(server, person) for person in others]
        await asyncio.gather(*(socket.enter(room) for socket in sockets))
        entered = await a.enter(room)
        assert sorted(entered["present"]) == sorted([ada.name, *(person.name for person in others)])
        assert await a.unread("presence") == []
        for socket in sockets:
            await socket.close()


async def test_merged_frames_name_everyone_once(start_server: StartServer) -> None:
    server = start_server(presence_interval_seconds=0.05, presence_grace_seconds=0, ping_seconds=0.1)
    room = server.room()
    ada, *others = server.people(40)
    async with join(server, ada) as a:
        await a.enter(room)
        sockets = await asyncio.gather(*(connected(server, person) for person in others))
        await asyncio.gather(*(socket.enter(room) for socket in sockets))
        names = sorted(person.name for person in others)
        came: list[str] = []
        while len(came) < len(names):
            came += (await a.until("presence"))["came"]
        assert sorted(name for name in came if name != ada.name) == names
        await asyncio.gather(*(socket.close() for socket in sockets))
        went: list[str] = []
        while len(went) < len(names):
            went += (await a.until("presence"))["went"]
        assert sorted(went) == names


async def test_typing_is_told_to_the_others_in_the_room_and_to_nobody_else(server: Server) -> None:
    ada, bob, cleo = server.people(3)
    room = server.room()
    async with join(server, ada) as a, join(server, bob) as b, join(server, cleo) as c:
        for client in (a, b, c):
            await client.enter(room)
        await c.ask("exit", room=room)
        await c.enter("general")
        await a.send("typing", room=room)
        assert (await b.until("typing")).payload == {"room": room, "user": ada.name}
        assert await a.unread("typing") + await c.unread("typing") == []
    assert "typing" not in {entry["type"] for entry in server.entries(room)}


async def test_typing_is_told_once_though_it_is_said_again_and_again(server: Server) -> None:
    ada, bob = server.people(2)
    room, other = server.room(), server.room()
    async with join(server, ada) as a, join(server, bob) as b:
        for client in (a, b):
            await client.enter(room)
            await client.enter(other)
        for _ in range(10):
            await a.socket.send(f'{{"type": "typing", "payload": {{"room": "{room}"}}}}' * 1)
        await a.send("typing", room=other)
        await a.fence()
        told = [event["room"] for event in await b.unread("typing")]
        assert told.count(other) == 1
        assert 1 <= told.count(room) <= 2  # a second may have passed
