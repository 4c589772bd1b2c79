"""What people do with rooms: find, make, rename, join, invite. Each change is an entry in the room's log.

A room is always fetched by look-up for somebody: one that they may not see does not exist for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from sqlalchemy import Connection

from hubbub.chat.custom import CustomEntry
from hubbub.chat.membership_changes import Join, Leave, SetMemberRole
from hubbub.chat.room_changes import ChangeRoomState, MakeDirect, MakeRoom
from hubbub.clock import Clock, rfc3339
from hubbub.connection import Client
from hubbub.errors import (
    BAD_NAME,
    BAD_PAYLOAD,
    FORBIDDEN,
    NAME_TAKEN,
    NO_SUCH_ROOM,
    NOT_ENTERED,
    NOT_FOUND,
    RATE_LIMITED,
    ROOM_ARCHIVED,
    Refused,
)
from hubbub.events import Payload
from hubbub.hub import Hub
from hubbub.limits import RateLimit
from hubbub.log import queries
from hubbub.log.queries import RoomRow
from hubbub.log.transaction import Transaction, WriterMemory
from hubbub.names import key_of, room_name
from hubbub.names import topic as checked_topic
from hubbub.room import Room
from hubbub.tickets import Identity

T = TypeVar("T")

GENERAL = "general"
ROOM_KINDS = ("public", "private")


class Rooms:
    """Rooms as one hub's users see and change them."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        per_hour = hub.settings.limit_rooms
        self._making = RateLimit(per_hour / 3600, per_hour)

    async def of(self, identity: Identity, name: str) -> RoomRow:
        """The room called `name`, if `identity` may see it; else `Refused` (no_such_room)."""
        row = await self.find(identity, name)
        if row is None:
            raise Refused(NO_SUCH_ROOM)
        return row

    async def find(self, identity: Identity, name: str) -> RoomRow | None:
        """The room called `name`, now or before; ``@ada,bob`` is the direct room of these people and yourself."""
        key = _key(identity, name)
        return await self._hub.store.read(
            lambda connection: queries.visible_room(connection, identity.user_id, key)
        )

    async def read(
        self, identity: Identity, name: str, query: Callable[[Connection, RoomRow], T]
    ) -> tuple[RoomRow, T]:
        """The room called `name`, and what `query` reads of it at the same moment. `Refused` (no_such_room)."""
        key = _key(identity, name)

        def both(connection: Connection) -> tuple[RoomRow, T]:
            row = queries.visible_room(connection, identity.user_id, key)
            if row is None:
                raise Refused(NO_SUCH_ROOM)
            return row, query(connection, row)

        return await self._hub.store.read(both)

    async def visible(self, identity: Identity) -> list[RoomRow]:
        """Every room that `identity` may see."""
        return await self._hub.store.read(
            lambda connection: queries.visible_rooms(connection, identity.user_id)
        )

    async def member(self, client: Client, name: str) -> Room:
        """The room called `name` for somebody who belongs to it, entered or not."""
        room = client.rooms.get(name)
        if room is not None:
            return room
        row = await self.of(client.identity, name)
        if row.member_role is None:
            raise Refused(NOT_ENTERED)
        return self._hub.room_for(row)

    async def append(
        self, client: Client, room: str, type_: str, payload: Mapping[str, object] | Payload, id_: str | None
    ) -> int:
        """Put an entry of an application's own into a room's log; its number once it is delivered."""
        change = CustomEntry(client, await self.member(client, room), type_, payload, id_)
        await self._hub.commit(change)
        return change.seq

    async def open(self, identity: Identity, name: str, *, make: bool = True) -> RoomRow:
        """The room called `name`, made if there is none and joined if need be: what entering it takes."""
        row = await self.find(identity, name)
        if row is None and not make:
            raise Refused(NO_SUCH_ROOM)
        if row is None:
            try:
                return await self._open_new(identity, name)
            except Refused as refused:
                if refused.refusal is not NAME_TAKEN:
                    raise
            row = await self.of(identity, name)  # somebody was quicker to make it
        if row.member_role is None:
            if row.archived:
                raise Refused(ROOM_ARCHIVED)
            return await self.join(identity, row)
        return row

    async def _open_new(self, identity: Identity, name: str) -> RoomRow:
        if name.startswith("@"):
            return await self.direct(identity, name[1:].split(","))
        if not self._may_make(identity):
            raise Refused(NO_SUCH_ROOM)
        try:
            return await self.make(identity, name)
        except Refused as refused:
            if refused.refusal is BAD_NAME and "~" in name:
                raise Refused(NO_SUCH_ROOM) from None
            raise

    async def make(self, identity: Identity, name: str, kind: str = "public", topic: str = "") -> RoomRow:
        """Make a room, with `identity` as its first member and owner."""
        if not self._may_make(identity):
            raise Refused(FORBIDDEN, "Only administrators make rooms here.")
        if kind not in ROOM_KINDS:
            raise Refused(BAD_PAYLOAD, "A room is public or private.", field="kind")
        change = MakeRoom(self._hub, identity, room_name(name), kind, checked_topic(topic))
        self._take_making(identity)
        await self._hub.commit(change)
        return change.made

    async def direct(self, identity: Identity, names: list[str]) -> RoomRow:
        """The direct room of `identity` and the people named; made on first use."""
        change = MakeDirect(self._hub, identity, names)
        await self._hub.commit(change)
        return change.made

    async def join(self, identity: Identity, row: RoomRow) -> RoomRow:
        """Become a member of a public room."""
        if row.member_role is not None:
            return row
        change = Join(self._hub, row, identity.name, by=None, by_id=identity.user_id)
        await self._hub.commit(change)
        return await self.of(identity, row.name)

    async def leave(self, identity: Identity, name: str) -> None:
        """Be a member no more."""
        row = await self._member_row(identity, name)
        self._not_direct(row)
        await self._hub.commit(Leave(self._hub, row, identity.name, by=None, by_id=identity.user_id))

    async def invite(self, identity: Identity, name: str, user: str) -> None:
        """Make `user` a member of a room that you belong to."""
        row = await self._member_row(identity, name)
        self._not_direct(row)
        if row.archived:
            raise Refused(ROOM_ARCHIVED)
        await self._hub.commit(Join(self._hub, row, user, by=identity.name, by_id=identity.user_id))

    async def remove(self, identity: Identity, name: str, user: str) -> None:
        """Take `user` out of a room that you are in charge of."""
        row = await self._in_charge(identity, name)
        await self._hub.commit(Leave(self._hub, row, user, by=identity.name, by_id=identity.user_id))

    async def set_member_role(self, identity: Identity, name: str, user: str, role: str) -> None:
        """Make a member an owner of the room, or a member again."""
        if role not in ("owner", "member"):
            raise Refused(BAD_PAYLOAD, "A member's role is owner or member.", field="role")
        row = await self._in_charge(identity, name)
        await self._hub.commit(SetMemberRole(self._hub, row, user, role, identity))

    async def change(
        self,
        identity: Identity,
        name: str,
        *,
        new_name: str | None = None,
        topic: str | None = None,
        archived: bool | None = None,
        kind: str | None = None,
    ) -> RoomRow:
        """Rename a room, set its topic, archive it or open it again, make it private or public.

        Any member may set the topic; the rest is for those in charge. An administrator need not be a member,
        but to make it private.
        """
        only_topic = new_name is None and archived is None and kind is None
        row = await (self._member_row(identity, name) if only_topic else self._in_charge(identity, name))
        self._not_direct(row)
        if kind is not None and kind not in ROOM_KINDS:
            raise Refused(BAD_PAYLOAD, "A room is public or private.", field="kind")
        if kind is not None and row.member_role is None:
            raise Refused(FORBIDDEN, "Join the room first.")  # once private, they would not see it
        change = ChangeRoomState(
            self._hub,
            identity,
            row,
            new_name=room_name(new_name) if new_name is not None else None,
            topic=checked_topic(topic) if topic is not None else None,
            archived=archived,
            kind=kind,
        )
        await self._hub.commit(change)
        return await self.of(identity, change.name)

    async def members(self, identity: Identity, name: str) -> list[tuple[str, str, str]]:
        """Name, display name and role in the room of each member."""
        row = await self.of(identity, name)
        return await self._hub.store.read(lambda connection: queries.member_names(connection, row.id))

    async def member_count(self, row: RoomRow) -> int:
        """How many members the room has."""
        return await self._hub.store.read(lambda connection: queries.member_count(connection, row.id))

    async def _member_row(self, identity: Identity, name: str) -> RoomRow:
        row = await self.of(identity, name)
        if row.member_role is None:
            raise Refused(FORBIDDEN, "Join the room first.")
        return row

    async def _in_charge(self, identity: Identity, name: str) -> RoomRow:
        # Administrators need not join what they put in order.
        row = await self.of(identity, name)
        self._not_direct(row)
        if row.member_role != "owner" and not identity.administers:
            raise Refused(FORBIDDEN, "Only the room's owners and administrators may do this.")
        return row

    def _not_direct(self, row: RoomRow) -> None:
        if row.kind == "direct":
            raise Refused(FORBIDDEN, "A direct room stays as it is.")

    def _may_make(self, identity: Identity) -> bool:
        return self._hub.settings.make_rooms == "members" or identity.administers

    def _take_making(self, identity: Identity) -> None:
        try:
            self._making.take(identity.user_id, self._hub.clock.monotonic())
        except Refused as refused:
            raise Refused(
                RATE_LIMITED,
                "You have made many rooms. Wait a while.",
                retry_after_seconds=refused.retry_after_seconds,
            ) from None


def direct_name(names: list[str]) -> str:
    """The name on the wire of the direct room of these people: ``@ada,bob``, in order, each once."""
    by_key = {key_of(name.strip()): name.strip() for name in names if name.strip()}
    return "@" + ",".join(by_key[key] for key in sorted(by_key))


async def ensure_general(hub: Hub) -> None:
    """Make `general` in a database that has no room yet."""
    everything = await hub.store.read(queries.any_room)
    if not everything:
        await hub.commit(MakeRoom(hub, None, GENERAL, "public", ""))


def make_room(connection: Connection, clock: Clock, name: str, kind: str = "public", topic: str = "") -> None:
    """Make a room without a server, for the command line. `Refused` if the name is taken or can't be."""
    now = clock.now()
    tx = Transaction(connection, WriterMemory(), int(now * 1000), rfc3339(now), careful=False)
    if kind not in ROOM_KINDS:
        raise Refused(NOT_FOUND, "A room is public or private.")
    MakeRoom(None, None, room_name(name), kind, checked_topic(topic)).apply(tx)
    tx.flush()


def list_rooms(connection: Connection) -> list[RoomRow]:
    """Every room but the direct ones, for the command line."""
    return queries.all_rooms(connection)


def _key(identity: Identity, name: str) -> str:
    """What a room is found by, when `identity` calls it `name`."""
    if name.startswith("@"):
        name = direct_name([identity.name, *name[1:].split(",")])
    return key_of(name)
