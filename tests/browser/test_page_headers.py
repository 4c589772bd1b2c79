"""What the server says with each page: nothing but its own files may run, and nobody may frame it."""

from __future__ import annotations

import pytest

from tests.support.server import Server

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGES = (
    *(
        "/",
        "/rooms/general",
        "/rooms/general/42",
        "/search?q=x",
        "/account",
        "/login",
        "/setup",
        "/invite",
        "/reset",
    ),
    *("/admin/people", "/admin/invitations", "/admin/rooms", "/admin/server"),
)


def policy_of(text: str) -> dict[str, list[str]]:
    """A Content-Security-Policy, by directive."""
    directives = [directive.split() for directive in text.split(";") if directive.strip()]
    return {name: sources for name, *sources in directives}


@pytest.mark.parametrize("path", PAGES)
async def test_each_page_comes_with_a_strict_policy_and_the_other_headers_that_keep_it_safe(
    server: Server, path: str
) -> None:
    answer = await server.request("GET", path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = policy_of(answer.headers["content-security-policy"])
    assert policy["default-src"] == ["'self'"]
    assert policy.get("script-src", ["'self'"]) == ["'self'"]
    assert policy.get("style-src", ["'self'"]) == ["'self'"]
    assert policy["frame-ancestors"] == ["'none'"]
    assert policy["base-uri"] in (["'none'"], ["'self'"])
    assert policy["form-action"] in (["'none'"], ["'self'"])
    assert policy["object-src"] == ["'none'"]
    assert not any("unsafe" in source or source == "*" for sources in policy.values() for source in sources)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] in ("no-referrer", "same-origin")
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-cache"


async def test_a_page_is_made_of_files_that_are_kept_for_ever_and_of_nothing_inline(server: Server) -> None:
    page = (await server.request("GET", "/")).text
    assert "<style" not in page
    assert " style=" not in page
    sources = [part.split('"')[0] for part in page.split('src="')[1:]]
    assert sources, "a page without a script"
    for script in page.split("<script")[1:]:
        assert 'src="' in script.split(">")[0], "an inline script"
    for source in sources:
        answer = await server.request("GET", source)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
