"""An event loop whose time stands still until it is turned, so that no timer goes off within what is counted."""

from __future__ import annotations

import asyncio
import selectors
from typing import Any


class _Patient(selectors.DefaultSelector):
    """Waits for what happens, never for time to pass."""

    def select(self, timeout: float | None = None) -> Any:
        return super().select(None if timeout is not None and timeout > 0 else timeout)


class HandTurnedLoop(asyncio.SelectorEventLoop):
    """asyncio's loop with a clock turned by hand. It is a `hubbub.clock.Clock` as well."""

    def __init__(self) -> None:
        self._seconds = 1_000.0
        super().__init__(_Patient())

    def time(self) -> float:
        """Seconds, as far as they were turned."""
        return self._seconds

    def monotonic(self) -> float:
        """The same."""
        return self._seconds

    def now(self) -> float:
        """A time of day."""
        return 1_800_000_000.0 + self._seconds

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass: what is due happens in the next round."""
        self._seconds += seconds

    async def turn(self, seconds: float) -> None:
        """Let `seconds` pass, and what is due happen."""
        self.advance(seconds)
        for _ in range(3):
            await asyncio.sleep(0)
