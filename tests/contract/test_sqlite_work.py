"""What a query costs SQLite, in steps of its own machine: it must not grow with what is in the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from hubbub.log import queries, schema
from hubbub.log.store import Store, open_store

ADA, BOB = 1, 2
SHORT, LONG = 1, 2  # rooms
ENTRIES = {SHORT: 100, LONG: 5_000}


class Steps:
    """Counts the steps of the machine that runs SQLite's queries."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.count = 0

    def of(self, query: Callable[..., Any], *arguments: int) -> int:
        """How many `query` takes."""
        query(self._connection, *arguments)  # what is prepared once is prepared
        raw: Any = self._connection.connection.driver_connection
        self.count = 0
        raw.set_progress_handler(self._step, 1)
        query(self._connection, *arguments)
        raw.set_progress_handler(None, 1)
        return self.count

    def _step(self) -> int:
        self.count += 1
        return 0


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Bob has read nothing of either room; of each 50 entries one calls him."""
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('work') / 'hubbub.db'}")
    store.write_now(_fill)
    yield store
    store.close()


def _fill(connection: Connection) -> None:
    names = {ADA: "ada", BOB: "bob"}
    connection.execute(
        insert(schema.users),
        [
            {"id": id_, "name": name, "key": name, "role": "member", "created_at": 0}
            for id_, name in names.items()
        ],
    )
    for room, last in ENTRIES.items():
        name = f"room-{room}"
        connection.execute(
            insert(schema.rooms), {"id": room, "name": name, "key": name, "kind": "public", "created_at": 0}
        )
        connection.execute(
            insert(schema.members),
            [{"room_id": room, "user_id": user, "role": "member", "read": 0} for user in names],
        )
        connection.execute(
            insert(schema.entries),
            [
                {
                    "room_id": room,
                    "seq": seq,
                    "type": "new_message",
                    "user_id": ADA,
                    "at": 0,
                    "body": f'{{"seq":{seq}}}',
                }
                for seq in range(1, last + 1)
            ],
        )
    connection.execute(
        insert(schema.mentions),
        [{"room_id": room, "user_id": BOB, "seq": seq} for room in ENTRIES for seq in (10, 60)],
    )


@pytest.mark.parametrize(
    "query",
    [
        lambda connection, room: queries.mark(connection, BOB, room),
        queries.head,
        lambda connection, room: queries.messages(connection, room, 50),
        lambda connection, room: queries.messages(connection, room, 50, before=ENTRIES[room] // 2),
        lambda connection, room: queries.entries_after(connection, room, ENTRIES[room] - 20, 500),
        lambda connection, room: queries.entry_by_seq(connection, room, 42),
    ],
    ids=["a mark", "the head", "the last page", "an older page", "what came after", "one entry"],
)
def test_it_costs_the_same_in_a_long_room(store: Store, query: Callable[[Connection, int], Any]) -> None:
    with store.reading.connect() as connection:
        steps = Steps(connection)
        short, long = [steps.of(query, room) for room in (SHORT, LONG)]
        assert abs(long - short) <= 0.1 * short + 5


def test_a_welcome_costs_the_same_however_much_is_unread(store: Store) -> None:
    with store.reading.connect() as connection:
        steps = Steps(connection)
        much = steps.of(queries.rooms_of_member, BOB)
        assert [mark.mentions for _, mark in queries.rooms_of_member(connection, BOB)] == [2, 2]
        assert much < 500
