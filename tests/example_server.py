"""A real server with accounts in it, for the examples: a process of its own, which may be killed and started again."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import urllib.request
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
PASSWORD = "correct horse battery"


class Server:
    """`hubbub serve` with ada and bob in its database, who have a token each, and carol, who has a password."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.options = options
        self.port = 0
        self.tokens: dict[str, str] = {}
        self._process: Process

    async def make_accounts(self) -> None:
        people = self.folder / "people.csv"
        people.write_text("name,display name,role\nada,,bot\nbob,,bot\n")
        tokens = self.folder / "tokens.csv"
        made = await self._hubbub("user", "import", str(people), "--tokens-out", str(tokens))
        assert await made.wait() == 0
        added = await self._hubbub("user", "add", "carol", "--password-stdin")
        await added.communicate(f"{PASSWORD}\n".encode())
        assert added.returncode == 0
        self.tokens = dict(line.split(",") for line in tokens.read_text().split())

    async def start(self) -> None:
        self._process = await self._hubbub("serve", "--port", str(self.port), *self.options)
        assert self._process.stdout is not None
        first = (await self._process.stdout.readline()).decode()
        self.port = int(first.rpartition(":")[2])

    async def kill(self) -> None:
        self._process.kill()
        await self._process.wait()

    async def _hubbub(self, *arguments: str) -> Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "hubbub", *arguments, "--data", str(self.folder / "data")),
            env=environment(),
            stdin=PIPE,
            stdout=PIPE,
        )

    def get(self, path: str) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", headers={"Authorization": f"Bearer {self.tokens['bob']}"}
        )
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HUBBUB_")}
    return kept | {"WEBSOCKETS_BACKOFF_INITIAL_DELAY": "0.2", "WEBSOCKETS_BACKOFF_MIN_DELAY": "0.2"} | more
