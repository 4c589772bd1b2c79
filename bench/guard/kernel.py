"""Stands in for the kernel behind `hubbub.transport.ring`, which valgrind does not know: it says that all was sent.

What is counted of the ring is then Python's part: finding the sockets, copying them into the ring, looking at what came
of it. The layout is that of the kernel's `linux/io_uring.h`.
"""

from __future__ import annotations

import mmap
import os
from array import array
from collections.abc import Callable
from typing import Any, Final
from unittest import mock

from hubbub.transport.ring import Ring

_SETUP: Final = 425
_ENTER: Final = 426
_SINGLE_MMAP: Final = 1
_SENDS_AT: Final = 0x10000000  # where the sends lie
_SEND_BYTES: Final = 64
_DONE_BYTES: Final = 16
_DONE_HEAD: Final = 64
_ORDER: Final = 128


class Kernel:
    """Takes every send for sent, `length` bytes of it, once it was told how many those are."""

    def __init__(self) -> None:
        self._done = memoryview(b"")

    def ring(self) -> Ring:
        """A ring on this kernel."""
        with mock.patch("ctypes.CDLL", return_value=_System(self)):
            return Ring()

    def takes(self, length: int) -> None:
        """Of each send `length` bytes are sent from here on. At first, none: then the ring turns to the transports."""
        results = self._done.cast("i")[2::4]
        results[:] = memoryview(array("i", (length,)) * len(results))

    def set_up(self, slots: int, parameters: Any) -> int:
        """io_uring_setup(2): a file to be mapped, and where in it things are."""
        completions = 2 * slots
        done = _ORDER + slots * 4
        fd = os.memfd_create("ring")
        os.ftruncate(fd, _SENDS_AT + slots * _SEND_BYTES)
        length = done + completions * _DONE_BYTES
        self._done = memoryview(mmap.mmap(fd, length))[done:length]
        parameters[1] = completions
        parameters[5] = _SINGLE_MMAP
        parameters[16] = _ORDER
        parameters[20], parameters[25] = _DONE_HEAD, done
        return fd


class _System:
    """libc, as far as the ring calls it."""

    def __init__(self, kernel: Kernel) -> None:
        def syscall(number: int, one: int, two: Any, *_: Any) -> int:
            if number == _ENTER:
                return int(two)
            return kernel.set_up(one, two) if number == _SETUP else 0

        self.syscall: Callable[..., int] = syscall

    def __getitem__(self, name: str) -> Callable[..., int]:
        return self.syscall
