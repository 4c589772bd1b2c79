"""`hubbub backup`: a copy of the database of a running or stopped server, complete in one file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hubbub.maintenance import database
from hubbub.maintenance.copy import cannot_write, copy_into
from hubbub.maintenance.database import Contents
from hubbub.maintenance.errors import DamagedError, MaintenanceError
from hubbub.maintenance.files import COMPANIONS, beside, check_place, put_in_place, temporary
from hubbub.maintenance.lock import lock_file
from hubbub.maintenance.seal import seal


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy that was made, checked and kept by the disk."""

    file: Path
    size_bytes: int
    contents: Contents


def back_up(source: Path, file: Path, *, replace: bool = False) -> Backup:
    """Copy the database `source`, as it is at one moment, to `file`; a server on it goes on.

    The copy is one file that only its owner may read. It appears under its name only once it has been checked and
    is on disk. Raises `MaintenanceError`, and then leaves nothing behind.
    """
    file = file.absolute()
    _check_there(source)
    try:
        _check_not_its_own(source, file)
        check_place(file, replace=replace)
        return _backed_up(source, file, replace=replace)
    except DamagedError as error:
        raise DamagedError(
            f"{error} A copy of it would be no backup: put an earlier one back with `hubbub restore FILE`."
        ) from None
    except FileExistsError:
        raise MaintenanceError(f"{file} came meanwhile: name another, or replace it with --force.") from None
    except OSError as error:
        raise cannot_write(file.parent, error) from None


def _backed_up(source: Path, file: Path, *, replace: bool) -> Backup:
    with temporary(file.parent, "backup") as copy:
        with database.reading(source) as connection:
            database.revision(connection, source)
            copy_into(connection, copy, file.parent)
        seal(copy)
        with database.reading(copy) as connection:
            wrong = database.faults(connection, thorough=True)
            if wrong:
                raise DamagedError(f"{source} is damaged: {wrong[0]}.")
            found = database.contents(connection, source)
        size = copy.stat().st_size
        put_in_place(copy, file, replace=replace)
    return Backup(file, size, found)


def _check_there(source: Path) -> None:
    try:
        there = source.exists()
    except OSError as error:
        raise database.explained(source, error) from None
    if not there:
        raise MaintenanceError(f"There is no database at {source}: name its folder with --data.")


def _check_not_its_own(source: Path, file: Path) -> None:
    own = (source, lock_file(source), *(beside(source, companion) for companion in COMPANIONS))
    if any(file.resolve() == path.resolve() for path in own) or (file.exists() and file.samefile(source)):
        raise MaintenanceError(f"{file} belongs to the database itself: name another file.")
