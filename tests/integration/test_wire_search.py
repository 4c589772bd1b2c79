"""Search on a real server: what is said is found at once, over a kill and a restart, and never by strangers."""

from __future__ import annotations

import pytest

from tests.support.client import join
from tests.support.fixtures import StartServer
from tests.support.server import Person, Server

pytestmark = pytest.mark.asyncio


async def found(server: Server, person: Person, question: str) -> list[str]:
    answer = await server.request("GET", f"/api/search?q={question}&limit=100", person)
    assert answer.is_success, answer.text
    return [result["message"]["message"] for result in answer.json()["results"]]


async def test_what_was_said_is_found_at_once_and_after_a_kill(start_server: StartServer) -> None:
    server = start_server(limit_searches=0)
    ada, bob = server.people(2)
    said = [f"the weather today 天氣 {number}" for number in range(30)]
    async with join(server, ada) as client:
        await client.enter("general")
        for text in said:
            await client.say("general", text)
            assert (await found(server, bob, "weather today 天氣"))[0] == text
    async with join(server, ada) as client:
        await client.enter("general")
        await client.say("general", "said last, and not searched for yet")
        server.kill()
    server.start()
    assert await found(server, bob, "天氣") == said[::-1]
    assert await found(server, bob, "said last") == ["said last, and not searched for yet"]


async def test_one_who_has_left_a_private_room_finds_nothing_of_it(server: Server) -> None:
    ada, bob, eve = server.people(3)
    room = server.room("attic")
    await server.call(ada, "POST", "/api/rooms", {"name": room, "kind": "private"})
    await server.call(ada, "POST", f"/api/rooms/{room}/members", {"user": bob.name})
    async with join(server, ada) as client:
        await client.enter(room)
        await client.say(room, "the xylophone is out of tune")
    assert await found(server, bob, "xylophone") == ["the xylophone is out of tune"]
    assert await found(server, eve, "xylophone") == []
    await server.call(ada, "DELETE", f"/api/rooms/{room}/members/{bob.name}")
    assert await found(server, bob, "xylophone") == []
    assert await found(server, bob, "xy") == []
