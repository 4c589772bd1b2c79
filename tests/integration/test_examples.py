"""The programs in examples/, as the documents show them, against a real server."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.example_server import EXAMPLES, Server, environment, serving


class Program:
    """An example that runs."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.shown: list[tuple[str, Any]] = []

    def say(self, *messages: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("".join(message + "\n" for message in messages).encode())

    async def shows(self, type_: str, **fields: object) -> None:
        """Wait until it shows such an event."""
        assert self._process.stdout is not None
        while True:
            line = (await self._process.stdout.readline()).decode()
            assert line, f"it ended, and showed {self.shown}"
            shown, _, payload = line.partition(" ")
            event = json.loads(payload)
            self.shown.append((shown, event))
            if shown == type_ and fields.items() <= event.items():
                return

    async def end(self) -> None:
        self._process.kill()
        await self._process.wait()


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path) as server:
        yield server


async def _run(server: Server, example: str, user: str) -> Program:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *(str(EXAMPLES / example), f"ws://127.0.0.1:{server.port}/ws", "general"),
        env=environment(TOKEN=server.tokens[user]),
        stdin=PIPE,
        stdout=PIPE,
    )
    return Program(process)


@pytest.mark.asyncio
async def test_the_clients_in_python_miss_nothing_and_say_nothing_twice_over_a_kill(server: Server) -> None:
    ada = await _run(server, "client.py", "ada")
    await ada.shows("messages", room="general")
    bob = await _run(server, "listen.py", "bob")
    await ada.shows("member_joined", user="bob")
    ada.say("one", "two", "three")
    await bob.shows("new_message", message="three")
    await ada.shows("new_message", message="three")

    await server.kill()
    ada.say("four", "five")
    await server.start()
    ada.say("six")
    await ada.shows("new_message", message="six")
    await bob.shows("new_message", message="six")

    log = [
        (entry["seq"], entry["message"]) for entry in server.get("/api/rooms/general/messages")["messages"]
    ]
    assert [message for _, message in log] == ["one", "two", "three", "four", "five", "six"]
    for program in (ada, bob):
        said = [
            (payload["seq"], payload["message"]) for type_, payload in program.shown if type_ == "new_message"
        ]
        assert said == log
    await ada.end()
    await bob.end()


async def _connect(server: Server, user: str) -> ClientConnection:
    return await connect(
        f"ws://127.0.0.1:{server.port}/ws",
        subprotocols=[Subprotocol("hubbub.v1")],
        additional_headers={"Authorization": f"Bearer {server.tokens[user]}"},
    )


async def _ask(socket: ClientConnection, type_: str, **payload: object) -> None:
    await socket.send(json.dumps({"type": type_, "payload": payload}))


async def _until(socket: ClientConnection, type_: str) -> Any:
    while True:
        event = json.loads(await socket.recv())
        if event["type"] == type_:
            return event["payload"]


@pytest.mark.asyncio
async def test_an_application_of_ten_lines_has_events_and_entries_of_its_own(tmp_path: Path) -> None:
    async with serving(tmp_path, str(EXAMPLES / "poll.py")) as server:
        ada, bob = await _connect(server, "ada"), await _connect(server, "bob")
        for socket in (ada, bob):
            await _ask(socket, "enter", room="general")
            await _until(socket, "entered")
        await _ask(ada, "poll_vote", room="general", option=7)
        refused = await _until(ada, "error")
        assert (refused["code"], refused["field"]) == ("bad_payload", "option")
        await _ask(ada, "poll_vote", room="general", option="tea")
        heard = await _until(bob, "poll_voted")
        assert (heard["from"], heard["option"]) == ("ada", "tea")
        assert await _until(ada, "poll_voted") == heard
        await _ask(bob, "enter", room="general", after=heard["seq"] - 1)
        resumed = await _until(bob, "entered")
        assert resumed["entries"] == [{"type": "poll_voted", "payload": heard}]
        await asyncio.gather(ada.close(), bob.close())


@pytest.mark.asyncio
async def test_rooms_are_mounted_in_an_application_of_ones_own(tmp_path: Path) -> None:
    mounted = ("-m", "uvicorn", "mount:app", "--app-dir", str(EXAMPLES), "--port", "0", "--no-use-colors")
    async with serving(tmp_path, *mounted) as server:
        assert server.read("/hello") == "The application itself.\n"
        assert server.read("/healthz") == "ok\n"
        bob = await _connect(server, "bob")
        await _ask(bob, "enter", room="general")
        assert (await _until(bob, "entered"))["room"] == "general"
        await bob.close()
