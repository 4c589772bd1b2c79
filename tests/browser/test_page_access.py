"""Every page for everybody: axe-core finds nothing on any of them, in both themes, and on a phone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Literal

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.axe import violations
from tests.browser.conftest import Visit
from tests.browser.visitors import PHONE, WIDE, Visitor
from tests.support.client import join
from tests.support.server import Server

pytestmark = pytest.mark.asyncio(loop_scope="session")

Theme = Literal["light", "dark"]
ROOM = "all kinds"

KINDS = (
    "**bold**, `code`, [a link](https://example.org/) and @olga",
    "```python\ndef add(a, b):  # with colours\n    return a + b\n```",
    "- one\n- two\n\n> a quote\n\n| a | b |\n|---|---|\n| 1 | 2 |",
    "中文也一樣 🎉",
)


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def conversation(server: Server) -> AsyncIterator[None]:
    """A room with every kind of message in it."""
    async with join(server, server.person()) as writer:
        await writer.enter(ROOM)
        numbers = [(await writer.say(ROOM, text))["seq"] for text in KINDS]
        await writer.ask("react", room=ROOM, seq=numbers[0], emoji="👍")
        await writer.ask("edit_message", room=ROOM, seq=numbers[3], message="中文也一樣好 🎉")
        gone = (await writer.say(ROOM, "gone"))["seq"]
        await writer.ask("delete_message", room=ROOM, seq=gone)
        await writer.say(ROOM, "an answer", reply_to=numbers[0])
    yield


async def nothing_found(visitor: Visitor, where: str) -> None:
    found = await violations(visitor.page)
    assert found == [], "\n".join([where, *found])


async def shown(visitor: Visitor, path: str, heading: str) -> None:
    """Open a page and wait for its heading."""
    await visitor.go(path)
    await expect(visitor.page.get_by_role("heading", name=heading).first).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_nothing_stands_in_anybodys_way_on_the_pages_before_the_login(
    visit: Visit, theme: Theme
) -> None:
    async with visit(color_scheme=theme, reduced_motion="reduce") as olga, visit(color_scheme=theme) as guest:
        await shown(guest, "/login", "Log in")
        await nothing_found(guest, "login")
        await guest.page.get_by_label("Name", exact=True).fill("olga")
        await guest.page.get_by_label("Password", exact=True).fill("wrong")
        await guest.page.get_by_role("button", name="Log in").click()
        await expect(guest.page.get_by_text("The name or the password is wrong.")).to_be_visible()
        await nothing_found(guest, "login refused")
        for page in ("setup", "invite", "reset"):
            await shown(guest, f"/{page}#void", "This link can’t be used")
            await nothing_found(guest, f"a void link to {page}")
        await olga.come()
        made = await olga.context.request.post(f"{olga.server.url}/api/invitations", data={})
        await guest.page.goto((await made.json())["link"])
        await expect(guest.page.get_by_role("heading", name="Welcome to Hubbub")).to_be_visible()
        await nothing_found(guest, "invitation")


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_nothing_stands_in_anybodys_way_in_a_room_and_its_dialogs(visit: Visit, theme: Theme) -> None:
    async with visit(color_scheme=theme, reduced_motion="reduce") as olga:
        await olga.come(f"/rooms/{ROOM}")
        await expect(olga.messages.last).to_contain_text("an answer")
        await expect(olga.messages.locator("pre code span").first).to_be_visible()
        await nothing_found(olga, "room")
        await olga.show_members()
        await nothing_found(olga, "members")
        for opens in dialogs(olga):
            await opens()
            await expect(olga.page.get_by_role("dialog")).to_be_visible()
            await nothing_found(olga, f"dialog {opens}")
            await olga.page.keyboard.press("Escape")
            await expect(olga.page.get_by_role("dialog")).to_have_count(0)
        await olga.page.get_by_role("button", name="Room menu").click()
        await expect(olga.page.get_by_role("menu")).to_be_visible()
        await nothing_found(olga, "room menu")
        await olga.page.keyboard.press("Escape")
        await olga.by("composer").press_sequentially("@pet")
        await expect(olga.page.get_by_role("option").first).to_be_visible()
        await nothing_found(olga, "completion")


def dialogs(visitor: Visitor) -> list[Callable[[], Awaitable[None]]]:
    """What opens each dialog."""
    page = visitor.page
    return [
        lambda: page.keyboard.press("Control+k"),
        lambda: page.get_by_role("button", name="New room").click(),
        lambda: page.get_by_role("button", name="Browse rooms").click(),
        lambda: page.get_by_role("button", name="New direct message").click(),
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_nothing_stands_in_anybodys_way_on_the_other_pages(visit: Visit, theme: Theme) -> None:
    async with visit(color_scheme=theme, reduced_motion="reduce") as olga:
        await olga.come()
        for path, heading in (
            ("/account", "Account and settings"),
            ("/admin/people", "Administration"),
            ("/admin/invitations", "Administration"),
            ("/admin/rooms", "Administration"),
            ("/admin/server", "Administration"),
            ("/rooms/no/such/page", "There is no page here"),
        ):
            await shown(olga, path, heading)
            await expect(olga.page.get_by_text("Loading…")).to_have_count(0)
            await nothing_found(olga, path)
        await olga.go("/admin/invitations")
        await olga.page.get_by_role("button", name="Make invitation").click()
        await expect(olga.page.get_by_label("QR code of the invitation link")).to_be_visible()
        await nothing_found(olga, "an invitation made")
        await olga.go("/search?q=code")
        await expect(olga.by("search-result").first).to_be_visible()
        await nothing_found(olga, "search")


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_nothing_stands_in_anybodys_way_on_a_phone(visit: Visit, theme: Theme) -> None:
    async with visit(viewport=PHONE, has_touch=True, color_scheme=theme, reduced_motion="reduce") as olga:
        await olga.come(f"/rooms/{ROOM}")
        await expect(olga.messages.last).to_contain_text("an answer")
        await nothing_found(olga, "room")
        await olga.page.get_by_role("button", name="Back to the list of rooms").click()
        await expect(olga.by("room-list")).to_be_visible()
        await nothing_found(olga, "list of rooms")


async def test_motion_stops_for_whoever_asked_for_less(visit: Visit) -> None:
    async with visit(reduced_motion="reduce", viewport=WIDE) as olga:
        await olga.come(f"/rooms/{ROOM}")
        await expect(olga.messages.last).to_contain_text("an answer")
        await olga.page.keyboard.press("Control+k")
        await expect(olga.by("jump-dialog")).to_be_visible()
        moving = await olga.page.evaluate(
            """() => document.getAnimations().filter((one) => one.effect.getComputedTiming().activeDuration > 50)
                 .map((one) => one.animationName ?? one.transitionProperty)"""
        )
        assert moving == []
