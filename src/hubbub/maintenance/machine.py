"""What `hubbub doctor` looks at of the machine: versions, the clock, the limit of open files."""

from __future__ import annotations

import platform
import sqlite3
from datetime import UTC, datetime
from typing import Final

from hubbub import __version__
from hubbub.maintenance.database import when
from hubbub.maintenance.findings import Finding, fine, problem, warning

CONNECTIONS: Final = 10_000
_OTHER_FILES: Final = 100  # the database, its readers, logs, the listening socket
_TEAM: Final = 1_000
_FIRST_YEAR: Final = 2025  # nobody ran Hubbub before
_LAST_YEAR: Final = 2100
_BEHIND_SECONDS: Final = 60

_RAISE: Final = (
    "Raise it: LimitNOFILE=65536 under [Service] for systemd; in a shell `ulimit -n 65536` before `hubbub serve`"
    " (as root, or with `* hard nofile 65536` in /etc/security/limits.conf)."
)


def versions(
    python: str = platform.python_version(), sqlite: tuple[int, ...] = sqlite3.sqlite_version_info
) -> Finding:
    """What this runs on."""
    shown = f"Hubbub {__version__}, Python {python}, SQLite {'.'.join(map(str, sqlite))}"
    if _resets_its_log_wrongly(sqlite):
        return warning(
            "versions",
            f"{shown}: this SQLite can, very rarely, damage a database that two programs write to at the same moment"
            " (see www.sqlite.org/wal.html#walresetbug), unless its distributor has mended it",
            "Take a Python with SQLite 3.51.3 or later (or 3.50.7, or 3.44.6) when you can, and keep backups.",
        )
    return fine("versions", shown)


def _resets_its_log_wrongly(version: tuple[int, ...]) -> bool:
    if version[:2] in ((3, 44), (3, 50)):
        return version < ((3, 44, 6) if version[1] == 44 else (3, 50, 7))
    return version < (3, 51, 3)


def clock(now: float, newest_ms: int | None) -> Finding:
    """Whether the machine's clock can be right: a time of our days, and not before the log's newest entry."""
    shown = when(int(now * 1000))
    advice = "Set the machine's clock, and keep it right with NTP (`timedatectl set-ntp true`)."
    try:
        year = datetime.fromtimestamp(now, UTC).year
    except (OverflowError, OSError, ValueError):
        year = 0
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        return problem("clock", f"it says {shown}, which can't be", advice)
    if newest_ms is not None and now < newest_ms / 1000 - _BEHIND_SECONDS:
        return problem(
            "clock",
            f"it says {shown}, but the newest entry is of {when(newest_ms)}",
            f"{advice} If it is right, it was wrong when that was written, and time will pass it.",
        )
    return fine("clock", shown)


def open_files(hard: int) -> Finding:
    """Whether enough files may be open for 10,000 connections. The server raises its own limit to `hard`."""
    if hard < 0:
        return fine("open files", "no limit")
    room = max(hard - _OTHER_FILES, 0)
    if room >= CONNECTIONS:
        return fine("open files", f"up to {hard:,}, enough for {room:,} connections")
    found = f"up to {hard:,}, enough for {room:,} connections and not for {CONNECTIONS:,}"
    if room < _TEAM:
        return problem("open files", found, _RAISE)
    return warning(
        "open files", found, f"For more than {room:,} connections: {_RAISE[0].lower()}{_RAISE[1:]}"
    )
