"""The writer: the one thread that writes, a transaction for each batch, and delivery only once it is on disk.

While a batch is being written and delivered the next one fills: under load many changes share one commit; alone, a
change waits for nobody. A batch crosses to the thread and back once; one of a log in memory stays where it is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Final

import structlog
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

from hubbub.clock import Clock, rfc3339
from hubbub.errors import INTERNAL, OVERLOADED, Refused
from hubbub.log.indexing import Indexing
from hubbub.log.store import Store, failed
from hubbub.log.transaction import Change, Transaction, WriterMemory

MOST_PENDING: Final = 50_000
_MOST_IN_A_BATCH: Final = 2_000
# Errors of the database that are the fault of what was to be written. The others are the database's own.
_OF_ONE_CHANGE: Final = (IntegrityError, DataError, ProgrammingError)

logger = structlog.get_logger(__name__)


class WriterFigures:
    """What the writer has done, for the metrics."""

    def __init__(self) -> None:
        self.batches = 0
        self.changes = 0
        self.entries = 0
        self.failures = 0
        self.commit_seconds = 0.0
        self.last_commit_seconds = 0.0
        self.last_lag_seconds = 0.0  # from the first change's arrival to the batch's delivery


class Writer:
    """Takes changes on the event loop, writes them in batches, and hands each batch to `deliver` on the loop."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        deliver: Callable[[list[Change]], None],
        indexing: Indexing | None = None,
    ) -> None:
        self._indexing = indexing
        self._store = store
        self._clock = clock
        self._deliver = deliver
        self._loop = asyncio.get_running_loop()
        self._memory = WriterMemory()
        self._pending: list[Change] = []
        self._pending_since = 0.0
        self._batch_since = 0.0
        self._busy = False
        self._somebody_left = False  # in the batch under way
        self._scheduled = False
        self._idle = asyncio.Event()
        self._idle.set()
        self.figures = WriterFigures()

    @property
    def pending(self) -> int:
        """How many changes wait for the batch under way."""
        return len(self._pending)

    def submit(self, change: Change) -> None:
        """Write `change` with the next batch. `Refused` (overloaded) if too many wait already. Never waits."""
        if len(self._pending) >= MOST_PENDING:
            raise Refused(OVERLOADED, retry_after_seconds=1.0)
        if not self._pending:
            self._pending_since = self._loop.time()
        self._pending.append(change)
        if not self._busy and not self._scheduled:
            # Not at once: the changes that this round of the event loop is still to read belong in the same batch.
            self._scheduled = True
            self._idle.clear()
            self._loop.call_soon(self._hand_over)

    async def drained(self) -> None:
        """Wait until everything submitted has been written and delivered."""
        await self._idle.wait()

    def _hand_over(self) -> None:
        self._scheduled = False
        self._busy = True
        self._batch_since = self._pending_since
        batch = self._pending[:_MOST_IN_A_BATCH]
        del self._pending[:_MOST_IN_A_BATCH]
        if (
            self._store.in_memory
        ):  # nothing to wait for: the way to a thread and back would cost more than the commit
            self._commit(batch)
            self._committed(batch)
        else:
            self._store.thread.run(lambda: self._commit_apart(batch))

    def _commit_apart(self, batch: list[Change]) -> None:
        """In the writer's thread."""
        self._commit(batch)
        self._loop.call_soon_threadsafe(self._committed, batch)

    def _commit(self, batch: list[Change]) -> None:
        started = time.perf_counter()
        try:
            self._write(batch)
        except Exception as error:  # noqa: BLE001 - whatever it is, everyone in the batch is told
            self._failed(batch, error)
        else:
            self.figures.batches += 1
        self.figures.last_commit_seconds = time.perf_counter() - started
        self.figures.commit_seconds += self.figures.last_commit_seconds

    def _failed(self, batch: list[Change], error: Exception) -> None:
        self.figures.failures += 1
        refusal = failed(error) if isinstance(error, DBAPIError) else Refused(INTERNAL)
        reason = str(getattr(error, "orig", error))[:200]
        logger.error("batch not written", changes=len(batch), error=type(error).__name__, reason=reason)
        for change in batch:
            change.entries = []
            change.error = change.error or refusal
        # A commit whose answer was lost may have been done all the same: the numbers are in the database.
        self._memory.heads.clear()

    def _write(self, batch: list[Change]) -> None:
        try:
            self._attempt(batch, careful=False)
        except Exception as error:
            if isinstance(error, DBAPIError) and not isinstance(error, _OF_ONE_CHANGE):
                raise
            # Some sender's id was in the log already, or a change has a fault: each by itself this time.
            self._attempt(batch, careful=True)

    def _attempt(self, batch: list[Change], *, careful: bool) -> None:
        with self._store.transaction() as connection:
            now = self._clock.now()
            tx = Transaction(connection, self._memory, int(now * 1000), rfc3339(now), careful=careful)
            for change in batch:
                change.entries = []
                change.error = None
                if careful:
                    _apply_apart(change, tx)
                else:
                    _apply(change, tx)
            tx.flush()
        tx.remember()
        if self._indexing is not None:
            self._indexing.index.touched(tx.room_ids)
        self._somebody_left = tx.somebody_left

    def _committed(self, batch: list[Change]) -> None:
        """Back on the loop. Delivers first: what is read after it joins the next batch, which is larger for it."""
        self.figures.changes += len(batch)
        self.figures.entries += sum(not entry.repeat for change in batch for entry in change.entries)
        parts = _parted(batch) if self._somebody_left else (batch,)
        self._somebody_left = False
        try:
            for part in parts:
                self._deliver(part)
        finally:
            self.figures.last_lag_seconds = self._loop.time() - self._batch_since
            self._busy = False
            if self._indexing is not None:
                self._indexing.poke()
            if self._pending:
                self._scheduled = True
                self._loop.call_soon(self._hand_over)
            else:
                self._idle.set()


def _apply(change: Change, tx: Transaction) -> None:
    try:
        change.apply(tx)
    except Refused as refused:
        change.error = refused


def _apply_apart(change: Change, tx: Transaction) -> None:
    """Apply a change such that, if it fails, nothing of it is left and the others go on."""
    try:
        with tx.apart():
            change.apply(tx)
    except Refused as refused:
        change.error = refused
    except _OF_ONE_CHANGE as error:
        logger.error("change breaks a rule of the database", change=type(change).__name__)
        change.error = failed(error)
    except DBAPIError:
        raise
    except Exception:
        logger.exception("change failed", change=type(change).__name__)
        change.error = Refused(INTERNAL)
    if change.error is not None:
        change.entries = []


def _parted(batch: list[Change]) -> Iterator[list[Change]]:
    """`batch` in parts, each of which ends where somebody leaves a room: who left hears nothing of the next part."""
    part: list[Change] = []
    for change in batch:
        part.append(change)
        if any(entry.type == "member_left" for entry in change.entries):
            yield part
            part = []
    if part:
        yield part
