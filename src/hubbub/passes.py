"""Deliveries to a large room, a slice of its readers at a time: nobody else waits until all of them have theirs.

A pass goes through everyone who was live when it began. What is delivered meanwhile is joined for the next pass, so a
room under load has fewer and larger writes, and never more than one pass in waiting.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Final

from hubbub.outgoing import Outgoing, Reader, Ways

SLICE: Final = 1_024  # readers; some 2 to 3 ms of the kernel's work


class Slice:
    """Some readers and the ways to them."""

    __slots__ = ("readers", "ways")

    def __init__(self, readers: list[Reader]) -> None:
        self.readers = readers
        self.ways = Ways(readers)


def slices(readers: Iterable[Reader]) -> list[Slice]:
    """All of `readers`, in slices."""
    found = list(readers)
    return [Slice(found[start : start + SLICE]) for start in range(0, len(found), SLICE)]


class Batch:
    """Entries for a pass: `joined` frames for everyone but those who have their own in `apart`; `first` is the number."""

    __slots__ = ("apart", "first", "joined")

    def __init__(self, first: int, joined: bytes, apart: Mapping[Reader, bytes]) -> None:
        self.first = first
        self.joined = joined
        self.apart = apart


class Passes:
    """What the readers of one large room are still to get."""

    def __init__(self, outgoing: Outgoing) -> None:
        self._outgoing = outgoing
        self._waiting: list[Batch] = []  # for the next pass
        self._remaining: deque[Slice] = deque()  # of this one
        self._first = 0
        self._joined = b""
        self._apart: dict[Reader, bytes] = {}
        self._gone: set[Reader] = set()
        self._stale = False  # somebody has gone, or is reached in another way
        self.in_turn = False  # whether its next slice will be asked for

    @property
    def under_way(self) -> bool:
        """Whether somebody is still to get something."""
        return bool(self._remaining or self._waiting)

    @property
    def first(self) -> int:
        """The number of the first entry that somebody may not have yet; only while something is `under_way`."""
        return self._first if self._remaining else self._waiting[0].first

    def add(self, batch: Batch) -> None:
        """Deliver `batch` in the pass that begins next."""
        self._waiting.append(batch)

    def gone(self, reader: Reader) -> None:
        """`reader` is to get nothing more."""
        self._gone.add(reader)
        self._stale = True

    def rerouted(self) -> None:
        """Some reader's `socket` is another than before."""
        self._stale = True

    def step(self, live: list[Slice]) -> None:
        """Send the next slice of a pass; `live` is everyone, for a pass that begins with it."""
        if not self._remaining:
            self._begin(live)
        elif self._stale:
            there = [
                reader for part in self._remaining for reader in part.readers if reader not in self._gone
            ]
            self._remaining = deque(slices(there))
        self._stale = False
        if self._remaining:
            self._send(self._remaining.popleft())
        if not self._remaining:
            self._gone.clear()

    def _begin(self, live: list[Slice]) -> None:
        waiting, self._waiting = self._waiting, []
        self._remaining.extend(live)
        self._gone.clear()
        self._first = waiting[0].first
        self._joined = b"".join([batch.joined for batch in waiting])
        apart = {reader for batch in waiting for reader in batch.apart}
        self._apart = {
            reader: b"".join([batch.apart.get(reader, batch.joined) for batch in waiting]) for reader in apart
        }

    def _send(self, part: Slice) -> None:
        ways = part.ways
        if self._apart and not self._apart.keys().isdisjoint(part.readers):
            ways = Ways(reader for reader in part.readers if reader not in self._apart)
            for reader in part.readers:
                if own := self._apart.get(reader):
                    self._outgoing.add_one(reader, own)
        self._outgoing.add(ways, self._joined)
        self._outgoing.send()
