"""The page in examples/page, in a real browser against a real server."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright, expect

from tests.example_server import EXAMPLES, PASSWORD, SERVE, Server, serving


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with serving(tmp_path, *SERVE, "--static", str(EXAMPLES / "page")) as server:
        yield server


@pytest_asyncio.fixture
async def page() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=os.environ["HUBBUB_BROWSER"],
            args=["--no-sandbox"],  # where tests run as root
        )
        yield await browser.new_page()
        await browser.close()


async def _say(page: Page, message: str) -> None:
    await page.locator("[name=message]").fill(message)
    await page.locator("#say button").click()


@pytest.mark.asyncio
async def test_a_page_of_ones_own_misses_nothing_and_says_nothing_twice_over_a_kill(
    server: Server, page: Page
) -> None:
    await page.goto(f"http://localhost:{server.port}/")
    await page.locator("[name=username]").fill("carol")
    await page.locator("[name=password]").fill(PASSWORD)
    await page.locator("#login button").click()
    lines = page.locator("#messages li")
    await _say(page, "one")
    await expect(lines).to_have_text(["carol: one"])

    await server.kill()
    await _say(page, "<b>two</b>")
    await server.start()
    await expect(lines).to_have_text(["carol: one", "carol: <b>two</b>"], timeout=60_000)
    log = server.get("/api/rooms/general/messages")["messages"]
    assert [entry["message"] for entry in log] == ["one", "<b>two</b>"]
