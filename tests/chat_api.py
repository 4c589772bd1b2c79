"""The chat's HTTP interface on a hub of its own, in process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from hubbub.accounts import bearer
from hubbub.accounts.service import Accounts
from hubbub.chat.search import Search
from hubbub.http.app import create_app
from hubbub.http.context import Context
from hubbub.http.figures import ServerFigures, figure_routes
from hubbub.http.history import history_routes
from hubbub.http.rooms import room_routes
from hubbub.http.search import search_routes
from hubbub.tickets import Tickets
from tests.chat_world import ChatWorld, a_chat


class Api:
    """The HTTP interface of a chat's hub."""

    def __init__(self, world: ChatWorld, accounts: Accounts) -> None:
        self.world = world
        settings = world.hub.settings
        context = Context(
            settings, world.clock, world.store, accounts, Tickets(world.clock, 5.0), world.hub, "0"
        )
        self.figures = ServerFigures(world.hub, settings, world.clock)
        routes = [
            *room_routes(world.rooms),
            *history_routes(world.hub, world.rooms),
            *search_routes(Search(world.hub, world.rooms)),
            *figure_routes(self.figures),
        ]
        self._app = create_app(context, routes)
        self._clients: list[httpx.AsyncClient] = []

    def user(self, name: str, role: str = "member") -> httpx.AsyncClient:
        """A program of somebody's, with a bearer token."""
        person = self.world.person(name, role)
        token = self.world.store.write_now(
            lambda connection: bearer.create(connection, person.user_id, now=self.world.now)
        )
        return self.client({"authorization": f"Bearer {token}"})

    def client(self, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
        """A program."""
        made = httpx.AsyncClient(
            transport=httpx.ASGITransport(self._app), base_url="http://chat.test", headers=headers
        )
        self._clients.append(made)
        return made

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


@asynccontextmanager
async def an_api(folder: Path, **changes: Any) -> AsyncIterator[Api]:
    """An API whose settings have these changes."""
    async with a_chat(folder, **changes) as world:
        accounts = Accounts(world.store, world.hub.settings, world.clock)
        api = Api(world, accounts)
        try:
            yield api
        finally:
            await api.close()
            await accounts.close()


def refusal(answer: httpx.Response) -> tuple[int, str, str | None]:
    """Status, code and field."""
    body = answer.json()
    return answer.status_code, body["code"], body.get("field")
