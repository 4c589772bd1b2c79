"""One browser for all tests of the page, and a server for each module. Each test has windows, cookies and storage of its own in it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.browser.visitors import Visitor, visiting
from tests.support.server import WAIT_SECONDS, Accounts, Server, running

Visit = Callable[..., AbstractAsyncContextManager[Visitor]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """A real Chromium."""
    expect.set_options(timeout=WAIT_SECONDS * 1000)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=os.environ["HUBBUB_BROWSER"],
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
            ],  # tests may run as root
        )
        yield browser
        await browser.close()


@pytest.fixture(scope="module")
def server(accounts: Accounts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server, shared by the tests of a module, where one may write as fast as one likes."""
    with running(Server(tmp_path_factory.mktemp("server"), accounts, limit_messages=0)) as server:
        yield server


@pytest.fixture
def visit(chromium: Browser, server: Server) -> Visit:
    """Somebody's own browser, at the module's server: `async with visit(locale="zh-TW") as olga:`."""

    def come(**options: Any) -> AbstractAsyncContextManager[Visitor]:
        return visiting(chromium, server, **options)

    return come
