"""Waits in an event loop until a time, to the microsecond where the system can."""

from __future__ import annotations

import asyncio
import ctypes
import os
import time
from typing import Final

_CLOCK_MONOTONIC: Final = 1
_ABSOLUTE: Final = 1
_NS: Final = 1_000_000_000
_TICK_SECONDS: Final = 0.001


class Alarm:
    """Rings at monotonic times. One wait at a time.

    An event loop's own timer ticks in milliseconds, which an open loop of thousands of messages a second would send as so
    many bursts. Linux's timerfd_create(2) does not; Python has it from 3.13 on, so it is called in the C library.
    Elsewhere the loop's timer has to do.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._library = ctypes.CDLL(None, use_errno=True)
        create = getattr(self._library, "timerfd_create", None)
        self._descriptor = create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC) if create else -1
        self._rung: asyncio.Future[None] | None = None
        if self._descriptor >= 0:
            self._loop.add_reader(self._descriptor, self._ring)

    async def until(self, monotonic_ns: int) -> None:
        """Wait until `monotonic_ns`; not at all if that is over."""
        while (left_ns := monotonic_ns - time.monotonic_ns()) > 0:
            if self._descriptor < 0:
                await asyncio.sleep(max(_TICK_SECONDS, left_ns / _NS))
                continue
            self._rung = self._loop.create_future()
            # struct itimerspec: no interval, then the time (seconds, nanoseconds).
            when = (ctypes.c_long * 4)(0, 0, *divmod(monotonic_ns, _NS))
            self._library.timerfd_settime(self._descriptor, _ABSOLUTE, when, None)
            await self._rung

    def close(self) -> None:
        """Ring no more."""
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def _ring(self) -> None:
        try:
            os.read(self._descriptor, 8)
        except BlockingIOError:
            return
        if self._rung is not None and not self._rung.done():
            self._rung.set_result(None)
