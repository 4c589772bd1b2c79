"""A backup: whole, alone in its file, of one moment; and where it can't be made, nothing is left behind."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hubbub.log.store import open_store
from hubbub.maintenance.backup import back_up
from hubbub.maintenance.database import Contents, Head
from hubbub.maintenance.errors import DamagedError, MaintenanceError
from hubbub.maintenance.files import check_room, put_in_place, temporary
from hubbub.maintenance.seal import is_broken
from tests.maintenance_data import (
    AT_MS,
    DAMAGES,
    left_by_a_kill,
    logs,
    make_database,
    make_foreign,
    make_newer,
    rows,
    snapshot,
    speak,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return make_database(tmp_path / "data" / "hubbub.db")


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    folder = tmp_path / "copies"
    folder.mkdir()
    return folder


def test_a_backup_holds_everything_and_says_how_much(source: Path, copies: Path) -> None:
    made = back_up(source, copies / "hubbub.bak")
    newest = Head("room-2", 40)
    assert made.contents == Contents(2, 80, 2, newest, AT_MS + 40, (Head("room-1", 40), newest))
    assert (
        str(made.contents)
        == "2 rooms, 80 entries, 2 users, up to 2026-09-21T14:13:20.040Z (entry 40 of room-2)"
    )
    assert made.size_bytes == made.file.stat().st_size
    assert logs(made.file) == logs(source)
    assert rows(made.file, "SELECT * FROM sessions") == rows(source, "SELECT * FROM sessions")


def test_a_backup_is_one_file_without_a_log_that_only_its_owner_may_read(source: Path, copies: Path) -> None:
    former = os.umask(0)
    try:
        made = back_up(source, copies / "hubbub.bak")
    finally:
        os.umask(former)
    assert [path.name for path in copies.iterdir()] == ["hubbub.bak"]
    assert stat.S_IMODE(made.file.stat().st_mode) == 0o600
    assert rows(made.file, "PRAGMA journal_mode") == [("delete",)]
    assert rows(made.file, "PRAGMA integrity_check") == [("ok",)]
    assert not is_broken(made.file)


def test_a_backup_of_a_stopped_server_leaves_its_folder_as_it_was(source: Path, copies: Path) -> None:
    before = snapshot(source.parent)
    back_up(source, copies / "hubbub.bak")
    assert snapshot(source.parent) == before


def test_a_backup_after_a_kill_holds_what_only_the_log_has_and_leaves_the_log_alone(
    source: Path, copies: Path
) -> None:
    left_by_a_kill(source, messages=5)
    log = source.with_name("hubbub.db-wal")
    before = (source.read_bytes(), log.read_bytes())
    made = back_up(source, copies / "hubbub.bak")
    assert made.contents.entries == 85
    assert (source.read_bytes(), log.read_bytes()) == before


def test_a_backup_through_a_symbolic_link_leaves_the_log_of_the_real_file_alone(
    source: Path, copies: Path
) -> None:
    left_by_a_kill(source, messages=5)
    link = source.parent.with_name("link.db")
    link.symlink_to(source)
    before = snapshot(source.parent)
    assert back_up(link, copies / "hubbub.bak").contents.entries == 85
    assert snapshot(source.parent)["hubbub.db-wal"] == before["hubbub.db-wal"]


def test_a_backup_is_of_one_moment_while_the_writer_goes_on(
    source: Path, copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(f"sqlite:///{source}")
    batches = 0

    def write_a_batch() -> None:
        nonlocal batches
        done = threading.Event()

        def work() -> None:
            with store.transaction() as connection:
                for room in (1, 2):
                    speak(_driver(connection), room, 3)
            done.set()

        store.thread.run(work)
        assert done.wait(60), "the writer was kept from writing"
        batches += 1

    _after_each_step(monkeypatch, copies, write_a_batch)
    try:
        made = back_up(source, copies / "hubbub.bak")
    finally:
        store.close()
    assert batches > 5
    whole = logs(source)
    assert {room: len(entries) for room, entries in whole.items()} == {
        1: 40 + 3 * batches,
        2: 40 + 3 * batches,
    }
    assert logs(made.file) == {room: entries[:40] for room, entries in whole.items()}
    assert [seq for seq, _ in logs(made.file)[1]] == list(range(1, 41))


def _driver(connection: Any) -> sqlite3.Connection:
    driver: sqlite3.Connection = connection.connection.driver_connection
    return driver


def _after_each_step(monkeypatch: pytest.MonkeyPatch, folder: Path, act: Callable[[], None]) -> None:
    """Have `act` called after every two pages of a copy in `folder`: each step is synced, and so can be seen."""
    sync = os.fsync

    def synced(file: int) -> None:
        sync(file)
        if os.fstat(file).st_ino in {path.stat().st_ino for path in folder.glob(".*.tmp")}:
            act()

    monkeypatch.setattr("hubbub.maintenance.copy._STEP_PAGES", 2)
    monkeypatch.setattr("hubbub.maintenance.copy.os.fsync", synced)


def test_a_backup_does_not_wait_for_a_writer_in_the_middle_of_a_transaction(
    source: Path, copies: Path
) -> None:
    with closing(sqlite3.connect(source, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("BEGIN IMMEDIATE")
        speak(writer, 1, 1)
        assert back_up(source, copies / "hubbub.bak").contents.entries == 80
        writer.execute("COMMIT")


def test_a_database_in_a_folder_where_nothing_can_be_made_is_read_all_the_same(
    source: Path, copies: Path
) -> None:
    # A read-only disk refuses SQLite's own files beside the database; so does a folder of that name.
    source.with_name("hubbub.db-shm").mkdir()
    assert back_up(source, copies / "hubbub.bak").contents.entries == 80


def test_on_a_full_disk_nothing_is_made_beside_the_database_to_read_it(
    source: Path, copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hubbub.maintenance.database.free_bytes", lambda _folder: 0)
    seen: list[set[str]] = []
    _after_each_step(monkeypatch, copies, lambda: seen.append(set(snapshot(source.parent))))
    assert back_up(source, copies / "hubbub.bak").contents.entries == 80
    assert {frozenset(names) for names in seen} == {frozenset({"hubbub.db"})}


def test_a_file_that_is_there_is_replaced_only_by_force(source: Path, copies: Path) -> None:
    file = copies / "hubbub.bak"
    file.write_text("mine")
    with pytest.raises(MaintenanceError, match="is there already: name another, or replace it with --force"):
        back_up(source, file)
    assert snapshot(copies) == {"hubbub.bak": b"mine"}
    assert back_up(source, file, replace=True).contents.entries == 80
    assert logs(file) == logs(source)


def test_a_file_that_comes_while_the_copy_is_made_is_not_replaced(copies: Path) -> None:
    file = copies / "hubbub.bak"
    with temporary(copies, "backup") as written:
        written.write_text("copy")
        file.write_text("mine")
        with pytest.raises(FileExistsError):
            put_in_place(written, file, replace=False)
    assert snapshot(copies) == {"hubbub.bak": b"mine"}


def test_where_there_are_no_links_a_copy_is_renamed_into_place(
    copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(self: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", no_links)
    with temporary(copies, "backup") as written:
        written.write_text("copy")
        put_in_place(written, copies / "hubbub.bak", replace=False)
    assert snapshot(copies) == {"hubbub.bak": b"copy"}


@pytest.mark.parametrize(
    "name", ["hubbub.db", "hubbub.db-wal", "hubbub.db-shm", "hubbub.db-journal", "hubbub.db.lock"]
)
def test_the_database_and_its_own_files_are_never_replaced(source: Path, name: str) -> None:
    before = snapshot(source.parent)
    with pytest.raises(MaintenanceError, match="belongs to the database itself"):
        back_up(source, source.parent / name, replace=True)
    assert snapshot(source.parent) == before


@pytest.mark.parametrize("link", [Path.symlink_to, Path.hardlink_to])
def test_another_name_of_the_database_is_never_replaced(
    source: Path, copies: Path, link: Callable[[Path, Path], None]
) -> None:
    link(copies / "hubbub.bak", source)
    with pytest.raises(MaintenanceError, match="belongs to the database itself"):
        back_up(source, copies / "hubbub.bak", replace=True)
    assert (copies / "hubbub.bak").samefile(source)


def test_a_copy_is_not_put_beside_the_log_of_another_database(source: Path, copies: Path) -> None:
    (copies / "hubbub.bak-wal").write_text("another's")
    with pytest.raises(MaintenanceError, match=r"hubbub\.bak-wal belongs to another database"):
        back_up(source, copies / "hubbub.bak", replace=True)


def test_a_folder_that_is_missing_is_named(source: Path, tmp_path: Path) -> None:
    with pytest.raises(MaintenanceError, match=f"There is no folder {tmp_path / 'none'}: make it first"):
        back_up(source, tmp_path / "none" / "hubbub.bak")


def test_a_file_in_place_of_the_folder_is_named(source: Path, copies: Path) -> None:
    (copies / "notes").write_text("a file")
    with pytest.raises(MaintenanceError, match="There is no folder"):
        back_up(source, copies / "notes" / "hubbub.bak")


def test_a_folder_is_no_file(source: Path, copies: Path) -> None:
    with pytest.raises(MaintenanceError, match="is a folder: name a file in it"):
        back_up(source, copies, replace=True)


def test_a_pipe_is_not_replaced_even_by_force(source: Path, copies: Path) -> None:
    os.mkfifo(copies / "pipe")
    with pytest.raises(MaintenanceError, match="is no plain file"):
        back_up(source, copies / "pipe", replace=True)
    assert (copies / "pipe").is_fifo()


def test_a_name_too_long_for_the_disk_is_said_in_a_line(source: Path, copies: Path) -> None:
    with pytest.raises(MaintenanceError, match="file name too long"):
        back_up(source, copies / ("x" * 300))
    assert snapshot(copies) == {}


def test_where_there_is_no_database_that_is_said(tmp_path: Path, copies: Path) -> None:
    with pytest.raises(MaintenanceError, match=r"There is no database at .*: name its folder with --data"):
        back_up(tmp_path / "none" / "hubbub.db", copies / "hubbub.bak")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_database_makes_no_backup_and_leaves_nothing(
    source: Path, copies: Path, damage: str
) -> None:
    DAMAGES[damage](source)
    (copies / "hubbub.bak").write_text("the last good one")
    before = snapshot(source.parent)
    with pytest.raises(DamagedError, match="A copy of it would be no backup: put an earlier one back"):
        back_up(source, copies / "hubbub.bak", replace=True)
    assert snapshot(copies) == {"hubbub.bak": b"the last good one"}
    assert snapshot(source.parent) == before


def test_a_database_of_another_program_is_none_of_ours(tmp_path: Path, copies: Path) -> None:
    with pytest.raises(MaintenanceError, match=r"is a database, but none of Hubbub's"):
        back_up(make_foreign(tmp_path / "other.db"), copies / "hubbub.bak")
    assert snapshot(copies) == {}


def test_a_database_of_a_newer_hubbub_is_left_to_that_one(tmp_path: Path, copies: Path) -> None:
    with pytest.raises(
        MaintenanceError, match=r"of a newer Hubbub than this one \(its tables are of version 9999\)"
    ):
        back_up(make_newer(tmp_path / "hubbub.db"), copies / "hubbub.bak")
    assert snapshot(copies) == {}


def test_a_database_that_another_program_holds_is_said_to_be_held(
    source: Path, copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hubbub.maintenance.database.BUSY_SECONDS", 0)
    with closing(sqlite3.connect(source, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=DELETE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(MaintenanceError, match=r"Another program holds .*hubbub\.db"):
            back_up(source, copies / "hubbub.bak")
    assert snapshot(copies) == {}


def test_a_disk_without_room_is_said_before_anything_is_written(copies: Path) -> None:
    with pytest.raises(
        MaintenanceError, match=r"has no room: 1,000,000,000\.0 GB are needed and .* are free"
    ):
        check_room(copies, 10**18)


def test_a_disk_that_fills_up_ends_in_one_line_with_nothing_left_and_the_last_backup_kept(
    source: Path, copies: Path
) -> None:
    (copies / "hubbub.bak").write_text("the last good one")
    before = snapshot(source.parent)
    ended = subprocess.run(
        [
            *(sys.executable, "-c", _WITH_LITTLE_ROOM, "backup", str(copies / "hubbub.bak"), "--force"),
            *("--data", str(source.parent)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"hubbub: The copy can't be written to {copies}: ")
    assert ended.stderr.count("\n") == 1
    assert snapshot(copies) == {"hubbub.bak": b"the last good one"}
    assert snapshot(source.parent) == before


# No file may grow past 40 KB, as on a full disk; the signal that comes with it is ignored by Python itself.
_WITH_LITTLE_ROOM = """
import resource, sys
from hubbub.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
main(sys.argv[1:])
"""


def test_a_database_that_this_user_may_not_look_for_is_said_in_a_line(
    source: Path, copies: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "exists", refused)
    with pytest.raises(MaintenanceError, match=r"hubbub\.db can't be read: permission denied"):
        back_up(source, copies / "hubbub.bak")
