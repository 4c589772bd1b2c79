"""Real databases for the tests of backup, restore and doctor: sound ones, and ones damaged in every way."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from hubbub.log.store import open_store

AT_MS: Final = 1_790_000_000_000
_ENTRY: Final = "INSERT INTO entries (room_id, seq, type, user_id, client_id, at, body) VALUES (?, ?, 'new_message', 1, ?, ?, ?)"


def make_database(path: Path, *, rooms: int = 2, messages: int = 40) -> Path:
    """A database that Hubbub made, with people, a session, and so many messages in each room; nobody has it open."""
    open_store(f"sqlite:///{path}").close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(
            "INSERT INTO users (id, name, key, role, created_at) VALUES (?, ?, ?, 'member', 1)",
            [(1, "ada", "ada"), (2, "bob", "bob")],
        )
        connection.execute(
            "INSERT INTO sessions (user_id, hash, created_at, seen_at, expires_at) VALUES (1, 'abc', 1, 1, 2)"
        )
        for room in range(1, rooms + 1):
            connection.execute(
                "INSERT INTO rooms (id, name, key, kind, created_at) VALUES (?, ?, ?, 'public', 1)",
                (room, f"room-{room}", f"room-{room}"),
            )
            speak(connection, room, messages)
    return path


def speak(connection: sqlite3.Connection, room: int, messages: int) -> None:
    """Add messages to a room's log."""
    head = connection.execute(
        "SELECT coalesce(max(seq), 0) FROM entries WHERE room_id = ?", (room,)
    ).fetchone()[0]
    connection.executemany(
        _ENTRY,
        [
            (room, seq, f"id-{room}-{seq}", AT_MS + seq, f'{{"seq":{seq},"message":"{"word " * 30}"}}')
            for seq in range(head + 1, head + messages + 1)
        ],
    )


def logs(path: Path) -> dict[int, list[tuple[int, str]]]:
    """Every room's log, number and body, as a program sees it that opens the database."""
    found: dict[int, list[tuple[int, str]]] = {}
    with closing(sqlite3.connect(path)) as connection:
        for room, seq, body in connection.execute(
            "SELECT room_id, seq, body FROM entries ORDER BY room_id, seq"
        ):
            found.setdefault(room, []).append((seq, body))
    return found


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    """What a query finds."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def epoch(path: Path) -> str:
    """The log's name."""
    return str(rows(path, "SELECT value FROM meta WHERE key = 'epoch'")[0][0])


def left_by_a_kill(path: Path, *, messages: int = 5) -> None:
    """Write messages to room 1 as a process that is killed before its log is folded into the database."""
    program = (
        "import os, sqlite3, sys\n"
        "from pathlib import Path\n"
        "from tests.maintenance_data import speak\n"
        "connection = sqlite3.connect(sys.argv[1])\n"
        "connection.execute('PRAGMA journal_mode=WAL')\n"
        "with connection:\n"
        "    speak(connection, 1, int(sys.argv[2]))\n"
        "os._exit(9)\n"
    )
    root = Path(__file__).resolve().parents[1]
    ended = subprocess.run([sys.executable, "-c", program, str(path), str(messages)], cwd=root, check=False)
    assert ended.returncode == 9
    assert path.with_name(path.name + "-wal").stat().st_size > 0


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file of a folder with what is in it: to see that nothing was touched.

    Of an index of a log in shared memory (-shm) only that it is there: it is SQLite's to use, and no data.
    """
    return {
        path.name: b"" if path.name.endswith("-shm") else path.read_bytes()
        for path in sorted(folder.iterdir())
        if path.is_file()
    }


def _zero_a_page(path: Path) -> None:
    _overwrite(path, path.stat().st_size // 4096 // 2 * 4096, bytes(4096))


def _scramble_a_page(path: Path) -> None:
    _overwrite(path, path.stat().st_size // 4096 // 2 * 4096, random.Random(7).randbytes(4096))


def _scramble_the_first_page(path: Path) -> None:
    _overwrite(path, 100, random.Random(8).randbytes(3996))


def _lose_an_index_entry(path: Path) -> None:
    # The index says nothing any more of the rows that are there: only a comparison of the two finds it.
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE spare (a, b, c, d)")
        connection.execute("CREATE INDEX spare_index ON spare (a, b, c, d)")
        names = ("uq_entries_client_id_user_id_room_id", "spare_index")
        find = "SELECT rootpage FROM sqlite_master WHERE name = ?"
        roots = [connection.execute(find, (name,)).fetchone()[0] for name in names]
        connection.execute("PRAGMA writable_schema=ON")
        for name, root in zip(names, reversed(roots), strict=True):
            connection.execute("UPDATE sqlite_master SET rootpage = ? WHERE name = ?", (root, name))


def _truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 4096 // 2 * 4096)


def _truncate_within_a_page(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1_000)


def _random_bytes(path: Path) -> None:
    path.write_bytes(random.Random(9).randbytes(50_000))


def _a_few_bytes(path: Path) -> None:
    path.write_bytes(b"SQLite")


def _nothing(path: Path) -> None:
    path.write_bytes(b"")


def _text(path: Path) -> None:
    path.write_text("name,display name,role\n" * 200)


def _overwrite(path: Path, place: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(content)


# Each turns a sound database without a log beside it into one that no one should rely on.
DAMAGES: Final[dict[str, Callable[[Path], None]]] = {
    "a page of zeros": _zero_a_page,
    "a page of noise": _scramble_a_page,
    "a first page of noise": _scramble_the_first_page,
    "an index that lost its rows": _lose_an_index_entry,
    "cut in half": _truncate,
    "cut within a page": _truncate_within_a_page,
    "random bytes": _random_bytes,
    "a few bytes": _a_few_bytes,
    "an empty file": _nothing,
    "a text file": _text,
}


def make_foreign(path: Path) -> Path:
    """A sound SQLite database of another program, that even has a table of a name of ours."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT)")
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('0001')")
    return path


def make_newer(path: Path) -> Path:
    """A database as a Hubbub of the future would leave it."""
    make_database(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    return path
