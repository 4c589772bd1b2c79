"""Joining and leaving rooms, as changes to the log."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, insert, select, update

from hubbub.errors import NO_SUCH_ROOM, NO_SUCH_USER, ROOM_ARCHIVED, Refused
from hubbub.events import Exited, MemberJoined, MemberLeft, RoomChanged
from hubbub.hub import Hub
from hubbub.log.queries import RoomRow
from hubbub.log.schema import members, rooms, users
from hubbub.log.transaction import Change, Transaction
from hubbub.membership import Mark
from hubbub.names import key_of
from hubbub.tickets import Identity


class _OfMember(Change):
    """A change that concerns one user and one room."""

    __slots__ = ("_hub", "_row", "by", "by_id", "user", "user_id")

    def __init__(self, hub: Hub, row: RoomRow, user: str, *, by: str | None, by_id: int) -> None:
        super().__init__()
        self._hub = hub
        self._row = row
        self.user = user
        self.user_id = 0
        self.by = by
        self.by_id = by_id

    def _look_up(self, tx: Transaction) -> tuple[Any, str | None]:
        """The user's row, and its role in the room now."""
        person = tx.connection.execute(
            select(users.c.id, users.c.name).where(
                users.c.key == key_of(self.user), users.c.disabled_at.is_(None)
            )
        ).one_or_none()
        if person is None:
            raise Refused(NO_SUCH_USER, f"There is nobody called {self.user[:64]}.", field="user")
        self.user_id = person.id
        role = tx.connection.scalar(
            select(members.c.role).where(members.c.room_id == self._row.id, members.c.user_id == person.id)
        )
        return person, role


class Join(_OfMember):
    """Become a member; invited if `by` says by whom. One who is a member already stays it."""

    __slots__ = ()

    def apply(self, tx: Transaction) -> None:
        person, role = self._look_up(tx)
        if role is not None:
            return
        room_id = self._row.id
        if tx.is_archived(room_id, self._row.archived):
            raise Refused(ROOM_ARCHIVED)
        if self.by is not None:
            tx.check_not_left(room_id, self.by_id)
        elif tx.connection.scalar(select(rooms.c.kind).where(rooms.c.id == room_id)) != "public":
            raise Refused(NO_SUCH_ROOM)
        seq = tx.head(room_id) + 1
        tx.connection.execute(
            insert(members).values(room_id=room_id, user_id=person.id, role="member", read=seq)
        )
        room = tx.name(room_id, self._row.name)
        joined = MemberJoined(room, seq, user=person.name, by=self.by)
        tx.append(self, room_id, "member_joined", self.by_id, joined, None)
        tx.joined(room_id, person.id)

    def finished(self) -> None:
        if self.error is None and self.entries:
            seq = self.entries[-1].seq
            room = self._hub.rooms.get(self._row.id)
            name = room.name if room else self._row.name
            self._hub.membership.joined(self.user_id, self._row.id, Mark(name, "member", seq, 0), seq)
            if self.by is not None:
                self._hub.tell_head(self._row.id)


class Leave(_OfMember):
    """Be a member no more; removed if `by` says by whom."""

    __slots__ = ()

    def apply(self, tx: Transaction) -> None:
        person, role = self._look_up(tx)
        if role is None:
            raise Refused(NO_SUCH_USER, f"{person.name} is no member of this room.", field="user")
        room_id = self._row.id
        tx.connection.execute(
            delete(members).where(members.c.room_id == room_id, members.c.user_id == person.id)
        )
        left = MemberLeft(
            tx.name(room_id, self._row.name), tx.head(room_id) + 1, user=person.name, by=self.by
        )
        tx.append(self, room_id, "member_left", self.by_id, left, None)
        tx.left(room_id, person.id)

    def finished(self) -> None:
        if self.error is not None or not self.entries:
            return
        hub, room_id = self._hub, self._row.id
        user = hub.membership.left(self.user_id, room_id)
        if user is None:
            return
        room = hub.rooms.get(room_id)
        for client in list(user.clients):
            if room is not None and room.hears(client):
                hub.dismiss(client, room)
            if client in user.welcomed and not client.closing:
                client.send("exited", Exited(room.name if room else self._row.name))


class SetMemberRole(_OfMember):
    """Make a member an owner of the room, or a member again."""

    __slots__ = ("role",)

    def __init__(self, hub: Hub, row: RoomRow, user: str, role: str, by: Identity) -> None:
        super().__init__(hub, row, user, by=by.name, by_id=by.user_id)
        self.role = role

    def apply(self, tx: Transaction) -> None:
        person, role = self._look_up(tx)
        if role is None:
            raise Refused(NO_SUCH_USER, f"{person.name} is no member of this room.", field="user")
        if role == self.role:
            return
        room_id = self._row.id
        tx.connection.execute(
            update(members)
            .where(members.c.room_id == room_id, members.c.user_id == person.id)
            .values(role=self.role)
        )
        seen = RoomChanged(
            tx.name(room_id, self._row.name),
            tx.head(room_id) + 1,
            by=self.by,
            member=person.name,
            role=self.role,
        )
        tx.append(self, room_id, "room_changed", self.by_id, seen, None)

    def finished(self) -> None:
        user = self._hub.membership.users.get(self.user_id)
        if self.error is None and user is not None and (mark := user.marks.get(self._row.id)) is not None:
            mark.role = self.role
