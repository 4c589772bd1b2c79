"""How fast somebody may do something: a token bucket per key, with time as an argument."""

from __future__ import annotations

from typing import Final

from hubbub.errors import RATE_LIMITED, Refused

_SWEEP_AT: Final = 10_000


class RateLimit:
    """At most `per_second` in the long run and `burst` at once, for each key. 0 a second means: no limit.

    The generic cell rate algorithm (ITU-T I.371): one float a key, the time at which its bucket is full again.
    """

    __slots__ = ("_full_at", "_interval", "_sweep_at", "_tolerance")

    def __init__(self, per_second: float, burst: int) -> None:
        self._interval = 1.0 / per_second if per_second > 0 else 0.0
        self._tolerance = self._interval * max(burst, 1)
        self._full_at: dict[object, float] = {}
        self._sweep_at = _SWEEP_AT

    def take(self, key: object, now: float) -> None:
        """Take one from the bucket of `key` at monotonic time `now`, or raise `Refused` with when to come back."""
        if not self._interval:
            return
        full_at = self._full_at.get(key, now)
        full_at = (full_at if full_at > now else now) + self._interval
        wait = full_at - now - self._tolerance
        if wait > 1e-9:
            raise Refused(RATE_LIMITED, retry_after_seconds=wait)
        self._full_at[key] = full_at
        if len(self._full_at) > self._sweep_at:
            self._sweep(now)

    def give_back(self, key: object) -> None:
        """Put one back into the bucket of `key`: what it was taken for did not count."""
        if key in self._full_at:
            self._full_at[key] -= self._interval

    def forget(self, key: object) -> None:
        """Fill the bucket of `key` again."""
        self._full_at.pop(key, None)

    def _sweep(self, now: float) -> None:
        self._full_at = {key: full_at for key, full_at in self._full_at.items() if full_at > now}
        self._sweep_at = max(_SWEEP_AT, 2 * len(self._full_at))
