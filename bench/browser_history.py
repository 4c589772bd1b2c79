"""A long history, written into the log of a server that does not run: the store's own way, in a few seconds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import Connection, insert, select

from hubbub.log.indexing import index_everything
from hubbub.log.schema import entries, members, rooms, users
from hubbub.log.store import open_store
from hubbub.names import key_of

TEXTS: Final = (
    "yes",
    "I have **moved** it to Thursday, if that is fine with everybody here.",
    "Where is that written? I looked in `docs/` and found nothing.",
    "Because of this:\n\n- the first is too slow\n- the second is *not* there yet\n- nobody likes the third",
    "see https://example.org/a/long/path/to/something?with=words",
    "```\nhubbub serve --port 8080\n```",
    "好的，明天見",
    (
        "That is a longer one. It goes on for a while, as people do who have thought about something on the way home and "
        "want it said before they forget it again: that it was right the first time, and that nobody had asked for more."
    ),
)
MESSAGES: Final = 100_000
"""What a long room has."""
_EVERY_MS: Final = 60_000
_LAST_AT: Final = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def _text(seq: int) -> str:
    """What the message of this number says: words of several shapes and lengths, and its number."""
    return f"{seq}: {TEXTS[seq * 7 // 3 % len(TEXTS)]}"


def write_history(data: Path, room: str, count: int, writer: str, reader: str) -> tuple[int, int]:
    """A public room with `count` messages of `writer`, all read by `reader`; the numbers of the first and the last.

    Two people who exist already; the server must not run. Search finds the messages.
    """
    store = open_store(f"sqlite:///{data / 'hubbub.db'}")
    try:
        return store.write_now(lambda connection: _write(connection, room, count, writer, reader))
    finally:
        store.close()


def _write(connection: Connection, room: str, count: int, writer: str, reader: str) -> tuple[int, int]:
    people = {
        name: connection.scalars(select(users.c.id).where(users.c.name == name)).one()
        for name in (writer, reader)
    }
    start_ms = int(_LAST_AT.timestamp() * 1000) - count * _EVERY_MS
    made = connection.execute(
        insert(rooms).values(name=room, key=key_of(room), kind="public", created_at=start_ms)
    )
    assert made.inserted_primary_key is not None
    room_id = int(made.inserted_primary_key[0])
    first, last = 1 + 1 + len(people), 1 + len(people) + count
    connection.execute(
        insert(members),
        [{"room_id": room_id, "user_id": id_, "role": "member", "read": last} for id_ in people.values()],
    )
    beginning = [
        _entry(room_id, 1, "room_changed", 0, start_ms, made=True, kind="public"),
        *(
            _entry(room_id, seq, "member_joined", id_, start_ms, user=name)
            for seq, (name, id_) in enumerate(people.items(), 2)
        ),
    ]
    connection.execute(insert(entries), beginning)
    connection.execute(
        insert(entries), list(_messages(room_id, range(first, last + 1), writer, people[writer], start_ms))
    )
    index_everything(connection)
    return first, last


def _messages(
    room_id: int, numbers: range, writer: str, user_id: int, start_ms: int
) -> Iterator[dict[str, object]]:
    for seq in numbers:
        at = start_ms + seq * _EVERY_MS
        sent = (
            datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        )
        said = {"id": f"history-{seq}", "from": writer, "message": _text(seq), "sent": sent}
        yield _entry(room_id, seq, "new_message", user_id, at, f"history-{seq}", **said)


def _entry(
    room_id: int, seq: int, type_: str, user_id: int, at: int, client_id: str | None = None, **body: object
) -> dict[str, object]:
    return {
        "room_id": room_id,
        "seq": seq,
        "type": type_,
        "user_id": user_id,
        "client_id": client_id,
        "at": at,
        "body": msgspec.json.encode({"seq": seq} | body).decode(),
    }
