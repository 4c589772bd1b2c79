"""How the work says where a count begins and ends: by a call of libc that nothing else makes.

callgrind writes down what it has counted, and begins anew, each time that the function is called. Needs nothing but
valgrind itself: no compiler, no header of it. Anywhere else the call does nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

FUNCTIONS: Final = ("getppid", "__getppid")  # the same function's names, whichever the system's libc shows


@dataclass
class Marks:
    """The counts of one run, in order."""

    names: list[str] = field(default_factory=list)

    @contextmanager
    def count(self, name: str) -> Iterator[None]:
        """Count the instructions within, of every thread, under `name`."""
        self.names.append(name)
        os.getppid()
        yield
        os.getppid()
