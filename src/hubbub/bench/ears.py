"""Reads the sockets of all connections of a process, with as little as Python can do for each read."""

from __future__ import annotations

import asyncio
import os
import select
import time
from collections.abc import Callable
from typing import Final

from hubbub.bench.reader import Reader
from hubbub.bench.wire import WireError

_BUFFER: Final = bytearray(1024 * 1024)
_BUFFERS: Final = (_BUFFER,)
_VIEW: Final = memoryview(_BUFFER)
_SOCKETS_AT_ONCE: Final = 256


class Ears:
    """The sockets of connections that are in their rooms, in an epoll set of their own inside the event loop.

    The event loop calls once for many sockets that have something. They are all read into one buffer, which the reader looks
    at before the next read. The set is edge-triggered: the kernel does not look at each socket again after it was read.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._poller = select.epoll()
        self._readers: dict[int, Reader] = {}
        self._on_end: dict[int, Callable[[str], None]] = {}
        self._loop.add_reader(self._poller.fileno(), self._hear)

    def add(self, descriptor: int, reader: Reader, on_end: Callable[[str], None]) -> None:
        """Read the socket `descriptor` for `reader`. `on_end` is called, with the reason, if there is no more to read."""
        self._readers[descriptor] = reader
        self._on_end[descriptor] = on_end
        self._poller.register(descriptor, select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET)

    def close(self) -> None:
        """Read no more."""
        self._loop.remove_reader(self._poller.fileno())
        self._poller.close()

    def _hear(self) -> None:
        readers = self._readers
        readv, clock = os.readv, time.monotonic_ns
        for descriptor, _ in self._poller.poll(0, _SOCKETS_AT_ONCE):
            try:
                count = readv(descriptor, _BUFFERS)
                readers[descriptor].take(_VIEW[:count], clock())
                if not count:
                    self._end(descriptor, "the server ended the connection")
                elif count == len(_BUFFER):  # there may be more, and the poller will not say so again
                    self._poller.modify(descriptor, select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET)
            except BlockingIOError:
                continue
            except (OSError, WireError) as error:
                self._end(descriptor, str(error))

    def _end(self, descriptor: int, why: str) -> None:
        self._poller.unregister(descriptor)
        del self._readers[descriptor]
        self._on_end.pop(descriptor)(why)
