"""Work that is done together: at once when it is quiet, and at most once in an interval when it is not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Pulse:
    """Calls `beat` soon after `poke`, but never twice within `interval_seconds`."""

    def __init__(self, interval_seconds: float, beat: Callable[[], None]) -> None:
        self._interval = interval_seconds
        self._beat = beat
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._last = -interval_seconds

    def poke(self) -> None:
        """There is something to do."""
        if self._timer is None:
            self._timer = self._loop.call_at(max(self._loop.time(), self._last + self._interval), self._fire)

    def stop(self) -> None:
        """Do no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fire(self) -> None:
        self._timer = None
        self._last = self._loop.time()
        self._beat()
