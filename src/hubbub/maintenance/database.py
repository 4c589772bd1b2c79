"""A SQLite database as a file: where it is, opening it without leaving a trace, whether it is sound, what is in it."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from hubbub.clock import rfc3339
from hubbub.log.migrate import migrations
from hubbub.maintenance.errors import (
    DamagedError,
    MaintenanceError,
    NewerError,
    cannot_make_files,
    is_busy,
    is_damage,
    reason,
)
from hubbub.maintenance.files import beside, free_bytes
from hubbub.settings import Settings

BUSY_SECONDS: Final = 5.0
_ROOM_FOR_COMPANIONS_BYTES: Final = 1_000_000
# Tables that every version has had: by them a database is known as one of Hubbub's.
_OURS: Final = frozenset({"alembic_version", "meta", "users", "rooms", "members", "entries"})


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of one room."""

    room: str
    seq: int


@dataclass(frozen=True, slots=True)
class Contents:
    """What a database holds. `newest` is the entry written last, `newest_ms` when (milliseconds since 1970)."""

    rooms: int
    entries: int
    users: int
    newest: Head | None
    newest_ms: int | None
    heads: tuple[Head, ...]

    @property
    def anything(self) -> bool:
        """Whether anybody has put something there: more than the entry with which each room begins."""
        return self.users > 0 or self.entries > self.rooms

    def __str__(self) -> str:
        counted = ", ".join(
            f"{count:,} {one if count == 1 else many}"
            for count, one, many in (
                (self.rooms, "room", "rooms"),
                (self.entries, "entry", "entries"),
                (self.users, "user", "users"),
            )
        )
        if self.newest is None or self.newest_ms is None:
            return counted
        return f"{counted}, up to {when(self.newest_ms)} (entry {self.newest.seq:,} of {self.newest.room})"


def when(milliseconds: int) -> str:
    """A time of the log for people, or that it is none."""
    try:
        return rfc3339(milliseconds / 1000)
    except (OverflowError, OSError, ValueError):
        return f"a time that can't be ({milliseconds})"


def sqlite_path(settings: Settings) -> Path:
    """Where the database of `settings` is. Raises `MaintenanceError` if it is none of SQLite's, or no file."""
    try:
        url = make_url(settings.database_url)
    except (ArgumentError, ValueError):
        raise MaintenanceError(
            "The database's URL can't be read: write it like sqlite:////path/to/file.db, or leave it out to keep data"
            " in --data."
        ) from None
    if (kind := url.get_backend_name()) != "sqlite":
        raise MaintenanceError(
            f"This is for SQLite, and the database is {kind}: use that database's own tools"
            " (for PostgreSQL, pg_dump and pg_restore)."
        )
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise MaintenanceError(
            "The database is no file: name one with --data, or --database sqlite:////path."
        )
    return Path(url.database).absolute()


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that only reads `path`: one moment of it, however much is written meanwhile.

    It keeps nobody from reading or writing, and leaves no file behind that was not there. Raises `MaintenanceError`,
    also for what SQLite says inside the block.
    """
    try:
        connection = _opened(path)
    except (sqlite3.Error, OSError, UnicodeError) as error:
        raise explained(path, error) from None
    try:
        yield connection
    except (sqlite3.Error, UnicodeError) as error:
        raise explained(path, error) from None
    finally:
        connection.close()


def explained(path: Path, error: sqlite3.Error | OSError | UnicodeError) -> MaintenanceError:
    """What an error while reading `path` comes to."""
    if isinstance(error, UnicodeError):
        # Python's, for a name or an error message of SQLite's with damaged text in it.
        return DamagedError(f"{path} is damaged: text in it is none.")
    if isinstance(error, sqlite3.Error):
        if is_damage(error):
            return DamagedError(f"{path} is damaged, or no database: {reason(error)}.")
        if is_busy(error):
            return MaintenanceError(f"Another program holds {path}: end it, or try again later.")
    return MaintenanceError(f"{path} can't be read: {reason(error)}. Check that this user may read it.")


def _opened(path: Path) -> sqlite3.Connection:
    if not path.exists():
        raise FileNotFoundError(0, "there is no such file")
    if path.is_dir():
        raise IsADirectoryError(0, "it is a folder")
    if path.stat().st_size == 0:
        raise DamagedError(f"{path} is empty, and no database.")
    path = path.resolve()  # SQLite keeps its files beside the file that a symbolic link leads to
    log = beside(path, "-wal")
    # Where a log lies beside it, the last one to close a writable connection would fold it in: read only, then.
    # Where none does, a read-only connection would leave one behind, and a writable one takes it away again.
    how = "mode=ro" if log.exists() else "mode=rw"
    # Where nothing can be made, as on a read-only or a full disk, nobody else writes either.
    alone = "immutable=1"
    if not log.exists() and free_bytes(path.parent) < _ROOM_FOR_COMPANIONS_BYTES:
        how = alone  # SQLite would leave half of what it wanted to make
    try:
        return _snapshot(path, how)
    except sqlite3.Error as error:
        if not cannot_make_files(error) or (log.exists() and log.stat().st_size > 0):
            raise
    return _snapshot(path, alone)


def _snapshot(path: Path, how: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{how}", uri=True, isolation_level=None, timeout=BUSY_SECONDS
    )
    try:
        connection.execute("PRAGMA query_only=ON")
        # A file from elsewhere may hold more than data (https://www.sqlite.org/security.html).
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("PRAGMA cell_size_check=ON")
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute("PRAGMA cache_size=-32000")
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def faults(connection: sqlite3.Connection, *, thorough: bool) -> list[str]:
    """What is wrong with the database, the first few; none if it is sound. `thorough` compares the indexes too."""
    check = "integrity_check" if thorough else "quick_check"
    try:
        found = [str(row[0]) for row in connection.execute(f"PRAGMA {check}(3)")]
    except UnicodeError:
        return ["text in it is none"]
    except sqlite3.Error as error:
        if not is_damage(error):
            raise
        return [reason(error)]
    return [] if found == ["ok"] else [" ".join(fault.split()) for fault in found]


def revision(connection: sqlite3.Connection, path: Path) -> str:
    """The version of the tables. Raises `MaintenanceError` if they are not Hubbub's, or of a later one than this."""
    tables = tables_of(connection)
    found = (
        connection.execute("SELECT version_num FROM alembic_version").fetchall() if tables >= _OURS else []
    )
    if len(found) != 1:
        raise MaintenanceError(f"{path} is a database, but none of Hubbub's.")
    number = str(found[0][0])
    if number not in {script.revision for script in migrations().walk_revisions()}:
        raise NewerError(
            f"{path} is of a newer Hubbub than this one (its tables are of version {number}): install that one first."
        )
    return number


def tables_of(connection: sqlite3.Connection) -> set[str]:
    """The names of the tables."""
    return {str(row[0]) for row in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")}


def newest_revision() -> str:
    """The version of the tables that this Hubbub makes."""
    return str(migrations().get_current_head())


def contents(connection: sqlite3.Connection, path: Path) -> Contents:
    """What the database at `path` holds. Reads every entry's row. Raises `DamagedError` if rows hold other things."""
    try:
        return _contents(connection)
    except UnicodeError:
        raise
    except (TypeError, ValueError):  # SQLite keeps any kind of value in any column, and a flipped bit is one
        raise DamagedError(f"{path} is damaged: numbers in it are none.") from None


def _contents(connection: sqlite3.Connection) -> Contents:
    rooms = {
        int(id_): str(name) if kind != "direct" else f"direct room {id_}"
        for id_, name, kind in connection.execute("SELECT id, name, kind FROM rooms")
    }
    heads = []
    entries = 0
    for room_id, count, seq in connection.execute(
        "SELECT room_id, count(*), max(seq) FROM entries GROUP BY room_id ORDER BY room_id"
    ):
        entries += int(count)
        heads.append(Head(rooms.get(int(room_id), f"room {room_id}"), int(seq)))
    newest = connection.execute(
        "SELECT room_id, seq, at FROM entries ORDER BY at DESC, room_id DESC, seq DESC LIMIT 1"
    ).fetchone()
    return Contents(
        rooms=len(rooms),
        entries=entries,
        users=int(connection.execute("SELECT count(*) FROM users").fetchone()[0]),
        newest=Head(rooms.get(newest[0], f"room {newest[0]}"), int(newest[1])) if newest else None,
        newest_ms=int(newest[2]) if newest else None,
        heads=tuple(heads),
    )


def size_bytes(connection: sqlite3.Connection) -> int:
    """How large the database is, with what its log holds."""
    pages, page = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    return int(pages) * int(page)
