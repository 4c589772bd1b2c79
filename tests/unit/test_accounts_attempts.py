"""Attempts at a password: wrong ones count, right ones don't, and nobody gets round it by asking side by side."""

from __future__ import annotations

import asyncio

import pytest

from hubbub.accounts.attempts import Attempts
from hubbub.errors import RATE_LIMITED, UNAVAILABLE, WRONG_PASSWORD, Refused
from tests.fakes import FakeClock

pytestmark = pytest.mark.asyncio


async def attempt(
    attempts: Attempts, key: object, outcome: Refused | None, gate: asyncio.Event | None = None
) -> str:
    """Make an attempt that ends like this; the code of what was said."""
    try:
        async with attempts.one(key):
            if gate is not None:
                await gate.wait()
            if outcome is not None:
                raise outcome
    except Refused as refused:
        return refused.refusal.code
    return "right"


def wrong() -> Refused:
    """A wrong password."""
    return Refused(WRONG_PASSWORD)


async def test_after_ten_wrong_ones_a_right_one_is_refused_too() -> None:
    attempts = Attempts(FakeClock(), 10)
    assert [await attempt(attempts, "ada", wrong()) for _ in range(10)] == ["wrong_password"] * 10
    assert await attempt(attempts, "ada", None) == "rate_limited"
    assert await attempt(attempts, "bob", None) == "right"


async def test_it_says_how_long_to_wait_and_after_that_one_more_may_be_tried() -> None:
    clock = FakeClock()
    attempts = Attempts(clock, 10)
    for _ in range(10):
        await attempt(attempts, "ada", wrong())
    with pytest.raises(Refused) as refused:
        async with attempts.one("ada"):
            pytest.fail("it was let through")
    assert refused.value.retry_after_seconds == pytest.approx(6.0)
    clock.advance(6.0)
    assert await attempt(attempts, "ada", wrong()) == "wrong_password"
    assert await attempt(attempts, "ada", wrong()) == "rate_limited"


async def test_right_ones_and_failures_of_ours_cost_nothing() -> None:
    attempts = Attempts(FakeClock(), 10)
    for _ in range(100):
        assert await attempt(attempts, "ada", None) == "right"
        assert await attempt(attempts, "ada", Refused(UNAVAILABLE)) == "unavailable"
    assert [await attempt(attempts, "ada", wrong()) for _ in range(11)].count("wrong_password") == 10


async def test_a_right_one_does_not_pay_for_the_wrong_ones_before() -> None:
    attempts = Attempts(FakeClock(), 10)
    for _ in range(9):
        await attempt(attempts, "ada", wrong())
    assert await attempt(attempts, "ada", None) == "right"
    assert [await attempt(attempts, "ada", wrong()) for _ in range(2)] == ["wrong_password", "rate_limited"]


async def test_a_hundred_guesses_side_by_side_are_ten() -> None:
    attempts = Attempts(FakeClock(), 10)
    gate = asyncio.Event()
    guesses = [asyncio.create_task(attempt(attempts, "ada", wrong(), gate)) for _ in range(100)]
    await asyncio.sleep(0)
    gate.set()
    said = await asyncio.gather(*guesses)
    assert (said.count("wrong_password"), said.count("rate_limited")) == (10, 90)


async def test_a_hundred_people_who_are_right_are_all_let_in_side_by_side() -> None:
    attempts = Attempts(FakeClock(), 10)
    gate = asyncio.Event()
    people = [asyncio.create_task(attempt(attempts, "office", None, gate)) for _ in range(100)]
    await asyncio.sleep(0)
    gate.set()
    assert await asyncio.gather(*people) == ["right"] * 100


async def test_an_attempt_that_is_cut_off_counts_as_wrong_and_keeps_nobody_waiting() -> None:
    attempts = Attempts(FakeClock(), 1)
    never = asyncio.Event()
    cut_off = asyncio.create_task(attempt(attempts, "ada", None, never))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(attempt(attempts, "ada", None))
    await asyncio.sleep(0)
    cut_off.cancel()
    assert await waiting == RATE_LIMITED.code


async def test_with_a_limit_of_0_nothing_counts() -> None:
    attempts = Attempts(FakeClock(), 0)
    assert [await attempt(attempts, "ada", wrong()) for _ in range(50)] == ["wrong_password"] * 50
