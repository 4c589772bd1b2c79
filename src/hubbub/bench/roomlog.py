"""One room's log as one process received it: the bytes that every reader of the room must receive too."""

from __future__ import annotations

import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import Final, Protocol

from hubbub.bench.wire import Stamp

WINDOW_BYTES: Final = 4 * 1024 * 1024
"""How much of a room's log is kept for readers that are behind. One that is further behind is checked by itself."""

_DIGEST_BITS: Final = (1 << 64) - 1


class Follower(Protocol):
    """A reader that follows the log by place, and has to be told before its place is dropped."""

    def leave_before(self, place: int) -> None:
        """Take along what of an entry was read already, if the reader stands before `place`."""


class RoomLog:
    """The frames of a room's entries, joined, from some number on, without a hole.

    Entry `seq` has index ``seq - first``. Places are counted in bytes from the beginning of the log, so that they
    stay when old entries are dropped. `digest` and `messages` are over the messages of this run: two processes that
    received the same ones have the same. `before_dropping` is called before indexes move.
    """

    def __init__(
        self, name: str, window_bytes: int = WINDOW_BYTES, before_dropping: Callable[[], None] = lambda: None
    ) -> None:
        self.name = name
        self.data = bytearray()
        self.base = 0
        self.first = 1
        self.stamps: list[int] = []
        self.speakers: list[int] = []
        self.numbers: list[int] = []
        self.messages = 0
        self.digest = 0
        self.readers: list[Follower] = []
        self._ends: list[int] = []
        self._places: dict[tuple[int, int], int] | None = None
        self._window_bytes = window_bytes
        self._before_dropping = before_dropping
        self._has_begun = False
        self._asked_place = -1
        self._asked_next = 0

    @property
    def head(self) -> int:
        """The number of the last entry; one less than `first` if there is none."""
        return self.first + len(self._ends) - 1

    @property
    def end(self) -> int:
        """The place behind the last entry."""
        return self.base + len(self.data)

    def begin_at(self, seq: int) -> None:
        """Let the first entry to come be number `seq`, if it was not said before: others follow the log from there."""
        if not self._has_begun:
            self._has_begun = True
            self.first = seq

    def append(self, frame: bytes, stamp: Stamp | None) -> None:
        """Add the next entry."""
        if len(self.data) > self._window_bytes:
            self._drop_the_older_half()
        self.data += frame
        self._ends.append(self.base + len(self.data))
        if stamp is None:
            self.stamps.append(0)
            self.speakers.append(-1)
            self.numbers.append(0)
        else:
            self.stamps.append(stamp.intended_ns)
            self.speakers.append(stamp.speaker)
            self.numbers.append(stamp.number)
            self.messages += 1
            self.digest = (self.digest + zlib.crc32(frame) + (len(frame) << 32)) & _DIGEST_BITS

    def number_of(self, speaker: int, number: int) -> int:
        """The number of this speaker's message here, if the server gives none: in the order in which they came first."""
        if self._places is None:
            self._places = {}
        return self._places.setdefault((speaker, number), self.head + 1)

    def begins_with(self, chunk: bytes | memoryview, place: int) -> bool:
        """Whether the log goes on from `place` with exactly these bytes."""
        return self.data.startswith(chunk, place - self.base)

    def next_at(self, place: int) -> int:
        """The number of the entry that is the first not wholly before `place`."""
        if place != self._asked_place:
            self._asked_next = self.first + bisect_right(self._ends, place)
            self._asked_place = place
        return self._asked_next

    def place_of(self, seq: int) -> int | None:
        """Where entry `seq` begins or will begin; None if that is not known here."""
        if seq == self.first:
            return self.base
        if self.first < seq <= self.head + 1:
            return self._ends[seq - self.first - 1]
        return None

    def frame_of(self, seq: int) -> bytes | None:
        """The frame of entry `seq`, if it is kept."""
        start = self.place_of(seq)
        if start is None or seq > self.head:
            return None
        return bytes(self.data[start - self.base : self._ends[seq - self.first] - self.base])

    def begun_at(self, place: int) -> bytes:
        """What comes before `place` of the entry that it lies in."""
        start = self.place_of(self.next_at(place))
        return b"" if start is None else bytes(self.data[start - self.base : place - self.base])

    def _drop_the_older_half(self) -> None:
        self._before_dropping()
        count = bisect_left(self._ends, self.base + self._window_bytes // 2) + 1
        new_base = self._ends[count - 1]
        for reader in self.readers:
            reader.leave_before(new_base)
        del self.data[: new_base - self.base]
        if self._places is not None:
            for message in zip(self.speakers[:count], self.numbers[:count], strict=True):
                self._places.pop(message, None)
        for kept in (self._ends, self.stamps, self.speakers, self.numbers):
            del kept[:count]
        self.base = new_base
        self.first += count
        self._asked_place = -1
