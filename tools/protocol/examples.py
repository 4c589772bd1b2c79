"""One example of each event, as real instances: the documents show them as the server encodes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from hubbub.events import (
    ChangeRoom,
    DeleteMessage,
    EditMessage,
    Enter,
    Entered,
    Error,
    Exit,
    Exited,
    Gap,
    IsTyping,
    Limits,
    MarkRead,
    MemberJoined,
    MemberLeft,
    Message,
    MessageDeleted,
    MessageEdited,
    NewMessage,
    Payload,
    Presence,
    React,
    Reacted,
    Read,
    RoomChanged,
    RoomHead,
    RoomSummary,
    SendMessage,
    Typing,
    Welcome,
    encode,
)
from hubbub.settings import Settings

Ref = str | int | None

_EPOCH: Final = "8d1f0c52a7be4936"
_ID: Final = "b7f3c1d09a"
_LIMITS: Final = Settings()

CLIENT: Final[Mapping[str, tuple[Ref, Payload]]] = {
    "enter": (1, Enter("general")),
    "exit": (2, Exit("general")),
    "send_message": (3, SendMessage("Who takes the minutes?", room="general", id=_ID)),
    "edit_message": (4, EditMessage("general", 42, "Who takes the minutes today?", id="c20e77f4b1")),
    "delete_message": (5, DeleteMessage("general", 42, id="d9a6e01f38")),
    "react": (6, React("general", 42, "👍", id="e41b0c6d55")),
    "typing": (None, Typing("general")),
    "mark_read": (7, MarkRead("general", 42)),
    "change_room": (None, ChangeRoom("general")),
}

MESSAGE: Final = Message(
    "general",
    42,
    id=_ID,
    from_="ada",
    message="Who takes the minutes today?",
    sent="2026-03-01T09:30:00.123Z",
    edited="2026-03-01T09:30:21.004Z",
    edits=[43],
    reactions={"👍": ["bob"]},
)
_JOINED: Final = MemberJoined("general", 41, user="bob")

SERVER: Final[Mapping[str, tuple[Ref, Payload]]] = {
    "welcome": (
        None,
        Welcome(
            user="ada",
            display_name="Ada Lovelace",
            role="member",
            rooms=[
                RoomSummary(
                    room="general",
                    kind="public",
                    head=44,
                    read=41,
                    unread=3,
                    mentions=1,
                    active="2026-03-01T09:31:07.458Z",
                )
            ],
            epoch=_EPOCH,
            limits=Limits(
                message_characters=_LIMITS.message_characters,
                frame_bytes=_LIMITS.read_limit_bytes,
                rooms_entered=_LIMITS.rooms_per_connection,
                messages_per_second=_LIMITS.limit_messages,
                messages_at_once=_LIMITS.limit_messages_burst,
                typing_seconds=_LIMITS.typing_seconds,
            ),
            server="hubbub/0.1.0",
        ),
    ),
    "entered": (
        1,
        Entered(
            room="general",
            kind="public",
            topic="",
            head=44,
            epoch=_EPOCH,
            present=["bob", "ada"],
            present_count=2,
            read=41,
            unread=3,
            mentions=1,
            role="member",
            more=False,
            messages=[msgspec.Raw(msgspec.json.encode(MESSAGE))],
        ),
    ),
    "exited": (2, Exited("general")),
    "new_message": (
        3,
        NewMessage(
            "general",
            42,
            id=_ID,
            from_="ada",
            message="Who takes the minutes?",
            sent="2026-03-01T09:30:00.123Z",
        ),
    ),
    "message_edited": (
        None,
        MessageEdited(
            "general",
            43,
            target=42,
            from_="ada",
            message="Who takes the minutes today?",
            edited="2026-03-01T09:30:21.004Z",
        ),
    ),
    "message_deleted": (None, MessageDeleted("general", 45, target=42, from_="ada")),
    "reacted": (None, Reacted("general", 44, target=42, from_="bob", emoji="👍")),
    "member_joined": (None, _JOINED),
    "member_left": (None, MemberLeft("general", 46, user="bob", by="ada")),
    "room_changed": (None, RoomChanged("lobby", 47, by="ada", was="general")),
    "read": (7, Read("general", 42, unread=2)),
    "presence": (None, Presence("general", came=["bob"], went=[])),
    "typing": (None, IsTyping("general", "bob")),
    "room_head": (None, RoomHead("general", 44, 1)),
    "gap": (None, Gap("general", 45, 230)),
    "error": (
        3,
        Error(
            "rate_limited",
            "Too fast. Wait a little and try again.",
            True,
            room="general",
            id=_ID,
            retry_after=0.75,
        ),
    ),
}

# The same request when resuming, and what answers it.
RESUMING: Final = (
    b'{"type":"enter","ref":8,"payload":{"room":"general","after":40,"epoch":"%b"}}' % _EPOCH.encode()
)
RESUMED: Final = encode(
    "entered",
    Entered(
        room="general",
        kind="public",
        topic="",
        head=42,
        epoch=_EPOCH,
        present=["bob", "ada"],
        present_count=2,
        read=41,
        unread=1,
        mentions=0,
        role="member",
        more=False,
        entries=[
            msgspec.Raw(encode("member_joined", _JOINED)),
            msgspec.Raw(encode("new_message", SERVER["new_message"][1])),
        ],
    ),
    8,
)
# The tutorial's page, as it is.
BASIC: Final = (
    b'{"type":"change_room","payload":{"name":"general"}}',
    b'{"type":"send_message","payload":{"message":"Hello","from":"ada"}}',
)
