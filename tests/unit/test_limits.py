"""Token buckets, with the time given by hand."""

from __future__ import annotations

import pytest

from hubbub.errors import RATE_LIMITED, Refused
from hubbub.limits import RateLimit


def take(limit: RateLimit, key: object, now: float, times: int = 1) -> int:
    """How many of `times` were allowed."""
    allowed = 0
    for _ in range(times):
        try:
            limit.take(key, now)
        except Refused:
            continue
        allowed += 1
    return allowed


def test_the_burst_is_allowed_at_once_and_then_the_rate() -> None:
    limit = RateLimit(per_second=2, burst=5)
    assert take(limit, "ada", 100.0, 10) == 5
    assert take(limit, "ada", 100.49) == 0
    assert take(limit, "ada", 100.5) == 1
    assert take(limit, "ada", 200.0, 10) == 5


def test_a_refusal_says_when_to_come_back_and_then_it_works() -> None:
    limit = RateLimit(per_second=0.5, burst=1)
    limit.take("ada", 10.0)
    with pytest.raises(Refused) as refused:
        limit.take("ada", 10.5)
    assert refused.value.refusal is RATE_LIMITED
    assert refused.value.retry_after_seconds == pytest.approx(1.5)
    limit.take("ada", 10.5 + 1.5)


def test_one_key_costs_another_nothing() -> None:
    limit = RateLimit(per_second=1, burst=1)
    assert take(limit, "ada", 0.0, 5) == 1
    assert take(limit, "bob", 0.0, 5) == 1


def test_a_limit_of_0_is_no_limit() -> None:
    limit = RateLimit(per_second=0, burst=1)
    assert take(limit, "ada", 0.0, 1_000) == 1_000
    limit.give_back("ada")


def test_what_is_refused_takes_nothing_so_that_waiting_helps_whoever_kept_trying() -> None:
    limit = RateLimit(per_second=1, burst=2)
    assert take(limit, "ada", 0.0, 1_000) == 2
    assert take(limit, "ada", 1.0, 1_000) == 1


def test_what_is_given_back_can_be_taken_again_and_never_more_than_the_burst() -> None:
    limit = RateLimit(per_second=1, burst=3)
    assert take(limit, "ada", 0.0, 3) == 3
    limit.give_back("ada")
    assert take(limit, "ada", 0.0, 5) == 1
    for _ in range(10):
        limit.give_back("bob")
    assert take(limit, "bob", 0.0, 10) == 3


def test_giving_back_after_the_bucket_filled_up_does_not_overfill_it() -> None:
    limit = RateLimit(per_second=1, burst=3)
    limit.take("ada", 0.0)
    limit.give_back("ada")
    limit.give_back("ada")
    assert take(limit, "ada", 100.0, 10) == 3


def test_forgetting_fills_the_bucket() -> None:
    limit = RateLimit(per_second=1, burst=3)
    assert take(limit, "ada", 0.0, 3) == 3
    limit.forget("ada")
    assert take(limit, "ada", 0.0, 10) == 3


def test_keys_that_have_recovered_are_swept_and_those_that_have_not_are_kept() -> None:
    limit = RateLimit(per_second=1, burst=1)
    limit.take("held", 1_000_000.0)
    for key in range(30_000):
        limit.take(key, 10.0 + key)
    assert len(limit._full_at) < 20_000
    assert take(limit, "held", 1_000_000.0) == 0
