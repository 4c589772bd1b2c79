"""Work that is done together, with the time turned by hand."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable

from hypothesis import given
from hypothesis import strategies as st

from hubbub.pulse import Pulse
from tests.fakes import HandTurnedLoop


def on_hand_turned_loop(test: Callable[[HandTurnedLoop], Awaitable[None]]) -> None:
    """Run a test's body on a loop whose time it turns."""

    async def body() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, HandTurnedLoop)
        await test(loop)

    with asyncio.Runner(loop_factory=HandTurnedLoop) as runner:
        runner.run(body())


def test_it_beats_at_once_when_it_is_quiet_and_not_within_the_poke() -> None:
    async def body(loop: HandTurnedLoop) -> None:
        beats: list[float] = []
        pulse = Pulse(0.5, lambda: beats.append(loop.time()))
        pulse.poke()
        assert beats == []
        await loop.turn(0)
        assert beats == [1_000.0]

    on_hand_turned_loop(body)


def test_what_comes_within_the_interval_is_done_together_at_its_end() -> None:
    async def body(loop: HandTurnedLoop) -> None:
        beats: list[float] = []
        pulse = Pulse(0.5, lambda: beats.append(loop.time()))
        for _ in range(3):
            pulse.poke()
        await loop.turn(0)
        pulse.poke()
        await loop.turn(0.25)
        pulse.poke()
        assert beats == [1_000.0]
        await loop.turn(0.25)
        await loop.turn(5.0)
        assert beats == [1_000.0, 1_000.5]

    on_hand_turned_loop(body)


def test_a_poke_within_a_beat_makes_another_one() -> None:
    async def body(loop: HandTurnedLoop) -> None:
        beats: list[float] = []

        def beat() -> None:
            beats.append(loop.time())
            if len(beats) < 3:
                pulse.poke()

        pulse = Pulse(0.5, beat)
        pulse.poke()
        for _ in range(4):
            await loop.turn(0.5)
        assert beats == [1_000.5, 1_001.0, 1_001.5]

    on_hand_turned_loop(body)


def test_a_beat_that_fails_does_not_end_the_pulse() -> None:
    async def body(loop: HandTurnedLoop) -> None:
        seen: list[object] = []
        loop.set_exception_handler(lambda _loop, context: seen.append(context["exception"]))
        failure = RuntimeError("broken")
        outcomes = iter([failure, None])

        def beat() -> None:
            outcome = next(outcomes)
            if outcome is not None:
                raise outcome
            seen.append("beat")

        pulse = Pulse(0.5, beat)
        for _ in range(2):
            pulse.poke()
            await loop.turn(0.5)
        assert seen == [failure, "beat"]

    on_hand_turned_loop(body)


def test_it_beats_no_more_once_it_is_stopped() -> None:
    async def body(loop: HandTurnedLoop) -> None:
        beats: list[float] = []
        pulse = Pulse(0.5, lambda: beats.append(loop.time()))
        pulse.stop()
        pulse.poke()
        pulse.stop()
        await loop.turn(5.0)
        assert beats == []

    on_hand_turned_loop(body)


@given(
    steps=st.lists(st.tuples(st.sampled_from([0.0, 0.125, 0.25, 0.5, 2.0]), st.booleans())),
    interval=st.sampled_from([0.0, 0.5, 1.0]),
)
def test_it_never_beats_twice_within_the_interval_and_no_poke_waits_longer_than_that(
    steps: list[tuple[float, bool]], interval: float
) -> None:
    async def body(loop: HandTurnedLoop) -> None:
        beats: list[float] = []
        waiting: list[float] = []

        def beat() -> None:
            assert all(loop.time() - poked <= interval + 0.125 for poked in waiting)
            waiting.clear()
            beats.append(loop.time())

        pulse = Pulse(interval, beat)
        for seconds, poke in [*steps, (interval + 0.125, False)]:
            if poke:
                pulse.poke()
                waiting.append(loop.time())
            for _ in range(int(seconds / 0.125)):
                await loop.turn(0.125)
        assert waiting == []
        assert all(later - earlier >= interval for earlier, later in itertools.pairwise(beats))

    on_hand_turned_loop(body)
