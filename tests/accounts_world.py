"""A server's accounts and HTTP application, whole but for the hub, on a database of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from hubbub.accounts import bearer, passwords, people
from hubbub.accounts.passwords import Hashers, Verdict
from hubbub.accounts.people import Person
from hubbub.accounts.service import Accounts
from hubbub.http.app import create_app
from hubbub.http.context import Context
from hubbub.log.store import Store, open_store
from hubbub.settings import Settings
from hubbub.tickets import Identity, Tickets
from tests.fakes import FakeClock, FakeHub

PASSWORD = "correct horse"
HOST = "http://chat.test"


class CountingHashers(Hashers):
    """Hashers that count what they do."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[str] = []

    async def hash(self, password: str) -> str:
        """Count, and hash."""
        self.runs.append("hash")
        return await super().hash(password)

    async def verify(self, password: str, kept: str | None) -> Verdict:
        """Count, and verify."""
        self.runs.append("verify")
        return await super().verify(password, kept)


@dataclass
class World:
    """The parts, each within reach of a test."""

    settings: Settings
    clock: FakeClock
    store: Store
    hashers: CountingHashers
    accounts: Accounts
    tickets: Tickets
    hub: FakeHub
    app: Starlette
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    @property
    def now(self) -> int:
        """Milliseconds since 1970."""
        return int(self.clock.now() * 1000)

    def person(self, name: str, role: str = "member", password: str | None = PASSWORD) -> Person:
        """An account, made as the command line makes it."""
        hashed = passwords.hashed(password) if password else None
        return self.store.write_now(
            lambda connection: people.add(connection, name, role=role, password=hashed, now=self.now)
        )

    def token(self, person: Person) -> str:
        """A bearer token of theirs."""
        return self.store.write_now(lambda connection: bearer.create(connection, person.id, now=self.now))

    def browser(self, address: str = "127.0.0.1", **headers: str) -> httpx.AsyncClient:
        """A browser with cookies of its own, at `address`."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(address, 5555))
        client = httpx.AsyncClient(transport=transport, base_url=HOST, headers=headers)
        self.clients.append(client)
        return client

    async def logged_in(self, name: str, password: str = PASSWORD, **headers: str) -> httpx.AsyncClient:
        """A browser in which somebody is logged in."""
        client = self.browser(**headers)
        answer = await client.post("/login", json={"username": name, "password": password})
        assert answer.status_code == 200, answer.text
        return client

    async def tend(self, *live: Identity) -> None:
        """What the server does every second, with these having a socket open."""
        await self.accounts.tend(lambda: live)


@asynccontextmanager
async def a_world(
    folder: Path, routes: list[BaseRoute] | None = None, **changes: Any
) -> AsyncIterator[World]:
    """A world whose settings have these changes."""
    settings = msgspec.structs.replace(Settings(data=folder), **changes)
    clock, hub, hashers = FakeClock(), FakeHub(), CountingHashers()
    store = open_store(settings.database_url)
    accounts = Accounts(store, settings, clock, hashers)
    tickets = Tickets(clock, settings.ticket_seconds)
    context = Context(settings, clock, store, accounts, tickets, hub, "0")
    world = World(settings, clock, store, hashers, accounts, tickets, hub, create_app(context, routes or []))
    try:
        yield world
    finally:
        for client in world.clients:
            await client.aclose()
        await accounts.close()
        store.close()
