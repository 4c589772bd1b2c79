"""Making and changing rooms, as changes to the log."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

from sqlalchemy import delete, insert, select, update

from hubbub.connection import Client
from hubbub.errors import CONFLICT, NAME_TAKEN, NO_SUCH_ROOM, NO_SUCH_USER, Refused
from hubbub.events import MemberJoined, RoomChanged
from hubbub.hub import Hub
from hubbub.log.queries import RoomRow
from hubbub.log.schema import members, room_aliases, rooms, users
from hubbub.log.transaction import Change, Transaction
from hubbub.membership import Mark
from hubbub.names import ROOM_NAME_LENGTH, key_of
from hubbub.tickets import Identity

MOST_IN_A_DIRECT_ROOM = 12


class MakeRoom(Change):
    """Make a public or private room; `by` is its first member and owner, or None: the server makes it."""

    __slots__ = ("_claim", "_hub", "by", "kind", "made", "name", "topic")

    def __init__(self, hub: Hub | None, by: Identity | None, name: str, kind: str, topic: str) -> None:
        super().__init__()
        self._hub = hub
        self._claim: Claim | None = None
        self.by = by
        self.name = name
        self.kind = kind
        self.topic = topic
        self.made: RoomRow

    def apply(self, tx: Transaction) -> None:
        self._claim = claim_name(self, tx, self.name, self.by)
        room_id = insert_room(tx, self.name, self.kind, self.topic)
        by = self.by
        seen = RoomChanged(
            self.name, 1, by=by.name if by else None, made=True, kind=self.kind, topic=self.topic or None
        )
        tx.append(self, room_id, "room_changed", by.user_id if by else 0, seen, None)
        if by is not None:
            add_members(self, tx, room_id, self.name, [(by.user_id, by.name, "owner")], by)
        role = "owner" if by else None
        self.made = RoomRow(room_id, self.name, self.kind, self.topic, False, role, 2 if by else None)

    def finished(self) -> None:
        if self.error is None and self._hub is not None:
            _tell_claimed(self._hub, self._claim)
            if self.by is not None:
                _tell_joined(self._hub, self.made, [(self.by.user_id, "owner")], self.entries[-1].seq)


class MakeDirect(Change):
    """The direct room of some people: the one that there is, or a new one."""

    __slots__ = ("_hub", "_new", "by", "made", "names")

    def __init__(self, hub: Hub, by: Identity, names: Iterable[str]) -> None:
        super().__init__()
        self._hub = hub
        self._new: list[tuple[int, str]] = []
        self.by = by
        self.names = list(names)
        self.made: RoomRow

    def apply(self, tx: Transaction) -> None:
        people = self._people(tx)
        name = "@" + ",".join(person.name for person in people)
        row = tx.connection.execute(select(rooms).where(rooms.c.key == key_of(name))).one_or_none()
        if row is not None:
            read = tx.connection.scalar(
                select(members.c.read).where(
                    members.c.room_id == row.id, members.c.user_id == self.by.user_id
                )
            )
            self.made = RoomRow(row.id, row.name, row.kind, row.topic, False, "member", read)
            return
        room_id = insert_room(tx, name, "direct", "")
        seen = RoomChanged(name, 1, by=self.by.name, made=True, kind="direct")
        tx.append(self, room_id, "room_changed", self.by.user_id, seen, None)
        self._new = [(person.id, "member") for person in people]
        add_members(
            self,
            tx,
            room_id,
            name,
            [(person.id, person.name, "member") for person in people],
            self.by,
            read=0,
        )
        self.made = RoomRow(room_id, name, "direct", "", False, "member", 0)

    def finished(self) -> None:
        if self.error is None and self._new:
            _tell_joined(self._hub, self.made, self._new, self.entries[-1].seq)

    def _people(self, tx: Transaction) -> list[Any]:
        keys = {key_of(self.by.name), *(key_of(name.strip()) for name in self.names if name.strip())}
        found = tx.connection.execute(
            select(users.c.id, users.c.name, users.c.key)
            .where(users.c.key.in_(keys), users.c.disabled_at.is_(None))
            .order_by(users.c.key)
        ).all()
        missing = keys - {row.key for row in found}
        if missing:
            raise Refused(NO_SUCH_USER, f"There is nobody called {min(missing)[:64]}.", field="users")
        if not 2 <= len(keys) <= MOST_IN_A_DIRECT_ROOM:
            raise Refused(
                CONFLICT,
                f"A direct room is for 2 to {MOST_IN_A_DIRECT_ROOM} people, you among them.",
                field="users",
            )
        return list(found)


class ChangeRoomState(Change):
    """Rename a room, set its topic, archive it or open it again, make it private or public."""

    __slots__ = ("_claim", "_hub", "_row", "archived", "by", "kind", "name", "new_name", "topic")

    def __init__(
        self,
        hub: Hub,
        by: Identity,
        row: RoomRow,
        *,
        new_name: str | None,
        topic: str | None,
        archived: bool | None,
        kind: str | None,
    ) -> None:
        super().__init__()
        self._hub = hub
        self._row = row
        self._claim: Claim | None = None
        self.by = by
        self.new_name = new_name
        self.topic = topic
        self.archived = archived
        self.kind = kind
        self.name = row.name

    def apply(self, tx: Transaction) -> None:
        room_id = self._row.id
        if self._row.member_role is not None:
            tx.check_not_left(room_id, self.by.user_id)
        now = tx.connection.execute(select(rooms).where(rooms.c.id == room_id)).one_or_none()
        if now is None:
            raise Refused(NO_SUCH_ROOM)
        self.name = now.name
        changed: dict[str, Any] = {}
        renamed = self.new_name is not None and self.new_name != now.name
        if renamed and self.new_name is not None:
            if key_of(self.new_name) != now.key:
                self._claim = claim_name(self, tx, self.new_name, self.by)
                keep_alias(tx, now.key, room_id)
            changed |= {"name": self.new_name, "key": key_of(self.new_name)}
            self.name = self.new_name
        if self.topic is not None and self.topic != now.topic:
            changed["topic"] = self.topic
        if self.archived is not None and self.archived != (now.archived_at is not None):
            changed["archived_at"] = tx.at_ms if self.archived else None
            tx.archived(room_id, self.archived)
        if self.kind is not None and self.kind != now.kind:
            changed["kind"] = self.kind
        if not changed:
            return
        tx.connection.execute(update(rooms).where(rooms.c.id == room_id).values(**changed))
        seen = RoomChanged(
            self.name,
            tx.head(room_id) + 1,
            by=self.by.name,
            was=now.name if renamed else None,
            kind=changed.get("kind"),
            topic=changed.get("topic"),
            archived=self.archived if "archived_at" in changed else None,
        )
        if renamed:
            tx.renamed(room_id, self.name)
        tx.append(self, room_id, "room_changed", self.by.user_id, seen, None)

    def finished(self) -> None:
        if self.error is not None or not self.entries:
            return
        _tell_claimed(self._hub, self._claim)
        _tell_renamed(self._hub, self._row.id, self.name)
        room = self._hub.rooms.get(self._row.id)
        if room is not None:
            room.topic = self.topic if self.topic is not None else room.topic
            room.kind = self.kind or room.kind
            room.archived = self.archived if self.archived is not None else room.archived


def insert_room(tx: Transaction, name: str, kind: str, topic: str) -> int:
    """A new row of `rooms`; its id."""
    made = tx.connection.execute(
        insert(rooms).values(name=name, key=key_of(name), kind=kind, topic=topic, created_at=tx.at_ms)
    )
    key = made.inserted_primary_key
    assert key is not None
    return int(key[0])


def add_members(
    change: Change,
    tx: Transaction,
    room_id: int,
    room: str,
    people: list[tuple[int, str, str]],
    by: Identity,
    *,
    read: int | None = None,
) -> None:
    """New members (id, name, role), each with an entry; read up to it, or to `read`."""
    for user_id, name, role in people:
        seq = tx.head(room_id) + 1
        tx.connection.execute(
            insert(members).values(
                room_id=room_id, user_id=user_id, role=role, read=seq if read is None else read
            )
        )
        joined = MemberJoined(room, seq, user=name, by=by.name if by.user_id != user_id else None)
        tx.append(change, room_id, "member_joined", by.user_id, joined, None)
        tx.joined(room_id, user_id)


class Claim:
    """A name that was made free: which room gave way and got another name, and to which one it led still, if any."""

    __slots__ = ("displaced", "key", "led_to")

    def __init__(self, key: str, displaced: tuple[int, str] | None, led_to: int | None) -> None:
        self.key = key
        self.displaced = displaced
        self.led_to = led_to


def claim_name(change: Change, tx: Transaction, name: str, by: Identity | None) -> Claim:
    """Make `name` free for a new room, or `Refused` if a room that `by` may see has it.

    One that `by` may not see gives way: it gets a name with an ending that nobody guesses, and its members see it
    in its log. So nobody learns of a room by trying names. A name that a room had before is free to take.
    """
    key = key_of(name)
    holder = tx.connection.execute(select(rooms).where(rooms.c.key == key)).one_or_none()
    displaced = None
    if holder is not None:
        is_member = by is not None and tx.connection.scalar(
            select(members.c.user_id).where(members.c.room_id == holder.id, members.c.user_id == by.user_id)
        )
        if holder.kind == "public" or by is None or is_member:
            raise Refused(NAME_TAKEN, f"There is a room called {holder.name} already.", field="name")
        ending = "~" + secrets.token_hex(4)
        other = holder.name[: ROOM_NAME_LENGTH - len(ending)] + ending
        tx.connection.execute(
            update(rooms).where(rooms.c.id == holder.id).values(name=other, key=key_of(other))
        )
        tx.renamed(holder.id, other)
        seen = RoomChanged(other, tx.head(holder.id) + 1, was=holder.name)
        tx.append(change, holder.id, "room_changed", 0, seen, None)
        displaced = (holder.id, other)
    led_to = tx.connection.scalar(select(room_aliases.c.room_id).where(room_aliases.c.key == key))
    tx.connection.execute(delete(room_aliases).where(room_aliases.c.key == key))
    return Claim(key, displaced, led_to)


def keep_alias(tx: Transaction, key: str, room_id: int) -> None:
    """Let a name that a room had lead to it still."""
    tx.connection.execute(delete(room_aliases).where(room_aliases.c.key == key))
    tx.connection.execute(insert(room_aliases).values(key=key, room_id=room_id))


def _tell_joined(hub: Hub, row: RoomRow, people: list[tuple[int, str]], head: int) -> None:
    for user_id, role in people:
        hub.membership.joined(user_id, row.id, Mark(row.name, role, row.read or 0, 0), head)
    hub.tell_head(row.id)


def _tell_claimed(hub: Hub, claim: Claim | None) -> None:
    if claim is None:
        return
    if claim.displaced is not None:
        _tell_renamed(hub, *claim.displaced)
        _forget_name(hub, claim.displaced[0], claim.key)
    if claim.led_to is not None:
        _forget_name(hub, claim.led_to, claim.key)


def _tell_renamed(hub: Hub, room_id: int, name: str) -> None:
    hub.membership.renamed(room_id, name)  # or changed in another way: the name is the same then
    room = hub.rooms.get(room_id)
    if room is not None:
        hub.rename(room, name)


def _forget_name(hub: Hub, room_id: int, key: str) -> None:
    """Those in the room who call it by a name that is another room's now call that one by it."""
    room = hub.rooms.get(room_id)
    for reader in room.readers if room is not None else ():
        if isinstance(reader, Client):
            for called in [name for name, its in reader.rooms.items() if its is room and key_of(name) == key]:
                del reader.rooms[called]
