"""Every event on the wire, as a type. This is the contract: the protocol's document is made from it.

A frame is a JSON object ``{"type": …, "ref": …, "payload": {…}}``. `ref` is the client's own and optional; the
answer to a request carries it back. What a client sends is decoded and checked in one step by `msgspec`.
A room is called by its name, a message by its room and its number `seq` in that room's log.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct, field

SUBPROTOCOL: Final = "hubbub.v1"
TICKET_PREFIX: Final = "ticket."
EMOJI_CHARACTERS: Final = 32

Ref = Annotated[str, Meta(max_length=64)] | int
RoomName = Annotated[str, Meta(min_length=1, max_length=200)]
Seq = Annotated[int, Meta(ge=0, le=2**53 - 1)]
EntryId = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[!-~]+$")]
Emoji = Annotated[str, Meta(min_length=1, max_length=EMOJI_CHARACTERS)]


class Payload(Struct, frozen=True, omit_defaults=True):
    """What an event carries. Applications derive the payloads of their own events from it."""


# --- client to server ---------------------------------------------------------------------------------------------


class ChangeRoom(Payload, frozen=True):
    """Basic profile: leave the room you are in and enter another. A name of no room makes a public one."""

    name: RoomName


class SendMessage(Payload, frozen=True):
    """Say something. `id` is the client's own, unique for ever: sending again with it changes nothing.

    In the basic profile there is neither `room` nor `id`, and `from` is there but not believed.
    """

    message: str
    room: RoomName | None = None
    id: EntryId | None = None
    reply_to: Seq | None = None


class Enter(Payload, frozen=True):
    """Enter a room, to hear and be seen; again, to resume after the entry numbered `after` of that `epoch`."""

    room: RoomName
    after: Seq | None = None
    epoch: str | None = None


class Exit(Payload, frozen=True):
    """Stop hearing a room. You stay a member."""

    room: RoomName


class EditMessage(Payload, frozen=True):
    """Change the text of your own message."""

    room: RoomName
    seq: Seq
    message: str
    id: EntryId | None = None


class DeleteMessage(Payload, frozen=True):
    """Take a message back: its text is erased from the log. Your own, or anyone's where you are in charge."""

    room: RoomName
    seq: Seq
    id: EntryId | None = None


class React(Payload, frozen=True):
    """Add an emoji to a message, or take yours back with `remove`."""

    room: RoomName
    seq: Seq
    emoji: Emoji
    remove: bool = False
    id: EntryId | None = None


class Typing(Payload, frozen=True):
    """You are typing in this room. Say it again every few seconds while it is so."""

    room: RoomName


class MarkRead(Payload, frozen=True):
    """You have read everything up to `seq`. Never goes backwards."""

    room: RoomName
    seq: Seq


CLIENT_EVENTS: Final[dict[str, type[Payload]]] = {
    "enter": Enter,
    "exit": Exit,
    "send_message": SendMessage,
    "edit_message": EditMessage,
    "delete_message": DeleteMessage,
    "react": React,
    "typing": Typing,
    "mark_read": MarkRead,
    "change_room": ChangeRoom,
}


class ClientEvent(Struct, frozen=True, tag_field="type"):
    """The envelope of what a client sends; one subtype for each event type, with its payload's type."""

    ref: Ref | None = None


def client_event(type_: str, payload: type[Any]) -> type[ClientEvent]:
    """The envelope type for the event `type_` with `payload`."""
    made: type[Any] = msgspec.defstruct(
        f"ClientEvent_{type_}",
        [("payload", payload)],
        bases=(ClientEvent,),
        tag=type_,
        frozen=True,
        kw_only=True,
    )
    return made


# --- server to client: entries of the log -------------------------------------------------------------------------
#
# Each begins with `room` and `seq`. They are kept in the log as they are sent, but for `room`: a room may be renamed.


class EntryPayload(Payload, frozen=True):
    """What every entry of a room's log has: the room's name and the entry's number in it, from 1, with no hole."""

    room: str
    seq: int


class NewMessage(EntryPayload, frozen=True, kw_only=True):
    """A message. The sender's own is its acknowledgement: it is on disk."""

    id: str
    from_: str = field(name="from")
    message: str
    sent: str  # RFC 3339, UTC
    reply_to: int | None = None


class MessageEdited(EntryPayload, frozen=True, kw_only=True):
    """The text of message `target` is now `message`."""

    target: int
    from_: str = field(name="from")
    message: str
    edited: str  # RFC 3339, UTC


class MessageDeleted(EntryPayload, frozen=True, kw_only=True):
    """Message `target` was taken back. Its text is gone from the log too."""

    target: int
    from_: str = field(name="from")


class Reacted(EntryPayload, frozen=True, kw_only=True):
    """`from` added an emoji to message `target`, or with `remove` took it back."""

    target: int
    from_: str = field(name="from")
    emoji: str
    remove: bool = False


class MemberJoined(EntryPayload, frozen=True, kw_only=True):
    """`user` is a member from here on; `by` invited, if it was somebody else."""

    user: str
    by: str | None = None


class MemberLeft(EntryPayload, frozen=True, kw_only=True):
    """`user` is a member no more; `by` removed, if it was somebody else."""

    user: str
    by: str | None = None


class RoomChanged(EntryPayload, frozen=True, kw_only=True):
    """The room was made or changed, by `by`. Only what changed is there."""

    by: str | None = None
    made: bool = False
    was: str | None = None  # the room's name before; `room` is the new one
    kind: str | None = None
    topic: str | None = None
    archived: bool | None = None
    member: str | None = None
    role: str | None = None


# --- server to client: answers and news ---------------------------------------------------------------------------


class Message(NewMessage, frozen=True, kw_only=True):
    """A message as it is now: in `entered` and in a page of history."""

    edited: str | None = None  # when last
    edits: list[int] = []  # the numbers of the entries that edited it
    deleted: bool = False
    reactions: dict[str, list[str]] = {}  # emoji to names, in the order in which they came


class RoomSummary(Payload, frozen=True, kw_only=True):
    """A room that you belong to. `unread` is `head` minus `read`; `mentions` of you since `read`."""

    room: str
    kind: str  # public, private or direct
    head: int
    read: int
    unread: int
    mentions: int
    topic: str = ""
    archived: bool = False
    members: list[str] | None = None  # of a direct room
    role: str = "member"
    active: str | None = None  # when the room's last entry was written, RFC 3339, UTC


class Limits(Payload, frozen=True, kw_only=True):
    """What this server allows; 0 is no limit."""

    message_characters: int
    frame_bytes: int
    rooms_entered: int
    messages_per_second: float
    messages_at_once: int
    typing_seconds: float  # after it, one who typed and said no more types no longer


class Welcome(Payload, frozen=True, kw_only=True):
    """First of all events in the full profile."""

    user: str
    display_name: str
    role: str
    rooms: list[RoomSummary]
    epoch: str
    limits: Limits
    server: str


class Entered(Payload, frozen=True, kw_only=True):
    """You are in the room.

    `messages`: the last ones as they are now. When resuming, `entries`: each event as it came live; `more` says that
    there are more than fit: enter again with `after` at the last of them. `reset`: the numbers you hold are of another
    log; drop them and begin with `messages`.
    """

    room: str
    kind: str
    topic: str
    head: int
    epoch: str
    present: list[str]
    present_count: int
    read: int
    unread: int
    mentions: int
    role: str
    more: bool
    archived: bool = False
    reset: bool = False
    earlier: bool = False  # there are messages before `messages`: GET /api/rooms/{room}/messages?before=
    messages: list[msgspec.Raw] | None = None  # of Message
    entries: list[msgspec.Raw] | None = None


class Exited(Payload, frozen=True):
    """You are out of the room."""

    room: str


class Read(Payload, frozen=True):
    """You, on one of your connections, have read up to `seq`. To all of a user's connections."""

    room: str
    seq: int
    unread: int = 0
    mentions: int = 0


class Presence(Payload, frozen=True):
    """Who came and who went: users, not connections."""

    room: str
    came: list[str]
    went: list[str]


class IsTyping(Payload, frozen=True):
    """`user` is typing; it ends by itself after the `typing_seconds` of `welcome`."""

    room: str
    user: str


class RoomHead(Payload, frozen=True):
    """A room you belong to and are not in has news."""

    room: str
    head: int
    mentions: int


class Gap(Payload, frozen=True):
    """You fell behind and missed entries `from` to `to`: ask with `enter` and `after`. Nothing live comes before."""

    room: str
    from_: int = field(name="from")
    to: int


class Error(Payload, frozen=True):
    """A request was refused; the connection stays. `retry`: the same may be tried again."""

    code: str
    message: str
    retry: bool
    field: str | None = None
    room: str | None = None
    id: str | None = None
    retry_after: float | None = None  # seconds


ENTRY_EVENTS: Final[dict[str, type[EntryPayload]]] = {
    "new_message": NewMessage,
    "message_edited": MessageEdited,
    "message_deleted": MessageDeleted,
    "reacted": Reacted,
    "member_joined": MemberJoined,
    "member_left": MemberLeft,
    "room_changed": RoomChanged,
}

SERVER_EVENTS: Final[dict[str, type[Payload]]] = {
    "welcome": Welcome,
    "entered": Entered,
    "exited": Exited,
    **ENTRY_EVENTS,
    "read": Read,
    "presence": Presence,
    "typing": IsTyping,
    "room_head": RoomHead,
    "gap": Gap,
    "error": Error,
}

# --- encoding -----------------------------------------------------------------------------------------------------

_encode: Final = msgspec.json.Encoder().encode


def encode(type_: str, payload: object, ref: str | int | None = None) -> bytes:
    """The JSON text of one event."""
    return wrap(type_, _encode(payload), ref)


def wrap(type_: str, payload: bytes, ref: str | int | None = None) -> bytes:
    """The JSON text of one event whose payload is encoded already."""
    if ref is None:
        return b'{"type":"%b","payload":%b}' % (type_.encode(), payload)
    return b'{"type":"%b","ref":%b,"payload":%b}' % (type_.encode(), _encode(ref), payload)


def room_prefix(room: str) -> bytes:
    """How the payload of every entry of `room` begins; the log keeps what follows it."""
    return b'{"room":%b,' % _encode(room)
