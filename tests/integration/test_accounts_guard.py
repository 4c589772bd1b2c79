"""What every request passes and every answer carries, and the files and pages."""

from __future__ import annotations

import asyncio
import io
import logging
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message

from hubbub import logs
from hubbub.http import files, guard
from hubbub.http.files import Files
from hubbub.settings import SettingError, Settings
from tests.accounts_world import HOST, PASSWORD, World, a_world

pytestmark = pytest.mark.asyncio

LOGIN = {"username": "ada", "password": PASSWORD}


async def _fail(_request: Request) -> Response:
    password = "hunter2hunter2"
    raise RuntimeError(f"a bug near a {len(password)}")


@pytest.fixture(autouse=True)
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page as the build leaves it."""
    folder = tmp_path / "built"
    (folder / "-").mkdir(parents=True)
    script = "/-/index-DiwrgTda.js"
    (folder / "index.html").write_text(f'<!doctype html><script type="module" src="{script}"></script>')
    (folder / script[1:]).write_text("1")
    monkeypatch.setattr(files, "STATIC", folder)
    return folder


@pytest_asyncio.fixture
async def world(tmp_path: Path, built: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path, [Route("/fail", _fail)]) as made:
        made.person("ada")
        yield made


async def raw(world: World, messages: list[Message], headers: list[tuple[bytes, bytes]]) -> list[Message]:
    """What the application sends for a POST /login whose body comes in these pieces, and then no more."""
    sent: list[Message] = []
    never = asyncio.Event()

    async def receive() -> Message:
        if messages:
            return messages.pop(0)
        await never.wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": "/login",
        "raw_path": b"/login",
        "query_string": b"",
        "headers": [(b"host", b"chat.test"), *headers],
        "client": ("127.0.0.1", 1),
        "server": ("chat.test", 80),
        "scheme": "http",
        "http_version": "1.1",
        "root_path": "",
    }
    await world.app(scope, receive, send)
    return sent


def piece(body: bytes, more: bool = True) -> Message:
    """A piece of a body."""
    return {"type": "http.request", "body": body, "more_body": more}


def status_and_headers(sent: list[Message]) -> tuple[int, dict[bytes, bytes]]:
    """Of an answer."""
    return sent[0]["status"], dict(sent[0]["headers"])


# --- whose page it is


@pytest.mark.parametrize(
    "path", ["/login", "/ticket", "/logout", "/setup", "/invite", "/reset", "/api/links/check"]
)
@pytest.mark.parametrize(
    "origin", ["https://evil.test", "null", "http://chat.test.evil.test", "http://chat.test:1"]
)
async def test_a_page_of_another_origin_changes_nothing(world: World, path: str, origin: str) -> None:
    ada = await world.logged_in("ada")
    answer = await ada.post(path, json=LOGIN, headers={"origin": origin})
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")
    assert "access-control-allow-origin" not in answer.headers
    assert (await ada.post("/ticket")).status_code == 200


@pytest.mark.parametrize("method", ["PATCH", "DELETE", "PUT"])
async def test_every_method_that_changes_something_is_checked(world: World, method: str) -> None:
    ada = await world.logged_in("ada")
    for headers in ({"origin": "https://evil.test"}, {"sec-fetch-site": "cross-site"}):
        assert (await ada.request(method, "/api/sessions", headers=headers)).status_code == 403


async def test_our_own_page_and_programs_are_let_through(world: World) -> None:
    for headers in ({"origin": HOST}, {}, {"sec-fetch-site": "same-origin"}):
        assert (await world.browser(**headers).post("/login", json=LOGIN)).status_code == 200


async def test_a_page_of_an_allowed_origin_may_send_and_read(tmp_path: Path) -> None:
    async with a_world(tmp_path, allow_origin=("https://app.test",)) as world:
        world.person("ada")
        page = world.browser(origin="https://app.test")
        answer = await page.post("/login", json=LOGIN)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "https://app.test"
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert answer.headers["vary"] == "Origin"
        asked = await page.options("/api/me", headers={"access-control-request-method": "PATCH"})
        assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (204, "https://app.test")
        assert "PATCH" in asked.headers["access-control-allow-methods"]
        other = await world.browser(origin="https://evil.test").get("/api/me")
        assert "access-control-allow-origin" not in other.headers
        refused = await world.browser(origin="https://evil.test").options(
            "/api/me", headers={"access-control-request-method": "PATCH"}
        )
        assert refused.status_code == 405


# --- how large, how slow


async def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_read(world: World) -> None:
    sent = await raw(world, [], [(b"content-length", b"65537")])
    status, headers = status_and_headers(sent)
    assert (status, headers[b"connection"]) == (413, b"close")


@pytest.mark.parametrize("length", [b"-1", b"x", b"1e3", b"99999999999999999999"])
async def test_a_length_that_is_none_is_refused(world: World, length: bytes) -> None:
    assert status_and_headers(await raw(world, [], [(b"content-length", length)]))[0] == 413


async def test_a_body_that_grows_too_large_is_refused_as_soon_as_it_does(world: World) -> None:
    sent = await raw(world, [piece(b"x" * 65_536), piece(b"x")], [(b"transfer-encoding", b"chunked")])
    assert status_and_headers(sent)[0] == 413


async def test_a_body_of_just_the_limit_is_read(world: World) -> None:
    body = b'{"username":"ada","password":"correct horse","x":"'
    body += b"x" * (65_536 - len(body) - 2) + b'"}'
    assert len(body) == 65_536
    sent = await raw(world, [piece(body[:9]), piece(body[9:], more=False)], [(b"content-length", b"65536")])
    assert status_and_headers(sent)[0] == 200


async def test_a_body_that_takes_too_long_is_refused(tmp_path: Path) -> None:
    async with a_world(tmp_path, handshake_seconds=0.01) as world:
        status, headers = status_and_headers(await raw(world, [piece(b"{")], [(b"content-length", b"100")]))
        assert (status, headers[b"connection"]) == (408, b"close")


async def test_a_client_that_goes_in_the_middle_of_its_body_is_no_error(world: World) -> None:
    sent = await raw(world, [piece(b"{"), {"type": "http.disconnect"}], [(b"content-length", b"100")])
    assert status_and_headers(sent)[0] == 400


# --- every answer


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/healthz", 200),
        ("GET", "/api/me", 401),
        ("GET", "/nothing", 404),
        ("POST", "/login", 400),
        ("GET", "/fail", 500),
        ("GET", "/-/index-DiwrgTda.js", 200),
    ],
)
async def test_every_answer_keeps_browsers_careful(world: World, method: str, path: str, status: int) -> None:
    answer = await world.browser().request(method, path)
    assert answer.status_code == status
    policy = answer.headers["content-security-policy"]
    for rule in ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert rule in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in answer.headers["permissions-policy"]


async def test_what_the_interface_answers_is_kept_by_nobody(world: World) -> None:
    ada = await world.logged_in("ada")
    for answer in (await ada.get("/api/me"), await ada.post("/ticket"), await world.browser().get("/api/me")):
        assert answer.headers["cache-control"] == "no-store"


async def test_unknown_paths_and_wrong_methods_are_answered_in_kind(world: World) -> None:
    client = world.browser()
    unknown = await client.get("/api/nothing")
    assert (unknown.status_code, unknown.json()) == (
        404,
        {"code": "not_found", "message": "There is nothing here.", "retry": False},
    )
    wrong = await client.get("/ticket")
    assert (wrong.status_code, wrong.json()["code"], wrong.headers["allow"]) == (
        405,
        "method_not_allowed",
        "POST",
    )
    assert (await client.post("/nothing", json={})).status_code == 404
    for_a_person = await client.get("/nothing", headers={"accept": "text/html,*/*"})
    assert (for_a_person.status_code, for_a_person.text) == (404, "There is nothing here.\n")
    assert for_a_person.headers["content-type"].startswith("text/plain")


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Where to log to; the test run's own logging is put back afterwards."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.parametrize("log_format", ["json", "text"])
async def test_a_bug_shows_no_traceback_and_its_log_holds_no_local_variable(
    world: World, log_format: Any, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs.set_up(Settings(log_format=log_format), logged)
    monkeypatch.setattr(guard, "logger", structlog.get_logger())
    answer = await world.browser().get("/fail", headers={"accept": "application/json"})
    assert answer.json() == {
        "code": "internal",
        "message": "Something went wrong on the server. It has been logged.",
        "retry": False,
    }
    assert "a bug near a 14" in logged.getvalue()
    assert "hunter2" not in logged.getvalue()


# --- pages and files


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/setup",
        "/invite",
        "/reset",
        "/login",
        "/account",
        "/search",
        "/rooms/general/42",
        "/admin/people",
    ],
)
async def test_each_page_is_there_with_no_script_or_style_inside(world: World, path: str) -> None:
    answer = await world.browser().get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    for element, inside in re.findall(r"<(script|style)\b[^>]*>(.*?)</", answer.text, re.DOTALL):
        assert (element, inside) == ("script", "")
    assert not re.search(r"\son\w+=|\sstyle=|javascript:", answer.text)
    for asset in re.findall(r'(?:src|href)="(/[^"]+)"', answer.text):
        assert (await world.browser().get(asset)).status_code == 200
    assert (await world.browser().head(path)).content == b""


@pytest.fixture
def front(tmp_path: Path) -> Path:
    folder = tmp_path / "front"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<script>own()</script>")
    (folder / "assets" / "index-DiwrgTda.js").write_text("1")
    (folder / "assets" / "user-settings.js").write_text("2")
    (folder / ".env").write_text("secret")
    (tmp_path / "outside.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    return folder


async def test_a_folder_of_the_operators_own_takes_the_place_of_the_page(tmp_path: Path, front: Path) -> None:
    async with a_world(tmp_path, static=front) as world:
        client = world.browser()
        page = await client.get("/")
        assert page.text == "<script>own()</script>"
        assert page.headers["content-security-policy"] == "frame-ancestors 'self'"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert (
            (await client.get("/setup")).headers["content-security-policy"].startswith("default-src 'self'")
        )
        hashed = await client.get("/assets/index-DiwrgTda.js")
        assert hashed.headers["cache-control"] == "public, max-age=31536000, immutable"
        plain = await client.get("/assets/user-settings.js")
        assert plain.headers["cache-control"] == "no-cache"
        again = await client.get("/assets/user-settings.js", headers={"if-none-match": plain.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert (await client.post("/", json={})).status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "/../outside.txt",
        "/assets/../../outside.txt",
        "/..%2foutside.txt",
        "/%2e%2e/outside.txt",
        "/....//outside.txt",
        "/..\\outside.txt",
        "//etc/passwd",
        "/link.txt",
        "/.env",
        "/assets/..%2f.env",
        "/\x00",
        "/" + "x" * 5_000,
        "/assets",
        "/-/../context.py",
        "/-/..%2fapp.py",
    ],
)
async def test_no_path_climbs_out_of_the_folder(tmp_path: Path, front: Path, path: str) -> None:
    async with a_world(tmp_path, static=front) as world:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        async def receive() -> Message:
            return {"type": "http.disconnect"}

        decoded = path.replace("%2f", "/").replace("%2e", ".")
        scope: dict[str, Any] = {
            "type": "http",
            "method": "GET",
            "path": decoded,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(b"host", b"chat.test")],
            "client": ("127.0.0.1", 1),
            "scheme": "http",
            "http_version": "1.1",
            "root_path": "",
        }
        await world.app(scope, receive, send)
        assert sent[0]["status"] == 404
        assert b"secret" not in b"".join(message.get("body", b"") for message in sent)


async def test_a_file_that_may_not_be_read_is_not_there(
    tmp_path: Path, front: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_arguments: object) -> object:
        raise PermissionError

    async with a_world(tmp_path, static=front) as world:
        monkeypatch.setattr(Files, "lookup_path", forbidden)
        answer = await world.browser().get("/index.html")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_folder_that_is_not_there_is_said_at_start(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="--static"):
        async with a_world(tmp_path, static=tmp_path / "nothing"):
            pytest.fail("it started")
