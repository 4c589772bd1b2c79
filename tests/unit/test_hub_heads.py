"""What one hears of the rooms that one belongs to and is not in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hubbub.errors import POLICY
from tests.chat_world import ChatWorld, Someone, a_chat
from tests.fakes import HandTurnedLoop

INTERVAL = 1.0


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[ChatWorld]:
    async with a_chat(tmp_path) as world:
        yield world


def heads(someone: Someone) -> list[tuple[str, int, int]]:
    """Room, head and mentions of each `room_head` not looked at yet."""
    return [
        (event["payload"]["room"], event["payload"]["head"], event["payload"]["mentions"])
        for event in someone.rest()
        if event["type"] == "room_head"
    ]


def room_of(welcome: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(room for room in welcome["payload"]["rooms"] if room["room"] == name)
    return {"role": "member"} | found


@pytest.mark.asyncio
async def test_the_welcome_lists_the_rooms_one_belongs_to_and_what_is_unread_in_them(
    world: ChatWorld,
) -> None:
    ada = await world.come("ada", "general")
    bob = await world.come("bob", "general", "tea")
    await ada.sends("general", "@bob, tea?")
    last = await ada.sends("general", "yes")
    direct = (await bob.enters("@ada"))["room"]
    again = await world.connect("bob").hears("welcome")
    payload = again["payload"]
    assert {name: payload[name] for name in ("user", "display_name", "role", "epoch")} == {
        "user": "bob", "display_name": "bob", "role": "member", "epoch": world.hub.epoch,
    }  # fmt: skip
    assert payload["limits"]["rooms_entered"] == 200
    assert [room["room"] for room in payload["rooms"]] == [direct, "general", "tea"]
    assert room_of(again, "general") == {
        "room": "general",
        "kind": "public",
        "head": last["seq"],
        "read": last["seq"] - 2,
        "unread": 2,
        "mentions": 1,
        "role": "member",
        "active": last["sent"],
    }
    assert room_of(again, direct) == {
        "room": "@ada,bob", "kind": "direct", "head": 3, "read": 0, "unread": 3, "mentions": 0, "members": ["ada", "bob"],
        "role": "member", "active": last["sent"],
    }  # fmt: skip
    assert room_of(again, "tea")["role"] == "owner"


@pytest.mark.asyncio
async def test_what_comes_while_one_is_greeted_is_in_the_welcome_or_after_it(world: ChatWorld) -> None:
    ada, bob = await world.come("ada", "general"), await world.come("bob", "general")
    bob.goes()
    await world.settled()
    read = world.store.read
    last = 0
    told: list[tuple[str, int, int]] = []

    async def slow_read(query: Any) -> Any:
        """The log as it was; and before the answer is there, more is said."""
        nonlocal last
        found = await read(query)
        if "_belongings" in query.__code__.co_names:
            last = (await ada.sends("general", "@bob hello"))["seq"]
        return found

    world.store.read = slow_read  # type: ignore[method-assign]
    for _ in range(2):  # the first connection of bob, and a second one
        bob = world.connect("bob")
        welcome = await bob.hears("welcome")
        await world.settled()
        told = heads(bob) or [
            ("general", room_of(welcome, "general")["head"], room_of(welcome, "general")["mentions"])
        ]
        assert told[-1][:2] == ("general", last)
        assert bob.transport.events[0]["type"] == "welcome"
    assert told[-1][2] == 2


@pytest.mark.asyncio
async def test_a_room_joined_while_one_is_greeted_is_heard_of(world: ChatWorld) -> None:
    ada = await world.come("ada")
    read = world.store.read

    async def slow_read(query: Any) -> Any:
        found = await read(query)
        if "_belongings" in query.__code__.co_names and "tea" not in ada.client.rooms:
            await ada.enters("tea")
        return found

    world.store.read = slow_read  # type: ignore[method-assign]
    phone = await world.come("ada")
    assert (await phone.hears("room_head"))["payload"]["room"] == "tea"


@pytest.mark.asyncio
async def test_those_in_the_room_and_those_who_do_not_belong_to_it_hear_no_head(world: ChatWorld) -> None:
    inside, outside = await world.come("ada", "general"), await world.come("ada")
    bob, carol, basic = (
        await world.come("bob", "general"),
        await world.come("carol"),
        await world.come_basic("dave"),
    )
    await world.settled()
    for someone in (inside, outside, bob, carol, basic):
        someone.rest()
    seq = (await bob.sends("general", "hello"))["seq"]
    await world.settled()
    assert heads(outside) == [("general", seq, 0)]
    assert [heads(someone) for someone in (inside, bob, carol, basic)] == [[]] * 4


@pytest.mark.asyncio
async def test_one_who_was_behind_hears_of_the_heads_it_missed(world: ChatWorld) -> None:
    ada, bob = await world.come("ada", "general"), await world.come("bob", "general")
    await ada.asks("exit", room="general")
    await world.settled()
    ada.rest()
    ada.client.fall_behind(world.clock.monotonic())
    seq = (await bob.sends("general", "@ada"))["seq"]
    await world.settled()
    assert ada.rest() == []
    ada.client.caught_up()
    await ada.hears("room_head", payload={"room": "general", "head": seq, "mentions": 1})


@pytest.mark.asyncio
async def test_one_who_was_closed_hears_of_nothing_more(world: ChatWorld) -> None:
    ada, bob = await world.come("ada", "general"), await world.come("bob", "general")
    phone = await world.come("ada")
    ada.client.close(POLICY)
    last = (await bob.sends("general", "hi"))["seq"]
    await phone.asks("mark_read", room="general", seq=last)
    await world.rooms.leave(ada.identity, "general")
    await phone.hears("exited")
    await world.settled()  # what is written to the closed one would be a fault
    assert ada.transport.closed == POLICY


@pytest.mark.asyncio
async def test_one_who_is_behind_and_leaves_is_forgotten(world: ChatWorld) -> None:
    ada, bob = await world.come("ada", "general"), await world.come("bob", "general")
    await ada.asks("exit", room="general")
    await world.settled()
    ada.client.fall_behind(world.clock.monotonic())
    await bob.sends("general", "hi")
    await world.settled()
    ada.goes()
    await bob.sends("general", "hi")
    await world.settled()
    await world.settled()
    assert world.hub._heads._late == {}


def test_a_room_is_told_of_at_most_once_an_interval_however_much_is_said(tmp_path: Path) -> None:
    async def body() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, HandTurnedLoop)
        async with a_chat(tmp_path, room_head_interval_seconds=INTERVAL) as world:
            ada, bob = await world.come("ada", "general"), await world.come("bob", "general")
            await ada.asks("exit", room="general")
            await world.settled()
            await loop.turn(INTERVAL)
            ada.rest()
            told: list[tuple[str, int, int]] = []
            last = 0
            for number in range(40):
                last = (await bob.sends("general", "@ada" if number % 10 == 0 else "hi"))["seq"]
                await world.settled()
                await loop.turn(INTERVAL / 10)
                told += heads(ada)
            assert 4 <= len(told) <= 5
            await loop.turn(INTERVAL)
            told += heads(ada)
            assert told[-1] == ("general", last, 4)

    with asyncio.Runner(loop_factory=HandTurnedLoop) as runner:
        runner.run(body())
