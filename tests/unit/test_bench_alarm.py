"""The alarm of the open loop never rings early, with the system's timer and without."""

from __future__ import annotations

import time

import pytest

from hubbub.bench.alarm import Alarm

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("has_timer", [True, False])
async def test_it_never_rings_before_its_time(has_timer: bool) -> None:
    alarm = Alarm()
    if not has_timer:
        alarm.close()
    for ahead_ns in (-1_000_000, 0, 1, 50_000, 2_500_000):
        due_ns = time.monotonic_ns() + ahead_ns
        await alarm.until(due_ns)
        assert time.monotonic_ns() >= due_ns
    alarm.close()
