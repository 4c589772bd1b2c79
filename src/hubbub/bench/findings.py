"""What a run may find wrong, each with where it was found."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import Final

KEPT: Final = 5
"""How many findings of each kind are described; the others are only counted."""


class Fault(StrEnum):
    """A kind of finding. Any one of them fails the run."""

    LOSS = "lost"
    REPEAT = "repeated"
    DISORDER = "out of order"
    DIFFERENCE = "different for two readers"
    STRAY = "of another room"
    REFUSED = "refused"
    CLOSED = "closed by the server"
    UNREADABLE = "unreadable"


class Findings:
    """Counts of faults, and words for the first of each kind."""

    def __init__(self) -> None:
        self.counts: Counter[Fault] = Counter()
        self.words: dict[Fault, list[str]] = {}

    def note(self, fault: Fault, where: str, times: int = 1) -> None:
        """Count `times` occurrences of `fault`; `where` says what and where in words for people."""
        self.counts[fault] += times
        words = self.words.setdefault(fault, [])
        if len(words) < KEPT:
            words.append(where)

    def merge(self, counts: dict[Fault, int], words: dict[Fault, list[str]]) -> None:
        """Add what another process found."""
        self.counts.update(counts)
        for fault, lines in words.items():
            kept = self.words.setdefault(fault, [])
            kept.extend(lines[: KEPT - len(kept)])

    def __bool__(self) -> bool:
        return bool(self.counts)
