"""What holds for every route of a server, read from the routes, so that it holds for one that is made tomorrow."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

import httpx
import pytest
from starlette.routing import BaseRoute, Route

from hubbub.http import administration
from hubbub.hub import Hub
from hubbub.server import service
from hubbub.settings import Settings
from tests.support.server import PASSWORD, Server

pytestmark = pytest.mark.asyncio

SAFE: Final = {"GET", "HEAD"}
# For who is not in yet, and for whoever watches the server. A route that is not named here needs a proof.
OPEN: Final = {
    *("POST /login", "POST /logout", "POST /setup", "POST /invite", "POST /reset", "POST /api/links/check"),
    *("GET /healthz", "GET /readyz", "GET /metrics", "GET /ws"),
}
ADMINISTRATORS: Final = {route.path for route in administration.ROUTES} | {"/api/server"}
# Into each place of a path, each field of a query and each field of a body.
HOSTILE: Final = (
    "' OR 1=1 --",
    '"; DROP TABLE users; --',
    "../../../../etc/passwd",
    "%2e%2e%2f",
    "a\r\nSet-Cookie: hubbub_session=evil",
    "\x00\x1b[31m",
    "{{7*7}}${7*7}",
    "%s%n%p",
    "9" * 40,
    "\ufdfa" * 200,
    "x" * 5_000,
)
FIELDS: Final = ("q", "after", "before", "limit", "kind", "names", "from", "room", "around", "others")


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    """Method and path of everything that a server serves, but for its page and files."""

    async def read(folder: Path) -> list[tuple[str, str]]:
        async with service(Settings(data=folder), Hub()) as parts:
            return sorted(_each(parts.app.routes))

    return asyncio.run(read(tmp_path_factory.mktemp("routes")))


def _each(found: list[BaseRoute]) -> Iterator[tuple[str, str]]:
    for route in found:
        if isinstance(route, Route) and route.endpoint.__qualname__ != "_page.<locals>.page":
            for method in (route.methods or {"GET"}) - {"HEAD"}:
                yield method, route.path


def filled(path: str, value: str = "1") -> str:
    """A path with something in each of its places."""
    return re.sub(r"\{[^}]*\}", value, path)


@asynccontextmanager
async def olga(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    """The owner's browser."""
    async with server.browser() as browser:
        answer = await browser.post("/login", json={"username": "olga", "password": PASSWORD})
        assert answer.status_code == 200
        yield browser


async def test_the_routes_are_found(routes: list[tuple[str, str]]) -> None:
    assert {("POST", "/login"), ("GET", "/api/audit"), ("PATCH", "/api/rooms/{room}")} <= set(routes)
    assert len(routes) > 35


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.test"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        # A form of another page needs no leave of the browser to be sent as text.
        {"origin": "https://evil.test", "content-type": "text/plain"},
    ],
)
async def test_no_page_of_another_site_changes_anything_with_the_owners_cookie(
    server: Server, routes: list[tuple[str, str]], headers: dict[str, str]
) -> None:
    async with olga(server) as browser:
        for method, path in routes:
            if method not in SAFE:
                answer = await browser.request(method, filled(path), content="{}", headers=headers)
                assert (path, answer.status_code, answer.json()["code"]) == (path, 403, "foreign_origin")
                assert "access-control-allow-origin" not in answer.headers
        assert (await browser.get("/api/me")).json()["name"] == "olga"


async def test_the_cookie_is_sent_along_by_no_other_site(server: Server) -> None:
    async with server.browser() as browser:
        answer = await browser.post("/login", json={"username": "olga", "password": PASSWORD})
    attributes = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/"} <= attributes
    assert not any(attribute.startswith("domain") for attribute in attributes)


async def test_without_a_proof_nothing_is_served_but_what_is_named_here(
    server: Server, routes: list[tuple[str, str]]
) -> None:
    served = {f"{method} {path}" for method, path in routes}
    assert served >= OPEN
    for method, path in routes:
        if f"{method} {path}" not in OPEN:
            answer = await server.request(method, filled(path), body={})
            assert (path, answer.status_code, answer.json()["code"]) == (path, 401, "unauthorized")


async def test_what_is_for_administrators_is_for_no_member(
    server: Server, routes: list[tuple[str, str]]
) -> None:
    asked = [(method, path) for method, path in routes if path in ADMINISTRATORS]
    assert len(asked) >= 8
    member = server.person()
    for method, path in asked:
        body: object = None if method in SAFE else {}
        answer = await server.request(method, filled(path), member, body)
        assert (path, answer.status_code, answer.json()["code"]) == (path, 403, "forbidden")


async def test_every_answer_whatever_it_says_may_be_framed_by_nobody_and_guessed_at_by_no_browser(
    server: Server, routes: list[tuple[str, str]]
) -> None:
    for method, path in [*routes, ("GET", "/"), ("GET", "/nothing"), ("POST", "/nothing")]:
        answer = await server.request(method, filled(path))
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"], path
        assert answer.headers["x-content-type-options"] == "nosniff", path
        assert answer.headers["referrer-policy"] == "no-referrer", path
        assert "script-src 'self';" in answer.headers["content-security-policy"], path


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
async def test_nothing_that_is_put_into_a_path_a_query_or_a_body_breaks_the_server_or_is_given_back_as_a_header(
    server: Server, routes: list[tuple[str, str]], value: str
) -> None:
    async with olga(server) as browser:
        for method, path in routes:
            if path in ("/logout", "/api/sessions"):
                continue  # takes nothing, and ends what we go on with
            answer = await browser.request(
                method,
                filled(path, quote(value, safe="")),
                params=dict.fromkeys(FIELDS, value),
                json=None if method in SAFE else dict.fromkeys(_fields(path), value),
            )
            assert answer.status_code < 500, (method, path, answer.text)
            assert "evil" not in answer.headers.get("set-cookie", "")
    assert server.errors == []


def _fields(path: str) -> tuple[str, ...]:
    if path == "/api/me":
        return ("display_name",)
    return ("username", "password", "token", "purpose", "name", "kind", "topic", "user", "role", "users")
