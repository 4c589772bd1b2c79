"""Reads the sockets of all connections of a process, with as little as Python can do for each read."""

from __future__ import annotations

import asyncio
import os
import select
import time
from collections.abc import Callable
from typing import Final

from hubbub.bench.reader import NOWHERE, Reader
from hubbub.bench.roomlog import RoomLog
from hubbub.bench.tally import Tally
from hubbub.bench.wire import WireError

_BUFFER: Final = bytearray(1024 * 1024)
_BUFFERS: Final = (_BUFFER,)
_VIEW: Final = memoryview(_BUFFER)
_SOCKETS_AT_ONCE: Final = 256
_EVENTS: Final = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET


class Ears:
    """The sockets of connections that are in their rooms, in an epoll set of their own inside the event loop.

    The event loop calls once for many sockets that have something. They are all read into one buffer, which is looked
    at before the next read. The set is edge-triggered: the kernel does not look at each socket again after it was read.

    Listeners of a room mostly take the same step one after another: from the same place, the same bytes. That
    step is known from the first of them; of the others only that is checked, and that they took it is counted in small
    groups.
    """

    def __init__(self, tally: Tally) -> None:
        self._loop = asyncio.get_running_loop()
        self._poller = select.epoll()
        self._readers: dict[int, Reader] = {}
        self._on_end: dict[int, Callable[[str], None]] = {}
        self._step = _Step(tally)
        self._loop.add_reader(self._poller.fileno(), self._hear)

    def add(self, descriptor: int, reader: Reader, on_end: Callable[[str], None]) -> None:
        """Read the socket `descriptor` for `reader`. `on_end` is called, with the reason, if there is no more to read."""
        self._readers[descriptor] = reader
        self._on_end[descriptor] = on_end
        self._poller.register(descriptor, _EVENTS)

    def close(self) -> None:
        """Read no more."""
        self._loop.remove_reader(self._poller.fileno())
        self._poller.close()

    def _hear(self) -> None:
        readv, readers, step = os.readv, self._readers, self._step
        is_again, only_bytes = _BUFFER.startswith, select.EPOLLIN
        for descriptor, events in self._poller.poll(0, _SOCKETS_AT_ONCE):
            try:
                count = readv(descriptor, _BUFFERS)
            except BlockingIOError:
                continue
            except OSError as error:
                self._end(descriptor, error.strerror or str(error))
                continue
            reader = readers[descriptor]
            if (
                reader.place == step.start
                and reader.log is step.log
                and count == step.size
                and reader.speaker is None
                and events == only_bytes
                and is_again(step.chunk)
            ):
                reader.place = step.end
                step.members += 1
                if step.members == _Step.GROUP:
                    step.settle()
            else:
                self._take(descriptor, reader, count, events)
        step.settle()

    def _take(self, descriptor: int, reader: Reader, count: int, events: int) -> None:
        self._step.settle()
        if not count:
            self._end(descriptor, "the server ended the connection")
            return
        start = reader.place
        try:
            reader.take(_VIEW[:count], time.monotonic_ns())
        except WireError as error:
            self._end(descriptor, str(error))
            return
        self._step.take(reader, start, count)
        if count == len(_BUFFER) or events != select.EPOLLIN:
            # There may be more, or the end; without this the poller would not say so again.
            self._poller.modify(descriptor, _EVENTS)

    def _end(self, descriptor: int, why: str) -> None:
        self._poller.unregister(descriptor)
        del self._readers[descriptor]
        self._on_end.pop(descriptor)(why)


class _Step:
    """The step in its room's log that the last reader took: from which place to which, over which bytes."""

    GROUP: Final = 8
    """So many deliveries are counted as of the last of them. Reading them takes some 25 µs."""

    LARGEST: Final = 4096
    """Bytes. A reader that takes larger ones is not worth remembering: there, comparing is what costs."""

    __slots__ = ("_first", "_last", "_tally", "chunk", "end", "log", "members", "size", "start")

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self.log: RoomLog | None = None
        self.start = self.end = NOWHERE - 1  # where no reader is
        self.size = 0
        self.chunk = b""
        self.members = 0
        self._first = self._last = 0

    def take(self, reader: Reader, start: int, size: int) -> None:
        """`reader` was at `start` and read `size` bytes. It is a step if those, and only those, are the log's next."""
        if start < 0 or reader.place != start + size or size > self.LARGEST:
            return
        log = reader.log
        self.log, self.start, self.end, self.size = log, start, reader.place, size
        self.chunk = bytes(_VIEW[:size])
        self._first, self._last = log.next_at(start), log.next_at(reader.place)

    def settle(self) -> None:
        """Count those who took the step after the first."""
        if self.members and self.log is not None and self._first != self._last:
            first = self.log.first
            self._tally.arrived(
                self.log.stamps, self._first - first, self._last - first, time.monotonic_ns(), self.members
            )
        self.members = 0
