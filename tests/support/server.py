"""A real server for tests: a process of its own on a free port, with data, settings and accounts of its own."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import httpx

PASSWORD: Final = "correct horse battery"
WAIT_SECONDS: Final = 30.0  # ends a wait for what never comes; nothing is measured by it
_NAMES: Final = ("ada", "bob", "cleo", "dan", "eve", "finn", "gus", "hana")
_PEOPLE: Final = 400


@dataclass(frozen=True)
class Person:
    """Somebody with an account, and a bearer token that proves it."""

    name: str
    token: str

    @property
    def bearer(self) -> dict[str, str]:
        """The header by which a program gets in."""
        return {"Authorization": f"Bearer {self.token}"}


@dataclass(frozen=True)
class Accounts:
    """A database that has people in it and was never served, to be copied."""

    data: Path
    people: tuple[Person, ...]


def hubbub(
    *arguments: str, given: str = "", settings: Mapping[str, object] = MappingProxyType({})
) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end; `given` is its standard input."""
    return subprocess.run(
        [sys.executable, "-m", "hubbub", *arguments],
        input=given,
        env=environment(settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=2 * WAIT_SECONDS,
    )


def environment(settings: Mapping[str, object]) -> dict[str, str]:
    """This process's environment without settings of Hubbub's but `settings`, named as in `Settings`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HUBBUB_")}
    return kept | {f"HUBBUB_{name.upper()}": str(value) for name, value in settings.items()}


def make_accounts(folder: Path) -> Accounts:
    """Many members with a token each, and an owner `olga` and a member `peter` with a password."""
    data, people, tokens = folder / "data", folder / "people.csv", folder / "tokens.csv"
    names = [f"{_NAMES[number % len(_NAMES)]}-{number}" for number in range(_PEOPLE)]
    people.write_text("\n".join(["name,display name,role", *(f"{name},,member" for name in names), ""]))
    done = [
        hubbub("user", "import", str(people), "--tokens-out", str(tokens), "--data", str(data)),
        hubbub("user", "add", "olga", "--role", "owner", *_password(data), given=f"{PASSWORD}\n"),
        hubbub("user", "add", "peter", *_password(data), given=f"{PASSWORD}\n"),
    ]
    assert [ended.returncode for ended in done] == [0, 0, 0], [ended.stderr for ended in done]
    lines = [line.split(",") for line in tokens.read_text().splitlines()]
    return Accounts(data, tuple(Person(name, token) for name, token in lines))


def _password(data: Path) -> tuple[str, ...]:
    return ("--password-stdin", "--data", str(data))


class Server:
    """`hubbub serve` in `folder`. Start it, kill it and start it again: it keeps its port and its data."""

    def __init__(
        self,
        folder: Path,
        accounts: Accounts | None = None,
        *options: str,
        **settings: object,
    ) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.settings = settings
        self.options = options
        self.program: Path | None = None  # of an application's own, in place of `hubbub serve`
        self.port = 0
        self.banner: list[str] = []  # what it printed when it was ready
        self._people: Iterator[Person] = iter(())
        self._by_name: dict[str, Person] = {}
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        if accounts is not None:
            shutil.copytree(accounts.data, self.data)
            self._people = iter(accounts.people)
            self._by_name = {person.name: person for person in accounts.people}

    # --- life

    def start(self) -> None:
        """Start it, and wait until it answers."""
        program = ["-m", "hubbub", "serve"] if self.program is None else [str(self.program)]
        place = {"port": self.port, "data": self.data}
        with self._log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *program, *self.options],
                env=environment(place | self.settings),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                bufsize=0,
            )
        assert self._process.stdout is not None
        # It is written in one piece.
        self.banner = os.read(self._process.stdout.fileno(), 64 * 1024).decode().splitlines()
        assert self.banner, f"it did not start: {self.log}"
        self.port = int(self.banner[0].rpartition(":")[2])
        # Answered once it serves, and with it the signals are its own.
        with urllib.request.urlopen(f"{self.url}/readyz", timeout=WAIT_SECONDS) as answer:
            assert answer.status == 200

    def stop(self, *, status: int = 0, quiet: bool = True) -> None:
        """SIGTERM, and wait for it to end with `status`; `quiet`: without having logged an error."""
        self.signal(signal.SIGTERM)
        self.ended(status)
        if quiet:
            assert self.errors == []

    def ended(self, status: int = 0) -> None:
        """Wait for it to end with `status`."""
        assert self._process is not None
        try:
            found = self._process.wait(WAIT_SECONDS)
        finally:
            self._process.kill()
            self._close()
        assert found == status, self.log

    def kill(self) -> None:
        """End it in the middle of what it does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._close()

    def end(self) -> None:
        """End it if it still runs, and leave nothing behind."""
        if self._process is not None:
            self.stop()

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def _close(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        with self._process.stdout as output:
            rest = output.read()
        self.banner += rest.decode().splitlines()
        self._process = None

    # --- where it is and what it says

    @property
    def url(self) -> str:
        """Its address for HTTP."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def socket_url(self) -> str:
        """Its address for the WebSocket."""
        return f"ws://127.0.0.1:{self.port}/ws"

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    @property
    def _log_path(self) -> Path:
        return self.folder / "log"

    @property
    def log(self) -> str:
        """All that it logged."""
        return self._log_path.read_text(encoding="utf-8")

    @property
    def errors(self) -> list[str]:
        """What it logged as an error, or wrote by accident."""
        return [line for line in self.log.splitlines() if not _is_harmless(line)]

    def limit_files(self, file_bytes: int = resource.RLIM_INFINITY) -> None:
        """From here on no file of it may grow beyond this, as on a disk that is full."""
        _, hard = resource.prlimit(self.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (file_bytes, hard))

    @property
    def resident_bytes(self) -> int:
        """How much memory it has."""
        pages = Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * resource.getpagesize()

    # --- who is there

    def person(self) -> Person:
        """Somebody whom no test has met yet."""
        return next(self._people)

    def people(self, count: int) -> list[Person]:
        """So many of them."""
        return list(itertools.islice(self._people, count))

    def known(self, name: str) -> Person:
        """The person of this name."""
        return self._by_name[name]

    async def log_in(self, name: str) -> Person:
        """Somebody with a password, `olga` or `peter`, with a token made for them."""
        if name not in self._by_name:
            made = await asyncio.to_thread(hubbub, "user", "token", name, "--data", str(self.data))
            self._by_name[name] = Person(name, made.stdout.strip())
        return self._by_name[name]

    def room(self, kind: str = "room") -> str:
        """The name of a room that nobody has made yet."""
        return f"{kind} {next(self._numbers)}"

    # --- talking HTTP

    async def request(
        self, method: str, path: str, person: Person | None = None, body: object = None, **headers: str
    ) -> httpx.Response:
        """One request, with nothing but what is given here."""
        async with self.browser() as browser:
            known = person.bearer if person is not None else {}
            return await browser.request(
                method, path, headers=known | headers, content=None if body is None else json.dumps(body)
            )

    def browser(self) -> httpx.AsyncClient:
        """Somebody who keeps cookies."""
        return httpx.AsyncClient(base_url=self.url, verify=False, trust_env=False, timeout=WAIT_SECONDS)

    async def call(self, person: Person, method: str, path: str, body: object = None) -> Any:
        """What the server answers to a request that it grants."""
        answer = await self.request(method, path, person, body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def ticket(self, person: Person) -> str:
        """A fresh ticket."""
        return str((await self.call(person, "POST", "/ticket"))["otp"])

    async def metric(self, name: str) -> float:
        """A figure of /metrics."""
        text = (await self.request("GET", "/metrics")).text
        return float(next(line for line in text.splitlines() if line.startswith(f"{name} ")).split()[1])

    # --- what is on disk

    def entries(self, room: str) -> list[dict[str, Any]]:
        """A room's log as the database has it, read behind the server's back: each entry with its type."""
        with closing(self._database()) as database:
            found = database.execute(
                "SELECT e.type, e.body FROM entries e JOIN rooms r ON r.id = e.room_id WHERE r.name = ?"
                " ORDER BY e.seq",
                (room,),
            )
            return [{"type": type_, **json.loads(body)} for type_, body in found]

    def _database(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self.data / 'hubbub.db'}?mode=ro", uri=True)


def _is_harmless(line: str) -> bool:
    try:
        said = json.loads(line)
    except ValueError:
        return line.startswith("hubbub: making a new database")
    return isinstance(said, dict) and said.get("level") in ("debug", "info", "warning")


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """The server, from its start to its orderly end."""
    server.start()
    try:
        yield server
    except BaseException:
        if server._process is not None:
            server.kill()
        raise
    server.end()
