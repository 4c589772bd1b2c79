"""Stand-ins that tests turn by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from hubbub import frames
from hubbub.errors import CloseReason


class FakeClock:
    """A clock that stands still until it is told to go on."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self._now = now
        self._monotonic = 1_000.0

    def now(self) -> float:
        """Seconds since 1970."""
        return self._now

    def monotonic(self) -> float:
        """Seconds from some fixed point."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self._now += seconds
        self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """Set the wall clock forwards or back, as people and time servers do. No time passes."""
        self._now += seconds


class FakeHub:
    """A hub that notes whom it was told to let go of."""

    def __init__(self) -> None:
        self.ended: list[tuple[str, int]] = []

    def end_session(self, session_id: int) -> None:
        """Note it."""
        self.ended.append(("session", session_id))

    def end_user(self, user_id: int) -> None:
        """Note it."""
        self.ended.append(("user", user_id))

    def end_token(self, token_id: int) -> None:
        """Note it."""
        self.ended.append(("token", token_id))


class FakeTransport:
    """A WebSocket that notes what is written to it and asked of it.

    `on_write` is called within each write, as a transport that fills up calls back. Once it was closed, a write is a
    fault of the hub, for nothing may follow a close frame: it is among the `faults`.
    """

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.writes: list[bytes] = []
        self.faults: list[bytes] = []
        self.pings = 0
        self.socket: bytes | None = None
        self.inflates = False
        self.closed: CloseReason | None = None
        self.aborted = False
        self.reading = True
        self.on_write: Callable[[], object] | None = None
        self._taken = 0
        self._more = asyncio.Event()

    def write(self, data: bytes) -> None:
        """Note the frames."""
        if self.closed is not None:
            self.faults.append(data)
            return
        self.writes.append(data)
        self.events += [json.loads(payload) for payload in frames.payloads(data)]
        self._more.set()
        if self.on_write is not None:
            self.on_write()

    def ping(self) -> None:
        """Count it."""
        self.pings += 1

    def close(self, reason: CloseReason) -> None:
        """Note why."""
        self.closed = reason
        self._more.set()

    def abort(self) -> None:
        """Note it."""
        self.aborted = True

    def pause_reading(self) -> None:
        """Note it."""
        self.reading = False
        self._more.set()

    def resume_reading(self) -> None:
        """Note it."""
        self.reading = True
        self._more.set()

    def is_open(self) -> bool:
        """Whether nobody has closed it."""
        return self.closed is None and not self.aborted

    def is_read(self) -> bool:
        """Whether frames are taken in."""
        return self.reading

    async def until(self, true: Callable[[], object]) -> None:
        """Wait until something is true of what was written or asked."""
        while not true():
            self._more.clear()
            await self._more.wait()

    async def next(self, **wanted: Any) -> dict[str, Any]:
        """The next event, of those not looked at yet, that has these fields; those before it are passed over."""
        while True:
            await self.until(lambda: len(self.events) > self._taken or self.closed)
            assert len(self.events) > self._taken, f"closed while waiting for {wanted}: {self.closed}"
            event = self.events[self._taken]
            self._taken += 1
            if all(event.get(name) == value for name, value in wanted.items()):
                return event

    def rest(self) -> list[dict[str, Any]]:
        """The events not looked at yet."""
        rest = self.events[self._taken :]
        self._taken = len(self.events)
        return rest


class HandTurnedLoop(asyncio.SelectorEventLoop):
    """An event loop whose timers go off when the test says so. Threads and callbacks go on as ever."""

    def __init__(self) -> None:
        self._now = 1_000.0
        super().__init__()

    def time(self) -> float:
        """Seconds, as far as the test has turned them."""
        return self._now

    async def turn(self, seconds: float) -> None:
        """Let `seconds` pass, and what is due happen."""
        self._now += seconds
        for _ in range(4):
            await asyncio.sleep(0)
