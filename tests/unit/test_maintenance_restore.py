"""Restoring: the copy whole in place of the database, which is kept; and where that can't be, nothing is touched."""

from __future__ import annotations

import fcntl
import os
import random
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hubbub.log.store import open_store
from hubbub.maintenance.backup import back_up
from hubbub.maintenance.database import Contents
from hubbub.maintenance.errors import DamagedError, DeclinedError, MaintenanceError
from hubbub.maintenance.lock import server_runs
from hubbub.maintenance.restore import Present, restore
from tests.fakes import FakeClock
from tests.maintenance_data import (
    DAMAGES,
    epoch,
    left_by_a_kill,
    logs,
    make_database,
    make_foreign,
    make_newer,
    rows,
    snapshot,
)

ROOT = Path(__file__).resolve().parents[2]
KEPT = "hubbub.before-restore-20270115T080000Z.db"  # by the time of FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A backup with 60 messages in each of two rooms."""
    source = make_database(tmp_path / "elsewhere" / "hubbub.db", messages=60)
    return back_up(source, tmp_path / "hubbub.bak").file


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """The database of a stopped server, with 10 messages in each of two rooms."""
    return make_database(tmp_path / "data" / "hubbub.db", messages=10)


def _never(*_: object) -> bool:
    pytest.fail("it asked")


def test_a_copy_takes_the_place_of_the_database_which_is_kept_beside(
    copy: Path, target: Path, clock: FakeClock
) -> None:
    former = logs(target)
    done = restore(copy, target, clock)
    assert (done.contents.entries, done.kept) == (120, target.with_name(KEPT))
    assert logs(target) == logs(copy)
    assert logs(target.with_name(KEPT)) == former
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert sorted(path.name for path in target.parent.iterdir()) == [KEPT, "hubbub.db", "hubbub.db.lock"]


def test_a_restored_log_has_a_new_epoch_and_everything_else_as_it_was(
    copy: Path, target: Path, clock: FakeClock
) -> None:
    done = restore(copy, target, clock)
    assert epoch(target) == done.epoch
    assert len({done.epoch, epoch(copy), epoch(target.with_name(KEPT))}) == 3
    for table in ("sessions", "users", "members", "entries", "rooms", "alembic_version"):
        assert rows(target, f"SELECT * FROM {table}") == rows(copy, f"SELECT * FROM {table}")


def test_each_restore_gives_another_epoch_and_keeps_another_database(
    copy: Path, target: Path, clock: FakeClock
) -> None:
    first, second = restore(copy, target, clock), restore(copy, target, clock)
    assert first.epoch != second.epoch
    assert second.kept == target.with_name("hubbub.before-restore-20270115T080000Z-2.db")


def test_a_server_opens_what_was_restored(copy: Path, target: Path, clock: FakeClock) -> None:
    done = restore(copy, target, clock)
    open_store(f"sqlite:///{target}").close()
    assert epoch(target) == done.epoch
    assert rows(target, "PRAGMA journal_mode") == [("wal",)]


def test_a_copy_is_restored_where_there_was_nothing_without_asking(
    copy: Path, tmp_path: Path, clock: FakeClock
) -> None:
    target = tmp_path / "new" / "deep" / "hubbub.db"
    done = restore(copy, target, clock, _never)
    assert (done.kept, logs(target)) == (None, logs(copy))
    assert stat.S_IMODE(target.parent.stat().st_mode) == 0o700


def test_a_database_that_nobody_used_is_replaced_without_asking(
    copy: Path, tmp_path: Path, clock: FakeClock
) -> None:
    target = tmp_path / "data" / "hubbub.db"
    open_store(f"sqlite:///{target}").close()
    assert restore(copy, target, clock, _never).kept == target.with_name(KEPT)


@pytest.mark.parametrize("content", [b"", None])
def test_an_empty_file_or_database_is_replaced_without_asking(
    copy: Path, tmp_path: Path, clock: FakeClock, content: bytes | None
) -> None:
    target = tmp_path / "hubbub.db"
    if content is None:
        with closing(sqlite3.connect(target)) as connection:
            connection.execute("VACUUM")
    else:
        target.write_bytes(content)
    restore(copy, target, clock, _never)
    assert logs(target) == logs(copy)


def test_who_is_asked_sees_both_and_may_decline(copy: Path, target: Path, clock: FakeClock) -> None:
    asked: list[tuple[str, int]] = []

    def no(present: Present, found: Contents) -> bool:
        asked.append((str(present), found.entries))
        return False

    target.with_name("hubbub.db.lock").touch()
    before = snapshot(target.parent)
    with pytest.raises(DeclinedError):
        restore(copy, target, clock, no)
    shown = "2 rooms, 20 entries, 2 users, up to 2026-09-21T14:13:20.010Z (entry 10 of room-2)"
    assert asked == [(shown, 120)]
    assert snapshot(target.parent) == before


def test_no_server_can_start_while_somebody_is_asked(copy: Path, target: Path, clock: FakeClock) -> None:
    restore(copy, target, clock, lambda *_: server_runs(target))
    assert not server_runs(target)
    assert logs(target) == logs(copy)


def test_what_a_killed_server_left_in_its_log_is_kept_and_not_mixed_in(
    copy: Path, target: Path, clock: FakeClock
) -> None:
    left_by_a_kill(target, messages=5)
    restore(copy, target, clock)
    assert sorted(path.name for path in target.parent.iterdir()) == [KEPT, "hubbub.db", "hubbub.db.lock"]
    assert len(logs(target.with_name(KEPT))[1]) == 15
    assert logs(target) == logs(copy)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_copy_is_refused_and_touches_nothing(
    copy: Path, target: Path, clock: FakeClock, damage: str
) -> None:
    DAMAGES[damage](copy)
    before = snapshot(target.parent), snapshot(copy.parent)
    with pytest.raises(DamagedError, match=r"hubbub\.bak is (damaged|empty)"):
        restore(copy, target, clock)
    assert (snapshot(target.parent), snapshot(copy.parent)) == before


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_without_a_checksum_is_refused_all_the_same(
    tmp_path: Path, target: Path, clock: FakeClock, damage: str
) -> None:
    file = make_database(tmp_path / "plain.db", messages=60)
    DAMAGES[damage](file)
    before = snapshot(target.parent), snapshot(file.parent)
    with pytest.raises(DamagedError, match=r"plain\.db is (damaged|empty)"):
        restore(file, target, clock)
    assert (snapshot(target.parent), snapshot(file.parent)) == before


def test_one_flipped_bit_anywhere_in_a_copy_is_found(copy: Path, target: Path, clock: FakeClock) -> None:
    whole = copy.read_bytes()
    dice = random.Random(10)
    before = snapshot(target.parent)
    for _ in range(100):
        flipped = bytearray(whole)
        flipped[dice.randrange(len(whole))] ^= 1 << dice.randrange(8)
        copy.write_bytes(flipped)
        with pytest.raises(MaintenanceError):
            restore(copy, target, clock)
    assert snapshot(target.parent) == before


def test_a_plain_copy_of_the_files_is_restored_with_its_log(
    tmp_path: Path, target: Path, clock: FakeClock
) -> None:
    file = make_database(tmp_path / "plain" / "hubbub.db", messages=3)
    left_by_a_kill(file, messages=4)
    before = (file.read_bytes(), file.with_name("hubbub.db-wal").read_bytes())
    restore(file, target, clock)
    assert [len(entries) for entries in logs(target).values()] == [7, 3]
    assert (file.read_bytes(), file.with_name("hubbub.db-wal").read_bytes()) == before


def test_a_copy_that_has_been_served_since_needs_no_checksum(
    copy: Path, target: Path, clock: FakeClock
) -> None:
    open_store(f"sqlite:///{copy}").close()
    restore(copy, target, clock)
    again = back_up(target, target.with_name("again.bak"))
    assert restore(again.file, target, clock).contents.entries == 120


def test_a_copy_of_a_newer_hubbub_is_refused(tmp_path: Path, target: Path, clock: FakeClock) -> None:
    newer = make_newer(tmp_path / "newer.db")
    before = snapshot(target.parent)
    with pytest.raises(MaintenanceError, match="of a newer Hubbub than this one"):
        restore(newer, target, clock)
    assert snapshot(target.parent) == before


def test_a_database_of_another_program_is_refused(tmp_path: Path, target: Path, clock: FakeClock) -> None:
    foreign = make_foreign(tmp_path / "other.db")
    before = snapshot(target.parent)
    with pytest.raises(MaintenanceError, match="none of Hubbub's"):
        restore(foreign, target, clock)
    assert snapshot(target.parent) == before


def test_another_programs_database_is_not_replaced(copy: Path, tmp_path: Path, clock: FakeClock) -> None:
    foreign = make_foreign(tmp_path / "other.db")
    before = foreign.read_bytes()
    with pytest.raises(MaintenanceError, match=r"other\.db is a database, but none of Hubbub's"):
        restore(copy, foreign, clock)
    assert foreign.read_bytes() == before


def test_a_database_that_a_newer_hubbub_upgraded_is_replaced(
    copy: Path, tmp_path: Path, clock: FakeClock
) -> None:
    target = make_newer(tmp_path / "data" / "hubbub.db")
    restore(copy, target, clock, lambda present, _: "of a newer Hubbub" in str(present))
    assert logs(target) == logs(copy)


@pytest.mark.parametrize("damage", [name for name in DAMAGES if name != "an empty file"])
def test_a_damaged_database_is_replaced_and_kept_as_it_was(
    copy: Path, target: Path, clock: FakeClock, damage: str
) -> None:
    DAMAGES[damage](target)
    damaged = target.read_bytes()
    restore(copy, target, clock)
    assert logs(target) == logs(copy)
    if damage not in (
        "a page of zeros",
        "a page of noise",
        "an index that lost its rows",
        "cut within a page",
    ):
        assert target.with_name(KEPT).read_bytes() == damaged
    assert target.with_name(KEPT).stat().st_size > 0


def test_a_damaged_database_is_kept_with_its_log(copy: Path, target: Path, clock: FakeClock) -> None:
    left_by_a_kill(target)
    log = target.with_name("hubbub.db-wal").read_bytes()
    target.write_bytes(b"no database" * 1_000)
    restore(copy, target, clock)
    assert target.with_name(f"{KEPT}-wal").read_bytes() == log
    assert target.with_name(KEPT).read_bytes() == b"no database" * 1_000
    assert not target.with_name("hubbub.db-wal").exists()
    assert logs(target) == logs(copy)


def test_while_a_server_holds_its_lock_nothing_is_touched(copy: Path, target: Path, clock: FakeClock) -> None:
    with target.with_name("hubbub.db.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = snapshot(target.parent)
        with pytest.raises(MaintenanceError, match=r"A server is running on .*: end it first"):
            restore(copy, target, clock)
        assert snapshot(target.parent) == before


def test_while_another_program_has_the_database_open_nothing_is_touched(
    copy: Path, target: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hubbub.maintenance.database.BUSY_SECONDS", 0)
    before = logs(target)
    store = open_store(f"sqlite:///{target}")
    try:
        store.read_now(lambda connection: connection.exec_driver_sql("SELECT 1 FROM meta").all())
        with pytest.raises(MaintenanceError, match=r"Another program has .* open: end it first"):
            restore(copy, target, clock)
    finally:
        store.close()
    assert logs(target) == before
    assert sorted(path.name for path in target.parent.iterdir()) == ["hubbub.db", "hubbub.db.lock"]


def test_the_database_itself_is_no_copy(target: Path, clock: FakeClock) -> None:
    before = snapshot(target.parent)
    with pytest.raises(MaintenanceError, match="is the database itself: name a copy of it"):
        restore(target, target, clock)
    assert snapshot(target.parent) == before


@pytest.mark.parametrize("name", ["none.bak", "folder"])
def test_a_copy_that_is_not_there_is_named(tmp_path: Path, target: Path, clock: FakeClock, name: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(MaintenanceError, match=f"{name} can't be read"):
        restore(tmp_path / name, target, clock)


def test_a_database_that_this_user_may_not_look_for_is_said_in_a_line(
    copy: Path, target: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "exists", refused)
    with pytest.raises(MaintenanceError, match="can't be reached: permission denied"):
        restore(copy, target, clock)


def test_a_data_folder_that_can_not_be_made_is_named(copy: Path, clock: FakeClock) -> None:
    with pytest.raises(MaintenanceError, match=r"hubbub\.bak can't be made: .*\. Give another with --data"):
        restore(copy, copy / "hubbub.db", clock)


def test_a_folder_in_place_of_the_database_is_refused(copy: Path, tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "data" / "hubbub.db").mkdir(parents=True)
    with pytest.raises(MaintenanceError, match="it is a folder"):
        restore(copy, tmp_path / "data" / "hubbub.db", clock)


def test_behind_a_symbolic_link_the_real_file_is_replaced(
    copy: Path, target: Path, tmp_path: Path, clock: FakeClock
) -> None:
    link = tmp_path / "linked" / "hubbub.db"
    link.parent.mkdir()
    link.symlink_to(target)
    restore(copy, link, clock)
    assert link.is_symlink()
    assert logs(target) == logs(copy)
    assert target.with_name(KEPT).exists()


def test_where_there_are_no_links_the_database_is_renamed_and_kept(
    copy: Path, target: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "hardlink_to", _not_permitted)
    former = logs(target)
    restore(copy, target, clock)
    assert (logs(target), logs(target.with_name(KEPT))) == (logs(copy), former)


@pytest.mark.parametrize("links", [True, False])
def test_a_last_step_that_fails_leaves_the_database_in_its_place(
    copy: Path, target: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    if not links:
        monkeypatch.setattr(Path, "hardlink_to", _not_permitted)
    monkeypatch.setattr(Path, "replace", _not_permitted)
    target.with_name("hubbub.db.lock").touch()
    former = logs(target)
    with pytest.raises(MaintenanceError, match=r"The copy can't be written to .*: operation not permitted"):
        restore(copy, target, clock)
    assert logs(target) == former
    assert sorted(path.name for path in target.parent.iterdir()) == ["hubbub.db", "hubbub.db.lock"]


def test_a_last_step_that_fails_leaves_a_damaged_database_its_log(
    copy: Path, target: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_by_a_kill(target)
    target.write_bytes(b"no database" * 1_000)
    target.with_name("hubbub.db.lock").touch()
    monkeypatch.setattr(Path, "replace", _not_permitted)
    before = snapshot(target.parent)
    with pytest.raises(MaintenanceError, match="operation not permitted"):
        restore(copy, target, clock)
    assert snapshot(target.parent) == before


def _not_permitted(*_: Any) -> None:
    raise PermissionError(1, "Operation not permitted")


def test_a_disk_that_fills_up_leaves_the_database_as_it_was(copy: Path, target: Path) -> None:
    target.with_name("hubbub.db.lock").touch()
    before = snapshot(target.parent)
    ended = _hubbub_with_little_room("restore", str(copy), "--yes", "--data", str(target.parent))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"hubbub: The copy can't be written to {target.parent}: ")
    assert ended.stderr.count("\n") == 1
    assert snapshot(target.parent) == before


def _hubbub_with_little_room(*arguments: str) -> subprocess.CompletedProcess[str]:
    # No file may grow past 40 KB, as on a full disk; the signal that comes with it is ignored by Python itself.
    program = (
        "import resource, sys\n"
        "from hubbub.cli import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))\n"
        "main(sys.argv[1:])\n"
    )
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_root_leaves_the_files_to_the_owner_of_the_database(
    copy: Path, target: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[str, int, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "chown", lambda path, user, group: given.append((Path(path).suffix, user, group)))
    owner = target.stat()
    restore(copy, target, clock)
    assert given == [(suffix, owner.st_uid, owner.st_gid) for suffix in (".lock", ".tmp")]


def test_a_copy_on_another_disk_is_restored_too(copy: Path, target: Path, clock: FakeClock) -> None:
    elsewhere = Path("/dev/shm")
    file = (elsewhere if elsewhere.is_dir() else copy.parent) / f"hubbub-test-{os.getpid()}.bak"
    shutil.copy(copy, file)
    try:
        restore(file, target, clock)
    finally:
        file.unlink()
    assert logs(target) == logs(copy)
