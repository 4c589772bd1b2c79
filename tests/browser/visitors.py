"""Somebody at the page in a real browser: coming in, reading, writing, and what the page must never do meanwhile."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Locator,
    Page,
    Request,
    expect,
)

from tests.support.server import PASSWORD, WAIT_SECONDS, Server

# What a browser says by itself of a request that was refused on purpose, or of a server that is down on purpose.
_BROWSERS_OWN: Final = re.compile(
    r"Failed to load resource|WebSocket connection to .* failed|net::ERR_(CONNECTION|INTERNET|NETWORK|ABORTED)"
)
# Reports to the console, where it is noted, what the policy forbade.
_REPORT_POLICY: Final = """
addEventListener('securitypolicyviolation', (event) =>
  console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI))
"""

WIDE: Final = {"width": 1280, "height": 800}
PHONE: Final = {"width": 360, "height": 640}
NARROWEST: Final = {"width": 320, "height": 568}


class Visitor:
    """A browser of somebody's own, with its cookies and its storage. `complaints` has all that should not have been."""

    def __init__(self, context: BrowserContext, page: Page, server: Server) -> None:
        self.context = context
        self.server = server
        self.complaints: list[str] = []
        self.page = page
        self._watch(page)

    # --- coming and going

    async def come(self, path: str = "/", name: str = "olga", password: str = PASSWORD) -> None:
        """Come in with the cookie of a login that was made beside the page."""
        answer = await self.context.request.post(
            f"{self.server.url}/login", data={"username": name, "password": password}
        )
        assert answer.ok, await answer.text()
        await self.go(path)

    async def go(self, path: str) -> None:
        """Load the page at a path."""
        await self.page.goto(self.server.url + path)

    async def another_tab(self, path: str = "/") -> Page:
        """One more page of the same browser."""
        page = await self.context.new_page()
        self._watch(page)
        await page.goto(self.server.url + path)
        return page

    # --- what is on the page

    def by(self, testid: str) -> Locator:
        """What has this hook."""
        return self.page.get_by_test_id(testid)

    @property
    def messages(self) -> Locator:
        """Messages shown."""
        return self.by("message")

    def message(self, seq: int) -> Locator:
        """The message of this number."""
        return self.page.locator(f'[data-testid="message"][data-seq="{seq}"]')

    def room_item(self, room: str) -> Locator:
        """A room in the list of rooms."""
        return self.page.locator(f'[data-testid="room-item"][data-room="{room}"]')

    # --- doing

    async def to_end(self) -> None:
        """To the newest message, if the list is not there."""
        await self.messages.first.wait_for()
        if await self.by("newer-button").is_visible():
            await self.by("newer-button").click()
        await expect(self.by("newer-button")).to_have_count(0)

    async def choose(self, menu: str, item: str) -> None:
        """Open a menu and choose in it."""
        await self.page.get_by_role("button", name=menu, exact=True).click()
        await self.page.get_by_role("menuitem", name=item).click()

    async def show_members(self) -> None:
        """Open the list of members."""
        await self.page.get_by_role("button", name=re.compile("^Members")).click()
        await expect(self.by("members")).to_be_visible()

    async def confirm(self, button: str) -> None:
        """Say yes to a question."""
        await self.page.get_by_role("dialog").get_by_role("button", name=button, exact=True).click()

    async def is_in(self, room: str) -> None:
        """Wait until a room is open."""
        await expect(self.page.get_by_role("heading", name=room, exact=True, level=1)).to_be_visible()

    async def write(self, text: str) -> None:
        """Write a message, as a person would."""
        await self.by("composer").fill(text)
        await self.by("composer").press("Enter")
        await expect(self.by("composer")).to_have_value("")

    async def sees(self, *texts: str) -> None:
        """Wait until these are the texts of the messages shown, in this order, each once, none waiting to be sent."""
        await expect(self.messages).to_have_count(len(texts), timeout=WAIT_SECONDS * 1000)
        for index, text in enumerate(texts):
            await expect(self.messages.nth(index)).to_contain_text(text)
        await expect(self.by("pending")).to_have_count(0)

    async def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        return int(
            await self.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
        )

    # --- what must never be

    def _watch(self, page: Page) -> None:
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("dialog", self._asked)
        page.on("request", self._asked_for)
        page.on("popup", lambda popup: self.complaints.append(f"popup: {popup.url}"))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not _BROWSERS_OWN.search(message.text):
            self.complaints.append(f"console: {message.text}")

    async def _asked(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        await dialog.dismiss()

    def _asked_for(self, request: Request) -> None:
        if not request.url.startswith((self.server.url + "/", "data:", "blob:")):
            self.complaints.append(f"request: {request.url}")


@asynccontextmanager
async def visiting(chromium: Browser, server: Server, **options: Any) -> AsyncIterator[Visitor]:
    """A visitor with a browser of their own; at the end no page of it may have complained."""
    context = await chromium.new_context(**({"viewport": WIDE, "locale": "en-GB"} | options))
    context.set_default_timeout(WAIT_SECONDS * 1000)
    await context.add_init_script(_REPORT_POLICY)
    visitor = Visitor(context, await context.new_page(), server)
    try:
        yield visitor
    finally:
        await context.close()
    assert visitor.complaints == []


async def a_room(server: Server, kind: str = "room") -> str:
    """The name of a new public room, which somebody made who is not in the test."""
    room = server.room(kind)
    await server.call(server.person(), "POST", "/api/rooms", {"name": room})
    return room


async def until(page: Page, condition: str, argument: object = None) -> None:
    """Wait until a function of JavaScript says yes, asked at each frame. The policy forbids Playwright's own way."""
    await page.evaluate(
        f"""async ([argument, milliseconds]) => {{
          const holds = {condition};
          const end = performance.now() + milliseconds;
          while (!holds(argument)) {{
            if (performance.now() > end) throw new Error('this never came to be: ' + holds);
            await new Promise((next) => requestAnimationFrame(next));
          }}
        }}""",
        [argument, WAIT_SECONDS * 1000],
    )
