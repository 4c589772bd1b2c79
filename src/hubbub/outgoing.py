"""What is on its way out to readers: the same bytes to many at once where that can be, else to each by itself."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

Parcel = tuple[bytes, bytes]  # sockets, joined, and the frame for each of them


class Reader(Protocol):
    """Somebody who hears a room: one connection."""

    name: str
    full: bool  # the full profile; the basic one hears messages only
    write: Callable[[bytes], object]  # takes finished frames; never waits
    socket: bytes | None  # what a `Multicast` knows it by; None: `write` is the only way


class Multicast(Protocol):
    """Sends the same to many at once: `hubbub.transport.ring.Ring`."""

    def send(self, parcels: Sequence[Parcel]) -> object:
        """Send each frame to its sockets. Never waits."""


class Ways:
    """How to reach some readers: together those that have a socket for it, the others one by one."""

    __slots__ = ("sockets", "writes")

    def __init__(self, readers: Iterable[Reader]) -> None:
        ways = [(reader.socket, reader.write) for reader in readers]
        self.sockets = b"".join([socket for socket, _ in ways if socket is not None])
        self.writes = tuple([write for socket, write in ways if socket is None])


class Outgoing:
    """Frames for readers, sent when all is decided: a write may call back and change who hears what."""

    def __init__(self, multicast: Multicast | None = None) -> None:
        self._multicast = multicast
        self._parcels: list[Parcel] = []
        self._writes: list[tuple[Callable[[bytes], object], bytes]] = []
        self._gathering = False

    def add(self, ways: Ways, frame: bytes) -> None:
        """`frame` is to reach each of `ways`."""
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
