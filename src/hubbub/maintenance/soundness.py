"""What `hubbub doctor` looks at of the database: whether it opens, is whole, of this version, and a log without holes."""

from __future__ import annotations

import glob
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hubbub.maintenance import database
from hubbub.maintenance.errors import DamagedError, MaintenanceError
from hubbub.maintenance.files import beside, megabytes
from hubbub.maintenance.findings import Finding, fine, problem, warning
from hubbub.maintenance.lock import server_runs

_LARGE_LOG_BYTES: Final = 256_000_000
_MUCH_FREE_BYTES: Final = 100_000_000
_RESTORE: Final = (
    "End the server and put a copy back: hubbub restore FILE. The damaged database is kept beside."
)


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found, and the time of the newest entry (milliseconds since 1970) for the clock to be held against."""

    findings: list[Finding]
    newest_ms: int | None = None


def check_database(path: Path) -> Examined:
    """Look at the SQLite database at `path`, also while a server works on it. Changes nothing."""
    if not path.exists():
        return Examined([fine("database", f"{path} is not there yet; the first start makes it")])
    findings: list[Finding] = []
    try:
        with database.reading(path) as connection:
            return Examined(findings, _examine(connection, path, findings))
    except DamagedError as error:
        findings.append(problem("database", str(error).rstrip("."), _RESTORE + _copies(path)))
    except MaintenanceError as error:
        found, _, advice = str(error).partition(": " if ": " in str(error) else ". ")
        findings.append(problem("database", found, advice[:1].upper() + advice[1:]))
    return Examined(findings)


def _examine(connection: sqlite3.Connection, path: Path, findings: list[Finding]) -> int | None:
    wrong = database.faults(connection, thorough=False)
    if wrong:
        findings.append(
            problem("database", f"{path} is damaged: {'; '.join(wrong)}", _RESTORE + _copies(path))
        )
        return None
    ask = _asking(connection)
    size, free = (ask(name) * ask("page_size") for name in ("page_count", "freelist_count"))
    findings.append(
        fine("database", f"{path} opens and is whole: {megabytes(size)}, {megabytes(free)} of it unused")
    )
    findings.extend(_unused(path, size, free))
    findings.extend(_journal(connection, path))
    if not database.tables_of(connection):
        findings.append(fine("tables", "none yet; the first start makes them"))
        return None
    findings.append(_tables(connection, path))
    log, newest_ms = _log(connection, path)
    findings.append(log)
    return newest_ms


def _asking(connection: sqlite3.Connection) -> Callable[[str], int]:
    return lambda name: int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _unused(path: Path, size: int, free: int) -> Iterator[Finding]:
    if free > _MUCH_FREE_BYTES and free * 2 > size:
        yield warning(
            "database",
            f"more than half of {path} is unused",
            "Hubbub uses it again by itself; to give it back, end the server and run"
            f" python3 -c \"import sqlite3; sqlite3.connect('{path}').execute('VACUUM')\"",
        )


def _journal(connection: sqlite3.Connection, path: Path) -> Iterator[Finding]:
    mode = str(connection.execute("PRAGMA journal_mode").fetchone()[0])
    log = beside(path, "-wal")
    if mode != "wal" and server_runs(path):
        yield problem(
            "journal",
            f"a server runs on {path}, but the journal mode is {mode} and not wal: readers and the writer wait for"
            " each other",
            "End other programs that have the database open, and start the server again.",
        )
    elif mode != "wal":
        yield fine("journal", f"{mode}; the next start makes it wal")
    elif log.exists() and (size := log.stat().st_size) > _LARGE_LOG_BYTES:
        yield warning(
            "journal",
            f"wal, and {log} has grown to {megabytes(size)}: some program reads the database without an end",
            "End other programs that have the database open; a restart of the server folds the log in.",
        )
    else:
        yield fine("journal", "wal")


def _tables(connection: sqlite3.Connection, path: Path) -> Finding:
    found = database.revision(connection, path)
    newest = database.newest_revision()
    if found != newest:
        return warning(
            "tables",
            f"of version {found}; this Hubbub's are {newest}",
            "The next start brings them up to date, and keeps a copy beside.",
        )
    epoch = connection.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
    if epoch is None or not epoch[0]:
        return warning(
            "tables", f"of version {found}, but the log has no epoch", "The next start gives it one."
        )
    return fine("tables", f"of version {found}, epoch {epoch[0]}")


def _log(connection: sqlite3.Connection, path: Path) -> tuple[Finding, int | None]:
    broken = connection.execute(
        "SELECT coalesce(rooms.name, 'room ' || room_id), count(*), min(seq), max(seq) FROM entries"
        " LEFT JOIN rooms ON rooms.id = room_id GROUP BY room_id HAVING min(seq) != 1 OR max(seq) != count(*)"
    ).fetchall()
    found = database.contents(connection, path)
    if not broken:
        return fine("log", f"no number is missing: {found}"), found.newest_ms
    name, count, first, last = broken[0]
    others = f" (and {len(broken) - 1} more rooms)" if len(broken) > 1 else ""
    return problem(
        "log",
        f"numbers are missing in {name}: {count:,} entries from {first:,} to {last:,}{others}",
        "Something other than Hubbub has changed the database. " + _RESTORE,
    ), found.newest_ms


def _copies(path: Path) -> str:
    """The newest copy that an upgrade or a restore left beside the database."""
    copies = [
        copy
        for copy in path.parent.glob(f"{glob.escape(path.stem + '.before-')}*")
        if copy.suffix == path.suffix
    ]
    if not copies:
        return ""
    return f" The newest copy beside it: {max(copies, key=lambda copy: copy.stat().st_mtime)}"
