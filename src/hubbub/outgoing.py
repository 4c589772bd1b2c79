"""What is on its way out to readers: the same bytes to many at once where that can be, else to each by itself."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from hubbub.compression import Deflater

Parcel = tuple[bytes, bytes]  # sockets, joined, and the frame for each of them


class Reader(Protocol):
    """Somebody who hears a room: one connection."""

    name: str
    full: bool  # the full profile; the basic one hears messages only
    write: Callable[[bytes], object]  # takes finished frames; never waits
    socket: bytes | None  # what a `Multicast` knows it by; None: `write` is the only way
    inflates: bool  # takes compressed frames too


class Multicast(Protocol):
    """Sends the same to many at once: `hubbub.transport.ring.Ring`."""

    def send(self, parcels: Sequence[Parcel]) -> object:
        """Send each frame to its sockets. Never waits."""


class Ways:
    """How to reach some readers: together those that have a socket for it, the others one by one."""

    __slots__ = ("inflating", "plain", "sockets", "writes")

    def __init__(self, readers: Iterable[Reader]) -> None:
        readers = list(readers)
        ways = [(reader.socket, reader.write) for reader in readers]
        self.sockets = b"".join([socket for socket, _ in ways if socket is not None])
        self.writes = tuple([write for socket, write in ways if socket is None])
        inflating = [reader for reader in readers if reader.inflates]
        self.plain: Ways | None = self  # to those who take plain frames only
        self.inflating: Ways | None = None  # to the others
        if len(inflating) == len(readers):
            self.plain, self.inflating = None, self
        elif inflating:
            self.plain = Ways(reader for reader in readers if not reader.inflates)
            self.inflating = Ways(inflating)


class Outgoing:
    """Frames for readers, sent when all is decided: a write may call back and change who hears what."""

    def __init__(
        self, multicast: Multicast | None = None, later: Callable[[Callable[[], None]], object] | None = None
    ) -> None:
        self._multicast = multicast
        self._later = later  # runs a function when others have had their turn
        self._turns: deque[Callable[[], bool]] = deque()
        self.deflater = Deflater()
        self._parcels: list[Parcel] = []
        self._writes: list[tuple[Callable[[bytes], object], bytes]] = []
        self._gathering = False

    def add(self, ways: Ways, joined: bytes) -> None:
        """`joined` frames are to reach each of `ways`; compressed once for all who take them so, if that is less."""
        if ways.inflating is not None:
            compressed = self.deflater.deflated(joined)
            if compressed is not joined:
                self._add(ways.inflating, compressed)
                if ways.plain is not None:
                    self._add(ways.plain, joined)
                return
        self._add(ways, joined)

    def _add(self, ways: Ways, frame: bytes) -> None:
        if ways.sockets:
            self._parcels.append((ways.sockets, frame))
        for write in ways.writes:
            self._writes.append((write, frame))

    def add_one(self, reader: Reader, frame: bytes) -> None:
        """`frame` is to reach one reader."""
        self._writes.append((reader.write, frame))

    @contextlib.contextmanager
    def gathering(self) -> Iterator[None]:
        """Send all that is added within at its end, together."""
        self._gathering = True
        try:
            yield
        finally:
            self._gathering = False
            self.send()

    def send(self) -> None:
        """Send what was added, unless more is being gathered."""
        if self._gathering:
            return
        # The parcels first: what is written may fill a transport, past which nothing may be sent.
        parcels, self._parcels = self._parcels, []
        writes, self._writes = self._writes, []
        if parcels and self._multicast is not None:
            self._multicast.send(parcels)
        for write, frame in writes:
            write(frame)

    def in_turns(self, step: Callable[[], bool]) -> None:
        """Call `step` now, and again as long as it returns True: each time after others have had their turn."""
        if self._later is None:
            while step():
                pass
        elif step():
            self._turns.append(step)
            if len(self._turns) == 1:
                self._later(self._turn)

    def finish(self) -> None:
        """Take all the turns that are left, now."""
        while self._turns:
            step = self._turns.popleft()
            while step():
                pass

    def _turn(self) -> None:
        if not self._turns:
            return
        step = self._turns.popleft()
        if step():
            self._turns.append(step)
        if self._turns and self._later is not None:
            self._later(self._turn)
