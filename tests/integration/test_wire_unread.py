"""What is unread: numbers read, mentions, and news of rooms one is not in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.client import Client, RefusedByServer, connected, join
from tests.support.fixtures import StartServer
from tests.support.server import Person, Server

pytestmark = pytest.mark.asyncio

ONCE_AN_HOUR = 3600


async def _summary(server: Server, person: Person, room: str) -> dict[str, Any]:
    """What `welcome` says to somebody of a room."""
    async with join(server, person) as client:
        return next(known for known in client.welcome["rooms"] if known["room"] == room)


async def _marks(client: Client, room: str, seq: int) -> dict[str, Any]:
    read = await client.ask("mark_read", room=room, seq=seq)
    assert (read.type, read["room"]) == ("read", room)
    return {name: read[name] for name in ("read", "seq") if name in read.payload} | {
        "unread": read.payload.get("unread", 0),
        "mentions": read.payload.get("mentions", 0),
    }


async def test_unread_is_the_head_minus_the_number_read(server: Server) -> None:
    ada, bob = server.people(2)
    room = server.room()
    async with join(server, ada) as a, join(server, bob) as b:
        await a.enter(room)
        await b.enter(room)  # its own joining is entry 3, and read
        for text in ("one", "two", "three"):
            await a.say(room, text)
        summary = await _summary(server, bob, room)
        assert (summary["head"], summary["read"], summary["unread"], summary["mentions"]) == (6, 3, 3, 0)
        assert await _marks(b, room, 5) == {"seq": 5, "unread": 1, "mentions": 0}
        entered = await b.enter(room)
        assert (entered["read"], entered["unread"]) == (5, 1)
    assert (await _summary(server, bob, room))["unread"] == 1


async def test_reading_never_goes_backwards_nor_beyond_what_there_is(server: Server) -> None:
    room = server.room()
    async with join(server, server.person()) as client:
        await client.enter(room)
        last = (await client.say(room, "last"))["seq"]
        assert await _marks(client, room, 2**53 - 1) == {"seq": last, "unread": 0, "mentions": 0}
        assert (await _marks(client, room, 1))["seq"] == last
        assert (await _marks(client, room, 0))["seq"] == last
        more = (await client.say(room, "more"))["seq"]
        assert await _marks(client, room, 0) == {"seq": last, "unread": more - last, "mentions": 0}


async def test_all_of_a_users_connections_hear_what_was_read_and_no_one_else(server: Server) -> None:
    ada, bob = server.people(2)
    room = server.room()
    async with join(server, ada) as a, join(server, ada) as also_a, join(server, bob) as b:
        await a.enter(room)
        await b.enter(room)
        said = await b.say(room, "read me")
        read = await a.ask("mark_read", room=room, seq=said["seq"])
        heard = await also_a.until("read")
        assert (heard.payload, heard.ref) == (read.payload, None)
        assert await a.unread("read") + await b.unread("read") == []


async def test_a_room_that_one_is_not_in_can_be_marked_as_read(server: Server) -> None:
    ada, bob = server.people(2)
    room = server.room()
    async with join(server, ada) as a, join(server, bob) as b:
        await b.enter(room)
        await a.enter(room)
        await a.ask("exit", room=room)
        said = await b.say(room, "hi")
        assert await _marks(a, room, said["seq"]) == {"seq": said["seq"], "unread": 0, "mentions": 0}


async def test_reading_a_room_that_one_does_not_belong_to_is_refused(server: Server) -> None:
    ada, bob = server.people(2)
    room = server.room()
    async with join(server, ada) as a, join(server, bob) as b:
        await a.enter(room)
        for name, code in ((room, "not_entered"), ("no such room", "no_such_room")):
            with pytest.raises(RefusedByServer) as refused:
                await b.ask("mark_read", room=name, seq=1)
            assert refused.value.code == code


async def test_mentions_count_until_they_are_read(server: Server) -> None:
    ada, bob, cleo = server.people(3)
    room = server.room()
    async with join(server, ada) as a, join(server, bob) as b, join(server, cleo) as c:
        for client in (a, b, c):
            await client.enter(room)
        for text in (
            f"@{bob.name} by name",
            f"@{bob.name.upper()}, in capitals",
            f"twice @{bob.name} and @{bob.name}",
            "everyone: @here",
            f"everyone, and one by name: @here @{bob.name}",
            f"no mention: {bob.name}, x@{bob.name}, @{bob.name}x, @nobody",
        ):
            await a.say(room, text)
        await b.say(room, f"I mention myself: @{bob.name}")
        assert (await _summary(server, bob, room))["mentions"] == 5
        assert (await _summary(server, cleo, room))["mentions"] == 2
        assert (await _summary(server, ada, room))["mentions"] == 0
        entered = await b.enter(room)
        assert entered["mentions"] == 5
        assert (await _marks(b, room, entered["head"] - 3))["mentions"] == 1
        assert (await _marks(b, room, entered["head"]))["mentions"] == 0
        assert (await _summary(server, cleo, room))["mentions"] == 2
        assert (await a.enter(room))["mentions"] == 0
    # While they are connected the server counts in memory; once they are gone the log tells the same.
    counts = [(await _summary(server, person, room))["mentions"] for person in (ada, bob, cleo)]
    assert counts == [0, 0, 2]


async def test_who_does_not_belong_to_a_room_is_not_mentioned_there(server: Server) -> None:
    ada, bob = server.people(2)
    room = server.room()
    async with join(server, ada) as a, join(server, bob) as b:
        await a.enter(room)
        await a.say(room, f"@{bob.name} @here")
        assert await b.unread("room_head") == []
        entered = await b.enter(room)
        assert (entered["mentions"], entered["unread"]) == (0, 0)


async def test_members_who_are_not_in_a_room_hear_of_its_head_and_no_one_else_does(
    start_server: StartServer,
) -> None:
    server = start_server(room_head_interval_seconds=0)
    ada, bob, cleo, dan = server.people(4)
    room = server.room()
    async with join(server, ada) as a, join(server, bob) as b, join(server, cleo) as c:
        for client in (a, b, c):
            await client.enter(room)
        await b.ask("exit", room=room)
        async with join(server, dan) as d:  # is no member
            said = await a.say(room, f"@{bob.name}")
            head = await b.until("room_head", head=said["seq"])
            assert head.payload == {"room": room, "head": said["seq"], "mentions": 1}
            later = await a.say(room, "and more")
            head = await b.until("room_head", head=later["seq"])
            assert head.payload == {"room": room, "head": later["seq"], "mentions": 1}
            told = [event["head"] for client in (a, c, d) for event in await client.unread("room_head")]
            assert [head for head in told if head >= said["seq"]] == []


async def test_a_room_head_is_told_once_in_the_interval(start_server: StartServer) -> None:
    server = start_server(room_head_interval_seconds=ONCE_AN_HOUR)
    ada, bob = server.people(2)
    room = server.room()
    await server.call(ada, "POST", "/api/rooms", {"name": room})
    await server.call(bob, "POST", f"/api/rooms/{room}/join")
    async with join(server, ada) as a, join(server, bob) as b:
        await a.enter(room)
        for number in range(30):
            await a.say(room, str(number))
        assert len(await b.unread("room_head")) <= 1


async def test_the_last_head_is_told_in_the_end(start_server: StartServer) -> None:
    server = start_server(room_head_interval_seconds=0.1)
    ada, bob = server.people(2)
    room = server.room()
    async with join(server, ada) as a, join(server, bob) as b:
        await a.enter(room)
        await server.call(bob, "POST", f"/api/rooms/{room}/join")
        said = [await a.say(room, f"{number} @here") for number in range(40)]
        await b.until("room_head", room=room, head=said[-1]["seq"], mentions=40)


async def test_a_mention_while_somebody_is_away_is_in_the_welcome(server: Server) -> None:
    ada, bob = server.people(2)
    room = server.room()
    away = await connected(server, bob)
    await away.enter(room)
    await away.close()
    async with join(server, ada) as a:
        await a.enter(room)
        await a.say(room, f"@{bob.name}, come back")
    assert (await _summary(server, bob, room))["mentions"] == 1
