"""Counts of durations, from which percentiles follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

PRECISION_BITS: Final = 8
"""A value is known to one part in 2**(PRECISION_BITS - 1): 0.8 %."""

_EXACT: Final = 1 << PRECISION_BITS
_HALF: Final = _EXACT >> 1


class Histogram:
    """How often each duration occurred, in whole microseconds, each known to within 0.8 %.

    The buckets are those of HdrHistogram: exact up to 256, then 128 to each power of two. A percentile is
    the upper end of its bucket, so that it is never flattered; the largest value is kept exactly.
    """

    __slots__ = ("_counts", "largest", "total")

    def __init__(self, counts: Mapping[int, int] | None = None, largest: int = 0) -> None:
        self._counts: dict[int, int] = dict(counts or {})
        self.largest = largest
        self.total = sum(self._counts.values())

    def add(self, microseconds: int, times: int = 1) -> None:
        """Count a duration. One below zero, which only a clock that jumps can cause, counts as zero."""
        value = max(microseconds, 0)
        index = _bucket(value)
        self._counts[index] = self._counts.get(index, 0) + times
        self.total += times
        self.largest = max(self.largest, value)

    def merge(self, other: Histogram) -> None:
        """Add all that `other` counted."""
        for index, times in other._counts.items():
            self._counts[index] = self._counts.get(index, 0) + times
        self.total += other.total
        self.largest = max(self.largest, other.largest)

    def percentile(self, percent: float) -> int:
        """The duration that `percent` of all are at most (nearest rank), in microseconds; 0 if nothing was counted."""
        if not self.total:
            return 0
        rank = max(1, _ceil_of(percent, self.total))
        seen = 0
        for index in sorted(self._counts):
            seen += self._counts[index]
            if seen >= rank:
                return min(_upper_end(index), self.largest)
        return self.largest

    def counts(self) -> dict[int, int]:
        """The buckets and their counts, to be sent to another process."""
        return dict(self._counts)


def _ceil_of(percent: float, total: int) -> int:
    """`percent` of `total`, rounded up, in whole numbers: 99.9 has no exact binary fraction."""
    return -(-round(percent * 1000) * total // 100_000)


def _bucket(value: int) -> int:
    if value < _EXACT:
        return value
    shift = value.bit_length() - PRECISION_BITS
    return shift * _HALF + (value >> shift)


def _upper_end(index: int) -> int:
    if index < _EXACT:
        return index
    shift = index // _HALF - 1
    return ((index - shift * _HALF + 1) << shift) - 1
