"""A real server with accounts in it, for the examples: a process of its own, which may be killed and started again."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import urllib.request
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
PASSWORD = "correct horse battery"
SERVE = ("-m", "hubbub", "serve")

_ADDRESS = re.compile(r"https?://[\w.]+:(\d+)")


class Server:
    """A program that serves, with its data in a folder.

    ada and bob are in its database with a token each, and carol with a password.
    """

    def __init__(self, folder: Path, program: Sequence[str]) -> None:
        self.folder = folder
        self.program = program
        self.port = 0
        self.tokens: dict[str, str] = {}
        self._process: Process

    async def make_accounts(self) -> None:
        (self.folder / "people.csv").write_text("name,display name,role\nada,,bot\nbob,,bot\n")
        await self._hubbub("user", "import", "people.csv", "--tokens-out", "tokens.csv")
        await self._hubbub("user", "add", "carol", "--password-stdin", typed=f"{PASSWORD}\n")
        self.tokens = dict(line.split(",") for line in (self.folder / "tokens.csv").read_text().split())

    async def start(self) -> None:
        """Start it, on the port that it had before, and wait until it listens."""
        self._process = await self._python(*self.program)
        assert self._process.stdout is not None
        said = ""
        while not (address := _ADDRESS.search(said)):
            line = await self._process.stdout.readline()
            assert line, f"it ended, and said {said}"
            said += line.decode()
        self.port = int(address[1])

    async def kill(self) -> None:
        """End it at once, as kill -9 does."""
        self._process.kill()
        await self._process.wait()

    async def _hubbub(self, *arguments: str, typed: str = "") -> None:
        done = await self._python("-m", "hubbub", *arguments)
        said, _ = await done.communicate(typed.encode())
        assert done.returncode == 0, said

    async def _python(self, *arguments: str) -> Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            cwd=self.folder,
            env=environment(HUBBUB_PORT=str(self.port)),
            stdin=PIPE,
            stdout=PIPE,
            stderr=STDOUT,
        )

    def read(self, path: str) -> str:
        """What bob gets at a path."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", headers={"Authorization": f"Bearer {self.tokens['bob']}"}
        )
        with urllib.request.urlopen(request) as answer:
            text: str = answer.read().decode()
            return text

    def get(self, path: str) -> Any:
        """The same, if it is JSON."""
        return json.loads(self.read(path))


@asynccontextmanager
async def serving(folder: Path, *program: str) -> AsyncIterator[Server]:
    """A server that runs until the block ends; `hubbub serve` if no program is named."""
    server = Server(folder, program or SERVE)
    await server.make_accounts()
    await server.start()
    try:
        yield server
    finally:
        await server.kill()


def environment(**more: str) -> dict[str, str]:
    """An environment without our own settings, in which a client comes back quickly."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HUBBUB_")}
    return kept | {"WEBSOCKETS_BACKOFF_INITIAL_DELAY": "0.2", "WEBSOCKETS_BACKOFF_MIN_DELAY": "0.2"} | more
