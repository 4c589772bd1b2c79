"""The tutorial's own page, unchanged, in a real browser against a real server, in the basic profile."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.support.client import Client
from tests.support.fixtures import Connect, StartServer
from tests.support.server import PASSWORD, Server

pytestmark = pytest.mark.asyncio

TUTORIAL = Path(__file__).parent / "tutorial"


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=os.environ["HUBBUB_BROWSER"],
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        await browser.close()


@pytest.fixture
def tutorial(start_server: StartServer) -> Server:
    return start_server("--static", str(TUTORIAL))


class Visitor:
    """Somebody at the tutorial's page; an alert or an error in its script is noted."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.frames: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("websocket", lambda socket: socket.on("framereceived", self._heard))

    def _heard(self, payload: str | bytes) -> None:
        self.frames.append(payload if isinstance(payload, str) else payload.decode())

    async def come(self, server: Server, name: str, password: str = PASSWORD) -> None:
        self.page.on("dialog", self._alerted)
        await self.page.goto(f"http://localhost:{server.port}/")
        await self.page.fill("#username", name)
        await self.page.fill("#password", password)
        await self.page.click("text=Login")

    async def _alerted(self, dialog: object) -> None:
        self.complaints.append(str(getattr(dialog, "message", "")))
        await dialog.dismiss()  # type: ignore[attr-defined]

    async def is_in(self) -> None:
        await expect(self.page.locator("#connection-header")).to_have_text("Connect to websocket : True")

    async def say(self, text: str) -> None:
        await self.page.fill("#message", text)
        await self.page.click("input[value=sendmessage]")

    async def go_to(self, room: str) -> None:
        await self.page.fill("#chatroom", room)
        await self.page.click("input[value='Change Chatroom']")
        await expect(self.page.locator("#chat-header")).to_have_text(f"Currently in chatroom :{room}")

    async def sees(self, text: str) -> None:
        await expect(self.page.locator("#chatmessage")).to_contain_text(text)

    async def text(self) -> str:
        return await self.page.locator("#chatmessage").inner_text()


async def a_visitor(browser: Browser, server: Server, name: str) -> Visitor:
    context = await browser.new_context()
    visitor = Visitor(await context.new_page())
    await visitor.come(server, name)
    await visitor.is_in()
    return visitor


async def test_two_people_log_in_talk_and_change_room_and_no_alert_is_raised(
    browser: Browser, tutorial: Server, connect: Connect
) -> None:
    olga = await a_visitor(browser, tutorial, "olga")
    peter = await a_visitor(browser, tutorial, "peter")

    await olga.say("hello from the tutorial")
    await olga.sees("hello from the tutorial")
    await peter.sees("hello from the tutorial")

    # A room that was not there. What the page says in `from` is "test"; others see who logged in.
    await peter.go_to("kitchen")
    witness: Client = await connect(tutorial, tutorial.person())
    await witness.enter("kitchen")
    await peter.say("is anyone here?")
    await peter.sees("is anyone here?")
    heard = await witness.until("new_message")
    assert (heard["from"], heard["message"]) == ("peter", "is anyone here?")

    await olga.say("still in general")
    await olga.sees("still in general")
    assert "is anyone here?" not in await olga.text()
    assert "still in general" not in await peter.text()

    await olga.go_to("kitchen")
    await olga.say("me too")
    await peter.sees("me too")

    assert (olga.complaints, peter.complaints) == ([], [])
    assert all(frame.startswith('{"type":"new_message"') for frame in [*olga.frames, *peter.frames])


async def test_a_wrong_password_is_refused_as_the_tutorial_does_it(
    browser: Browser, tutorial: Server
) -> None:
    visitor = Visitor(await (await browser.new_context()).new_page())
    async with visitor.page.expect_event("dialog"):
        await visitor.come(tutorial, "olga", "wrong password")
    await expect(visitor.page.locator("#connection-header")).to_have_text("Connect to websocket: false")
    assert visitor.complaints == ["unauthorized"]
