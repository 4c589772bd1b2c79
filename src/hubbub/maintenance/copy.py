"""Copying a database into one complete file with SQLite's online backup, while others read and write."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Final

from hubbub.maintenance.database import size_bytes
from hubbub.maintenance.errors import DamagedError, MaintenanceError, is_damage, reason
from hubbub.maintenance.files import check_room

_STEP_PAGES: Final = 1_000


def copy_into(source: sqlite3.Connection, target: Path, folder: Path) -> None:
    """Write what `source` sees (see `database.reading`) to the empty file `target`, with no log beside it.

    `source` holds one moment of its database, so that the copy is of that moment and need not start again when
    something is written. Raises `MaintenanceError` if `folder`, where `target` is, has no room.
    """
    check_room(folder, size_bytes(source))
    with contextlib.ExitStack() as stack:
        # Closed last: closing any descriptor of a file drops the locks that SQLite holds on it.
        opened = os.open(target, os.O_RDONLY)
        stack.callback(os.close, opened)
        connection = stack.enter_context(contextlib.closing(sqlite3.connect(target, isolation_level=None)))
        try:
            # What is half-written is thrown away, so it needs no journal.
            connection.execute("PRAGMA journal_mode=OFF")
            connection.execute("PRAGMA synchronous=OFF")
            # Synced bit by bit: one large sync at the end would hold up the server's own.
            source.backup(
                connection, pages=_STEP_PAGES, progress=lambda _status, _left, _all: os.fsync(opened)
            )
            connection.execute("PRAGMA journal_mode=DELETE")
        except (sqlite3.Error, OSError) as error:
            if isinstance(error, sqlite3.Error) and is_damage(error):
                raise DamagedError(f"The database is damaged: {reason(error)}.") from None
            raise cannot_write(folder, error) from None


def cannot_write(folder: Path, error: sqlite3.Error | OSError) -> MaintenanceError:
    """What an error while writing a copy comes to."""
    return MaintenanceError(
        f"The copy can't be written to {folder}: {reason(error)}. Check the disk and its free room, or name another"
        " place."
    )
