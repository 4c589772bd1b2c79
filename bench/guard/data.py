"""The database that the guarded work begins with, made in the ordinary way and outside of what is counted."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, insert, select

from hubbub.accounts import people
from hubbub.chat.rooms import make_room
from hubbub.clock import Clock, rfc3339
from hubbub.events import NewMessage
from hubbub.log.indexing import index_everything
from hubbub.log.schema import members, rooms
from hubbub.log.store import open_store
from hubbub.log.transaction import Change, Transaction, WriterMemory

BIG: Final = "big"
SMALL: Final = [f"small-{number:02}" for number in range(100)]
QUIET: Final = [f"quiet-{number:02}" for number in range(20)]
PEOPLE: Final = [f"person-{number:02}" for number in range(100)]
VISITOR: Final = "visitor"
HOST: Final = "host"
GUEST: Final = "guest"
GUESTS: Final = QUIET[:3]  # the rooms of the guest
ROOMS_EACH: Final = 10  # small rooms that a person is in, and people in a small room
HEAD: Final = 1_000  # the last number of each room: those that are given next have as many digits
TEXT: Final = "What a message of everyday length says, which is about so much."


def make(path: Path) -> None:
    """A database with people, rooms, members and messages."""
    store = open_store(f"sqlite:///{path}")
    try:
        store.write_now(_fill)
    finally:
        store.close()


def small_rooms_of(number: int) -> list[str]:
    """The small rooms of one of `PEOPLE`; the first is the one in which they speak."""
    return [SMALL[(number + step) % len(SMALL)] for step in range(ROOMS_EACH)]


class _StillClock(Clock):
    def now(self) -> float:
        return 1_800_000_000.0

    def monotonic(self) -> float:
        return 1_000.0


def _fill(connection: Connection) -> None:
    clock = _StillClock()
    names = [*PEOPLE, VISITOR, HOST, GUEST]
    ids = {
        name: people.add(connection, name, role="member", password=None, now=int(clock.now() * 1000)).id
        for name in names
    }
    for name in ["general", BIG, *SMALL, *QUIET]:
        make_room(connection, clock, name)
    room_ids = {name: id_ for id_, name in connection.execute(select(rooms.c.id, rooms.c.name))}
    belongs = [(BIG, person) for person in PEOPLE]
    belongs += [(room, PEOPLE[number]) for number in range(len(PEOPLE)) for room in small_rooms_of(number)]
    belongs += [(room, person) for room in QUIET for person in (VISITOR, HOST)]
    belongs += [(room, GUEST) for room in GUESTS]
    rows = [
        {"room_id": room_ids[room], "user_id": ids[name], "role": "member", "read": 0}
        for room, name in belongs
    ]
    connection.execute(insert(members), rows)
    tx = Transaction(connection, WriterMemory(), int(clock.now() * 1000), rfc3339(clock.now()), careful=False)
    for name in [BIG, *SMALL]:
        _speak(tx, room_ids[name], name, ids[HOST], 1)
    for name in QUIET:
        _speak(tx, room_ids[name], name, ids[HOST], 100)
    tx.flush()
    index_everything(connection)


def _speak(tx: Transaction, room_id: int, room: str, user_id: int, count: int) -> None:
    """The last messages of a room, up to `HEAD`; those before would only take time to make."""
    for seq in range(HEAD - count + 1, HEAD + 1):
        id_ = f"before-{seq}"
        said = NewMessage(room, seq, id=id_, from_=HOST, message=TEXT, sent=tx.sent)
        tx.append(Change(), room_id, "new_message", user_id, said, id_)
