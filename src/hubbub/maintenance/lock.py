"""The lock by which one server at a time works on a SQLite database: held by a server, taken here for a restore.

A server holds an flock on the file ``<database>.lock``, see `hubbub.server`.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from hubbub.maintenance.errors import MaintenanceError, reason


def lock_file(database: Path) -> Path:
    """The file that a server on `database` holds."""
    return database.with_name(database.name + ".lock")


def server_runs(database: Path) -> bool:
    """Whether a server works on `database` now. Makes no file."""
    try:
        opened = os.open(lock_file(database), os.O_RDONLY)
    except OSError:
        return False  # never made, or not ours to see
    try:
        fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(opened)
    return False


@contextlib.contextmanager
def no_server(database: Path) -> Iterator[None]:
    """Keep servers off `database` until the block ends. Raises `MaintenanceError` if one works on it."""
    path = lock_file(database)
    try:
        opened = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise MaintenanceError(
            f"{path} can't be opened: {reason(error)}. Do this as the user that the server runs as."
        ) from None
    try:
        owned_as(path, database.parent)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise server_is_running(database) from None
        yield
    finally:
        os.close(opened)


def server_is_running(database: Path) -> MaintenanceError:
    """The refusal while a server works on `database`."""
    return MaintenanceError(
        f"A server is running on {database}: end it first (Ctrl-C, or systemctl stop), then restore again."
    )


def owned_as(path: Path, model: Path) -> None:
    """Give `path` the owner of `model`, if this is root: the server may run as another user, and must get at it."""
    if os.geteuid() == 0:
        wanted = model.stat()
        with contextlib.suppress(OSError):  # a file system without owners
            os.chown(path, wanted.st_uid, wanted.st_gid)
