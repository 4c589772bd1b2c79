"""Files that appear whole or not at all: written under another name in the same folder, synced, and put in place."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hubbub.maintenance.errors import MaintenanceError, reason

# What SQLite keeps beside a database: the log of what is newer, its index, and the journal of other modes.
COMPANIONS: Final = ("-wal", "-shm", "-journal")


def beside(database: Path, companion: str) -> Path:
    """The file that SQLite keeps beside `database`: `companion` is one of `COMPANIONS`."""
    return database.with_name(database.name + companion)


def check_place(file: Path, *, replace: bool) -> None:
    """Raise `MaintenanceError` unless a new `file` may be written where it is named."""
    if not file.parent.is_dir():
        raise MaintenanceError(f"There is no folder {file.parent}: make it first, or name another file.")
    try:
        kind = file.stat().st_mode
    except FileNotFoundError:
        pass
    except OSError as error:
        raise MaintenanceError(f"{file} can't be written: {reason(error)}. Name another file.") from None
    else:
        if stat.S_ISDIR(kind):
            raise MaintenanceError(f"{file} is a folder: name a file in it.")
        if not stat.S_ISREG(kind):
            raise MaintenanceError(f"{file} is no plain file: name another.")
        if not replace:
            raise MaintenanceError(f"{file} is there already: name another, or replace it with --force.")
    for companion in COMPANIONS:
        if beside(file, companion).exists():
            raise MaintenanceError(
                f"{beside(file, companion)} belongs to another database, and would be mixed with this one:"
                " remove it, or name another file."
            )


def check_room(folder: Path, needed_bytes: int) -> None:
    """Raise `MaintenanceError` if `folder`'s disk has no room for so much."""
    free = free_bytes(folder)
    if free < needed_bytes:
        raise MaintenanceError(
            f"{folder} has no room: {megabytes(needed_bytes)} are needed and {megabytes(free)} are free."
            " Make room, or name another place."
        )


def free_bytes(folder: Path) -> int:
    """How much may still be written to the disk that `folder` is on."""
    disk = os.statvfs(folder)
    return (disk.f_bfree if os.geteuid() == 0 else disk.f_bavail) * disk.f_frsize


def megabytes(size: int) -> str:
    """`size` bytes for people, e.g. ``12.4 MB``."""
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"


@contextlib.contextmanager
def temporary(folder: Path, purpose: str) -> Iterator[Path]:
    """A new empty file in `folder` that only its owner may read; gone at the end, unless it was put in place."""
    path = folder / f".hubbub-{purpose}-{secrets.token_hex(6)}.tmp"
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise MaintenanceError(
            f"{folder} can't be written: {reason(error)}. Give this user the right to write there, or name another"
            " place."
        ) from None
    try:
        yield path
    finally:
        for leftover in (path, *(beside(path, companion) for companion in COMPANIONS)):
            with contextlib.suppress(OSError):
                leftover.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Have the disk keep what was written to a file, or a folder's names."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def put_in_place(written: Path, file: Path, *, replace: bool) -> None:
    """Give the finished file `written` the name `file`, in one step, and have the disk keep that.

    Raises `FileExistsError` if there is one and it is not to be replaced.
    """
    sync(written)
    if replace:
        written.replace(file)
    else:
        _name(written, file)
    sync(file.parent)


def _name(written: Path, file: Path) -> None:
    try:
        # Unlike a rename, a link never replaces a file that came meanwhile.
        file.hardlink_to(written)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if file.exists():
            raise FileExistsError(file) from None
        written.replace(file)
    else:
        written.unlink()
