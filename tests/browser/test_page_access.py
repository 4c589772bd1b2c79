"""Every page for everybody: axe-core finds nothing on any of them, in both themes, and on a phone."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, expect

from tests.browser.axe import violations
from tests.browser.conftest import Visit
from tests.browser.visitors import NARROWEST, PHONE, WIDE, Visitor, visiting
from tests.support.client import join
from tests.support.server import Server, running

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
async def test_nothing_stands_in_anybodys_way_in_the_forms_of_links_that_work(
    chromium: Browser, visit: Visit, server: Server, tmp_path: Path, theme: Theme
) -> None:
    with running(Server(tmp_path)) as new_server:
        setup = re.search(r"/setup#\S+", "\n".join(new_server.banner))
        assert setup is not None
        async with visiting(chromium, new_server, color_scheme=theme) as first:
            await shown(first, setup[0], "Set up Hubbub")
            await nothing_found(first, "set-up")
            await first.page.get_by_label("Name", exact=True).fill("a b")
            await first.page.get_by_label("Password", exact=True).fill("short")
            await first.page.get_by_role("button", name="Make account").click()
            await expect(first.page.get_by_text("The password needs at least 8 characters.")).to_be_visible()
            await nothing_found(first, "set-up refused")
    async with visit() as olga, visit(color_scheme=theme, viewport=NARROWEST) as guest:
        await olga.come()
        made = await olga.context.request.post(f"{server.url}/api/users/peter/reset-password")
        await guest.page.goto((await made.json())["link"])
        await expect(guest.page.get_by_text("For the account of peter.")).to_be_visible()
        await nothing_found(guest, "reset")


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_nothing_stands_in_anybodys_way_in_a_room_and_its_dialogs(visit: Visit, theme: Theme) -> None:
    async with visit(color_scheme=theme, reduced_motion="reduce") as olga:
        await olga.come(f"/rooms/{ROOM}")
        await expect(olga.messages.last).to_contain_text("an answer")
        await expect(olga.messages.locator("pre code span").first).to_be_visible()
        await nothing_found(olga, "room")
        await olga.show_members()
        await nothing_found(olga, "members")
        for opened in OPENED:
            await opened.by(olga)
            await expect(opened.locator(olga).first).to_be_visible()
            if opened.waits_for:
                await expect(opened.locator(olga).get_by_role(opened.waits_for).first).to_be_visible()
            await nothing_found(olga, str(opened))
            await olga.page.keyboard.press("Escape")
            await expect(opened.locator(olga)).to_have_count(0)
        await olga.by("composer").press_sequentially("@pet")
        await expect(olga.page.get_by_role("option").first).to_be_visible()
        await nothing_found(olga, "completion")


Role = Literal["dialog", "heading", "link", "menu", "option"]


@dataclass(frozen=True)
class Opened:
    """What opens over a room, the button that opens it, and, in a menu, the item."""

    button: str
    item: str = ""
    role: Role = "dialog"
    waits_for: Role | None = None
    keys: str = ""

    async def by(self, visitor: Visitor) -> None:
        """Open it, with what a keyboard has; the button keeps the focus until then."""
        page = visitor.page
        if self.keys:
            await page.keyboard.press(self.keys)
            return
        button = page.get_by_role("button", name=self.button).first
        await button.focus()
        await page.keyboard.press("Enter")
        if self.item:
            await page.get_by_role("menuitem", name=self.item).focus()
            await page.keyboard.press("Enter")

    def locator(self, visitor: Visitor) -> Locator:
        """What opens."""
        return visitor.page.get_by_role(self.role)


OPENED = (
    Opened("Jump to", waits_for="option"),
    Opened("", keys="Control+k", waits_for="option"),
    Opened("New room"),
    Opened("Browse rooms", waits_for="link"),
    Opened("New direct message", waits_for="option"),
    Opened("Room menu", role="menu"),
    Opened("Your menu", role="menu"),
    Opened("What to do with", role="menu"),
    Opened("Room menu", "Invite people"),
    Opened("Room menu", "Change topic"),
    Opened("Room menu", "Rename room"),
    Opened("Room menu", "Make private"),
    Opened("Room menu", "Archive room"),
    Opened("Room menu", "Leave room"),
    Opened("What to do with", "Remove from the room"),
    Opened("Emoji", waits_for="heading"),
)


async def test_escape_leaves_whatever_is_open_and_the_focus_goes_back_and_stays_inside_meanwhile(
    visit: Visit,
) -> None:
    async with visit(reduced_motion="reduce") as olga:
        await olga.come(f"/rooms/{ROOM}")
        await expect(olga.messages.last).to_contain_text("an answer")
        await olga.show_members()
        await expect(olga.page.get_by_role("button", name="What to do with").first).to_be_visible()
        for opened in OPENED:
            await olga.by("composer").focus()
            await opened.by(olga)
            await expect(opened.locator(olga).first).to_be_visible()
            if opened.role == "dialog":
                for key in ("Tab", "Shift+Tab"):
                    for _ in range(12):
                        assert await focus_is_inside(olga), f"{opened} lets the focus go by {key}"
                        await olga.page.keyboard.press(key)
            await olga.page.keyboard.press("Escape")
            await expect(opened.locator(olga)).to_have_count(0)
            back = (
                olga.by("composer")
                if opened.keys
                else olga.page.get_by_role("button", name=opened.button).first
            )
            await expect(back, str(opened)).to_be_focused()


async def focus_is_inside(visitor: Visitor) -> bool:
    """Whether the dialog has the focus, or the browser's own bars, which no page takes it from."""
    return bool(
        await visitor.page.evaluate(
            "() => document.activeElement === document.body || !!document.activeElement.closest('dialog, [role=dialog]')"
        )
    )


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
        await olga.go("/admin/people")
        for item in ("", "Disable", "Reset link"):
            await olga.page.get_by_role("button", name="What to do with ada-0").click()
            await nothing_found(olga, "what to do with somebody")
            if item:
                await olga.page.get_by_role("menuitem", name=item).click()
                await expect(olga.page.get_by_role("dialog")).to_be_visible()
                await nothing_found(olga, item)
            await olga.page.keyboard.press("Escape")
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
        for button in ("Jump to", "Browse rooms", "New direct message"):
            await olga.page.get_by_role("button", name=button).click()
            await expect(olga.page.get_by_role("dialog")).to_be_visible()
            await nothing_found(olga, button)
            await olga.page.keyboard.press("Escape")
        await olga.page.get_by_role("button", name="Your menu").click()
        await nothing_found(olga, "own menu")
        await olga.go(f"/rooms/{ROOM}")
        await olga.show_members()
        await nothing_found(olga, "members")
        await olga.go("/search?q=code")
        await expect(olga.by("search-result").first).to_be_visible()
        await nothing_found(olga, "search")


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
