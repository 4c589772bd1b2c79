"""A page that slept while its connection died, and a server that says when to come back: calm, prompt, without a hole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.visitors import Visitor, visiting
from tests.support.client import join
from tests.support.server import WAIT_SECONDS, Accounts, Server, running

pytestmark = pytest.mark.asyncio(loop_scope="session")

# When tickets were asked for and why the last socket was closed, by the page's own clock; and a page that can be hidden.
_WATCH: Final = """
window.tickets = [];
const fetchIt = window.fetch;
window.fetch = (path, ...rest) => {
  if (path === '/ticket') window.tickets.push(Date.now());
  return fetchIt(path, ...rest);
};
window.WebSocket = class extends WebSocket {
  constructor(...given) {
    super(...given);
    window.over = new Promise((done) => {
      this.addEventListener('close', ({code, reason}) => done([code, reason, Date.now()]));
    });
  }
};
let hidden = false;
Object.defineProperty(document, 'visibilityState', {get: () => (hidden ? 'hidden' : 'visible')});
window.hide = (yes) => {
  hidden = yes;
  document.dispatchEvent(new Event('visibilitychange'));
};
"""
_HOUR_MS: Final = 3_600_000


class Wire:
    """What lies between a browser and the server. It can go dead, so that no end of a WebSocket hears that it did."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._ends: list[asyncio.StreamWriter] = []
        self._idle: list[asyncio.StreamWriter] = []
        self._dead = asyncio.Event()
        self.port = 0

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A new connection, over a wire that is whole."""
        there, back = await asyncio.open_connection("127.0.0.1", self._server.port)
        self._ends += [writer, back]
        first = await reader.read(65536)
        if not first.startswith(b"GET /ws"):
            self._idle += [writer, back]
        back.write(first)
        await asyncio.gather(_pump(reader, back, self._dead), _pump(there, writer, self._dead))

    def go_dead(self) -> None:
        """The WebSocket hears nothing any more. Who connects anew gets through: what was idle is dropped by browsers."""
        self._dead.set()
        self._dead = asyncio.Event()
        for end in self._idle:
            end.transport.abort()

    def close(self) -> None:
        """End what is left."""
        for end in self._ends:
            end.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, dead: asyncio.Event) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            if not dead.is_set():
                writer.write(data)
                await writer.drain()
        if not dead.is_set():
            writer.close()


@pytest.fixture
def own(accounts: Accounts, tmp_path: Path) -> Iterator[Server]:
    """A server of the test's own."""
    with running(Server(tmp_path, accounts, limit_messages=0)) as server:
        yield server


def unhurried(folder: Path, accounts: Accounts) -> Server:
    """A server that asks the first of its clients to stay away for 40 seconds when it restarts."""
    return Server(folder, accounts, limit_messages=0, restart_spread_seconds=40 * 97)


class _Behind(Server):
    """The server, as it is seen over the wire."""

    def __init__(self, wire: Wire) -> None:
        self.port = wire.port


@asynccontextmanager
async def wired(chromium: Browser, server: Server) -> AsyncIterator[tuple[Visitor, Wire]]:
    """Olga in the room `general`, with a clock that the test can turn, over a wire that it can cut."""
    wire = Wire(server)
    listening = await asyncio.start_server(wire.carry, "127.0.0.1", 0)
    wire.port = listening.sockets[0].getsockname()[1]
    try:
        async with visiting(chromium, _Behind(wire)) as olga:
            await olga.context.add_init_script(_WATCH)
            await olga.page.clock.install()
            await olga.come("/rooms/general")
            await expect(olga.by("composer")).to_be_visible()
            await olga.write("before it slept")
            await olga.sees("before it slept")
            yield olga, wire
    finally:
        listening.close()
        wire.close()


async def stand_still(page: Page) -> None:
    """From here on the page's clock goes on only when it is turned."""
    await page.clock.pause_at(await page.evaluate("Date.now()") / 1000 + 1)


async def turn_to_next_try(page: Page) -> int:
    """Turn the page's clock until it tries to connect, and let it go on from there; how late that is, in milliseconds."""
    began: int = await page.evaluate("() => { window.tickets = []; return Date.now(); }")
    async with asyncio.timeout(WAIT_SECONDS):
        while not await page.evaluate("window.tickets.length"):
            await page.clock.run_for(250)
    tried: int = await page.evaluate("window.tickets[0]")
    await page.clock.resume()
    return tried - began


@pytest.mark.parametrize("kind", ["a tab that was frozen and is shown", "a machine whose lid was closed"])
async def test_who_wakes_finds_out_at_once_and_misses_nothing(
    chromium: Browser, own: Server, kind: str
) -> None:
    async with join(own, own.person()) as somebody, wired(chromium, own) as (olga, wire):
        await somebody.enter("general")
        page = olga.page
        if "tab" in kind:
            await page.evaluate("hide(true)")
        await stand_still(page)
        wire.go_dead()
        texts = [f"while it slept {number}" for number in range(30)]
        for text in texts:
            await somebody.say("general", text)
        if "tab" in kind:
            # However short it was: nothing but that it is shown tells of it.
            await page.evaluate("hide(false)")
        else:
            await page.clock.fast_forward(_HOUR_MS)
        # For all that is known the connection lives: it is asked, has three seconds, and one more at most is chance's.
        assert await turn_to_next_try(page) <= 4_100
        await expect(olga.messages).to_have_count(31)
        await olga.sees("before it slept", *texts)
        await olga.write("awake")
        await somebody.until("new_message", message="awake")
        await olga.sees("before it slept", *texts, "awake")


async def test_a_connection_that_outlived_the_sleep_is_kept(chromium: Browser, own: Server) -> None:
    async with join(own, own.person()) as somebody, wired(chromium, own) as (olga, _):
        await somebody.enter("general")
        page = olga.page
        await page.evaluate("hide(true)")
        await stand_still(page)
        await somebody.say("general", "while it slept")
        await page.clock.fast_forward(_HOUR_MS)
        await page.evaluate("() => { window.tickets = []; hide(false); }")
        await page.clock.resume()
        await olga.sees("before it slept", "while it slept")
        await olga.write("awake")
        await olga.sees("before it slept", "while it slept", "awake")
        await page.clock.run_for(10_000)
        assert await page.evaluate("window.tickets") == []


async def test_a_connection_that_died_unheard_is_found_out_while_awake_too(
    chromium: Browser, own: Server
) -> None:
    async with join(own, own.person()) as somebody, wired(chromium, own) as (olga, wire):
        await somebody.enter("general")
        await stand_still(olga.page)
        wire.go_dead()
        await somebody.say("general", "never heard")
        assert await turn_to_next_try(olga.page) <= 35_000
        await olga.sees("before it slept", "never heard")


async def test_a_restarting_server_gets_the_time_it_asks_for_and_the_page_says_when_it_tries(
    chromium: Browser, accounts: Accounts, tmp_path: Path
) -> None:
    with running(unhurried(tmp_path, accounts)) as server:
        async with wired(chromium, server) as (olga, _):
            page, banner = olga.page, olga.by("connection-banner")
            await stand_still(page)
            await asyncio.to_thread(server.stop)
            code, reason, lost_at = await page.evaluate("window.over")
            assert (code, reason) == (1012, "restarting; retry after 40.0 s")
            # Gone for less than three seconds: nobody is told.
            await page.clock.run_for(2_900)
            await expect(banner).to_have_count(0)
            await page.clock.run_for(600)
            await expect(banner).to_contain_text("The server is restarting")
            await expect(banner).to_contain_text("Next try in 37 seconds.")
            await olga.write("while it restarts")
            await asyncio.to_thread(server.start)
            # It waits, though the network seems to be back and somebody looks at the page.
            await page.evaluate("() => { window.tickets = []; dispatchEvent(new Event('online')); }")
            await page.evaluate("() => { dispatchEvent(new Event('pageshow')); }")
            await page.clock.run_for(30_000)
            assert await page.evaluate("window.tickets") == []
            await expect(banner).to_contain_text("Next try in 7 seconds.")
            await turn_to_next_try(page)
            assert await page.evaluate("window.tickets[0]") - lost_at == 40_000
            await olga.sees("before it slept", "while it restarts")
            await expect(banner).to_have_count(0)


async def test_who_does_not_want_to_wait_for_a_restart_tries_now(
    chromium: Browser, accounts: Accounts, tmp_path: Path
) -> None:
    with running(unhurried(tmp_path, accounts)) as server:
        async with wired(chromium, server) as (olga, _):
            await asyncio.to_thread(server.stop)
            await asyncio.to_thread(server.start)
            await olga.write("waits")
            await olga.page.get_by_role("button", name="Try now").click()
            await olga.sees("before it slept", "waits")
            await expect(olga.by("connection-banner")).to_have_count(0)
