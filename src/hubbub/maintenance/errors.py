"""What is refused when looking after a database, each in one line that says what to do."""

from __future__ import annotations

import sqlite3


class MaintenanceError(Exception):
    """It can't be done; nothing was changed. The text says why and what to do, in one line."""


class DamagedError(MaintenanceError):
    """The file is damaged, or no database at all."""


class NewerError(MaintenanceError):
    """The database was made by a newer Hubbub than this one."""


class DeclinedError(MaintenanceError):
    """The person who was asked said no."""


def reason(error: OSError | sqlite3.Error) -> str:
    """What an error of the system or of SQLite says, without numbers and paths."""
    text = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return text[0].lower() + text[1:]


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another program holds the database."""
    return _primary(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file is not what SQLite writes."""
    return _primary(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def cannot_make_files(error: sqlite3.Error) -> bool:
    """Whether SQLite could perhaps not make the files that it wants beside a database: no right to, or no room."""
    return _primary(error) in (
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
    )


def _primary(error: sqlite3.Error) -> int:
    # The low byte; above it SQLite says more about the place (https://www.sqlite.org/rescode.html).
    return int(getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
