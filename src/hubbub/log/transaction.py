"""One transaction of the writer: gives numbers to entries, gathers their rows, and puts them in at the end.

What is to be written is a `Change`: it looks up what it needs, decides, and appends entries. A change that is
refused leaves nothing behind; the others of its batch go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import msgspec
from sqlalchemy import Connection, insert, select

from hubbub import frames
from hubbub.errors import NO_SUCH_ROOM, Refused
from hubbub.events import EntryPayload, room_prefix
from hubbub.log import queries, schema
from hubbub.log.driver import driven

_encode = msgspec.json.Encoder().encode
_COLUMNS = ("room_id", "seq", "type", "user_id", "client_id", "at", "body")
# A batch is put in with few statements of fixed sizes: each is one step in the driver, and so gives up the
# interpreter's lock once, not once a row.
_CHUNKS = (64, 16, 4, 1)

Row = tuple[int, int, str, int, str | None, int, str]


class Entry:
    """An entry of a room's log, finished for the wire.

    `frame` is the WebSocket frame that everyone gets; `repeat` says that it was in the log already, and is for
    its sender alone; `mentions` are the ids of the users it mentions, 0 for everyone in the room.
    """

    __slots__ = ("frame", "mentions", "payload", "repeat", "room_id", "seq", "type", "user_id")

    def __init__(
        self, room_id: int, seq: int, type_: str, user_id: int, payload: bytes, *, repeat: bool = False
    ) -> None:
        self.room_id = room_id
        self.seq = seq
        self.type = type_
        self.user_id = user_id
        self.payload = payload
        self.frame = frames.text(b'{"type":"%b","payload":%b}' % (type_.encode(), payload))
        self.repeat = repeat
        self.mentions: tuple[int, ...] = ()


class Change:
    """Something to be written. `apply` decides and appends, in the writer's thread; `finished` comes on the loop.

    After the commit either `error` or the result is set: `entries` (in order) and what `apply` left on the change.
    """

    __slots__ = ("entries", "error")

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.error: Refused | None = None

    def apply(self, tx: Transaction) -> None:
        """Look up, decide, append. Raises `Refused` before anything is appended. May be called again after an undo."""
        raise NotImplementedError

    def finished(self) -> None:
        """Called on the event loop once the change is on disk and delivered, or refused (`error`)."""


class WriterMemory:
    """What the writer knows without asking the database; valid because it is the only writer."""

    def __init__(self) -> None:
        self.heads: dict[int, int] = {}
        self.names: dict[int, str] = {}  # of rooms renamed since the start
        self.archived: dict[
            int, bool
        ] = {}  # whether they are, of rooms archived or opened again since the start
        self.left: set[tuple[int, int]] = set()  # (room, user) who left or were removed since the start


class Transaction:
    """The batch being written. `careful` looks for repeats before they hit the unique index."""

    def __init__(
        self, connection: Connection, memory: WriterMemory, at_ms: int, sent: str, *, careful: bool
    ) -> None:
        self.connection = connection
        self.at_ms = at_ms
        self.sent = sent  # the same moment, RFC 3339
        self.careful = careful
        self._memory = memory
        self._heads: dict[int, int] = {}
        self._rows: list[Row] = []
        self._mentions: list[dict[str, int]] = []
        self._names: dict[int, str] = {}
        self._left: dict[tuple[int, int], bool] = {}
        self._archived: dict[int, bool] = {}

    def head(self, room_id: int) -> int:
        """The number of the last entry of a room; 0 while there is none."""
        head = self._heads.get(room_id)
        if head is None:
            head = self._memory.heads.get(room_id)
        if head is None:
            head = queries.head(self.connection, room_id)
            self._heads[room_id] = head
        return head

    @property
    def room_ids(self) -> Iterable[int]:
        """The rooms that this batch had to do with."""
        return self._heads

    def append(
        self,
        change: Change,
        room_id: int,
        type_: str,
        user_id: int,
        payload: EntryPayload,
        client_id: str | None,
    ) -> Entry:
        """Append an entry whose payload begins with the room's name and the number `head(room_id) + 1`."""
        entry = Entry(room_id, payload.seq, type_, user_id, _encode(payload))
        self.append_entry(change, entry, payload.room, client_id)
        return entry

    def append_entry(self, change: Change, entry: Entry, room: str, client_id: str | None) -> None:
        """Append an entry that is encoded already, its payload beginning with the name of its `room`."""
        body = "{" + entry.payload[len(room_prefix(room)) :].decode()
        self._heads[entry.room_id] = entry.seq
        self._rows.append((entry.room_id, entry.seq, entry.type, entry.user_id, client_id, self.at_ms, body))
        change.entries.append(entry)

    def repeated(self, room_id: int, room: str, user_id: int, client_id: str | None) -> Entry | None:
        """The entry that this sender put in this room under this id before, if any."""
        if client_id is None:
            return None
        self.flush()
        entries = schema.entries
        row = self.connection.execute(
            select(entries.c.seq, entries.c.type, entries.c.body).where(
                entries.c.client_id == client_id, entries.c.user_id == user_id, entries.c.room_id == room_id
            )
        ).one_or_none()
        if row is None:
            return None
        payload = room_prefix(self.name(room_id, room)) + row.body[1:].encode()
        return Entry(room_id, row.seq, row.type, user_id, payload, repeat=True)

    def mention(self, entry: Entry, user_ids: tuple[int, ...]) -> None:
        """Note whom an entry mentions."""
        entry.mentions = user_ids
        self._mentions += [
            {"user_id": user_id, "room_id": entry.room_id, "seq": entry.seq} for user_id in user_ids
        ]

    def name(self, room_id: int, name: str) -> str:
        """The room's name now, where the event loop knew it as `name`."""
        return self._names.get(room_id) or self._memory.names.get(room_id) or name

    def renamed(self, room_id: int, name: str) -> None:
        """From here on the room is called `name`."""
        self._names[room_id] = name

    def is_archived(self, room_id: int, known: bool) -> bool:
        """Whether the room is archived now, where the event loop knew that it was, or was not."""
        return self._archived.get(room_id, self._memory.archived.get(room_id, known))

    def archived(self, room_id: int, archived: bool) -> None:
        """From here on the room is archived, or open again."""
        self._archived[room_id] = archived

    def joined(self, room_id: int, user_id: int) -> None:
        """From here on the user may speak in the room."""
        self._left[room_id, user_id] = False

    def left(self, room_id: int, user_id: int) -> None:
        """From here on the user may not speak in the room, though the event loop may not know it yet."""
        self._left[room_id, user_id] = True

    @property
    def somebody_left(self) -> bool:
        """Whether a user left a room in this batch."""
        return any(self._left.values())

    def check_not_left(self, room_id: int, user_id: int) -> None:
        """`Refused` if the user left the room before this change came to be written."""
        key = (room_id, user_id)
        if self._left.get(key, key in self._memory.left):
            raise Refused(NO_SUCH_ROOM)

    @contextmanager
    def apart(self) -> Iterator[None]:
        """What is done within is undone by itself if it raises; what was done before stays."""
        self.flush()
        kept = dict(self._heads), dict(self._names), dict(self._left), dict(self._archived)
        try:
            with self.connection.begin_nested():
                yield
                self.flush()
        except BaseException:
            self._heads, self._names, self._left, self._archived = kept
            self._rows, self._mentions = [], []
            raise

    def flush(self) -> None:
        """Put the gathered rows in, so that queries see them."""
        rows, self._rows = self._rows, []
        position = 0
        for size in _CHUNKS:
            while len(rows) - position >= size:
                values = tuple(value for row in rows[position : position + size] for value in row)
                driven(self.connection, _insertion(self.connection, size), values)
                position += size
        if self._mentions:
            found, self._mentions = self._mentions, []
            self.connection.execute(insert(schema.mentions), found)

    def remember(self) -> None:
        """The commit succeeded: keep what was learnt."""
        memory = self._memory
        memory.heads.update(self._heads)
        memory.names.update(self._names)
        memory.archived.update(self._archived)
        for key, left in self._left.items():
            (memory.left.add if left else memory.left.discard)(key)


_insertions: dict[tuple[str, int], str] = {}


def _insertion(connection: Connection, rows: int) -> str:
    """The driver's text of an INSERT of so many entries, compiled once."""
    key = (connection.dialect.name, rows)
    found = _insertions.get(key)
    if found is None:
        blank = [dict.fromkeys(_COLUMNS)] * rows
        statement = insert(schema.entries).values(blank)
        found = _insertions[key] = str(statement.compile(dialect=connection.dialect))
    return found
