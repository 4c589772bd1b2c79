"""`hubbub restore`: puts a copy in the place of a stopped server's database, and keeps the one that was there.

What is in the folder is at every moment either the database that was there or the copy, whole. The copy gets a new
epoch: clients that hold numbers of what came after it was made start anew.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hubbub.accounts.audit import COMMAND_LINE
from hubbub.clock import Clock
from hubbub.log.migrate import new_epoch
from hubbub.maintenance import database
from hubbub.maintenance.copy import cannot_write, copy_into
from hubbub.maintenance.database import Contents
from hubbub.maintenance.errors import (
    DamagedError,
    DeclinedError,
    MaintenanceError,
    NewerError,
    is_busy,
    reason,
)
from hubbub.maintenance.files import COMPANIONS, beside, sync, temporary
from hubbub.maintenance.lock import no_server, owned_as, server_is_running, server_runs
from hubbub.maintenance.seal import is_broken


@dataclass(frozen=True, slots=True)
class Present:
    """The database that a copy is about to replace: its contents, or what keeps them from being read."""

    path: Path
    contents: Contents | None
    fault: str = ""

    @property
    def worth_asking(self) -> bool:
        """Whether something may be lost with it."""
        return self.contents is None or self.contents.anything

    def __str__(self) -> str:
        return f"{self.contents}" if self.contents is not None else self.fault


@dataclass(frozen=True, slots=True)
class Restored:
    """A copy that is now the database. `kept` is where the one before it is."""

    database: Path
    contents: Contents
    kept: Path | None
    epoch: str


def restore(
    file: Path, target: Path, clock: Clock, agree: Callable[[Present, Contents], bool] = lambda *_: True
) -> Restored:
    """Make the database in `file` the one at `target`, which is kept beside under another name.

    `agree` is asked before a database that has something in it is replaced. Raises `MaintenanceError`, and then
    changes nothing: if `file` is damaged, of a newer version or none of Hubbub's, if a server or another program
    works on `target`, or if the disk is full.
    """
    try:
        return _restored(file, target, clock, agree)
    except OSError as error:
        raise MaintenanceError(
            f"{error.filename or target.parent} can't be reached: {reason(error)}."
            " Do this as the user that the server runs as."
        ) from None


def _restored(file: Path, target: Path, clock: Clock, agree: Callable[[Present, Contents], bool]) -> Restored:
    if server_runs(target):
        raise server_is_running(target)
    if file.exists() and target.exists() and file.samefile(target):
        raise MaintenanceError(f"{file} is the database itself: name a copy of it.")
    _check_seal(file)
    with database.reading(file) as source:
        found = _sound(source, file)
        _make_folder(target.parent)
        with no_server(target):
            present = _present(target)
            if present is not None and present.worth_asking and not agree(present, found):
                raise DeclinedError("Nothing was changed.")
            try:
                return _put_in(source, found, target, clock)
            except OSError as error:
                raise cannot_write(target.parent, error) from None


def _check_seal(file: Path) -> None:
    try:
        broken = is_broken(file)
    except OSError as error:
        raise database.explained(file, error) from None
    if broken:
        raise DamagedError(
            f"{file} is damaged, or was changed after it was made: its checksum is another. Take another copy."
        )


def _sound(source: sqlite3.Connection, file: Path) -> Contents:
    """What is in a copy that may be restored. Raises `MaintenanceError` for any other."""
    wrong = database.faults(source, thorough=True)
    if wrong:
        raise DamagedError(f"{file} is damaged: {wrong[0]}. Take another copy.")
    database.revision(source, file)
    return database.contents(source, file)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise MaintenanceError(
            f"The data folder {folder} can't be made: {reason(error)}. Give another with --data."
        ) from None


def _present(target: Path) -> Present | None:
    """What is about to be replaced; None if it is nothing. Raises `MaintenanceError` for what is none of Hubbub's."""
    if not _is_there(target):
        return None
    try:
        with database.reading(target) as connection:
            if wrong := database.faults(connection, thorough=False):
                return Present(target, None, f"damaged: {wrong[0]}")
            if not database.tables_of(connection):
                return None
            database.revision(connection, target)
            return Present(target, database.contents(connection, target))
    except (DamagedError, NewerError) as error:
        return Present(target, None, str(error).rstrip("."))


def _is_there(path: Path) -> bool:
    """Whether there is more than the empty file that a start leaves which came to nothing."""
    return path.exists() and not (path.is_file() and path.stat().st_size == 0)


def _put_in(source: sqlite3.Connection, found: Contents, target: Path, clock: Clock) -> Restored:
    real = target.resolve()  # SQLite keeps its files beside the file that a symbolic link leads to
    epoch = new_epoch()
    with temporary(real.parent, "restore") as copy:
        copy_into(source, copy, real.parent)
        _name_anew(copy, epoch, int(clock.now() * 1000))
        with database.reading(copy) as connection:
            if wrong := database.faults(connection, thorough=False):
                raise MaintenanceError(
                    f"The copy at {real.parent} could not be written rightly: {wrong[0]}. Check that disk."
                )
        owned_as(copy, real if real.exists() else real.parent)
        sync(copy)
        kept = _free_name(real, clock)
        with _nobody_else(real):
            kept_one = _swap(copy, real, kept)
    return Restored(target, found, kept if kept_one else None, epoch)


def _name_anew(copy: Path, epoch: str, now: int) -> None:
    with contextlib.closing(sqlite3.connect(copy)) as connection:
        try:
            with connection:
                # The checksum was of the copy; from here on the database changes.
                connection.execute("PRAGMA application_id=0")
                connection.execute("PRAGMA user_version=0")
                connection.execute("DELETE FROM meta WHERE key = 'epoch'")
                connection.execute("INSERT INTO meta (key, value) VALUES ('epoch', ?)", (epoch,))
                _record(connection, now)
        except sqlite3.Error as error:
            raise cannot_write(copy.parent, error) from None


def _record(connection: sqlite3.Connection, now: int) -> None:
    """Leave an entry in the audit log, or where the copy is too old to have one, what the upgrade makes it from."""
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'audit'").fetchone():
        connection.execute(
            "INSERT INTO audit (at, until, kind, visit, address, count) VALUES (?, ?, 'restored', 0, ?, 1)",
            (now, now, COMMAND_LINE),
        )
    else:
        connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES ('restored_at', ?)", (str(now),))


def _free_name(real: Path, clock: Clock) -> Path:
    stamp = datetime.fromtimestamp(clock.now(), UTC).strftime("%Y%m%dT%H%M%SZ")
    number = 1
    while True:
        again = f"-{number}" if number > 1 else ""
        name = real.with_name(f"{real.stem}.before-restore-{stamp}{again}{real.suffix}")
        if not any(path.exists() for path in (name, *(beside(name, companion) for companion in COMPANIONS))):
            return name
        number += 1


@contextlib.contextmanager
def _nobody_else(real: Path) -> Iterator[None]:
    """Have the present database whole in one file, and keep every program away from it until the block ends.

    A damaged one can't be made whole, and stays as it is, with its log. Raises `MaintenanceError` if a program has
    it open.
    """
    if not _is_there(real):
        yield
        return
    connection = sqlite3.connect(real, isolation_level=None, timeout=database.BUSY_SECONDS)
    try:
        _take(connection, real)
        yield
    finally:
        connection.close()


def _take(connection: sqlite3.Connection, real: Path) -> None:
    try:
        # Leaving WAL folds the log in, and is refused while anyone else has the database open.
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("BEGIN EXCLUSIVE")
        mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    except (sqlite3.Error, UnicodeError) as error:
        if isinstance(error, UnicodeError) or not is_busy(error):
            return  # damaged, or on a disk that fails: what is there is kept as it is
        mode = "busy"
    if mode != "delete":  # somebody came between the two
        raise MaintenanceError(f"Another program has {real} open: end it first.")


def _swap(copy: Path, real: Path, kept: Path) -> bool:
    """Put `copy` in the place of `real`, which gets the name `kept`; whether there was one."""
    there = _is_there(real)
    moved: list[tuple[Path, Path]] = []
    try:
        if there:
            _keep(real, kept)
        for companion in COMPANIONS:
            if beside(real, companion).exists():
                beside(real, companion).rename(beside(kept, companion))
                moved.append((beside(real, companion), beside(kept, companion)))
        copy.replace(real)
    except BaseException:
        for former, now in moved:
            now.rename(former)
        if there:
            _take_back(real, kept)
        raise
    sync(real.parent)
    return there


def _keep(real: Path, kept: Path) -> None:
    try:
        # A second name, so that at no moment there is no database: a server that starts would make an empty one.
        kept.hardlink_to(real)
    except OSError:  # a file system without links
        real.rename(kept)


def _take_back(real: Path, kept: Path) -> None:
    with contextlib.suppress(OSError):
        if real.exists():
            kept.unlink()
        else:
            kept.rename(real)
