"""Having read, and typing."""

from __future__ import annotations

from sqlalchemy import update

from hubbub import frames
from hubbub.connection import Client
from hubbub.delivery import ClientChange
from hubbub.errors import NO_SUCH_ROOM, NOT_ENTERED, Refused
from hubbub.events import IsTyping, MarkRead, Read, Typing, encode
from hubbub.hub import Hub
from hubbub.log import queries
from hubbub.log.schema import members
from hubbub.log.transaction import Transaction
from hubbub.room import Room


def add_handlers(hub: Hub) -> None:
    """Give `hub` the events of this module."""
    hub.add_handler("mark_read", MarkRead, mark_read)
    hub.add_handler("typing", Typing, typing)


async def mark_read(client: Client, request: MarkRead) -> None:
    """You have read a room up to a number; told to all of your connections."""
    ref = client.ref
    room = client.rooms.get(request.room) or await client.hub.directory.member(client, request.room)
    client.hub.submit(ReadUpTo(client, room, request.seq, ref))


def typing(client: Client, request: Typing) -> None:
    """Tell the others in the room. It may get lost, and ends by itself."""
    hub = client.hub
    room = client.rooms.get(request.room)
    if room is None:
        raise Refused(NOT_ENTERED)
    try:
        hub.limits.typing.take((client.identity.user_id, room.id), hub.clock.monotonic())
    except Refused:
        return  # told a moment ago
    room.broadcast(frames.text(encode("typing", IsTyping(room.name, client.name))), client)


class ReadUpTo(ClientChange):
    """A read mark moved on. Not an entry: it concerns one user alone. It never goes backwards."""

    __slots__ = ("mark", "room", "seq")

    def __init__(self, client: Client, room: Room, seq: int, ref: str | int | None) -> None:
        super().__init__(client, ref)
        self.room = room
        self.seq = seq
        self.mark: queries.Mark | None = None

    def apply(self, tx: Transaction) -> None:
        assert self.origin is not None
        user_id, room_id = self.origin.identity.user_id, self.room.id
        seq = min(self.seq, tx.head(room_id))
        tx.connection.execute(
            update(members)
            .where(members.c.room_id == room_id, members.c.user_id == user_id, members.c.read < seq)
            .values(read=seq)
        )
        tx.flush()
        self.mark = queries.mark(tx.connection, user_id, room_id)
        if self.mark is None:
            raise Refused(NO_SUCH_ROOM)

    def finished(self) -> None:
        if self.origin is None or self.mark is None or self.error is not None:
            return
        user = self.origin.hub.membership.users.get(self.origin.identity.user_id)
        if user is None:
            return
        known = user.marks.get(self.room.id)
        if known is not None:
            known.moved(self.mark.read, self.mark.mentions, self.mark.head)
        read = Read(
            self.room.name,
            self.mark.read,
            unread=max(self.mark.head - self.mark.read, 0),
            mentions=self.mark.mentions,
        )
        for client in user.welcomed:
            if not client.closing:
                client.send("read", read, self.ref if client is self.origin else None)
