"""Saying things: sending, editing, deleting and reacting. Each becomes an entry, delivered once it is on disk."""

from __future__ import annotations

import secrets
import time
import unicodedata
from typing import Any, Final

import msgspec
from sqlalchemy import Row, select, update

from hubbub.connection import Client
from hubbub.delivery import ClientChange
from hubbub.errors import (
    BAD_PAYLOAD,
    BAD_TEXT,
    CONFLICT,
    EMPTY_MESSAGE,
    FORBIDDEN,
    MESSAGE_TOO_LONG,
    NO_SUCH_MESSAGE,
    NOT_ENTERED,
    ROOM_ARCHIVED,
    Refused,
)
from hubbub.events import (
    DeleteMessage,
    EditMessage,
    EntryPayload,
    Message,
    MessageDeleted,
    MessageEdited,
    NewMessage,
    React,
    Reacted,
    SendMessage,
    room_prefix,
)
from hubbub.hub import Hub
from hubbub.log import queries
from hubbub.log.schema import entries, members, users
from hubbub.log.transaction import Transaction
from hubbub.names import mentioned
from hubbub.room import Room

MOST_EMOJI: Final = 50  # different ones on one message
EVERYONE: Final = "here"  # @here


def add_handlers(hub: Hub) -> None:
    """Give `hub` the events of this module."""
    hub.add_handler("send_message", SendMessage, send_message)
    hub.add_handler("edit_message", EditMessage, edit_message)
    hub.add_handler("delete_message", DeleteMessage, delete_message)
    hub.add_handler("react", React, react)


def send_message(client: Client, request: SendMessage) -> Any:
    """Say something in a room that you belong to."""
    hub = client.hub
    if client.full:
        if request.room is None:
            raise Refused(BAD_PAYLOAD, "The field room is missing.", field="room")
        if request.id is None:
            raise Refused(BAD_PAYLOAD, "The field id is missing: your own, unique for ever.", field="id")
        room = client.rooms.get(request.room)
    else:
        room = next(iter(client.rooms.values()), None)
        if room is None:
            raise Refused(NOT_ENTERED)
    check_text(request.message, hub.settings.message_characters)
    hub.limits.messages.take(client.identity.user_id, hub.clock.monotonic())
    if room is None:
        return _send_elsewhere(client, request)
    hub.submit(Send(client, room, request))
    return None


async def _send_elsewhere(client: Client, request: SendMessage) -> None:
    ref = client.ref
    room = await client.hub.directory.member(client, request.room or "")
    client.hub.submit(Send(client, room, request, ref))


async def edit_message(client: Client, request: EditMessage) -> None:
    """Change the text of your own message."""
    check_text(request.message, client.hub.settings.message_characters)
    await _submit_about(client, Edit, request)


async def delete_message(client: Client, request: DeleteMessage) -> None:
    """Take a message back."""
    await _submit_about(client, Delete, request)


async def react(client: Client, request: React) -> None:
    """Add an emoji to a message, or take yours back."""
    if any(unicodedata.category(character)[0] == "Z" or character < " " for character in request.emoji):
        raise Refused(BAD_PAYLOAD, "The field emoji is wrong: no spaces in it.", field="emoji")
    await _submit_about(client, ReactTo, request)


def check_text(text: str, most_characters: int) -> None:
    """`Refused` for a message that says nothing, is too long, or can't be kept."""
    if not text or text.isspace():
        raise Refused(EMPTY_MESSAGE, field="message")
    if len(text) > most_characters:
        raise Refused(
            MESSAGE_TOO_LONG,
            f"The message has {len(text)} characters; {most_characters} are allowed.",
            field="message",
        )
    if "\0" in text:
        raise Refused(BAD_TEXT, "The message has a NUL character in it; leave it out.", field="message")


class Send(ClientChange):
    """A message for a room."""

    __slots__ = ("id", "message", "reply_to", "room")

    def __init__(
        self, client: Client, room: Room, request: SendMessage, ref: str | int | None = None
    ) -> None:
        super().__init__(client, client.ref if ref is None else ref)
        self.room = room
        self.id = request.id or _new_id()
        self.message = request.message
        self.reply_to = request.reply_to

    def apply(self, tx: Transaction) -> None:
        assert self.origin is not None
        identity, room = self.origin.identity, self.room
        archived = tx.is_archived(room.id, room.archived)
        if (tx.careful or archived or self.reply_to is not None) and (
            repeat := tx.repeated(room.id, room.name, identity.user_id, self.id)
        ):
            self.entries.append(repeat)
            return
        tx.check_not_left(room.id, identity.user_id)
        if archived:
            raise Refused(ROOM_ARCHIVED)
        if self.reply_to is not None:
            message_row(tx, room.id, self.reply_to, "reply_to")
        payload = NewMessage(
            tx.name(room.id, room.name),
            tx.head(room.id) + 1,
            id=self.id,
            from_=identity.name,
            message=self.message,
            sent=tx.sent,
            reply_to=self.reply_to,
        )
        entry = tx.append(self, room.id, "new_message", identity.user_id, payload, self.id)
        if "@" in self.message and (names := mentioned(self.message)):
            tx.mention(entry, _mentioned_ids(tx, room.id, names, identity.user_id))

    def refused(self, error: Refused) -> None:
        if self.origin is not None:
            self.origin.refuse(error, self.ref, room=self.room.name, id_=self.id)


def _new_id() -> str:
    """For a client of the basic profile. The time first: such ids lie together in the log's index."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(8)}"


class _AboutMessage(ClientChange):
    """A change to a message that is there: `target` is its number."""

    __slots__ = ("id", "room", "target")

    def __init__(self, client: Client, room: Room, request: Any, ref: str | int | None) -> None:
        super().__init__(client, ref)
        self.room = room
        self.target: int = request.seq
        self.id: str | None = request.id

    def apply(self, tx: Transaction) -> None:
        assert self.origin is not None
        identity, room = self.origin.identity, self.room
        if repeat := tx.repeated(room.id, room.name, identity.user_id, self.id):
            self.entries.append(repeat)
            return
        tx.check_not_left(room.id, identity.user_id)
        if tx.is_archived(room.id, room.archived):
            raise Refused(ROOM_ARCHIVED)
        row = message_row(tx, room.id, self.target, "seq")
        name = tx.name(room.id, room.name)
        now = msgspec.json.decode(room_prefix(name) + (row.now or row.body)[1:].encode(), type=Message)
        payload, changed = self.decide(tx, row, now, name, tx.head(room.id) + 1)
        body = "{" + msgspec.json.encode(changed)[len(room_prefix(name)) :].decode()
        tx.connection.execute(
            update(entries).where(entries.c.room_id == room.id, entries.c.seq == self.target).values(now=body)
        )
        tx.append(self, room.id, self.type, identity.user_id, payload, self.id)

    type = ""

    def decide(
        self, tx: Transaction, row: Row[Any], now: Message, room: str, seq: int
    ) -> tuple[EntryPayload, Message]:
        """The entry's payload and the message as it is from then on, or `Refused`."""
        raise NotImplementedError

    def refused(self, error: Refused) -> None:
        if self.origin is not None:
            self.origin.refuse(error, self.ref, room=self.room.name, id_=self.id)


class Edit(_AboutMessage):
    """A new text for one's own message."""

    __slots__ = ("message",)
    type = "message_edited"

    def __init__(self, client: Client, room: Room, request: EditMessage, ref: str | int | None) -> None:
        super().__init__(client, room, request, ref)
        self.message = request.message

    def decide(
        self, tx: Transaction, row: Row[Any], now: Message, room: str, seq: int
    ) -> tuple[EntryPayload, Message]:
        assert self.origin is not None
        if row.user_id != self.origin.identity.user_id:
            raise Refused(FORBIDDEN, "Only the one who wrote a message may edit it.")
        edited = MessageEdited(
            room, seq, target=self.target, from_=self.origin.name, message=self.message, edited=tx.sent
        )
        changed = msgspec.structs.replace(now, message=self.message, edited=tx.sent, edits=[*now.edits, seq])
        return edited, changed


class Delete(_AboutMessage):
    """A message taken back. Its text is erased: from the log, and from the entries that edited it."""

    __slots__ = ()
    type = "message_deleted"

    def decide(
        self, tx: Transaction, row: Row[Any], now: Message, room: str, seq: int
    ) -> tuple[EntryPayload, Message]:
        assert self.origin is not None
        identity = self.origin.identity
        if row.user_id != identity.user_id and not identity.administers and not self._owns_room(tx):
            raise Refused(FORBIDDEN, "You may delete your own messages.")
        for number in (self.target, *now.edits):
            self._erase(tx, number)
        deleted = MessageDeleted(room, seq, target=self.target, from_=identity.name)
        return deleted, msgspec.structs.replace(now, message="", deleted=True, reactions={})

    def _owns_room(self, tx: Transaction) -> bool:
        assert self.origin is not None
        role = tx.connection.scalar(
            select(members.c.role).where(
                members.c.room_id == self.room.id, members.c.user_id == self.origin.identity.user_id
            )
        )
        return role == "owner"

    def _erase(self, tx: Transaction, seq: int) -> None:
        which = (entries.c.room_id == self.room.id) & (entries.c.seq == seq)
        body = msgspec.json.decode(tx.connection.execute(select(entries.c.body).where(which)).scalar_one())
        body["message"] = ""
        tx.connection.execute(update(entries).where(which).values(body=msgspec.json.encode(body).decode()))


class ReactTo(_AboutMessage):
    """An emoji added to a message, or taken back."""

    __slots__ = ("emoji", "remove")
    type = "reacted"

    def __init__(self, client: Client, room: Room, request: React, ref: str | int | None) -> None:
        super().__init__(client, room, request, ref)
        self.emoji = request.emoji
        self.remove = request.remove

    def decide(
        self, tx: Transaction, row: Row[Any], now: Message, room: str, seq: int
    ) -> tuple[EntryPayload, Message]:
        assert self.origin is not None
        name = self.origin.name
        who = now.reactions.get(self.emoji, [])
        if (name in who) != self.remove:
            raise Refused(
                CONFLICT, "You have not reacted so." if self.remove else "You have reacted so already."
            )
        if self.emoji not in now.reactions and len(now.reactions) >= MOST_EMOJI:
            raise Refused(CONFLICT, f"A message holds {MOST_EMOJI} different emoji at most.")
        reactions = dict(now.reactions)
        reactions[self.emoji] = [other for other in who if other != name] if self.remove else [*who, name]
        if not reactions[self.emoji]:
            del reactions[self.emoji]
        reacted = Reacted(room, seq, target=self.target, from_=name, emoji=self.emoji, remove=self.remove)
        return reacted, msgspec.structs.replace(now, reactions=reactions)


def message_row(tx: Transaction, room_id: int, seq: int, field: str) -> Row[Any]:
    """The message numbered `seq`, or `Refused` if that is no message or it was deleted; `field` names the request's."""
    tx.flush()
    row: Row[Any] | None = queries.entry_by_seq(tx.connection, room_id, seq)
    if row is None or row.type != "new_message" or (row.now and '"deleted":true' in row.now):
        raise Refused(NO_SUCH_MESSAGE, field=field)
    return row


async def _submit_about(client: Client, change: type[_AboutMessage], request: Any) -> None:
    hub, ref = client.hub, client.ref
    hub.limits.messages.take(client.identity.user_id, hub.clock.monotonic())
    room = client.rooms.get(request.room) or await hub.directory.member(client, request.room)
    hub.submit(change(client, room, request, ref))


def _mentioned_ids(tx: Transaction, room_id: int, names: frozenset[str], by_id: int) -> tuple[int, ...]:
    """The ids of the members that are mentioned, or 0 for everyone; the sender is not."""
    if EVERYONE in names:
        return (0,)
    found = tx.connection.scalars(
        select(users.c.id)
        .join_from(members, users, members.c.user_id == users.c.id)
        .where(members.c.room_id == room_id, users.c.id != by_id, users.c.key.in_(names))
    )
    return tuple(found)
