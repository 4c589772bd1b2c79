"""Fixtures for tests that talk to a real server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.support.client import Client, connected
from tests.support.server import Accounts, Person, Server, make_accounts, running

StartServer = Callable[..., Server]
Connect = Callable[..., Awaitable[Client]]


@pytest.fixture(scope="session")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Accounts:
    """A database with people in it."""
    return make_accounts(tmp_path_factory.mktemp("accounts"))


@pytest.fixture(scope="module")
def server(accounts: Accounts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server as it comes, shared by the tests of a module: each takes people and rooms of its own."""
    with running(Server(tmp_path_factory.mktemp("server"), accounts)) as server:
        yield server


@pytest.fixture
def start_server(accounts: Accounts, tmp_path: Path) -> Iterator[StartServer]:
    """Start a server with settings of the test's own; it ends with the test."""
    with ExitStack() as started:

        def start(*options: str, **settings: object) -> Server:
            folder = tmp_path / f"server-{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            return started.enter_context(running(Server(folder, accounts, *options, **settings)))

        yield start


@pytest_asyncio.fixture
async def connect() -> AsyncIterator[Connect]:
    """Connect somebody in the full profile; whoever is still connected goes with the test."""
    async with AsyncExitStack() as there:

        async def enter(server: Server, person: Person, **options: Any) -> Client:
            return await there.enter_async_context(await connected(server, person, **options))

        yield enter
