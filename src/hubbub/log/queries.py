"""What is read from the log: rooms that somebody may see, pages of history, what came after a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Connection, Text, and_, bindparam, cast, func, literal_column, or_, select
from sqlalchemy.sql import ColumnElement, Select

from hubbub.log.driver import Prepared
from hubbub.log.schema import entries, members, mentions, meta, room_aliases, rooms, search_docs, users

PAGE_BYTES: Final = 512 * 1024  # of one answer, so that a client's own read limit (often 1 MiB) lets it in


@dataclass(frozen=True, slots=True)
class RoomRow:
    """A room as one user sees it. `member_role` and `read` are None for one who is no member.

    `members`, how many it has, and `active`, when its last entry was written (milliseconds since 1970), are None where
    they were not asked for.
    """

    id: int
    name: str
    kind: str
    topic: str
    archived: bool
    member_role: str | None
    read: int | None
    members: int | None = None
    active: int | None = None

    @property
    def is_visible(self) -> bool:
        """Whether the user may know of it."""
        return self.kind == "public" or self.member_role is not None


@dataclass(frozen=True, slots=True)
class Totals:
    """How much there is on a server. `rooms` by kind, archived ones too."""

    users: int
    rooms: dict[str, int]
    archived: int
    entries: int
    messages: int


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a member has read a room, and what is there."""

    head: int
    read: int
    mentions: int


@dataclass(frozen=True, slots=True)
class Page:
    """Messages or entries of one room, oldest first, each as JSON without the room; `head` at the time of reading."""

    head: int
    items: list[LogItem]
    more: bool


@dataclass(frozen=True, slots=True)
class LogItem:
    """One entry as the log keeps it: JSON text that wants the room's prefix in front."""

    seq: int
    type: str
    body: str


# --- the statements, built once: to build one costs more than to run it

_user: Final[Any] = bindparam("user_id")
_room_id: Final[Any] = bindparam("room_id")
_ROOM: Final = select(
    rooms.c.id,
    rooms.c.name,
    rooms.c.kind,
    rooms.c.topic,
    rooms.c.archived_at,
    members.c.role,
    members.c.read,
).outerjoin_from(rooms, members, and_(members.c.room_id == rooms.c.id, members.c.user_id == _user))
_ROOM_BY_KEY: Final = Prepared(_ROOM.where(rooms.c.key == bindparam("key")))
_ROOM_BY_ALIAS: Final = Prepared(
    _ROOM.where(
        rooms.c.id
        == select(room_aliases.c.room_id).where(room_aliases.c.key == bindparam("key")).scalar_subquery()
    )
)
_everybody = members.alias("everybody")
_MEMBER_COUNT: Final = (
    select(func.count())
    .select_from(_everybody)
    .where(_everybody.c.room_id == rooms.c.id)
    .correlate(rooms)
    .scalar_subquery()
    .label("members")
)
_VISIBLE_ROOMS: Final = Prepared(
    _ROOM.where(or_(rooms.c.kind == "public", members.c.user_id.is_not(None)))
    .add_columns(_MEMBER_COUNT)
    .order_by(rooms.c.name)
)
_ALL_ROOMS: Final = Prepared(_ROOM.where(rooms.c.kind != "direct").order_by(rooms.c.name))
# Not max(): ORDER BY … LIMIT 1 is one step down the key on every database.
_HEAD: Final = Prepared(
    select(entries.c.seq).where(entries.c.room_id == _room_id).order_by(entries.c.seq.desc()).limit(1)
)
_HEAD_OF_MEMBER: Final = (
    select(entries.c.seq)
    .where(entries.c.room_id == members.c.room_id)
    .order_by(entries.c.seq.desc())
    .limit(1)
    .correlate(members)
    .scalar_subquery()
    .label("head")
)
_ACTIVE_OF_MEMBER: Final = (
    select(entries.c.at)
    .where(entries.c.room_id == members.c.room_id)
    .order_by(entries.c.seq.desc())
    .limit(1)
    .correlate(members)
    .scalar_subquery()
    .label("active")
)
# Looked up for each mention: of a join SQLite makes a walk through every entry that is unread.
_MENTIONED_BY: Final = (
    select(entries.c.user_id)
    .where(entries.c.room_id == mentions.c.room_id, entries.c.seq == mentions.c.seq)
    .correlate(mentions)
    .scalar_subquery()
)
_MENTIONS_OF_MEMBER: Final = (
    select(func.count())
    .select_from(mentions)
    .where(
        mentions.c.user_id.in_((0, _user)),
        mentions.c.room_id == members.c.room_id,
        mentions.c.seq > members.c.read,
        _user != _MENTIONED_BY,  # who calls everyone does not call themselves
    )
    .correlate(members)
    .scalar_subquery()
    .label("mentioned")
)
_ROOMS_OF_MEMBER: Final = Prepared(
    _ROOM.where(members.c.user_id.is_not(None))
    .add_columns(_ACTIVE_OF_MEMBER, _HEAD_OF_MEMBER, _MENTIONS_OF_MEMBER)
    .order_by(rooms.c.name)
)
_MARK: Final = Prepared(
    select(_HEAD_OF_MEMBER, members.c.read, _MENTIONS_OF_MEMBER).where(
        members.c.room_id == _room_id, members.c.user_id == _user
    )
)
_MEMBERS: Final = (
    select(users.c.name, users.c.display_name, members.c.role)
    .join_from(members, users, members.c.user_id == users.c.id)
    .where(members.c.room_id == _room_id)
    .order_by(users.c.name)
)


def _lines(body: ColumnElement[str], query: Select[Any]) -> Prepared:
    """`query` of entries as one text with a line for each: number, type and `body`, which has no line break in it.

    A driver gives up the interpreter's lock for each row, and gets it back when others are done with it.
    """
    line = (cast(entries.c.seq, Text) + " " + entries.c.type + " " + body).label("line")
    found = query.with_only_columns(line).subquery("page")
    return Prepared(select(func.group_concat(found.c.line, literal_column("char(10)"))))


_ENTRIES_AFTER: Final = _lines(
    entries.c.body,
    select(entries)
    .where(
        entries.c.room_id == _room_id,
        entries.c.seq > bindparam("after"),
        entries.c.seq <= bindparam("top"),
    )
    .order_by(entries.c.seq)
    .limit(bindparam("limit")),
)
_ENTRY: Final = select(entries.c.type, entries.c.user_id, entries.c.body, entries.c.now).where(
    entries.c.room_id == _room_id, entries.c.seq == bindparam("seq")
)
_AS_IT_IS_NOW: Final = func.coalesce(entries.c.now, entries.c.body)
_MESSAGES: Final = (
    select(entries)
    .where(entries.c.room_id == _room_id, entries.c.type == "new_message")
    .limit(bindparam("limit"))
)
_MESSAGES_BEFORE: Final = _lines(
    _AS_IT_IS_NOW,
    _MESSAGES.where(entries.c.seq < bindparam("place")).order_by(entries.c.seq.desc()),
)
_MESSAGES_AFTER: Final = _lines(
    _AS_IT_IS_NOW, _MESSAGES.where(entries.c.seq > bindparam("place")).order_by(entries.c.seq)
)
_NO_END: Final = 2**53
_by_number: Final = attrgetter("seq")


def epoch(connection: Connection) -> str:
    """The name of this log."""
    return str(connection.execute(select(meta.c.value).where(meta.c.key == "epoch")).scalar_one())


def visible_room(connection: Connection, user_id: int, key: str) -> RoomRow | None:
    """The room called `key` (see `names.key_of`), now or before, if the user may see it; else None."""
    for query in (_ROOM_BY_KEY, _ROOM_BY_ALIAS):
        row = query.row(connection, user_id=user_id, key=key)
        if row is not None and (room := _room(row)).is_visible:
            return room
    return None


def visible_rooms(connection: Connection, user_id: int) -> list[RoomRow]:
    """Every room that the user may see, by name."""
    rows = _VISIBLE_ROOMS.rows(connection, user_id=user_id)
    return [_room(row, count) for *row, count in rows]


def all_rooms(connection: Connection) -> list[RoomRow]:
    """Every room but the direct ones, by name, whoever may see it: for the one who runs the server."""
    return [_room(row) for row in _ALL_ROOMS.rows(connection, user_id=0)]


def any_room(connection: Connection) -> bool:
    """Whether there is a room at all."""
    return connection.execute(select(rooms.c.id).limit(1)).first() is not None


def rooms_of_member(connection: Connection, user_id: int) -> list[tuple[RoomRow, Mark]]:
    """Every room that the user belongs to, with how far it was read."""
    found = []
    for *row, active, top, mentioned in _ROOMS_OF_MEMBER.rows(connection, user_id=user_id):
        room = _room(row, active=active)
        assert room.read is not None
        found.append((room, Mark(top or 0, room.read, mentioned)))
    return found


def mark(connection: Connection, user_id: int, room_id: int) -> Mark | None:
    """How far a member has read a room; None for one who is no member."""
    row = _MARK.row(connection, user_id=user_id, room_id=room_id)
    return Mark(row[0] or 0, *row[1:]) if row else None


def member_names(connection: Connection, room_id: int) -> list[tuple[str, str, str]]:
    """Name, display name and role in the room of every member, by name."""
    found = connection.execute(_MEMBERS, {"room_id": room_id})
    return [(row.name, row.display_name, row.role) for row in found]


def member_count(connection: Connection, room_id: int) -> int:
    """How many members a room has."""
    return int(
        connection.scalar(select(func.count()).select_from(members).where(members.c.room_id == room_id)) or 0
    )


def totals(connection: Connection) -> Totals:
    """How much there is: a step for each room, and one for each message."""
    kinds = select(
        rooms.c.kind, func.count().label("rooms"), func.count(rooms.c.archived_at).label("archived")
    )
    by_kind = connection.execute(kinds.group_by(rooms.c.kind)).all()
    last = (
        select(entries.c.seq)
        .where(entries.c.room_id == rooms.c.id)
        .order_by(entries.c.seq.desc())
        .limit(1)
        .correlate(rooms)
        .scalar_subquery()
    )
    return Totals(
        users=connection.scalar(select(func.count()).select_from(users)) or 0,
        rooms={row.kind: row.rooms for row in by_kind},
        archived=sum(row.archived for row in by_kind),
        entries=connection.scalar(select(func.coalesce(func.sum(last), 0)).select_from(rooms)) or 0,
        messages=connection.scalar(select(func.count()).select_from(search_docs)) or 0,
    )


def direct_members(connection: Connection, room_ids: list[int]) -> dict[int, list[str]]:
    """The members' names of direct rooms."""
    found: dict[int, list[str]] = {room_id: [] for room_id in room_ids}
    query = (
        select(members.c.room_id, users.c.name)
        .join_from(members, users, members.c.user_id == users.c.id)
        .where(members.c.room_id.in_(room_ids))
        .order_by(users.c.name)
    )
    for row in connection.execute(query):
        found[row.room_id].append(row.name)
    return found


def head(connection: Connection, room_id: int) -> int:
    """The number of a room's last entry; 0 while there is none."""
    row = _HEAD.row(connection, room_id=room_id)
    return int(row[0]) if row else 0


def messages(
    connection: Connection,
    room_id: int,
    limit: int,
    *,
    before: int | None = None,
    after: int | None = None,
    around: int | None = None,
) -> Page:
    """Up to `limit` messages as they are now: the last ones, or those before, after or around a number."""
    top = head(connection, room_id)
    if around is not None:
        half = PAGE_BYTES // 2
        earlier, more_before = _messages_before(connection, room_id, limit - limit // 2, around + 1, half)
        later, more_after = _messages_after(connection, room_id, limit // 2, around, half)
        return Page(top, [*earlier, *later], more_before or more_after)
    if after is not None:
        found, more = _messages_after(connection, room_id, limit, after)
    else:
        found, more = _messages_before(connection, room_id, limit, _NO_END if before is None else before)
    return Page(top, found, more)


def entries_after(connection: Connection, room_id: int, after: int, limit: int) -> Page:
    """Up to `limit` entries numbered above `after`, as they came live, in order."""
    top = head(connection, room_id)
    if top <= after:
        return Page(top, [], more=False)
    kept = _within(
        PAGE_BYTES, _items(_ENTRIES_AFTER.row(connection, room_id=room_id, after=after, top=top, limit=limit))
    )
    last = kept[-1].seq if kept else after
    return Page(top, kept, more=last < top)


def entry_by_seq(connection: Connection, room_id: int, seq: int) -> Any:
    """One entry's row with type, user_id, body and now; None if there is none."""
    return connection.execute(_ENTRY, {"room_id": room_id, "seq": seq}).one_or_none()


def _messages_before(
    connection: Connection, room_id: int, limit: int, place: int, most_bytes: int = PAGE_BYTES
) -> tuple[list[LogItem], bool]:
    found = _items(_MESSAGES_BEFORE.row(connection, room_id=room_id, place=place, limit=limit + 1))[::-1]
    kept = _within(most_bytes, found[:limit])
    return kept[::-1], len(found) > len(kept)


def _messages_after(
    connection: Connection, room_id: int, limit: int, place: int, most_bytes: int = PAGE_BYTES
) -> tuple[list[LogItem], bool]:
    found = _items(_MESSAGES_AFTER.row(connection, room_id=room_id, place=place, limit=limit + 1))
    kept = _within(most_bytes, found[:limit])
    return kept, len(found) > len(kept)


def _within(limit_bytes: int, items: list[LogItem]) -> list[LogItem]:
    size = 0
    for count, item in enumerate(items):
        size += (len(item.body) if item.body.isascii() else len(item.body.encode())) + 100  # and the envelope
        if size > limit_bytes and count:
            return items[:count]
    return items


def _items(row: tuple[Any, ...] | None) -> list[LogItem]:
    """The entries of `_lines`, by number."""
    if row is None or row[0] is None:
        return []
    parts = [line.split(" ", 2) for line in row[0].split("\n")]
    return sorted([LogItem(int(seq), type_, body) for seq, type_, body in parts], key=_by_number)


def _room(row: Sequence[Any], members: int | None = None, active: int | None = None) -> RoomRow:
    id_, name, kind, topic, archived_at, role, read = row
    return RoomRow(id_, name, kind, topic, archived_at is not None, role, read, members, active)
