"""The index of messages that search looks in, kept up with the log.

The log's own commits stay as they are: what was written is taken into the index afterwards, a piece at a time, by the
writer's thread between two batches, in a transaction that is not synced (the next batch syncs it; what a loss of power
takes is indexed again). A room's mark, how far it is indexed, is its last message in `search_docs`: so nothing needs to
be written down, and whatever comes after the mark may be taken up twice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import structlog
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from hubbub.log.folding import fold
from hubbub.log.store import Store

PIECE: Final = 128  # entries taken up at once: a few milliseconds, for which a batch may have to wait
_STRETCH: Final = 4_000  # numbers of one room looked at for it: most entries may be no messages
_PASSED_OVER_FOR_ONE: Final = 64  # entries that are passed over cost as much as one that is taken up
DELAY_SECONDS: Final = 0.3
# Between two pieces the thread is the log's for so many times as long as a piece took.
_REST: Final = 4.0
# While much is being said, it is the log's for longer: the index may fall behind, and follows when there is peace.
_MUCH_A_SECOND: Final = 500
_THEN_A_SECOND: Final = 1_000
_AFTER_FAULT_SECONDS: Final = 5.0
_STEPS_FOR_A_SEARCH: Final = 16
_PAGES_MERGED: Final = 64
_CLEAN_EVERY_SECONDS: Final = 600.0
_TO_CLEAN: Final = "search_to_clean"  # in `meta`, while the index may hold what was deleted

logger = structlog.get_logger(__name__)

_BEHIND: Final = text(
    "SELECT id FROM rooms WHERE coalesce((SELECT max(seq) FROM entries WHERE room_id = rooms.id), 0)"
    " > coalesce((SELECT max(seq) FROM search_docs WHERE room_id = rooms.id), 0)"
)
_MARK: Final = text("SELECT coalesce(max(seq), 0) FROM search_docs WHERE room_id = :room")
_AFTER: Final = text(
    "SELECT seq, type, user_id, at, coalesce(now, body) AS body FROM entries"
    " WHERE room_id = :room AND seq > :mark AND seq <= :top"
    " AND type IN ('new_message', 'message_edited', 'message_deleted') ORDER BY seq LIMIT :most"
)
_HEAD: Final = text("SELECT coalesce(max(seq), 0) FROM entries WHERE room_id = :room")
_ONE: Final = text("SELECT coalesce(now, body) FROM entries WHERE room_id = :room AND seq = :seq")
_DOC: Final = text("SELECT id, text FROM search_docs WHERE room_id = :room AND seq = :seq")
_EVERYTHING: Final = text(
    "SELECT room_id, seq, user_id, at, coalesce(now, body) AS body FROM entries"
    " WHERE type = 'new_message' ORDER BY at, room_id, seq"
)
_LAST: Final = "SELECT coalesce(max(id), 0) FROM search_docs"
_ADD_DOC: Final = "INSERT INTO search_docs (id, room_id, seq, user_id, at, text) VALUES (?, ?, ?, ?, ?, ?)"
_ADD: Final = "INSERT INTO search_index (rowid, text) VALUES (?, ?)"
_TAKE_OUT: Final = "INSERT INTO search_index (search_index, rowid, text) VALUES ('delete', ?, ?)"
_MERGE: Final = "INSERT INTO search_index (search_index, rank) VALUES ('merge', ?)"


class _Said(msgspec.Struct):
    """What of a message's JSON counts here."""

    message: str = ""
    deleted: bool = False
    target: int = 0


_decode: Final = msgspec.json.Decoder(_Said).decode


def _said(body: str) -> _Said:
    """What was said; nothing, where somebody else wrote what is none of ours: the rest of the log goes on."""
    try:
        return _decode(body)
    except msgspec.DecodeError:
        return _Said(deleted=True)


@dataclass(frozen=True, slots=True)
class _Doc:
    room_id: int
    seq: int
    user_id: int
    at: int
    text: str


@dataclass(slots=True)
class _Piece:
    """What was read of the log to be taken up, and how far each room is then."""

    docs: list[_Doc] = field(default_factory=list)
    changed: list[tuple[int, int]] = field(default_factory=list)  # messages indexed before: room and number
    marks: dict[int, int] = field(default_factory=dict)
    done: list[int] = field(default_factory=list)  # rooms of which nothing is left


class Index:
    """Takes what was written into the index. For the writer's thread."""

    def __init__(self, store: Store, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._monotonic = monotonic
        self._touched: dict[int, None] = {}  # rooms with new entries, in the order in which they got them
        self._marks: dict[int, int] = {}
        self._begun = False
        self._to_clean = False
        self._cleaning = False
        self._cleaned_at = -_CLEAN_EVERY_SECONDS

    def touched(self, room_ids: Iterable[int]) -> None:
        """These rooms have new entries, on disk."""
        self._touched.update(dict.fromkeys(room_ids))

    @property
    def behind(self) -> bool:
        """Whether there is something to take up. May be asked in any thread."""
        return bool(self._touched) or not self._begun

    @property
    def busy(self) -> bool:
        """Whether there is something to do, be it only to clean."""
        return self.behind or self._cleaning or self.clean_in_seconds == 0

    @property
    def clean_in_seconds(self) -> float | None:
        """When the index wants to be cleaned; None: it is clean."""
        since = self._monotonic() - self._cleaned_at
        return max(0.0, _CLEAN_EVERY_SECONDS - since) if self._to_clean else None

    def step(self) -> None:
        """Take up the next piece; or clean the index, if there is nothing to take up."""
        with self._store.transaction(synced=False) as connection:
            if not self._begun:
                self._begin(connection)
            if not self._touched:
                cleaning = self._clean(connection) if self.busy else False
                piece = None
            else:
                cleaning = self._cleaning
                piece = self._read(connection)
                self._write(connection, piece)
        self._cleaning = cleaning
        if piece is not None:
            self._marks.update(piece.marks)
            for room_id in piece.done:
                self._touched.pop(room_id, None)

    def _begin(self, connection: Connection) -> None:
        self._touched.update(dict.fromkeys(connection.scalars(_BEHIND)))
        found = connection.execute(text("SELECT 1 FROM meta WHERE key = :key"), {"key": _TO_CLEAN})
        self._to_clean = found.first() is not None
        self._begun = True

    # --- taking up

    def _read(self, connection: Connection) -> _Piece:
        piece, left = _Piece(), PIECE
        for room_id in self._touched:
            mark = self._marks.get(room_id)
            if mark is None:
                mark = int(connection.execute(_MARK, {"room": room_id}).scalar_one())
            head = int(connection.execute(_HEAD, {"room": room_id}).scalar_one())
            top = min(head, mark + _STRETCH)
            where = {"room": room_id, "mark": mark, "top": top, "most": left}
            rows = connection.execute(_AFTER, where).all()
            for row in rows:
                self._take_up(piece, room_id, row, mark)
            reached = rows[-1].seq if len(rows) == left else top
            piece.marks[room_id] = reached
            if reached >= head:
                piece.done.append(room_id)
            left -= len(rows) + (reached - mark) // _PASSED_OVER_FOR_ONE
            if left <= 0:
                break
        return piece

    @staticmethod
    def _take_up(piece: _Piece, room_id: int, row: Any, mark: int) -> None:
        said = _said(row.body)
        if row.type != "new_message":
            if said.target <= mark:
                piece.changed.append((room_id, said.target))
        elif not said.deleted:
            piece.docs.append(_Doc(room_id, row.seq, row.user_id, row.at, fold(said.message)))

    def _write(self, connection: Connection, piece: _Piece) -> None:
        for room_id, seq in dict.fromkeys(piece.changed):
            self._change(connection, room_id, seq)
        add(connection, sorted(piece.docs, key=lambda doc: (doc.at, doc.room_id, doc.seq)))

    def _change(self, connection: Connection, room_id: int, seq: int) -> None:
        """A message that was indexed before is another now, or was deleted."""
        where = {"room": room_id, "seq": seq}
        doc = connection.execute(_DOC, where).one_or_none()
        if doc is None:
            return
        said = _said(connection.execute(_ONE, where).scalar_one())
        new = fold(said.message)
        if said.deleted:
            connection.exec_driver_sql(_TAKE_OUT, (doc.id, doc.text))
            connection.exec_driver_sql("DELETE FROM search_docs WHERE id = ?", (doc.id,))
            self._note_to_clean(connection)
        elif new != doc.text:
            connection.exec_driver_sql(_TAKE_OUT, (doc.id, doc.text))
            connection.exec_driver_sql("UPDATE search_docs SET text = ? WHERE id = ?", (new, doc.id))
            connection.exec_driver_sql(_ADD, (doc.id, new))

    # --- cleaning: what was deleted is found no more at once, but lies in the index until its parts are merged

    def _note_to_clean(self, connection: Connection) -> None:
        self._to_clean = True
        connection.exec_driver_sql("INSERT OR IGNORE INTO meta (key, value) VALUES (?, ?)", (_TO_CLEAN, "1"))

    def _clean(self, connection: Connection) -> bool:
        """Merge some pages of the index; whether there are more. https://www.sqlite.org/fts5.html#the_merge_command."""
        before = _changes(connection)
        begun, self._cleaning = self._cleaning, True  # from here on: others ask whether it is `busy`
        try:
            connection.exec_driver_sql(_MERGE, (_PAGES_MERGED if begun else -_PAGES_MERGED,))
        except SQLAlchemyError:
            self._cleaning = begun
            raise
        if not begun:
            self._to_clean = False  # what is deleted while it goes on is for the next time
        if _changes(connection) - before >= 2:
            return True
        if not self._to_clean:
            connection.exec_driver_sql("DELETE FROM meta WHERE key = ?", (_TO_CLEAN,))
        self._cleaned_at = self._monotonic()
        return False


class Indexing:
    """When the index is kept up: soon after a batch, in pieces, with a rest after each. For the event loop."""

    def __init__(self, store: Store, written: Callable[[], int]) -> None:
        """`written` counts the entries that have been written to the log."""
        self.index = Index(store)
        self._written = written
        self._count, self._counted_at = 0, 0.0
        self._store = store
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._step: asyncio.Future[None] | None = None
        self._soon = False  # the timer is for what was written a moment ago
        self._stopped = False

    def poke(self) -> None:
        """Something may be there to take up."""
        if self._soon or self._step is not None or self._stopped or not self.index.busy:
            return
        self._rest()
        self._soon = True
        self._timer = self._loop.call_later(DELAY_SECONDS, self._begin)

    async def caught_up(self) -> None:
        """What is on disk now is in the index, unless there is very much of it, or the database fails."""
        for _ in range(_STEPS_FOR_A_SEARCH):
            if not self.index.behind:
                return
            self._begin()
            if self._step is None:
                return
            await asyncio.shield(self._step)

    def stop(self) -> None:
        """Begin nothing any more. What is left is taken up after the next start."""
        self._stopped = True
        self._rest()

    def _begin(self) -> None:
        self._rest()
        if self._step is None and not self._stopped:
            self._step = self._loop.create_future()
            self._store.thread.run(self._work)

    def _rest(self) -> None:
        self._soon = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _work(self) -> None:
        """In the writer's thread."""
        started = time.perf_counter()
        try:
            self.index.step()
        except SQLAlchemyError as error:
            # A full disk, say. What was written is not lost, and is taken up when there is room again.
            reason = str(getattr(error, "orig", error))[:200]
            logger.warning("messages not indexed", error=type(error).__name__, reason=reason)
            rest = _AFTER_FAULT_SECONDS
        else:
            rest = self._rest_after(time.perf_counter() - started)
        self._loop.call_soon_threadsafe(self._done, rest)

    def _rest_after(self, step_seconds: float) -> float:
        count, now = self._written(), time.perf_counter()
        rate = (count - self._count) / (now - self._counted_at)
        self._count, self._counted_at = count, now
        return max(step_seconds * _REST, PIECE / _THEN_A_SECOND if rate > _MUCH_A_SECOND else 0.0)

    def _done(self, rest_seconds: float) -> None:
        step, self._step = self._step, None
        if not self._stopped:
            wait_seconds = rest_seconds if self.index.busy else self.index.clean_in_seconds
            if wait_seconds is not None:
                self._soon = self.index.busy
                self._timer = self._loop.call_later(wait_seconds, self._begin)
        if step is not None and not step.done():
            step.set_result(None)


def add(connection: Connection, docs: list[_Doc]) -> None:
    """Put messages into the index, the oldest first: the order in which they are found is that of their ids."""
    if not docs:
        return
    last = int(connection.exec_driver_sql(_LAST).scalar_one())
    rows = [
        (id_, doc.room_id, doc.seq, doc.user_id, doc.at, doc.text) for id_, doc in enumerate(docs, last + 1)
    ]
    connection.exec_driver_sql(_ADD_DOC, rows)
    connection.exec_driver_sql(_ADD, [(row[0], row[5]) for row in rows])


def index_everything(connection: Connection) -> int:
    """Put every message of a log into an empty index; how many there were. For the migration that makes the index."""
    count = 0
    for docs in _chunks(connection):
        add(connection, docs)
        count += len(docs)
    return count


def _chunks(connection: Connection, size: int = 2_000) -> Iterator[list[_Doc]]:
    docs: list[_Doc] = []
    for row in connection.execute(_EVERYTHING):
        said = _said(row.body)
        if not said.deleted:
            docs.append(_Doc(row.room_id, row.seq, row.user_id, row.at, fold(said.message)))
        if len(docs) == size:
            yield docs
            docs = []
    yield docs


def _changes(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SELECT total_changes()").scalar_one())
