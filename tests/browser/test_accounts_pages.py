"""The built-in pages in a real browser against a real server: set up, invite, talk, come back."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

pytestmark = pytest.mark.asyncio

PASSWORD = "correct horse"


@dataclass
class Server:
    """A server's process, and what it printed when it started."""

    data: Path
    port: int
    printed: str = ""
    process: asyncio.subprocess.Process | None = None

    @property
    def base(self) -> str:
        """Where its pages are."""
        return f"http://localhost:{self.port}"

    async def start(self) -> None:
        """Start, and wait until it says where it is."""
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hubbub", "serve", "--port", str(self.port), "--data", str(self.data)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={name: value for name, value in os.environ.items() if not name.startswith("HUBBUB_")},
        )
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        # It logs that it serves once all is printed.
        await self.process.stderr.readuntil(b"serving")
        self.printed = (await self.process.stdout.read(4096)).decode()

    async def stop(self, number: int = signal.SIGTERM) -> None:
        """End it, and wait for the end."""
        assert self.process is not None
        self.process.send_signal(number)
        await self.process.communicate()


@dataclass
class Visitor:
    """A browser of somebody's own, which notes what its pages complain of."""

    page: Page
    complaints: list[str] = field(default_factory=list)


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Server(tmp_path / "data", port)
    await server.start()
    yield server
    await server.stop()


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=os.environ["HUBBUB_BROWSER"],
            args=["--no-sandbox"],  # where tests run as root
        )
        yield browser
        await browser.close()


@asynccontextmanager
async def visiting(browser: Browser) -> AsyncIterator[Visitor]:
    """A visitor on a phone, with cookies of their own. At the end no page may have complained."""
    context = await browser.new_context(viewport={"width": 360, "height": 640})
    visitor = Visitor(await context.new_page())

    def note(text: str) -> None:
        # What is refused on purpose, and what is not there while the server is down.
        if not re.search(r"status of 4\d\d|ERR_CONNECTION|WebSocket connection", text):
            visitor.complaints.append(text)

    visitor.page.on(
        "console", lambda message: note(message.text) if message.type in ("error", "warning") else None
    )
    visitor.page.on("pageerror", lambda error: note(str(error)))
    visitor.page.on("dialog", lambda dialog: note(dialog.message))
    yield visitor
    await context.close()
    assert visitor.complaints == []


async def fill_in(page: Page, **fields: str) -> None:
    """Fill the fields of these ids."""
    for name, value in fields.items():
        await page.locator(f"#{name}").fill(value)


async def say(page: Page, message: str) -> None:
    """Send a message."""
    await page.locator("#text").fill(message)
    await page.locator("#say button").click()


async def set_up(server: Server, page: Page) -> None:
    """Make the first account by the link that the server printed."""
    found = re.search(r"http://\S+/setup#\S+", server.printed)
    assert found is not None
    await page.goto(found[0])
    await fill_in(page, username="Olga", display_name="Olga O.", password=PASSWORD, repeated=PASSWORD)
    await page.locator("#account button").click()
    await expect(page.locator("#status")).to_have_text("general · 1 here")


async def test_from_the_first_account_to_two_people_who_talk_over_a_kill(
    server: Server, browser: Browser
) -> None:
    async with visiting(browser) as owner, visiting(browser) as guest:
        await set_up(server, owner.page)
        assert owner.page.url == f"{server.base}/"
        link = await owner.page.evaluate(
            "fetch('/api/invitations', {method: 'POST', body: '{}'}).then((a) => a.json()).then((a) => a.link)"
        )
        await guest.page.goto(link)
        await expect(guest.page.locator("#least")).to_have_text("At least 8 characters.")
        assert guest.page.url == f"{server.base}/invite"
        await fill_in(guest.page, username="ada", password=PASSWORD, repeated="another")
        await guest.page.locator("#account button").click()
        await expect(guest.page.locator("#error")).to_have_text("The two passwords are not the same.")
        await fill_in(guest.page, repeated=PASSWORD)
        await guest.page.locator("#account button").click()
        await expect(guest.page.locator("#status")).to_have_text("general · 2 here")

        markup = "<img src=x onerror=alert(1)><b>hello</b>"
        await say(owner.page, markup)
        heard = guest.page.locator("#messages li .text")
        await expect(heard).to_have_text([markup])
        assert await guest.page.locator("#messages img, #messages b").count() == 0

        await server.stop(signal.SIGKILL)
        await say(guest.page, "still here")
        await server.start()
        for page in (owner.page, guest.page):
            await expect(page.locator("#messages li .text")).to_have_text(
                [markup, "still here"], timeout=60_000
            )
            width = await page.evaluate("document.documentElement.scrollWidth")
            assert width <= 360, "the page is wider than a phone"


async def test_one_goes_to_another_room_and_back_and_logs_out(server: Server, browser: Browser) -> None:
    async with visiting(browser) as owner:
        page = owner.page
        await set_up(server, page)
        await say(page, "in general")
        await expect(page.locator("#messages li .text")).to_have_text(["in general"])
        await page.locator("#room").fill("plans")
        await page.locator("#go button").click()
        await expect(page.locator("#status")).to_have_text("plans · 1 here")
        await expect(page.locator("#messages li")).to_have_count(0)
        await say(page, "in plans")
        await expect(page.locator("#messages li .text")).to_have_text(["in plans"])
        await page.locator("#room").fill("a/b")
        await page.locator("#go button").click()
        await expect(page.locator("#error")).not_to_be_empty()
        await say(page, "still in plans")
        await expect(page.locator("#messages li .text")).to_have_text(["in plans", "still in plans"])
        await page.locator("#room").fill("General")
        await page.locator("#go button").click()
        await expect(page.locator("#messages li .text")).to_have_text(["in general"])
        await page.locator("#logout").click()
        await expect(page.locator("#out")).to_be_visible()
        await fill_in(page, username="olga", password="wrong password")
        await page.locator("#login button").click()
        await expect(page.locator("#login-error")).to_have_text("The name or the password is wrong.")
        await fill_in(page, password=PASSWORD)
        await page.locator("#login button").click()
        await expect(page.locator("#messages li .text")).to_have_text(["in general"])


async def test_a_session_ended_elsewhere_shows_the_login_at_once(server: Server, browser: Browser) -> None:
    async with visiting(browser) as desk, visiting(browser) as phone:
        await set_up(server, desk.page)
        await phone.page.goto(server.base)
        await fill_in(phone.page, username="olga", password=PASSWORD)
        await phone.page.locator("#login button").click()
        await expect(phone.page.locator("#status")).to_have_text("general · 1 here")
        await desk.page.evaluate("fetch('/api/sessions?others=true', {method: 'DELETE'})")
        await expect(phone.page.locator("#login-error")).to_have_text("You have been logged out.")
        await expect(desk.page.locator("#status")).to_have_text("general · 1 here")


async def test_a_link_that_is_void_says_so_and_shows_no_form(server: Server, browser: Browser) -> None:
    async with visiting(browser) as visitor:
        for page in ("setup", "invite", "reset"):
            await visitor.page.goto(f"{server.base}/{page}#made-up")
            await expect(visitor.page.locator("#error")).to_have_text(
                "This link has been used or has expired. Ask for a new one."
            )
            await expect(visitor.page.locator("#account")).to_be_hidden()
