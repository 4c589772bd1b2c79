"""What anybody can cause at will, on its way to the audit log: counted together, bounded, and never waited for.

To note something is a look-up in a dict. What is alike within ten minutes is one entry with a count; writing is done
by `flush`, a little at a time, in the writer's thread.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from hubbub.accounts import audit
from hubbub.accounts.audit import VISITS, Entry, Stamp, Tally, plain
from hubbub.clock import Clock
from hubbub.errors import Refused
from hubbub.log.store import Store
from hubbub.origin import limit_key

WINDOW_SECONDS: Final = 600.0  # in which what is alike is one entry
FLUSH_SECONDS: Final = 1.0
# So many entries at once: a transaction of some milliseconds, in the thread that writes messages too.
CHUNK: Final = 50
# In a window, so many entries of a kind from one address tell whom they are about; what comes after is counted together.
NAMED_PER_ADDRESS: Final = 20
# And so many in all; what comes after is counted by kind alone.
MOST_REFUSALS: Final = 2_000
MOST_OF_PEOPLE: Final = 10_000
# Of people who are known: many may come in from one address.
_OF_PEOPLE: Final = frozenset({"login", "logout", "session_ended"})


@dataclass(slots=True)
class Asking:
    """Who asks in this task, as far as it is known: filled in along the way, read when something is noted."""

    address: str = ""
    who: str = ""
    about: str = ""
    shown: str = ""  # the sort of proof that was shown: token, session
    locked_out: bool = False


asking: ContextVar[Asking | None] = ContextVar("asking", default=None)


def asked() -> Asking:
    """Who asks in this task; a stranger from nowhere where nobody said."""
    return asking.get() or Asking()


_Key = tuple[str, str, str, str]  # kind, who, about, what a limit by address counts


@dataclass(slots=True)
class _Counted:
    """Something that happened, and how much of it is written."""

    at: int
    until: int
    address: str
    count: int = 0
    number: int | None = None
    written: int = 0


class Audit:
    """The audit log of a running server. For the event loop's thread."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._counted: dict[_Key, _Counted] = {}
        self._unwritten: dict[_Key, _Counted] = {}
        self._former: list[tuple[_Key, _Counted]] = []  # of the window before, not written yet
        self._named: Counter[tuple[str, str]] = Counter()
        self._strangers = 0
        self._window_until = clock.monotonic() + WINDOW_SECONDS
        self._flush_at = clock.monotonic()
        self._flushing = asyncio.Lock()
        self._writing: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """How many entries are held in memory."""
        return len(self._counted) + len(self._former)

    def stamp(self) -> Stamp:
        """Now, from the address of who asks in this task: for a change of rights."""
        return Stamp(int(self._clock.now() * 1000), asked().address)

    def note(self, kind: str, *, who: str = "", about: str = "", address: str | None = None) -> None:
        """Something happened that anybody can cause. `address`: that of who asks in this task, if it is left out."""
        assert kind in VISITS, kind
        where = plain(asked().address if address is None else address)
        self._next_window()
        key = self._key(kind, plain(who), plain(about), limit_key(where))
        now = int(self._clock.now() * 1000)
        counted = self._counted.get(key)
        if counted is None:
            counted = self._counted[key] = _Counted(now, now, where if key[3] else "")
            if kind not in _OF_PEOPLE:
                self._named[kind, key[3]] += 1
                self._strangers += 1
        counted.count += 1
        counted.until = max(counted.until, now)
        self._unwritten[key] = counted

    async def tend(self) -> None:
        """To be called every now and then: writes a little of what there is. Keeps it while the database fails."""
        if self._clock.monotonic() < self._flush_at or not (self._unwritten or self._former):
            return
        self._flush_at = self._clock.monotonic() + FLUSH_SECONDS
        try:
            await self._whole(self._write_some)
        except Refused:
            return

    async def flush(self) -> None:
        """Write all that there is. `Refused` (unavailable) if the database fails."""
        await self._whole(self._write_all)

    async def listed(self, *, before: int | None, kind: str | None, limit: int) -> list[Entry]:
        """Entries, the newest first; see `audit.listed`."""
        await self.flush()
        return await self._store.read(
            lambda connection: audit.listed(connection, before=before, kind=kind, limit=limit)
        )

    def _key(self, kind: str, who: str, about: str, place: str) -> _Key:
        """What this is counted under: with less in it, the more of the kind there is."""
        key = (kind, who, about, place)
        if key in self._counted:
            return key
        if kind in _OF_PEOPLE:
            return key if len(self._counted) - self._strangers < MOST_OF_PEOPLE else (kind, "", "", "")
        if self._named[kind, place] >= NAMED_PER_ADDRESS:
            key = (kind, "", "", place)
        if key in self._counted or self._strangers < MOST_REFUSALS:
            return key
        return (kind, "", "", "")

    def _next_window(self) -> None:
        if self._clock.monotonic() < self._window_until:
            return
        self._window_until = self._clock.monotonic() + WINDOW_SECONDS
        # While the database fails, two windows are held and no more.
        self._former = list(self._unwritten.items())
        self._counted, self._unwritten = {}, {}
        self._named.clear()
        self._strangers = 0

    async def _whole(self, writing: Callable[[], Awaitable[None]]) -> None:
        """Write to the end, also if who waits for it is cancelled: what is written and not noted is written twice."""

        async def alone() -> None:
            async with self._flushing:
                await writing()

        task = asyncio.create_task(alone())
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        await asyncio.shield(task)

    async def _write_all(self) -> None:
        while self._unwritten or self._former:
            await self._write_some()

    async def _write_some(self) -> None:
        some = self._former[:CHUNK] or list(self._unwritten.items())[:CHUNK]
        new = [(key, counted) for key, counted in some if counted.number is None]
        tallies = [_tally(key, counted) for key, counted in new]
        known = [
            (counted.number, counted.until, counted.count)
            for _, counted in some
            if counted.number is not None
        ]
        counts = [counted.count for _, counted in some]

        def write(connection: Connection) -> list[int]:
            audit.count_on(connection, known)
            return audit.begin(connection, tallies)

        for (_, counted), number in zip(new, await self._store.write(write), strict=True):
            counted.number = number
        for (key, counted), count in zip(some, counts, strict=True):
            counted.written = count
            if counted.count == count and self._unwritten.get(key) is counted:
                del self._unwritten[key]
        written = {id(counted) for _, counted in some if counted.written == counted.count}
        self._former = [one for one in self._former if id(one[1]) not in written]


def _tally(key: _Key, counted: _Counted) -> Tally:
    kind, who, about, _ = key
    return Tally(counted.at, counted.until, kind, who, about, counted.address, counted.count)
