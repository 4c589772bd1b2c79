"""What one may not know takes the same work as what is not there: counted, as a stopwatch would only guess."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import event
from sqlalchemy.pool import Pool

from tests.accounts_world import World, a_world
from tests.chat_api import Api, an_api

pytestmark = pytest.mark.asyncio

_VALUE = re.compile(r"'(?:[^']|'')*'|\b\d+\b")


_ran: list[str] = []


@pytest.fixture(autouse=True)
def traced() -> Iterator[None]:
    """Every statement that SQLite runs in a thread that reads, without its values, is among `_ran`."""

    def note(statement: str) -> None:
        if threading.current_thread().name.startswith("hubbub-read"):
            _ran.append(_VALUE.sub("?", statement))

    def connected(connection: sqlite3.Connection, *_rest: object) -> None:
        connection.set_trace_callback(note)

    event.listen(Pool, "connect", connected)
    yield
    event.remove(Pool, "connect", connected)


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with an_api(tmp_path) as made:
        yield made


async def work(ask: Callable[[], Any]) -> tuple[list[str], int, str]:
    """The statements that a request runs, its status and its answer."""
    _ran.clear()
    answer: httpx.Response = await ask()
    return [*_ran], answer.status_code, answer.text


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("GET", "/members", None),
        ("GET", "/messages", None),
        ("POST", "/join", None),
        ("POST", "/leave", None),
        ("PATCH", "", {"topic": "x"}),
        ("POST", "/members", {"user": "eve"}),
        ("DELETE", "/members/olga", None),
    ],
)
async def test_a_private_room_of_others_takes_the_same_queries_as_a_room_that_is_not_there(
    api: Api, method: str, path: str, body: object
) -> None:
    olga, eve = api.user("olga", "owner"), api.user("eve")
    assert (await olga.post("/api/rooms", json={"name": "secret", "kind": "private"})).status_code == 201
    await eve.get("/api/me")  # who she is is known from here on

    def ask(room: str) -> Callable[[], Any]:
        return lambda: eve.request(method, f"/api/rooms/{room}{path}", json=body)

    absent = await work(ask("nowhere"))
    hidden = await work(ask("secret"))
    assert absent[0], "nothing was looked up"
    assert hidden == absent
    assert absent[1] == 404


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as made:
        made.person("ada")
        made.person("gone", password=None)
        made.person("olga", "owner")
        yield made


async def test_a_wrong_login_takes_the_same_queries_and_one_hash_whoever_it_is_for(world: World) -> None:
    olga = await world.logged_in("olga")
    await olga.patch("/api/users/gone", json={"disabled": True})
    found = []
    for name in ("ada", "nobody-of-this-name", "gone", "x" * 1_000, ""):
        world.hashers.runs.clear()
        browser = world.browser()
        login = {"username": name, "password": "wrong"}
        done = await work(lambda: browser.post("/login", json=login))  # noqa: B023 - called at once
        found.append((done, list(world.hashers.runs)))
    assert found[0][1] == ["verify"]
    assert found[0][0][1] == 401
    assert all(one == found[0] for one in found)


async def test_a_made_up_link_takes_the_same_queries_as_one_that_was_used(world: World) -> None:
    olga = await world.logged_in("olga")
    link = (await olga.post("/api/invitations", json={})).json()
    await olga.delete(f"/api/invitations/{link['id']}")
    browser = world.browser()
    found = [
        await work(
            lambda secret=secret: browser.post(  # type: ignore[misc]
                "/api/links/check", json={"token": secret, "purpose": "join"}
            ),
        )
        for secret in (link["link"].rpartition("#")[2], "made-up")
    ]
    assert found[0] == found[1]
    assert found[0][1] == 410
