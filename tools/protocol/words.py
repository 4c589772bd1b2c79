"""What the types can't say: what fields mean where no comment stands beside them, and which event answers which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# By name on the wire, wherever a field of that name stands.
FIELDS: Final[Mapping[str, str]] = {
    "archived": "The room can be read, and no more.",
    "code": "One of the [codes](#errors).",
    "display_name": "The name to show.",
    "emoji": "The emoji.",
    "epoch": "The name of the log that the numbers belong to.",
    "from": "The name of the user who did it.",
    "head": "The number of the room's last entry; 0 while there is none.",
    "id": "The request's own id, see [sending exactly once](#sending-exactly-once).",
    "kind": "`public`, `private` or `direct`.",
    "mentions": "How many entries after `read` mention you.",
    "message": "The text, as it was typed.",
    "read": "How far you have read.",
    "remove": "Taken back, not added.",
    "reply_to": "The number of the message that this one answers.",
    "role": "Your role in the room: `owner` or `member`.",
    "room": "The room's name.",
    "seq": "The entry's number in the room's log.",
    "target": "The number of the message that it is about.",
    "to": "The last of them, so far.",
    "topic": "The room's topic; may be empty.",
    "unread": "`head` minus `read`.",
    "user": "The user's name.",
}

# By type and name on the wire, where the same name means something of its own.
FIELDS_OF: Final[Mapping[str, str]] = {
    "ChangeRoom.name": "The room to be in.",
    "DeleteMessage.seq": "The number of the message.",
    "EditMessage.message": "The new text.",
    "EditMessage.seq": "The number of the message.",
    "Enter.after": "The number of the last entry that you hold; left out: you hold none.",
    "Enter.epoch": "The epoch that `after` belongs to; left out: not checked.",
    "Entered.earlier": "There are messages before `messages`: ask for them with "
    "`GET /api/rooms/{room}/messages?before=`.",
    "Entered.entries": "When resuming: each entry after `after`, exactly as it came live.",
    "Entered.head": "The number of the room's last entry, when the log was read.",
    "Entered.messages": "The last messages as they are now, oldest first; not when resuming.",
    "Entered.more": "There are more entries than fit: enter again with `after` at the last of `entries`.",
    "Entered.present": "Names of users here, 500 at most.",
    "Entered.present_count": "How many users are here.",
    "Entered.reset": "What you hold is of another log: drop it and begin with `messages`.",
    "Error.field": "The field of the payload that is wrong.",
    "Error.id": "The `id` of the request, if it had one.",
    "Error.message": "A sentence for a person.",
    "Error.retry": "The same request may be tried again.",
    "Error.retry_after": "When, in seconds.",
    "Error.room": "The room that the request named.",
    "Gap.from": "The first entry that you missed. Beyond `to`: you missed no entry, but perhaps who came and went.",
    "Limits.frame_bytes": "Of one frame, and of one message of several frames.",
    "Limits.message_characters": "Of one chat message.",
    "Limits.messages_at_once": "How many messages may come at once.",
    "Limits.messages_per_second": "In the long run, of one user on all connections.",
    "Limits.rooms_entered": "Of one connection.",
    "MarkRead.seq": "The last entry that was read.",
    "MemberJoined.by": "Who invited them; left out: they came by themselves.",
    "MemberJoined.user": "The new member.",
    "MemberLeft.by": "Who removed them; left out: they went by themselves.",
    "MemberLeft.user": "Who is a member no more.",
    "Message.deleted": "It was taken back: `message` is empty.",
    "Message.edited": "When it was edited last, RFC 3339, UTC.",
    "Message.edits": "The numbers of the entries that edited it.",
    "Message.reactions": "By emoji: the names of those who reacted, in the order in which they came.",
    "MessageEdited.edited": "When, RFC 3339, UTC.",
    "MessageEdited.message": "The new text.",
    "NewMessage.id": "The sender's own id of the message.",
    "NewMessage.sent": "When it was written to the log, RFC 3339, UTC.",
    "Presence.came": "Users who are here now.",
    "Presence.went": "Users who are here no more.",
    "React.seq": "The number of the message.",
    "React.emoji": "One emoji: up to 32 characters, no spaces.",
    "React.remove": "Take yours back.",
    "RoomChanged.archived": "Archived, or opened again.",
    "RoomChanged.by": "Who did it; left out: the server.",
    "RoomChanged.kind": "The new kind.",
    "RoomChanged.made": "This is the room's first entry.",
    "RoomChanged.member": "The member whose role changed.",
    "RoomChanged.role": "That member's new role: `owner` or `member`.",
    "RoomChanged.topic": "The new topic.",
    "RoomSummary.members": "Of a direct room: everybody in it.",
    "SendMessage.id": "Your own id for this message, unique for ever. Needed in the full profile.",
    "SendMessage.room": "The room's name. Needed in the full profile.",
    "Welcome.limits": "What this server allows.",
    "Welcome.role": "`owner`, `admin`, `member` or `bot`.",
    "Welcome.rooms": "Every room that you belong to.",
    "Welcome.server": "The server's name and version.",
    "Welcome.user": "Your own name.",
}

# Which event answers a request; None: no answer but a possible `error`.
ANSWERS: Final[Mapping[str, str | None]] = {
    "enter": "entered",
    "exit": "exited",
    "send_message": "new_message",
    "edit_message": "message_edited",
    "delete_message": "message_deleted",
    "react": "reacted",
    "typing": None,
    "mark_read": "read",
    "change_room": None,
}

# Close codes: when, and what a client does. Of the server's own, and of those that its WebSocket library sends.
CLOSES: Final[Mapping[int, tuple[str, str]]] = {
    1000: ("The client closed; this is the answer.", "As it likes."),
    1002: ("A frame broke the rules of WebSocket (RFC 6455).", "Mend the client."),
    1003: ("A binary frame came; events are text.", "Mend the client."),
    1007: ("A text frame was not UTF-8.", "Mend the client."),
    1008: ("The client went on sending what was refused, many times.", "Mend the client."),
    1009: (
        "A frame, or a message of several frames, was larger than `limits.frame_bytes`.",
        "Send less at once.",
    ),
    1011: ("Something went wrong on the server.", "Come back and resume, later each time."),
    1012: (
        "The server is being restarted. The reason says when to come back: `restarting; retry after 3.2 s`.",
        "Come back after that time, and resume.",
    ),
    4401: (
        "The session or token was ended, or the user disabled.",
        "Stay away until somebody logs in again.",
    ),
    4403: ("The user was removed. Not sent by this version.", "Stay away."),
    4508: ("Nothing came from the client for too long after a ping.", "Come back and resume."),
    4509: ("The client read too slowly for too long.", "Come back and resume."),
}
