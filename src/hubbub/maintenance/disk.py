"""What `hubbub doctor` looks at of the disk: the folder of the data, its room, its kind, and who may read it."""

from __future__ import annotations

import glob
import os
import pwd
import re
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hubbub.maintenance.errors import MaintenanceError, reason
from hubbub.maintenance.files import COMPANIONS, beside, free_bytes, megabytes, sync, temporary
from hubbub.maintenance.findings import Finding, fine, problem, warning

_LITTLE_BYTES: Final = 1_000_000_000
_TOO_LITTLE_BYTES: Final = 100_000_000
_FEW_FILES: Final = 1_000
_MOUNTS: Final = Path("/proc/self/mountinfo")
_OCTAL: Final = re.compile(r"\\([0-7]{3})")  # how spaces and the like stand there
# Where SQLite's log can't be shared or kept: https://www.sqlite.org/wal.html, "all processes … on the same host".
_NETWORK: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "fuse.sshfs", "fuse.glusterfs", "lustre"}
)
_MEMORY: Final = frozenset({"tmpfs", "ramfs"})


def check_disk(database: Path) -> Iterator[Finding]:
    """The folder that `database` is in, or will be."""
    folder = database.parent
    if not folder.exists():
        yield _folder_to_be(folder)
    elif not folder.is_dir():
        yield problem("folder", f"{folder} is no folder", "Give another with --data.")
    else:
        yield _test_write(folder)
    standing = _standing(folder)
    yield _room(standing, database)
    yield from _kind(standing)


def check_permissions(database: Path) -> Iterator[Finding]:
    """Who may read the data: nobody but its owner should."""
    folder = database.parent
    if not folder.is_dir():
        return
    files = [path for path in _files(database) if path.exists()]
    found = _shared(folder, files)
    if found is not None:
        yield found
    else:
        names = f" and {database.name}" if database in files else ""
        yield fine("permissions", f"{folder}{names}: for {_owner(folder)} alone")
    yield from _owners(folder, files, database)


def _standing(folder: Path) -> Path:
    """The folder itself, or the nearest above it that is there."""
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    return folder


def _folder_to_be(folder: Path) -> Finding:
    above = next(path for path in folder.parents if path.exists() or path.is_symlink())
    if not above.is_dir():
        return problem("folder", f"{folder} can't be made: {above} is no folder", "Give another with --data.")
    if not os.access(above, os.W_OK | os.X_OK):
        return problem(
            "folder",
            f"{folder} is not there, and this user may not make it in {above}",
            f"Make it for the server's user: sudo install -d -m 700 -o USER {shlex.quote(str(folder))}",
        )
    return fine("folder", f"{folder} is not there yet; the first start makes it")


def _test_write(folder: Path) -> Finding:
    try:
        with temporary(folder, "doctor") as path:
            path.write_bytes(b"hubbub doctor\n" * 300)
            sync(path)
        sync(folder)
    except MaintenanceError as error:
        return problem("folder", str(error).split(". ", maxsplit=1)[0], _WRITABLE)
    except OSError as error:
        return problem("folder", f"a test file in {folder} could not be written: {reason(error)}", _WRITABLE)
    return fine("folder", f"{folder}: a test file was written and synced")


_WRITABLE: Final = "Make room on the disk, give the server's user the right to write there, or give another folder with --data."


def _room(folder: Path, database: Path) -> Finding:
    free = free_bytes(folder)
    files = os.statvfs(folder)
    size = database.stat().st_size if database.is_file() else 0
    shown = f"{megabytes(free)} free, the database has {megabytes(size)}"
    advice = "Make room, or move the data to a larger disk."
    if free < _TOO_LITTLE_BYTES:
        return problem("disk", shown, advice)
    if files.f_files and files.f_favail < _FEW_FILES:
        return warning("disk", f"{shown}, and only {files.f_favail} more files can be made", advice)
    if free < max(_LITTLE_BYTES, size):
        return warning(
            "disk", shown, f"{advice} An upgrade and a restore keep a copy of the database beside it."
        )
    return fine("disk", shown)


def _kind(folder: Path) -> Iterator[Finding]:
    kind = file_system(folder, _mounts())
    if kind in _NETWORK:
        yield problem(
            "disk",
            f"{folder} is on a network file system ({kind}), where SQLite's log does not work",
            "Keep the data on a disk of this machine.",
        )
    elif kind in _MEMORY:
        yield warning(
            "disk",
            f"{folder} is in memory ({kind}): everything is gone after a restart of the machine",
            "Give a folder on a disk with --data.",
        )


def _mounts() -> str:
    try:
        return _MOUNTS.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""  # not Linux


def file_system(folder: Path, mounts: str) -> str:
    """The kind of file system that `folder` is on, by `mounts` (proc(5), mountinfo); empty if that does not say."""
    best, kind = -1, ""
    folder = folder.resolve()
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:
            continue
        point = Path(_OCTAL.sub(lambda found: chr(int(found[1], 8)), fields[4]))
        if folder.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), after.split(" ")[0]
    return kind


def _files(database: Path) -> list[Path]:
    copies = sorted(database.parent.glob(f"{glob.escape(database.stem)}.before-*"))
    return [database, *(beside(database, companion) for companion in COMPANIONS), *copies]


def _shared(folder: Path, files: list[Path]) -> Finding | None:
    mode = folder.stat().st_mode
    for whose, may_enter, may_read, may_write, level in (
        ("everyone on this machine", stat.S_IXOTH, stat.S_IROTH, stat.S_IWOTH, problem),
        ("its group", stat.S_IXGRP, stat.S_IRGRP, stat.S_IWGRP, warning),
    ):
        open_files = [path for path in files if path.stat().st_mode & (may_read | may_write)]
        if mode & may_write or (mode & may_enter and open_files):
            shown = open_files[0] if mode & may_enter and open_files else folder
            return level(
                "permissions",
                f"{shown} ({stat.S_IMODE(shown.stat().st_mode):04o}) is open to {whose}: messages and password"
                " hashes are in there",
                "Close it: " + _closing(folder, open_files),
            )
    return None


def _closing(folder: Path, files: list[Path]) -> str:
    close = f"chmod 700 {shlex.quote(str(folder))}"
    return f"{close} && chmod 600 {' '.join(shlex.quote(str(path)) for path in files)}" if files else close


def _owners(folder: Path, files: list[Path], database: Path) -> Iterator[Finding]:
    others = [path for path in files if path.stat().st_uid != folder.stat().st_uid]
    if others:
        yield warning(
            "permissions",
            f"{others[0]} belongs to {_owner(others[0])} and its folder to {_owner(folder)}",
            f"Give both to the server's user: sudo chown -R USER {shlex.quote(str(folder))}",
        )
    elif os.geteuid() != 0 and database.exists() and not os.access(database, os.R_OK | os.W_OK):
        yield problem(
            "permissions",
            f"this user may not write {database}, which belongs to {_owner(database)}",
            f"Run this as the server's user; if you are, take the file: sudo chown USER {shlex.quote(str(database))}",
        )


def _owner(path: Path) -> str:
    number = path.stat().st_uid
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"
