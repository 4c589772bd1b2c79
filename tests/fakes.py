"""Stand-ins that tests turn by hand."""

from __future__ import annotations


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
