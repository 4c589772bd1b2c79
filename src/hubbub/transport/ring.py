"""One system call for a whole room: the same bytes to many sockets through io_uring (Linux 5.18 and later).

Without it each member costs a call of its own. Where the kernel, or a container's rules, don't allow io_uring, there
is no `Ring`, and the event loop writes to each. The numbers are those of the kernel's `linux/io_uring.h`.

A send is done, in part or not at all, when `send` returns: it never waits for a socket that is full. What a socket
did not take goes to its transport, which keeps the order, and the socket is not to be used until that is empty.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import resource
import socket
import struct
import sys
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import structlog

from hubbub.outgoing import Parcel

_SETUP: Final = 425  # system calls, the same on all of Linux's architectures
_ENTER: Final = 426
_REGISTER: Final = 427
_REGISTER_FILES: Final = 2
_UPDATE_FILES: Final = 6
_FIXED_FILE: Final = 1  # the socket is named by its place in the ring's own table
_MOST_FILES: Final = 1 << 17
_SUBMIT_ALL: Final = 1 << 7  # a send that fails doesn't stop those after it
_SINGLE_MMAP: Final = 1  # both rings are one mapping
_SQES_OFFSET: Final = 0x10000000
_OP_SEND: Final = 26
_SQE: Final = struct.Struct("=BBHiQQIIQ24x")  # struct io_uring_sqe, as far as a send needs it
_FILES_UPDATE: Final = struct.Struct("=IIQ")
_SQE_BYTES: Final = 64
_CQE_BYTES: Final = 16
_PLACE: Final = 0  # of the 4 ints of a struct io_uring_cqe: which socket,
_RESULT: Final = 2  # and how many bytes, or what error
_32_BITS: Final = 0xFFFFFFFF  # where the kernel's counters begin anew
SLOTS: Final = 4096  # sends in one call, at most: 400 KiB of memory

logger = structlog.get_logger(__name__)


class Ring:
    """An io_uring for sends. For one thread; raises `OSError` where there is no io_uring."""

    def __init__(self, slots: int = SLOTS) -> None:
        """`slots`: sends in one call at most, a power of two."""
        self._unsent: dict[int, Callable[[bytes | memoryview], object]] = {}
        system = ctypes.CDLL(None, use_errno=True)
        parameters = (ctypes.c_uint32 * 30)(slots, 0, _SUBMIT_ALL)  # struct io_uring_params
        self._fd: int = system.syscall(_SETUP, slots, parameters)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "no io_uring here")
        if not parameters[5] & _SINGLE_MMAP:
            os.close(self._fd)
            raise OSError(errno.ENOSYS, "the io_uring of an old kernel")
        self._enter = system.syscall
        self._enter.argtypes = (ctypes.c_long, *(ctypes.c_uint,) * 4, ctypes.c_void_p, ctypes.c_size_t)
        self._size = slots
        self._numbers = memoryview(array("I", range(slots)))
        self._register = system["syscall"]
        self._register.argtypes = (ctypes.c_long, *(ctypes.c_uint,) * 2, ctypes.c_void_p, ctypes.c_uint)
        try:
            self._make_table()
        except OSError:
            os.close(self._fd)
            raise
        self._map(places=parameters[10:30], completions=parameters[1])

    def _make_table(self) -> None:
        """A table for as many sockets as this process may open."""
        count = min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], _MOST_FILES)
        table = array("i", (-1,)) * count
        if self._register(_REGISTER, self._fd, _REGISTER_FILES, table.buffer_info()[0], count) < 0:
            raise OSError(ctypes.get_errno(), "no table of sockets")
        self._places, self._used = count, 0  # in the table; those that were ever used are the first
        self._free: list[int] = []  # of those

    def _put(self, place: int, fd: int) -> None:
        """Put a socket into the table, or with -1 take one out of it."""
        value = ctypes.c_int(fd)
        update = _FILES_UPDATE.pack(place, 0, ctypes.addressof(value))
        if self._register(_REGISTER, self._fd, _UPDATE_FILES, update, 1) < 0:
            raise OSError(ctypes.get_errno(), "the socket can't be put into the ring's table")

    def _map(self, places: list[int], completions: int) -> None:
        """Map the queue of what is to be sent and that of what was done; `places` are the offsets in them."""
        _, tail, _, _, _, _, order, *_ = places[:10]
        done_head, _, _, _, _, done, *_ = places[10:]
        length = max(order + self._size * 4, done + completions * _CQE_BYTES)
        queues = memoryview(mmap.mmap(self._fd, length))
        counters = queues[: length // 4 * 4].cast("I")
        self._counters = counters
        self._order = counters[order // 4 : order // 4 + self._size]
        self._tail, self._done_head = tail // 4, done_head // 4
        self._done = queues[done : done + completions * _CQE_BYTES].cast("i")
        self._completions = completions
        self._sqes = memoryview(mmap.mmap(self._fd, self._size * _SQE_BYTES, offset=_SQES_OFFSET))
        self._addresses = self._sqes.cast("Q")
        self._lengths = self._sqes.cast("I")

    def add(self, fd: int, unsent: Callable[[bytes | memoryview], object]) -> bytes:
        """A socket as `send` takes it. `unsent` gets what the socket does not take. Raises `OSError`."""
        # In a table of the ring's own: a descriptor may be closed, and its number mean another connection, while a
        # place in the table means this one for as long as `remove` was not called.
        own = self._free.pop() if self._free else self._used
        if own == self._places:
            raise OSError(errno.EMFILE, "the ring has no place left")
        self._used = max(self._used, own + 1)
        try:
            self._put(own, fd)
        except OSError:
            self._free.append(own)
            raise
        self._unsent[own] = unsent
        return _SQE.pack(
            _OP_SEND, _FIXED_FILE, 0, own, 0, 0, 0, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL, own
        )

    def remove(self, socket_: bytes) -> None:
        """The socket is used no more."""
        own = _SQE.unpack(socket_)[3]
        del self._unsent[own]
        if self._fd >= 0:
            self._put(own, -1)
            self._free.append(own)

    def send(self, parcels: Sequence[Parcel]) -> None:
        """Send each frame to its sockets: what `add` gave for each, joined, none of them twice in one parcel."""
        full: set[int] = set()
        for group in _groups(parcels, self._size):
            self._send(self._kept_from(full, group) if full else group, full)

    def close(self) -> None:
        """Give everything back; from here on all goes to the transports."""
        os.close(self._fd)
        self._fd = -1

    def _send(self, group: list[Parcel], full: set[int]) -> None:
        """Send what is to go in one call; the sockets that did not take all of it join `full`."""
        at = 0
        for sockets, frame in group:
            end = at + len(sockets) // _SQE_BYTES
            address = ctypes.c_void_p.from_buffer(ctypes.c_char_p(frame)).value or 0
            self._sqes[at * _SQE_BYTES : end * _SQE_BYTES] = sockets
            self._addresses[at * 8 + 2 : end * 8 : 8] = array("Q", (address,)) * (end - at)
            self._lengths[at * 16 + 6 : end * 16 : 16] = array("I", (len(frame),)) * (end - at)
            at = end
        first, taken = self._submit(at)
        sent = self._done_ones(first, taken, _RESULT)
        if sent != self._lengths[6 : at * 16 : 16].tobytes():
            places = array("i", self._done_ones(first, taken, _PLACE))
            self._pass_on(group, dict(zip(places, array("i", sent), strict=True)), full)

    def _submit(self, count: int) -> tuple[int, int]:
        """Have the kernel do the first `count` sends: where what came of them begins, and of how many."""
        counters, start = self._counters, self._counters[self._tail] % self._size
        before = min(count, self._size - start)
        self._order[start : start + before] = self._numbers[:before]
        self._order[: count - before] = self._numbers[before:count]
        counters[self._tail] = (counters[self._tail] + count) & _32_BITS
        taken = 0
        while taken < count:
            now = self._enter(_ENTER, self._fd, count - taken, 0, 0, None, 0)
            if now > 0:
                taken += now
            elif ctypes.get_errno() != errno.EINTR:  # no memory, say, or the end: the transports have it then
                counters[self._tail] = (counters[self._tail] - (count - taken)) & _32_BITS
                break
        first = counters[self._done_head] % self._completions
        counters[self._done_head] = (counters[self._done_head] + taken) & _32_BITS
        return first, taken

    def _done_ones(self, first: int, count: int, field: int) -> bytes:
        """A field, an int each, of what came of `count` sends."""
        before = min(count, self._completions - first)
        found = self._done[first * 4 + field : (first + before) * 4 : 4].tobytes()
        if count > before:
            found += self._done[field : (count - before) * 4 : 4].tobytes()
        return found

    def _pass_on(self, group: list[Parcel], sent: dict[int, int], full: set[int]) -> None:
        """Give what was not sent to the transports: of a full socket the rest, of a broken one all, to hear why."""
        for sockets, frame in group:
            for own in _owns(sockets):
                count = sent.get(own, 0)
                if count != len(frame):
                    full.add(own)
                    self._unsent[own](memoryview(frame)[max(count, 0) :])  # no copy: many may be full

    def _kept_from(self, full: set[int], group: list[Parcel]) -> list[Parcel]:
        """`group` without the sockets that are full by now: theirs goes to their transports."""
        kept = []
        for sockets, frame in group:
            free = []
            for number, own in enumerate(_owns(sockets)):
                if own in full:
                    self._unsent[own](frame)
                else:
                    free.append(sockets[number * _SQE_BYTES : (number + 1) * _SQE_BYTES])
            kept.append((b"".join(free), frame))
        return kept


def _owns(sockets: bytes) -> list[int]:
    """The places of sockets, joined."""
    return memoryview(sockets).cast("i")[1 :: _SQE_BYTES // 4].tolist()


def _groups(parcels: Sequence[Parcel], slots: int) -> Iterator[list[Parcel]]:
    """`parcels`, in order, in groups that may go in one call.

    No socket is in a group twice: its sends could overtake each other when it is full. And a group fits the ring.
    """
    group: list[Parcel] = []
    size = 0
    seen: set[int] = set()
    for sockets, frame in parcels:
        for start in range(0, len(sockets), slots * _SQE_BYTES):
            part = sockets[start : start + slots * _SQE_BYTES]
            count = len(part) // _SQE_BYTES
            owns = _owns(part) if len(parcels) > 1 else []
            if group and (size + count > slots or not seen.isdisjoint(owns)):
                yield group
                group, size, seen = [], 0, set()
            group.append((part, frame))
            size += count
            seen.update(owns)
    if group:
        yield group


def open_ring() -> Ring | None:
    """A ring that works, or None: then each socket is written to by itself."""
    if sys.platform != "linux":
        return None
    try:
        ring = Ring()
    except OSError as error:
        logger.info("sending without io_uring", reason=str(error))
        return None
    if not _works(ring):
        logger.info("sending without io_uring", reason="it did not send")
        ring.close()
        return None
    return ring


def _works(ring: Ring) -> bool:
    """Whether what is sent arrives."""
    unsent: list[bytes | memoryview] = []
    here, there = socket.socketpair()
    with here, there:
        there.setblocking(False)
        known = ring.add(here.fileno(), unsent.append)
        ring.send([(known, b"?")])
        ring.remove(known)
        return not unsent and there.recv(2) == b"?"
