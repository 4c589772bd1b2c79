"""The server under torture: a process of its own, with accounts and a log on disk, that can be hurt and comes back."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Final

from hubbub.bench.options import read_tokens
from hubbub.bench.server import NO_LIMITS, is_ready, last_line

START_SECONDS: Final = 60.0
END_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.05
_NO_ROOM_BYTES: Final = 4096
_PROGRAM: Final = (sys.executable, "-m", "hubbub")
# Quick, so that a run of minutes sees what would take hours.
_IMPATIENT: Final = {
    "HUBBUB_PING_SECONDS": "1",
    "HUBBUB_PONG_SECONDS": "2",
    "HUBBUB_PRESENCE_GRACE_SECONDS": "0.2",
    "HUBBUB_RESTART_SPREAD_SECONDS": "0.2",
    "HUBBUB_SLOW_READER_SECONDS": "3",
    "HUBBUB_WRITE_BUFFER_BYTES": "65536",
    "HUBBUB_LOG_LEVEL": "warning",
}


class TortureError(Exception):
    """The server can't be tortured: it does not start, or did not end well. The text says why."""


class VictimServer:
    """`hubbub serve` in `folder`. It keeps its port and its data over every start."""

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.port = 0
        self.starts = 0
        self._folder = folder
        self._data = folder / "data"
        self._log = folder / "server.log"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HUBBUB_")}
        self._environment = kept | NO_LIMITS | _IMPATIENT | dict(settings or {})
        self._process: subprocess.Popen[bytes] | None = None

    def add_accounts(self, names: list[str]) -> list[str]:
        """Accounts of these names; a bearer token for each."""
        people, tokens = self._folder / "people.csv", self._folder / "tokens.csv"
        people.write_text("\n".join(["name,display name,role", *(f"{name},,member" for name in names), ""]))
        command = ("user", "import", str(people), "--tokens-out", str(tokens), "--data", str(self._data))
        done = subprocess.run(  # noqa: S603 - this very program
            [*_PROGRAM, *command], env=self._environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise TortureError(f"no accounts could be made: {last_line(done.stderr)}")
        return read_tokens(tokens)

    async def start(self) -> None:
        """Start, and wait until it is ready. Raises `TortureError`."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603, ASYNC220 - this very program; it does not wait
                [*_PROGRAM, "serve", "--port", str(self.port), "--data", str(self._data)],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        self.starts += 1
        assert self._process.stdout is not None
        first = await asyncio.to_thread(_first_line, self._process.stdout)
        if not first:
            raise TortureError(f"the server did not start: {last_line(self._log.read_text())}")
        self.port = int(first.rpartition(":")[2])
        async with asyncio.timeout(START_SECONDS):
            while not await asyncio.to_thread(is_ready, self.port):  # noqa: ASYNC110 - another process
                await asyncio.sleep(_LOOK_SECONDS)

    async def kill(self) -> None:
        """SIGKILL: it ends in the middle of what it does."""
        assert self._process is not None
        self._process.kill()
        await self._ended()

    async def terminate(self) -> None:
        """SIGTERM. Raises `TortureError` if it does not end well."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        status = await self._ended()
        if status:
            raise TortureError(
                f"the server ended with {status} on SIGTERM: {last_line(self._log.read_text())}"
            )

    async def pause(self, seconds: float) -> None:
        """Nothing of it runs for a while."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            self._process.send_signal(signal.SIGCONT)

    async def lock_database(self, seconds: float) -> None:
        """Another program holds the database's write lock for a while."""
        with contextlib.closing(self._connect()) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:  # the server writes without a pause
                return
            await asyncio.sleep(seconds)
            other.execute("ROLLBACK")

    async def fill_disk(self, seconds: float) -> None:
        """No file of the server's may grow for a while, as if the disk were full."""
        assert self._process is not None
        pid = self._process.pid
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (_NO_ROOM_BYTES, resource.RLIM_INFINITY))
        try:
            await asyncio.sleep(seconds)
        finally:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, before)

    def end(self) -> None:
        """Leave nothing running."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._close()

    def complaints(self) -> list[str]:
        """Tracebacks in its log: it may refuse and be killed, but not be surprised."""
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        signs = ("Traceback", '"exc_type"', '"level": "critical"')  # a traceback as text, and as JSON
        return [line[:1000] for line in lines if any(sign in line for sign in signs)]

    def resident_bytes(self) -> int:
        """How much memory it has."""
        assert self._process is not None
        pages = Path(f"/proc/{self._process.pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * resource.getpagesize()

    def files(self) -> int:
        """How many files and sockets it has open."""
        assert self._process is not None
        return len(list(Path(f"/proc/{self._process.pid}/fd").iterdir()))

    def log_of(self, room: str) -> list[tuple[str, str]]:
        """A room's log as the database has it, read behind the server's back: type and JSON of each entry."""
        with contextlib.closing(self._connect()) as database:
            return database.execute(
                "SELECT e.type, e.body FROM entries e JOIN rooms r ON r.id = e.room_id WHERE r.name = ?"
                " ORDER BY e.seq",
                (room,),
            ).fetchall()

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._data / "hubbub.db", isolation_level=None, timeout=10)

    async def _ended(self) -> int:
        assert self._process is not None
        status = await asyncio.to_thread(self._process.wait, END_SECONDS)
        self._close()
        return status

    def _close(self) -> None:
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()


def _first_line(output: IO[bytes]) -> str:
    return output.readline().decode().strip()
