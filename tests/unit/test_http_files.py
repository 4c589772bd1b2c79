"""The built page: at which addresses it is, how it is sent, and what a browser may keep of it."""

from __future__ import annotations

import gzip
import os
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette

from hubbub.http import files
from hubbub.http.files import accepts_gzip, file_routes
from hubbub.settings import Settings

pytestmark = pytest.mark.asyncio

SCRIPT = "/-/index-DiwrgTda.js"


@pytest.fixture
def static(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page as the build leaves it."""
    folder = tmp_path / "static"
    (folder / "-").mkdir(parents=True)
    for name, text in {
        "index.html": "<!doctype html>the page",
        SCRIPT[1:]: "let page = 1;" * 50,
        "sw.js": "self",
        "manifest.webmanifest": "{}",
        "icon.png": "png",
        ".built": "hidden",
    }.items():
        (folder / name).write_text(text)
    (folder / (SCRIPT[1:] + ".gz")).write_bytes(gzip.compress(b"let page = 1;" * 50))
    monkeypatch.setattr(files, "STATIC", folder)
    return folder


@pytest_asyncio.fixture
async def browser(static: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with _browser(Settings()) as client:
        yield client


def _browser(settings: Settings) -> httpx.AsyncClient:
    app = Starlette(routes=list(file_routes(settings)))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://chat.test")


@pytest.mark.parametrize(
    "path",
    [
        "/", "/login", "/setup", "/invite", "/reset", "/search?q=tea", "/account", "/admin", "/admin/people",
        "/rooms/general", "/rooms/general/42", "/rooms/%E8%8C%B6%2Fx", "/rooms/@ada,bob",
    ],
)  # fmt: skip
async def test_the_page_is_the_answer_to_each_of_its_addresses(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(path)
    assert (answer.status_code, answer.text) == (200, "<!doctype html>the page")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    head = await browser.head(path)
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize("path", ["/nothing", "/loginx", "/.built", "/-/.built", "/-/nothing.js"])
async def test_other_addresses_have_nothing(browser: httpx.AsyncClient, path: str) -> None:
    assert (await browser.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("path", "type_", "kept"),
    [
        (SCRIPT, "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        ("/sw.js", "text/javascript; charset=utf-8", "no-cache"),
        ("/manifest.webmanifest", "application/manifest+json", "no-cache"),
        ("/icon.png", "image/png", "no-cache"),
    ],
)
async def test_files_have_their_type_and_are_kept_for_ever_only_if_their_name_says_what_is_in_them(
    browser: httpx.AsyncClient, path: str, type_: str, kept: str
) -> None:
    answer = await browser.get(path)
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == (type_, kept)


async def test_a_file_is_sent_compressed_to_those_who_can_read_it(browser: httpx.AsyncClient) -> None:
    packed = await browser.get(SCRIPT, headers={"accept-encoding": "gzip"})
    plain = await browser.get(SCRIPT, headers={"accept-encoding": "identity"})
    assert packed.text == plain.text == "let page = 1;" * 50
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"])
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert packed.headers["content-type"] == plain.headers["content-type"]
    assert packed.headers["etag"] != plain.headers["etag"]


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True), ("br, GZIP", True), ("gzip;q=0.5", True), ("*", True), ("gzip; q=0", False),
        ("gzip;q=0.000", False), ("identity, *;q=0", False), ("br", False), ("", False), ("gzip;q=0, *", False),
    ],
)  # fmt: skip
async def test_what_a_browser_can_read_is_what_it_says(header: str, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted


async def test_what_has_not_changed_is_not_sent_again_and_a_new_build_of_the_same_size_and_time_is(
    browser: httpx.AsyncClient, static: Path
) -> None:
    first = await browser.get("/rooms/general")
    known = {"if-none-match": first.headers["etag"]}
    again = await browser.get("/", headers=known)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    page = static / "index.html"
    when = page.stat().st_mtime_ns
    other = static / "other.html"
    other.write_text("<!doctype html>THE PAGE")
    os.utime(other, ns=(when, when))
    other.rename(page)
    assert (await browser.get("/", headers=known)).text == "<!doctype html>THE PAGE"


async def test_without_a_built_page_the_server_says_so_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "STATIC", tmp_path / "nothing")
    async with _browser(Settings()) as client:
        answer = await client.get("/")
        assert (answer.status_code, answer.text.count("\n")) == (503, 1)
        assert "make web" in answer.text
        assert (await client.get("/-/index.js")).status_code == 404


async def test_where_the_operator_has_pages_the_links_with_a_secret_still_lead_to_ours(
    tmp_path: Path, static: Path
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "index.html").write_text("own")
    async with _browser(Settings(static=own)) as client:
        assert (await client.get("/")).text == "own"
        assert (await client.get("/login")).status_code == 404
        for path in ("/setup", "/invite", "/reset"):
            assert (await client.get(path)).text == "<!doctype html>the page"
        assert (await client.get(SCRIPT)).status_code == 200
