"""What the hub counts, for the metrics. Plain numbers: the hot path adds to them and does no more."""

from __future__ import annotations

from collections import Counter


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
