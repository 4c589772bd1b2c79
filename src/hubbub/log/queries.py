"""What is read from the log: rooms that somebody may see, pages of history, what came after a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, and_, func, or_, select

from hubbub.log.schema import entries, members, mentions, meta, room_aliases, rooms, users

PAGE_BYTES: Final = 512 * 1024  # of one answer, so that a client's own read limit (often 1 MiB) lets it in


@dataclass(frozen=True, slots=True)
class RoomRow:
    """A room as one user sees it. `member_role` and `read` are None for one who is no member."""

    id: int
    name: str
    kind: str
    topic: str
    archived: bool
    member_role: str | None
    read: int | None


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


def epoch(connection: Connection) -> str:
    """The name of this log."""
    return str(connection.execute(select(meta.c.value).where(meta.c.key == "epoch")).scalar_one())


def visible_room(connection: Connection, user_id: int, key: str) -> RoomRow | None:
    """The room called `key` (see `names.key_of`), now or before, if the user may see it; else None."""
    row = connection.execute(_room_of(user_id).where(rooms.c.key == key)).one_or_none()
    if row is None or not _visible(row):
        former = select(room_aliases.c.room_id).where(room_aliases.c.key == key).scalar_subquery()
        row = connection.execute(_room_of(user_id).where(rooms.c.id == former)).one_or_none()
    return _room(row) if row is not None and _visible(row) else None


def visible_rooms(connection: Connection, user_id: int) -> list[RoomRow]:
    """Every room that the user may see, by name."""
    query = _room_of(user_id).where(or_(rooms.c.kind == "public", members.c.user_id.is_not(None)))
    return [_room(row) for row in connection.execute(query.order_by(rooms.c.name))]


def all_rooms(connection: Connection) -> list[RoomRow]:
    """Every room but the direct ones, by name, whoever may see it: for the one who runs the server."""
    query = _room_of(0).where(rooms.c.kind != "direct").order_by(rooms.c.name)
    return [_room(row) for row in connection.execute(query)]


def any_room(connection: Connection) -> bool:
    """Whether there is a room at all."""
    return connection.execute(select(rooms.c.id).limit(1)).first() is not None


def rooms_of_member(connection: Connection, user_id: int) -> list[tuple[RoomRow, Mark]]:
    """Every room that the user belongs to, with how far it was read."""
    head = _head_of(rooms.c.id)
    count = _mentions_of(user_id, rooms.c.id, members.c.read)
    query = _room_of(user_id).where(members.c.user_id.is_not(None)).add_columns(head, count)
    return [
        (_room(row), Mark(head=row.head or 0, read=row.read, mentions=row.mentioned))
        for row in connection.execute(query.order_by(rooms.c.name))
    ]


def mark(connection: Connection, user_id: int, room_id: int) -> Mark | None:
    """How far a member has read a room; None for one who is no member."""
    query = select(
        members.c.read, _head_of(members.c.room_id), _mentions_of(user_id, members.c.room_id, members.c.read)
    ).where(members.c.room_id == room_id, members.c.user_id == user_id)
    row = connection.execute(query).one_or_none()
    return Mark(head=row.head or 0, read=row.read, mentions=row.mentioned) if row else None


def member_names(connection: Connection, room_id: int) -> list[tuple[str, str, str]]:
    """Name, display name and role in the room of every member, by name."""
    query = (
        select(users.c.name, users.c.display_name, members.c.role)
        .join_from(members, users, members.c.user_id == users.c.id)
        .where(members.c.room_id == room_id)
        .order_by(users.c.name)
    )
    return [(row.name, row.display_name, row.role) for row in connection.execute(query)]


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
    return connection.scalar(select(func.max(entries.c.seq)).where(entries.c.room_id == room_id)) or 0


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
        earlier = _messages(connection, room_id, limit - limit // 2, before=around + 1)
        later = _messages(connection, room_id, limit // 2, after=around)
        return Page(top, [*earlier.items, *later.items], earlier.more or later.more)
    page = _messages(connection, room_id, limit, before=before, after=after)
    return Page(top, page.items, page.more)


def entries_after(connection: Connection, room_id: int, after: int, limit: int) -> Page:
    """Up to `limit` entries numbered above `after`, as they came live, in order."""
    top = head(connection, room_id)
    query = (
        select(entries.c.seq, entries.c.type, entries.c.body)
        .where(entries.c.room_id == room_id, entries.c.seq > after, entries.c.seq <= top)
        .order_by(entries.c.seq)
        .limit(limit)
    )
    kept = _within(PAGE_BYTES, [LogItem(row.seq, row.type, row.body) for row in connection.execute(query)])
    last = kept[-1].seq if kept else after
    return Page(top, kept, more=last < top)


def entry_by_seq(connection: Connection, room_id: int, seq: int) -> Any:
    """One entry's row with type, user_id, body and now; None if there is none."""
    return connection.execute(
        select(entries.c.type, entries.c.user_id, entries.c.body, entries.c.now).where(
            entries.c.room_id == room_id, entries.c.seq == seq
        )
    ).one_or_none()


def _messages(
    connection: Connection, room_id: int, limit: int, *, before: int | None = None, after: int | None = None
) -> Page:
    if limit <= 0:
        return Page(0, [], more=False)
    query = select(
        entries.c.seq, entries.c.type, func.coalesce(entries.c.now, entries.c.body).label("body")
    ).where(entries.c.room_id == room_id, entries.c.type == "new_message")
    forward = after is not None and before is None
    if after is not None:
        query = query.where(entries.c.seq > after)
    if before is not None:
        query = query.where(entries.c.seq < before)
    query = query.order_by(entries.c.seq if forward else entries.c.seq.desc()).limit(limit + 1)
    found = [LogItem(row.seq, row.type, row.body) for row in connection.execute(query)]
    kept = _within(PAGE_BYTES, found[:limit])
    more = len(found) > len(kept)
    return Page(0, kept if forward else kept[::-1], more)


def _within(limit_bytes: int, items: list[LogItem]) -> list[LogItem]:
    size = 0
    for count, item in enumerate(items):
        size += (len(item.body) if item.body.isascii() else len(item.body.encode())) + 100  # and the envelope
        if size > limit_bytes and count:
            return items[:count]
    return items


def _room_of(user_id: int) -> Select[Any]:
    return select(
        rooms.c.id,
        rooms.c.name,
        rooms.c.kind,
        rooms.c.topic,
        rooms.c.archived_at,
        members.c.user_id,
        members.c.role,
        members.c.read,
    ).outerjoin_from(rooms, members, and_(members.c.room_id == rooms.c.id, members.c.user_id == user_id))


def _visible(row: Row[Any]) -> bool:
    return row.kind == "public" or row.user_id is not None


def _room(row: Row[Any]) -> RoomRow:
    return RoomRow(
        id=row.id,
        name=row.name,
        kind=row.kind,
        topic=row.topic,
        archived=row.archived_at is not None,
        member_role=row.role,
        read=row.read,
    )


def _head_of(room_id: Any) -> Any:
    # Not max(): ORDER BY … LIMIT 1 is one step down the key on every database.
    return (
        select(entries.c.seq)
        .where(entries.c.room_id == room_id)
        .order_by(entries.c.seq.desc())
        .limit(1)
        .correlate(rooms, members)
        .scalar_subquery()
        .label("head")
    )


def _mentions_of(user_id: int, room_id: Any, read: Any) -> Any:
    return (
        select(func.count())
        .select_from(mentions)
        .where(mentions.c.user_id.in_((0, user_id)), mentions.c.room_id == room_id, mentions.c.seq > read)
        .correlate(rooms, members)
        .scalar_subquery()
        .label("mentioned")
    )


__all__ = [
    "LogItem",
    "Mark",
    "Page",
    "RoomRow",
    "all_rooms",
    "any_room",
    "direct_members",
    "entries_after",
    "entry_by_seq",
    "epoch",
    "head",
    "mark",
    "member_names",
    "messages",
    "rooms_of_member",
    "visible_room",
    "visible_rooms",
]
