"""What the hub does as time passes, with the time turned by hand: presence, typing, pings, slow readers, the end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from hubbub.chat.room_changes import MakeRoom
from hubbub.errors import HEARTBEAT_LOST, SESSION_ENDED, TOO_SLOW
from hubbub.tickets import Identity
from tests.chat_world import ChatWorld, Someone, a_chat
from tests.fakes import FakeTransport, HandTurnedLoop

TIMES: dict[str, Any] = {
    "presence_grace_seconds": 5.0,
    "presence_interval_seconds": 0.5,
    "ping_seconds": 3_600.0,
    "slow_reader_seconds": 60.0,
}


class Turned:
    """A world whose every clock is turned by hand, together."""

    def __init__(self, world: ChatWorld, loop: HandTurnedLoop) -> None:
        self.world = world
        self._loop = loop

    async def passes(self, seconds: float) -> None:
        """Time passes, in small steps."""
        await self.world.settled()
        for _ in range(round(seconds * 10)):
            self.world.clock.advance(0.1)
            await self._loop.turn(0.1)
        await self.world.settled()


def in_time(folder: Path, test: Callable[[Turned], Awaitable[None]], **changes: Any) -> None:
    """Run a test's body in a world in which time is turned by hand."""

    async def body() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, HandTurnedLoop)
        async with a_chat(folder, **(TIMES | changes)) as world:
            await test(Turned(world, loop))

    with asyncio.Runner(loop_factory=HandTurnedLoop) as runner:
        runner.run(body())


def presence(someone: Someone) -> list[tuple[list[str], list[str]]]:
    """Who came and who went, by each frame not looked at yet."""
    return [
        (event["payload"]["came"], event["payload"]["went"])
        for event in someone.rest()
        if event["type"] == "presence"
    ]


# --- presence


def test_a_user_comes_with_the_first_connection_and_goes_with_the_last_when_the_grace_is_over(
    tmp_path: Path,
) -> None:
    async def body(turned: Turned) -> None:
        ada = await turned.world.come("ada", "general")
        await turned.passes(1)
        ada.rest()
        one, two = await turned.world.come("bob", "general"), await turned.world.come("bob", "general")
        await turned.passes(1)
        assert presence(ada) == [(["bob"], [])]
        one.goes()
        await turned.passes(10)
        assert presence(ada) == []
        two.goes()
        await turned.passes(4.8)
        assert presence(ada) == []
        assert (await ada.enters("general"))["present"] == ["ada", "bob"]
        await turned.passes(1)
        assert presence(ada) == [([], ["bob"])]

    in_time(tmp_path, body)


def test_one_who_comes_back_within_the_grace_was_never_away(tmp_path: Path) -> None:
    async def body(turned: Turned) -> None:
        ada, bob = await turned.world.come("ada", "general"), await turned.world.come("bob", "general")
        await turned.passes(1)
        ada.rest()
        for _ in range(5):
            bob.goes()
            await turned.passes(4)
            bob = await turned.world.come("bob", "general")
            await turned.passes(3)
        assert presence(ada) == []
        await bob.asks("exit", room="general")
        await turned.passes(6)
        assert presence(ada) == [([], ["bob"])]

    in_time(tmp_path, body)


def test_however_many_come_and_go_there_are_two_frames_a_second(tmp_path: Path) -> None:
    async def body(turned: Turned) -> None:
        ada = await turned.world.come("ada", "general")
        await turned.passes(1)
        ada.rest()
        there = {"ada"}
        frames = 0
        for number in range(20):
            crowd = await turned.world.come(f"user-{number}", "general")
            if number % 3 == 0:
                crowd.goes()
            await turned.passes(0.1)
            for came, went in (told := presence(ada)):
                there = (there | set(came)) - set(went)
            frames += len(told)
        assert frames <= 5
        await turned.passes(6)
        for came, went in presence(ada):
            there = (there | set(came)) - set(went)
        assert there == {"ada", *(f"user-{number}" for number in range(20) if number % 3)}

    in_time(tmp_path, body)


def test_one_who_enters_just_after_another_left_hears_when_that_one_comes_back(tmp_path: Path) -> None:
    async def body(turned: Turned) -> None:
        ada, bob = await turned.world.come("ada", "general"), await turned.world.come("bob", "general")
        await turned.passes(1)
        bob.goes()
        await turned.passes(1)
        carol = await turned.world.come("carol", "general")
        there = set((await carol.enters("general"))["present"])
        carol.rest()
        bob = await turned.world.come("bob", "general")
        await turned.passes(3)
        for came, went in presence(carol):
            there = (there | set(came)) - set(went)
        assert there == {"ada", "bob", "carol"} == set((await ada.enters("general"))["present"])

    in_time(tmp_path, body, presence_grace_seconds=0.5, presence_interval_seconds=2.0)


def test_the_basic_profile_is_seen_and_sees_nobody(tmp_path: Path) -> None:
    async def body(turned: Turned) -> None:
        ada, basic = await turned.world.come("ada", "general"), await turned.world.come_basic("bob")
        await turned.passes(1)
        assert (await ada.enters("general"))["present"] == ["ada", "bob"]
        ada.rest()
        basic.goes()
        await turned.passes(6)
        assert presence(ada) == [([], ["bob"])]
        assert basic.transport.events == []

    in_time(tmp_path, body)


def test_one_who_was_behind_when_somebody_came_is_told_to_enter_again(tmp_path: Path) -> None:
    async def body(turned: Turned) -> None:
        ada, bob = await turned.world.come("ada", "general"), await turned.world.come("bob", "general")
        await turned.passes(1)
        ada.rest()
        ada.client.fall_behind(turned.world.clock.monotonic())
        bob.goes()
        await turned.passes(7)
        ada.client.caught_up()
        assert (await ada.hears("gap"))["payload"]["room"] == "general"
        assert (await ada.enters("general"))["present"] == ["ada"]

    in_time(tmp_path, body)


# --- typing


def test_typing_is_told_to_the_others_in_the_room_and_at_most_once_a_second(tmp_path: Path) -> None:
    async def body(turned: Turned) -> None:
        ada, bob, away = [await turned.world.come(name, "general") for name in ("ada", "bob", "away")]
        basic = await turned.world.come_basic("carol")
        await away.asks("exit", room="general")
        await turned.passes(1)
        for someone in (ada, bob, away):
            someone.rest()
        for _ in range(25):
            ada.says("typing", room="general")
            await turned.passes(0.1)
        typing = {"type": "typing", "payload": {"room": "general", "user": "ada"}}
        assert bob.rest() == [typing] * 3
        assert (ada.rest(), away.rest(), basic.transport.events) == ([], [], [])
        assert (await away.is_refused("typing", room="general"))["code"] == "not_entered"
        assert len(await turned.world.log("general")) == 5

    in_time(tmp_path, body)


# --- the one timer


def test_one_who_does_not_answer_a_ping_is_closed_and_one_who_does_is_not(tmp_path: Path) -> None:
    async def body(turned: Turned) -> None:
        ada, bob = await turned.world.come("ada"), await turned.world.come("bob")
        for _ in range(60):
            bob.client.heard = True
            await turned.passes(0.5)
            if not ada.transport.is_open():
                ada.goes()
        assert (ada.transport.closed, ada.transport.aborted) == (HEARTBEAT_LOST, True)
        assert ada.transport.pings == 2
        assert bob.transport.is_open()
        assert bob.transport.pings == 3

    in_time(tmp_path, body, ping_seconds=9.0, pong_seconds=10.0)


def test_one_who_stays_behind_for_too_long_is_closed_and_not_for_want_of_a_pong(tmp_path: Path) -> None:
    async def body(turned: Turned) -> None:
        slow, quick, talker = [
            await turned.world.come(name, "general") for name in ("slow", "quick", "talker")
        ]
        for someone in (slow, quick):
            someone.client.fall_behind(turned.world.clock.monotonic())
        for second in range(60):
            assert slow.transport.is_open()
            talker.client.heard = quick.client.heard = True
            if second == 30:
                quick.client.caught_up()
            await turned.passes(1)
        await turned.passes(0.5)
        assert (slow.transport.closed, slow.transport.aborted) == (TOO_SLOW, True)
        assert quick.transport.is_open()
        slow.goes()
        assert turned.world.hub.behind == set()

    in_time(tmp_path, body)


def test_how_late_the_timer_is_says_how_busy_the_loop_is(tmp_path: Path) -> None:
    async def body(turned: Turned) -> None:
        await turned.passes(1)
        assert turned.world.hub.loop_delay_seconds < 0.2
        loop = asyncio.get_running_loop()
        assert isinstance(loop, HandTurnedLoop)
        await loop.turn(2.0)
        assert 1.4 < turned.world.hub.loop_delay_seconds < 2.1

    in_time(tmp_path, body)


# --- the end


def test_what_was_accepted_is_delivered_before_everyone_is_told_when_to_come_back(tmp_path: Path) -> None:
    async def body(turned: Turned) -> None:
        people = [await turned.world.come(f"user-{number}", "general") for number in range(30)]
        await turned.world.settled()
        for number, someone in enumerate(people):
            someone.says("send_message", number, room="general", message=f"last {number}", id="last")
        await turned.world.hub.stop(10.0)
        assert (
            len([entry for entry in await turned.world.log("general") if entry["type"] == "new_message"])
            == 30
        )
        delays = set()
        for someone in people:
            said = [
                event["payload"]["message"]
                for event in someone.transport.events
                if event["type"] == "new_message"
            ]
            assert len(said) == 30
            assert someone.transport.closed is not None
            assert someone.transport.closed.code == 1012
            delays.add(someone.transport.closed.reason)
        assert len(delays) == 30

    in_time(tmp_path, body)


def test_those_who_answer_each_message_with_another_do_not_hold_up_the_end(tmp_path: Path) -> None:
    async def body(turned: Turned) -> None:
        ada = await turned.world.come("ada", "general")
        said = 0

        def say() -> None:
            nonlocal said
            said += 1
            if said < 2_000 and ada.transport.is_open():
                ada.says("send_message", room="general", message=str(said), id=str(said))

        ada.transport.on_write = say
        say()
        await turned.world.hub.stop(1.0)
        assert ada.transport.closed is not None
        assert ada.transport.closed.code == 1012
        assert said < 1_000

    in_time(tmp_path, body)


def test_the_end_of_a_way_in_closes_its_sockets_and_no_others(tmp_path: Path) -> None:
    async def body(turned: Turned) -> None:
        hub = turned.world.hub

        def connect(
            user_id: int, *, session_id: int | None = None, token_id: int | None = None
        ) -> FakeTransport:
            transport = FakeTransport()
            hub.connected(
                Identity(user_id, f"u{user_id}", "", "member", session_id, token_id), transport, full=True
            )
            return transport

        first, same, other = connect(1, session_id=7), connect(1, session_id=7), connect(1, session_id=8)
        token, bob = connect(1, token_id=7), connect(2, session_id=9)
        hub.end_session(7)
        assert [t.closed for t in (first, same, other, token, bob)] == [SESSION_ENDED] * 2 + [None] * 3
        hub.end_token(7)
        assert [t.closed for t in (other, token, bob)] == [None, SESSION_ENDED, None]
        hub.end_user(1)
        hub.end_user(99)
        assert [t.closed for t in (other, bob)] == [SESSION_ENDED, None]

    in_time(tmp_path, body)


def test_connections_are_counted_by_user(tmp_path: Path) -> None:
    async def body(turned: Turned) -> None:
        one, _ = await turned.world.come("ada"), await turned.world.come("ada")
        assert turned.world.hub.connections_of(one.identity.user_id) == 2
        one.goes()
        assert turned.world.hub.connections_of(one.identity.user_id) == 1
        assert turned.world.hub.connections_of(99) == 0

    in_time(tmp_path, body)


@pytest.mark.parametrize("fails", ["finished", "nothing"])
def test_one_who_waits_for_a_change_is_woken_even_if_what_follows_it_fails(
    tmp_path: Path, fails: str
) -> None:
    class Faulty(MakeRoom):
        def finished(self) -> None:
            super().finished()
            if fails == "finished":
                raise RuntimeError("a fault")

    async def body(turned: Turned) -> None:
        hub = turned.world.hub
        change = Faulty(hub, turned.world.person("ada"), "tea", "public", "")
        waiting = asyncio.create_task(hub.commit(change))
        await turned.world.settled()
        await waiting
        assert len(await turned.world.log("tea")) == 2

    in_time(tmp_path, body)
