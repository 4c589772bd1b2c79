"""What one process counts: deliveries and how old they were, acknowledgements, and faults."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hubbub.bench.findings import Findings
from hubbub.bench.histogram import Histogram

NEVER: Final = 1 << 62
"""A monotonic time, in ns, that does not come."""

_NO_STAMPS: Final[Sequence[int]] = ()
_GROUP_NS: Final = 20_000
_GROUP_SHARE: Final = 128


class Tally:
    """Counts of one process. What falls between `begin_ns` and `end_ns` is measured, the rest only checked.

    A delivery counts for the rate if it arrived in that time, and for the latency if it was meant to be
    sent in it, however late it arrived: an overloaded server is not excused for what it delivered after the end.

    Members of a room receive the same batch within microseconds of one another. Their deliveries are counted
    together, as of the last of them, if the whole group took no longer than 20 µs or 1/128 of the latency:
    below what the histogram tells apart, and never to the server's advantage.
    """

    def __init__(self) -> None:
        self.begin_ns = NEVER
        self.end_ns = NEVER
        self.deliveries = 0
        self.deliveries_in_time = 0
        self.sent = 0
        self.sent_in_time = 0
        self.acknowledged = 0
        self.acknowledged_in_time = 0
        self.last_acknowledged_ns = 0
        self.other_entries = 0
        self.gaps = 0
        self.missed_in_gaps = 0
        self.late_sends = Histogram()
        self.latency = Histogram()
        self.findings = Findings()
        self._stamps = _NO_STAMPS
        self._first = self._last = 0
        self._messages = self._others = 0
        self._measured: list[tuple[int, int]] = []
        self._newest_ns = NEVER
        self._members = 0
        self._until_ns = 0
        self._seen_ns = 0

    @property
    def received(self) -> int:
        """All entries of logs received so far, by whoever."""
        return self.deliveries + self.other_entries

    def measure(self, begin_ns: int, end_ns: int) -> None:
        """Measure between these monotonic times."""
        self.begin_ns, self.end_ns = begin_ns, end_ns

    def arrived(self, stamps: Sequence[int], first: int, last: int, now_ns: int, members: int = 1) -> None:
        """So many members received the entries with ``stamps[first:last]``; a stamp of 0 is no message of ours."""
        if first != self._first or last != self._last or stamps is not self._stamps:
            self.settle()
            self._take_range(stamps, first, last)
        elif now_ns <= self._until_ns:
            self._members += members
            self._seen_ns = now_ns
            return
        else:
            self.settle()
        self._members = members
        self._seen_ns = now_ns
        self._until_ns = now_ns + max(_GROUP_NS, (now_ns - self._newest_ns) // _GROUP_SHARE)

    def arrived_alone(self, stamp: int, now_ns: int) -> None:
        """One member received one entry."""
        self.arrived((stamp,), 0, 1, now_ns)

    def settle(self) -> None:
        """Count the group of deliveries that is still open. To be called before anything is read."""
        members = self._members
        if not members:
            return
        self._members = 0
        now_ns = self._seen_ns
        self.other_entries += self._others * members
        self.deliveries += self._messages * members
        if self.begin_ns <= now_ns < self.end_ns:
            self.deliveries_in_time += self._messages * members
        for stamp, messages in self._measured:
            self.latency.add((now_ns - stamp) // 1000, messages * members)

    def forget_range(self) -> None:
        """Settle, and hold on to no place in the stamps: they are about to move."""
        self.settle()
        self._stamps = _NO_STAMPS

    def _take_range(self, stamps: Sequence[int], first: int, last: int) -> None:
        """Look at a batch of entries once for all members. Messages sent in one go have one stamp."""
        self._stamps, self._first, self._last = stamps, first, last
        if last - first == 1:
            counts = {stamps[first]: 1}
        else:
            counts = {}
            for stamp in stamps[first:last]:
                counts[stamp] = counts.get(stamp, 0) + 1
        self._others = counts.pop(0, 0)
        self._messages = last - first - self._others
        self._measured = [run for run in counts.items() if self.begin_ns <= run[0] < self.end_ns]
        self._newest_ns = max(counts, default=NEVER)

    def said(self, intended_ns: int, now_ns: int) -> None:
        """A message is being sent, at `now_ns`."""
        self.sent += 1
        if self.begin_ns <= intended_ns < self.end_ns:
            self.sent_in_time += 1
            self.late_sends.add((now_ns - intended_ns) // 1000)

    def heard_own(self, now_ns: int) -> None:
        """A message came back to its sender."""
        self.acknowledged += 1
        self.last_acknowledged_ns = now_ns
        if self.begin_ns <= now_ns < self.end_ns:
            self.acknowledged_in_time += 1
