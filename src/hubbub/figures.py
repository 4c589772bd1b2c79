"""What the hub counts, for the metrics. Plain numbers: the hot path adds to them and does no more."""

from __future__ import annotations

from collections import Counter, deque
from typing import Final

RATE_SECONDS: Final = 60.0


class Figures:
    """Counts since the start."""

    def __init__(self) -> None:
        self.connects = 0
        self.entered = 0
        self.events = 0  # frames in
        self.deliveries = 0  # entries written to readers
        self.fell_behind = 0
        self.refusals: Counter[str] = Counter()

    def refused(self, code: str) -> None:
        """One more refusal of this code."""
        self.refusals[code] += 1


class Rate:
    """How fast a count went up in the last minute. Note it every now and then."""

    def __init__(self) -> None:
        self._noted: deque[tuple[float, int]] = deque()

    def note(self, now: float, count: int) -> None:
        """The count at monotonic time `now`."""
        while len(self._noted) > 1 and self._noted[1][0] <= now - RATE_SECONDS:
            self._noted.popleft()
        self._noted.append((now, count))

    @property
    def per_second(self) -> float:
        """The average since the first note within the last minute; 0 before there are two."""
        if len(self._noted) < 2 or self._noted[-1][0] <= self._noted[0][0]:
            return 0.0
        (began, first), (ended, last) = self._noted[0], self._noted[-1]
        return (last - first) / (ended - began)
