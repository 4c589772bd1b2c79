"""Time as an argument, so that tests turn it by hand."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Where time comes from."""

    def now(self) -> float:
        """Wall-clock time in seconds since 1970, UTC. May jump."""

    def monotonic(self) -> float:
        """Seconds from some fixed point. Never jumps; for timers and limits."""


class SystemClock:
    """The machine's own clock."""

    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)


def rfc3339(seconds: float) -> str:
    """`seconds` since 1970 as RFC 3339 in UTC with milliseconds, e.g. ``2026-11-23T18:59:11.123Z``."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
