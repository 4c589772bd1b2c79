"""The search index on SQLite: it follows the log, whatever happens, and holds what the log holds."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from alembic import command
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from hubbub.log import indexing, migrate, searching
from hubbub.log.folding import fold
from hubbub.log.indexing import Index
from hubbub.log.searching import Wanted
from hubbub.log.store import Store, StoreError, engines, open_store

EVERYBODY = 1


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hubbub.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{path}")
    yield store
    store.close()


class Log:
    """A log written behind the writer's back, with the same meaning."""

    def __init__(self, store: Store, rooms: int = 2) -> None:
        self._store = store
        self.heads = dict.fromkeys(range(1, rooms + 1), 0)
        self.at = 0
        store.write_now(self._make_rooms)

    def _make_rooms(self, connection: Connection) -> None:
        for room in self.heads:
            connection.exec_driver_sql(
                "INSERT INTO rooms (id, name, key, kind, created_at) VALUES (?, ?, ?, 'public', 0)",
                (room, f"room-{room}", f"room-{room}"),
            )

    def say(self, room: int, text: str) -> int:
        return self._add(room, "new_message", {"id": "x", "from": "ada", "message": text, "sent": ""})

    def join(self, room: int) -> int:
        return self._add(room, "member_joined", {"user": "bob"})

    def edit(self, room: int, target: int, text: str) -> None:
        self._change(room, target, {"message": text})
        self._add(room, "message_edited", {"target": target, "from": "ada", "message": text, "edited": ""})

    def delete(self, room: int, target: int) -> None:
        self._change(room, target, {"message": "", "deleted": True})
        self._add(room, "message_deleted", {"target": target, "from": "ada"})

    def _add(self, room: int, type_: str, payload: dict[str, Any]) -> int:
        self.heads[room] += 1
        self.at += 1
        row = (
            room,
            self.heads[room],
            type_,
            EVERYBODY,
            self.at,
            json.dumps({"seq": self.heads[room]} | payload),
        )
        self._store.write_now(
            lambda c: c.exec_driver_sql(
                "INSERT INTO entries (room_id, seq, type, user_id, at, body) VALUES (?, ?, ?, ?, ?, ?)", row
            )
        )
        return self.heads[room]

    def _change(self, room: int, seq: int, changes: dict[str, Any]) -> None:
        def change(connection: Connection) -> None:
            where = (room, seq)
            query = "SELECT coalesce(now, body) FROM entries WHERE room_id = ? AND seq = ?"
            now = json.loads(str(connection.exec_driver_sql(query, where).scalar_one()))
            connection.exec_driver_sql(
                "UPDATE entries SET now = ? WHERE room_id = ? AND seq = ?",
                (json.dumps(now | changes), *where),
            )

        self._store.write_now(change)


def caught_up(store: Store, index: Index | None = None) -> Index:
    index = index or Index(store)
    while index.behind:
        index.step()
    return index


def found(store: Store, *words: str) -> list[str]:
    """The texts that a search finds, the newest first."""
    page = store.read_now(lambda c: searching.search(c, EVERYBODY, Wanted(words), 1_000))
    return [str(json.loads(result.body)["message"]) for result in page.results]


def docs(store: Store) -> list[tuple[int, int, str]]:
    """What is in the index: room, number, text, by room and number; having looked that the index agrees with it."""

    def read(connection: Connection) -> list[tuple[int, int, str]]:
        connection.exec_driver_sql("INSERT INTO search_index (search_index) VALUES ('integrity-check')")
        rows = connection.exec_driver_sql("SELECT room_id, seq, text FROM search_docs ORDER BY room_id, seq")
        return [tuple(row) for row in rows]

    return store.write_now(read)


def test_messages_are_found_in_the_order_of_time_across_rooms(store: Store) -> None:
    log = Log(store)
    for number in range(6):
        log.say(1 + number % 2, f"number {number}")
    caught_up(store)
    assert found(store, "number") == [f"number {number}" for number in (5, 4, 3, 2, 1, 0)]


def test_what_comes_later_is_taken_up_in_pieces_and_edits_and_deletions_are_followed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "PIECE", 3)
    log, index = Log(store), Index(store)
    for number in range(10):
        log.say(1, f"early {number}")
        log.join(2)
    caught_up(store, index)
    log.edit(1, 2, "changed")
    log.delete(1, 3)
    late = log.say(2, "late")
    log.edit(2, late, "later")
    gone = log.say(2, "gone")
    log.delete(2, gone)
    index.touched([1, 2])
    caught_up(store, index)
    assert found(store, "early") == [f"early {number}" for number in range(9, -1, -1) if number not in (1, 2)]
    assert found(store, "changed") == ["changed"]
    assert found(store, "later") == ["later"]
    assert len(docs(store)) == 10


def test_entries_that_are_no_messages_are_passed_over_in_stretches(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "PIECE", 2)
    monkeypatch.setattr(indexing, "_STRETCH", 5)
    log, index = Log(store), Index(store)
    for number in range(4):
        log.say(1, f"number {number}")
        for _ in range(7):
            log.join(1)
    caught_up(store, index)
    assert found(store, "number") == [f"number {number}" for number in (3, 2, 1, 0)]
    log.edit(1, 1, "edited")
    index.touched([1])
    caught_up(store, index)
    assert found(store, "edited") == ["edited"]


def test_what_is_no_message_of_ours_is_left_out_and_holds_nothing_up(store: Store) -> None:
    log = Log(store)
    log.say(1, "before")
    broken = log.say(1, "broken")
    store.write_now(
        lambda c: c.exec_driver_sql("UPDATE entries SET body = '{\"message\":' WHERE seq = ?", (broken,))
    )
    log.say(1, "after")
    caught_up(store)
    assert [text for _, _, text in docs(store)] == ["before", "after"]


def test_after_an_end_at_any_point_a_new_start_takes_up_the_rest(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "PIECE", 2)
    log = Log(store)
    for number in range(7):
        log.say(1, f"number {number}")
    log.delete(1, 7)
    for _ in range(2):  # killed after each
        Index(store).step()
    assert 0 < len(docs(store)) < 6
    caught_up(store)
    assert [text for _, _, text in docs(store)] == [f"number {number}" for number in range(6)]


def test_a_database_that_fails_costs_nothing_but_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log(store)
    log.say(1, "tea")
    index = Index(store)
    dialect = store.writing.dialect
    execute = dialect.do_execute

    def full(cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        if statement == "COMMIT":
            raise store.writing.dialect.loaded_dbapi.OperationalError("database or disk is full")
        execute(cursor, statement, parameters, context)

    monkeypatch.setattr(dialect, "do_execute", full)
    with pytest.raises(OperationalError):
        index.step()
    assert index.behind
    monkeypatch.setattr(dialect, "do_execute", execute)
    caught_up(store, index)
    assert found(store, "tea") == ["tea"]


def test_the_logs_own_commits_are_synced_though_those_of_the_index_are_not(store: Store) -> None:
    def synchronous(connection: Connection) -> int:
        return int(connection.exec_driver_sql("PRAGMA synchronous").scalar_one())

    assert store.write_now(synchronous) == 2
    with store.transaction(synced=False) as connection:
        assert synchronous(connection) == 1
    assert store.write_now(synchronous) == 2
    with pytest.raises(ZeroDivisionError), store.transaction(synced=False):
        _ = 1 / 0
    assert store.write_now(synchronous) == 2


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("say"),
            st.integers(1, 2),
            st.sampled_from(["green tea", "今天天氣很好", "Café au lait", "x"]),
        ),
        st.tuples(st.just("edit"), st.integers(1, 2), st.sampled_from(["black coffee", "天氣", ""])),
        st.tuples(st.just("delete"), st.integers(1, 2), st.just("")),
        st.tuples(st.just("index"), st.integers(1, 2), st.just("")),
        st.tuples(st.just("restart"), st.integers(1, 2), st.just("")),
    ),
    max_size=25,
)


def test_the_index_is_what_the_log_is_in_whatever_order_things_happen(tmp_path: Path) -> None:
    runs = iter(range(10_000))

    @settings(max_examples=40)  # each makes a database
    @given(steps=STEPS, data=st.data())
    def hold(steps: list[tuple[str, int, str]], data: st.DataObject) -> None:
        store = open_store(f"sqlite:///{tmp_path / f'{next(runs)}.db'}")
        try:
            log, index, there = Log(store), Index(store), dict[tuple[int, int], str]()
            for what, room, text in steps:
                of_room = sorted(key for key in there if key[0] == room)
                if what == "say":
                    there[room, log.say(room, text)] = text
                elif what == "index":
                    index.step()
                elif what == "restart":
                    index = Index(store)
                elif of_room:
                    key = data.draw(st.sampled_from(of_room))
                    if what == "edit":
                        log.edit(*key, text)
                        there[key] = text
                    else:
                        log.delete(*key)
                        del there[key]
                index.touched([room])
            caught_up(store, index)
            assert docs(store) == [(*key, fold(text)) for key, text in sorted(there.items())]
        finally:
            store.close()

    hold()


def test_the_migration_indexes_the_messages_that_are_there(path: Path) -> None:
    url = f"sqlite:///{path}"
    _at_version(url, "0001", _fill)
    with structlog.testing.capture_logs():
        store = open_store(url)
    try:
        assert found(store, "number") == ["number 2 as it is now", "number 1"]
        assert Index(store).behind
        assert caught_up(store) is not None
        assert len(docs(store)) == 2
    finally:
        store.close()


def _fill(connection: Connection) -> None:
    connection.exec_driver_sql(
        "INSERT INTO rooms (id, name, key, kind, created_at) VALUES (1, 'a', 'a', 'public', 0)"
    )
    for seq, now in (
        (1, None),
        (2, '{"seq":2,"message":"number 2 as it is now"}'),
        (3, '{"message":"","deleted":true}'),
    ):
        connection.exec_driver_sql(
            "INSERT INTO entries (room_id, seq, type, user_id, at, body, now) VALUES (1, ?, 'new_message', 1, ?, ?, ?)",
            (seq, seq, json.dumps({"seq": seq, "message": f"number {seq}"}), now),
        )


def _at_version(url: str, version: str, fill: Callable[[Connection], None]) -> None:
    writing, reading = engines(url)
    config = migrate._config()
    with writing.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)
        fill(connection)
    writing.dispose()
    reading.dispose()


def test_an_sqlite_without_the_index_is_said_in_one_line(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def old(*_arguments: object, **_more: object) -> object:
        raise sqlite3.OperationalError("no such tokenizer: trigram")

    class Connection:
        execute = staticmethod(old)

        def close(self) -> None:
            """Nothing to close."""

    monkeypatch.setattr("hubbub.log.store.sqlite3.connect", lambda _name: Connection())
    with pytest.raises(StoreError, match=r"Search needs SQLite 3\.34 or later") as error:
        open_store(f"sqlite:///{path}")
    assert "\n" not in str(error.value)
