"""What is read from the log: rooms that somebody may see, pages of history, what came after a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, func, or_, select

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
    members.c.user_id,
    members.c.role,
    members.c.read,
).outerjoin_from(rooms, members, and_(members.c.room_id == rooms.c.id, members.c.user_id == _user))
_ROOM_BY_KEY: Final = _ROOM.where(rooms.c.key == bindparam("key"))
_ROOM_BY_ALIAS: Final = _ROOM.where(
    rooms.c.id
    == select(room_aliases.c.room_id).where(room_aliases.c.key == bindparam("key")).scalar_subquery()
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
_VISIBLE_ROOMS: Final = (
    _ROOM.where(or_(rooms.c.kind == "public", members.c.user_id.is_not(None)))
    .add_columns(_MEMBER_COUNT)
    .order_by(rooms.c.name)
)
# Not max(): ORDER BY … LIMIT 1 is one step down the key on every database.
_HEAD: Final = (
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
_ROOMS_OF_MEMBER: Final = (
    _ROOM.where(members.c.user_id.is_not(None))
    .add_columns(_HEAD_OF_MEMBER, _MENTIONS_OF_MEMBER, _ACTIVE_OF_MEMBER)
    .order_by(rooms.c.name)
)
_MARK: Final = select(members.c.read, _HEAD_OF_MEMBER, _MENTIONS_OF_MEMBER).where(
    members.c.room_id == _room_id, members.c.user_id == _user
)
_MEMBERS: Final = (
    select(users.c.name, users.c.display_name, members.c.role)
    .join_from(members, users, members.c.user_id == users.c.id)
    .where(members.c.room_id == _room_id)
    .order_by(users.c.name)
)
_ENTRIES_AFTER: Final = (
    select(entries.c.seq, entries.c.type, entries.c.body)
    .where(
        entries.c.room_id == _room_id,
        entries.c.seq > bindparam("after"),
        entries.c.seq <= bindparam("top"),
    )
    .order_by(entries.c.seq)
    .limit(bindparam("limit"))
)
_ENTRY: Final = select(entries.c.type, entries.c.user_id, entries.c.body, entries.c.now).where(
    entries.c.room_id == _room_id, entries.c.seq == bindparam("seq")
)
_MESSAGES: Final = (
    select(entries.c.seq, entries.c.type, func.coalesce(entries.c.now, entries.c.body).label("body"))
    .where(entries.c.room_id == _room_id, entries.c.type == "new_message")
    .limit(bindparam("limit"))
)
_MESSAGES_BEFORE: Final = _MESSAGES.where(entries.c.seq < bindparam("place")).order_by(entries.c.seq.desc())
_MESSAGES_AFTER: Final = _MESSAGES.where(entries.c.seq > bindparam("place")).order_by(entries.c.seq)
_NO_END: Final = 2**53


def epoch(connection: Connection) -> str:
    """The name of this log."""
    return str(connection.execute(select(meta.c.value).where(meta.c.key == "epoch")).scalar_one())


def visible_room(connection: Connection, user_id: int, key: str) -> RoomRow | None:
    """The room called `key` (see `names.key_of`), now or before, if the user may see it; else None."""
    who = {"user_id": user_id, "key": key}
    row = connection.execute(_ROOM_BY_KEY, who).one_or_none()
    if row is None or not _visible(row):
        row = connection.execute(_ROOM_BY_ALIAS, who).one_or_none()
    return _room(row) if row is not None and _visible(row) else None


def visible_rooms(connection: Connection, user_id: int) -> list[RoomRow]:
    """Every room that the user may see, by name."""
    return [_room(row) for row in connection.execute(_VISIBLE_ROOMS, {"user_id": user_id})]


def all_rooms(connection: Connection) -> list[RoomRow]:
    """Every room but the direct ones, by name, whoever may see it: for the one who runs the server."""
    query = _ROOM.where(rooms.c.kind != "direct").order_by(rooms.c.name)
    return [_room(row) for row in connection.execute(query, {"user_id": 0})]


def any_room(connection: Connection) -> bool:
    """Whether there is a room at all."""
    return connection.execute(select(rooms.c.id).limit(1)).first() is not None


def rooms_of_member(connection: Connection, user_id: int) -> list[tuple[RoomRow, Mark]]:
    """Every room that the user belongs to, with how far it was read."""
    return [
        (_room(row), Mark(head=row.head or 0, read=row.read, mentions=row.mentioned))
        for row in connection.execute(_ROOMS_OF_MEMBER, {"user_id": user_id})
    ]


def mark(connection: Connection, user_id: int, room_id: int) -> Mark | None:
    """How far a member has read a room; None for one who is no member."""
    row = connection.execute(_MARK, {"user_id": user_id, "room_id": room_id}).one_or_none()
    return Mark(head=row.head or 0, read=row.read, mentions=row.mentioned) if row else None


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
    return connection.scalar(_HEAD, {"room_id": room_id}) or 0


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
    where = {"room_id": room_id, "after": after, "top": top, "limit": limit}
    kept = _within(PAGE_BYTES, [LogItem(*row) for row in connection.execute(_ENTRIES_AFTER, where)])
    last = kept[-1].seq if kept else after
    return Page(top, kept, more=last < top)


def entry_by_seq(connection: Connection, room_id: int, seq: int) -> Any:
    """One entry's row with type, user_id, body and now; None if there is none."""
    return connection.execute(_ENTRY, {"room_id": room_id, "seq": seq}).one_or_none()


def _messages_before(
    connection: Connection, room_id: int, limit: int, place: int, most_bytes: int = PAGE_BYTES
) -> tuple[list[LogItem], bool]:
    where = {"room_id": room_id, "place": place, "limit": limit + 1}
    found = [LogItem(*row) for row in connection.execute(_MESSAGES_BEFORE, where)]
    kept = _within(most_bytes, found[:limit])
    return kept[::-1], len(found) > len(kept)


def _messages_after(
    connection: Connection, room_id: int, limit: int, place: int, most_bytes: int = PAGE_BYTES
) -> tuple[list[LogItem], bool]:
    where = {"room_id": room_id, "place": place, "limit": limit + 1}
    found = [LogItem(*row) for row in connection.execute(_MESSAGES_AFTER, where)]
    kept = _within(most_bytes, found[:limit])
    return kept, len(found) > len(kept)


def _within(limit_bytes: int, items: list[LogItem]) -> list[LogItem]:
    size = 0
    for count, item in enumerate(items):
        size += (len(item.body) if item.body.isascii() else len(item.body.encode())) + 100  # and the envelope
        if size > limit_bytes and count:
            return items[:count]
    return items


def _visible(row: Any) -> bool:
    return bool(row.kind == "public" or row.user_id is not None)


def _room(row: Any) -> RoomRow:
    return RoomRow(
        id=row.id,
        name=row.name,
        kind=row.kind,
        topic=row.topic,
        archived=row.archived_at is not None,
        member_role=row.role,
        read=row.read,
        members=row._mapping.get("members"),
        active=row._mapping.get("active"),
    )
