"""What holds for the log on SQLite alone: its file, its migrations, and how its queries find their rows."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator, MutableMapping
from pathlib import Path
from typing import Any, Final

import pytest
import structlog
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, insert, select

from hubbub.errors import Refused
from hubbub.log import migrate, queries, schema
from hubbub.log.store import Store, StoreError, open_store
from hubbub.log.transaction import Transaction, WriterMemory
from tests.contract.changes import Say
from tests.contract.log import ROOM, Written
from tests.fakes import FakeClock

NEXT: Final = """
import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{down}"


def upgrade():
    op.create_table("extra", sa.Column("id", sa.Integer, primary_key=True))
    {more}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "hubbub.db"


@pytest.fixture
def opened() -> Iterator[Callable[[Path], Store]]:
    stores: list[Store] = []

    def open_it(path: Path) -> Store:
        stores.append(open_store(f"sqlite:///{path}"))
        return stores[-1]

    yield open_it
    for store in stores:
        store.close()


@pytest.fixture
def store(path: Path, opened: Callable[[Path], Store]) -> Store:
    return opened(path)


@pytest.fixture
def with_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Lets this Hubbub have one migration more, which makes the table `extra` and then does `more`."""

    original = migrate._SCRIPTS
    down = migrate.migrations().get_current_head()

    def add(more: str) -> None:
        scripts = tmp_path / f"migrations-{len(more)}"
        shutil.copytree(original, scripts)
        (scripts / "versions" / "9999_next.py").write_text(NEXT.format(down=down, more=more))
        monkeypatch.setattr(migrate, "_SCRIPTS", scripts)

    return add


def tables(path: Path) -> set[str]:
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    connection.close()
    return {name for (name,) in rows}


# --- migrations


def test_the_migrations_make_the_tables_that_the_code_knows(store: Store) -> None:
    with store.writing.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_name": _is_no_table_of_fts5}
        )
        assert compare_metadata(context, schema.metadata) == []


def _is_no_table_of_fts5(name: str | None, type_: str, _parents: object) -> bool:
    return type_ != "table" or not (name or "").startswith("search_index")


def test_a_new_log_has_a_name_that_stays_and_no_other_log_has(
    tmp_path: Path, path: Path, opened: Callable[[Path], Store]
) -> None:
    first = opened(path).read_now(queries.epoch)
    assert first == opened(path).read_now(queries.epoch)
    assert len(first) == 16
    assert opened(tmp_path / "other.db").read_now(queries.epoch) != first


def test_opening_an_up_to_date_database_keeps_no_copy_and_changes_nothing(
    path: Path, opened: Callable[[Path], Store]
) -> None:
    opened(path).close()
    before = sorted(file.name for file in path.parent.iterdir())
    opened(path).close()
    assert sorted(file.name for file in path.parent.iterdir()) == before == ["hubbub.db"]


def test_an_upgrade_keeps_a_copy_of_what_was_there(
    path: Path, opened: Callable[[Path], Store], with_next: Callable[[str], None]
) -> None:
    store = opened(path)
    old = migrate.migrations().get_current_head()
    store.write_now(lambda c: c.execute(insert(schema.meta).values(key="mine", value="kept")))
    store.close()
    with_next("pass")
    upgraded = opened(path)
    mine = select(schema.meta.c.value).where(schema.meta.c.key == "mine")
    assert upgraded.read_now(lambda c: c.scalar(mine)) == "kept"
    assert "extra" in tables(path)
    copy = path.with_name(f"hubbub.before-{old}.db")
    assert "extra" not in tables(copy)
    assert opened_as_it_is(copy).execute("SELECT value FROM meta WHERE key = 'mine'").fetchone() == ("kept",)


def test_an_upgrade_that_fails_leaves_the_database_as_it_was_and_can_be_tried_again(
    path: Path, opened: Callable[[Path], Store], with_next: Callable[[str], None]
) -> None:
    opened(path).close()
    with_next('op.execute("INSERT INTO nowhere VALUES (1)")')
    with pytest.raises(StoreError, match="nowhere"):
        opened(path)
    assert "extra" not in tables(path)
    with_next("pass")
    opened(path)
    assert "extra" in tables(path)


def test_a_newer_database_is_refused_and_left_alone(
    path: Path,
    opened: Callable[[Path], Store],
    with_next: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context():
        with_next("pass")
        opened(path).close()
        monkeypatch.undo()
    before = path.read_bytes()
    with pytest.raises(migrate.NewerDatabase, match=r"newer version \(9999\). Install a newer Hubbub"):
        opened(path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.glob("*.before-*")] == []


def opened_as_it_is(path: Path) -> sqlite3.Connection:
    """A connection to a file that nobody else has open."""
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True)


# --- the file


def test_a_commit_that_returned_is_on_the_disk_and_what_is_deleted_is_overwritten(store: Store) -> None:
    with store.transaction() as connection:
        modes = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    assert modes == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}


def test_a_reader_cannot_write(store: Store) -> None:
    def put(connection: Connection) -> None:
        connection.execute(insert(schema.meta).values(key="mine", value="x"))

    with pytest.raises(Refused):
        store.read_now(put)


@pytest.mark.asyncio
async def test_a_full_disk_refuses_with_a_retry_and_once_there_is_room_all_goes_on(store: Store) -> None:
    written = Written(store, FakeClock())
    await written.write(Say(ROOM, "a", id_="a"))
    with store.transaction() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    with structlog.testing.capture_logs() as logged:
        await written.write(big := Say(ROOM, "secret " * 5_000, id_="b"), Say(ROOM, "c", id_="c"))
    assert isinstance(big.error, Refused)
    assert (big.error.refusal.code, big.error.refusal.retry) == ("unavailable", True)
    assert said(logged) == [
        {
            "event": "batch not written",
            "log_level": "error",
            "changes": 2,
            "error": "OperationalError",
            "reason": "database or disk is full",
        }
    ]
    assert written.texts() == ["a"]
    with store.transaction() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")
    await written.write(Say(ROOM, "b", id_="b"))
    assert written.texts() == ["a", "b"]


def said(logged: list[MutableMapping[str, Any]]) -> list[dict[str, Any]]:
    return [dict(line) for line in logged]


@pytest.mark.asyncio
async def test_a_database_that_another_program_holds_is_unavailable_and_then_goes_on(
    store: Store, path: Path
) -> None:
    written = Written(store, FakeClock())
    await written.write(Say(ROOM, "a"))
    with store.transaction() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=0")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with structlog.testing.capture_logs():
        await written.write(say := Say(ROOM, "b"))
    assert say.error is not None
    assert say.error.refusal.code == "unavailable"
    other.execute("ROLLBACK")
    other.close()
    await written.write(Say(ROOM, "b"))
    assert written.texts() == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"this is no database, but long enough to be looked at as one" * 20, "put a backup in its place"),
        (b"SQLite format 3\x00" + b"\xff" * 4_000, "put a backup in its place"),
    ],
)
def test_a_file_that_is_no_database_is_said_to_be_damaged(
    path: Path, opened: Callable[[Path], Store], content: bytes, says: str
) -> None:
    path.write_bytes(content)
    with pytest.raises(StoreError, match=says) as error:
        opened(path)
    assert "\n" not in str(error.value)


# --- how rows are found


@pytest.fixture
def plans(store: Store) -> Callable[[Callable[[Connection], object]], list[str]]:
    """What SQLite says of how it finds the rows of each query that a function makes."""

    def explain(work: Callable[[Connection], object]) -> list[str]:
        found: list[str] = []
        asked: list[str] = []

        def note(statement: str) -> None:
            if statement.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE")):
                asked.append(statement)

        with store.reading.connect() as connection:
            raw: Any = connection.connection.driver_connection
            raw.set_trace_callback(note)
            work(connection)
            raw.set_trace_callback(None)
            assert asked
            for statement in asked:
                found += [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}")]
            # A page, once found, is joined as it comes.
            return [step for step in found if step not in ("CO-ROUTINE page", "SCAN page")]

    return explain


Explain = Callable[[Callable[[Connection], object]], list[str]]
ON_THE_WAY: Final[dict[str, Callable[[Connection], object]]] = {
    "the last messages": lambda c: queries.messages(c, 1, 50),
    "messages before": lambda c: queries.messages(c, 1, 50, before=9),
    "messages after": lambda c: queries.messages(c, 1, 50, after=9),
    "messages around": lambda c: queries.messages(c, 1, 50, around=9),
    "the head": lambda c: queries.head(c, 1),
    "one entry": lambda c: queries.entry_by_seq(c, 1, 2),
    "the welcome": lambda c: queries.rooms_of_member(c, 1),
    "direct rooms of the welcome": lambda c: queries.direct_members(c, [1, 2]),
    "the mark": lambda c: queries.mark(c, 1, 1),
    "the room": lambda c: queries.visible_room(c, 1, "general"),
    "members": lambda c: queries.member_names(c, 1),
    "a repeat": lambda c: Transaction(c, WriterMemory(), 0, "", careful=True).repeated(1, "x", 1, "id"),
    "the epoch": queries.epoch,
}


@pytest.mark.parametrize("work", ON_THE_WAY.values(), ids=ON_THE_WAY.keys())
def test_no_query_on_the_way_of_a_message_looks_at_every_row(
    plans: Explain, work: Callable[[Connection], object]
) -> None:
    plan = plans(work)
    assert [step for step in plan if step.startswith("SCAN")] == []
    assert [step for step in plan if "SEARCH" in step]


@pytest.mark.asyncio
async def test_a_page_is_read_along_the_key_and_nothing_is_sorted(store: Store, plans: Explain) -> None:
    await Written(store, FakeClock()).write(*[Say(1, str(n), id_=str(n)) for n in range(20)])
    by_key = "SEARCH entries USING PRIMARY KEY (room_id=?"
    for work in (
        lambda c: queries.messages(c, 1, 5, before=9),
        lambda c: queries.messages(c, 1, 5, after=9),
        lambda c: queries.entries_after(c, 1, 3, 5),
    ):
        plan = plans(work)
        assert all(step.startswith(by_key) for step in plan), plan
    repeat = plans(lambda c: Transaction(c, WriterMemory(), 0, "", careful=True).repeated(1, "x", 1, "3"))
    assert repeat == [
        "SEARCH entries USING INDEX uq_entries_client_id_user_id_room_id (client_id=? AND user_id=? AND room_id=?)"
    ]
