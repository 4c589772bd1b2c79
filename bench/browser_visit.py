"""Drives Chromium through the page and takes the times."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from bench import browser
from bench.browser import Found
from bench.browser_far import read_far
from bench.browser_figures import NOTE_TASKS, heap_bytes, longest_cpu_ms
from bench.browser_server import FAR, PASSWORD, READER, PageServer, page_server

ROOMS: Final = ("one", "two")
HISTORY: Final = 200  # messages in each room before anyone reads
RATE: Final = 100  # messages a second, while tasks are watched
ALL: Final = 10_000  # messages, over which memory has to be flat
WAIT_MS: Final = 60_000
TEXT: Final = "In {room}, number {number}: **some** words as people write them, with `code` and a link https://example.org/{number}"

# Resolves with the time at which a message with this text had been painted in the list.
_PAINTED: Final = """
(text) => new Promise((resolve) => {
  const look = () => {
    const list = document.querySelector('[data-testid="message-list"]');
    const messages = list ? [...list.querySelectorAll('[data-testid="message"]')].slice(-3) : [];
    if (messages.some((message) => message.textContent.includes(text)))
      requestAnimationFrame(() => setTimeout(() => resolve(performance.timeOrigin + performance.now())));
    else requestAnimationFrame(look);
  };
  look();
})
"""
# Notes the time of the last press of a button, key or pointer, over a load of the page too.
_NOTE_CLICKS: Final = """
addEventListener('click', () => {
  sessionStorage.setItem('bench.click', String(performance.timeOrigin + performance.now()));
}, { capture: true });
"""


@dataclass(frozen=True)
class Times:
    """How often and how long: `rounds` of logging in, `switches` of rooms, `seconds` of messages at `RATE`."""

    rounds: int = 5
    switches: int = 20
    seconds: int = 10
    messages: int = ALL
    far: int = 3000  # messages that are scrolled over in a room of `browser_history.MESSAGES`


QUICK: Final = Times(rounds=1, switches=4, seconds=2, messages=1000, far=600)


def measure(times: Times) -> list[Found]:
    """All figures of the page. Raises `NoBrowserError` if there is no browser, or no server for it."""
    return asyncio.run(_measure(browser.executable(), times))


async def _measure(executable: str, times: Times) -> list[Found]:
    with page_server() as server:
        async with async_playwright() as playwright, _writing(server) as writer:
            chromium = await playwright.chromium.launch(
                executable_path=executable,
                args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            )
            try:
                for room in ROOMS:
                    await writer.enter(room)
                    await writer.say(room, HISTORY)
                return [
                    await _first_load(chromium, server, writer),
                    browser.log_in([await _log_in(chromium, server, writer) for _ in range(times.rounds)]),
                    await _switching(chromium, server, writer, times.switches),
                    *await _flood(chromium, server, writer, times),
                    *await _far(chromium, server, times.far),
                ]
            finally:
                await chromium.close()


class _Writer:
    """Somebody who says numbered things, and waits until they are on disk."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.said = dict.fromkeys(ROOMS, 0)

    async def enter(self, room: str) -> None:
        await self._send("enter", room=room)

    async def say(self, room: str, count: int, each_seconds: float = 0.0) -> None:
        """So many messages, at a steady rate or as fast as they go."""
        clock = asyncio.get_running_loop().time
        start = clock()
        id_ = ""
        for number in range(count):
            self.said[room] += 1
            id_, text = f"{room}-{self.said[room]}", TEXT.format(room=room, number=self.said[room])
            await self._send("send_message", room=room, id=id_, message=text)
            if each_seconds:
                await asyncio.sleep(max(0.0, start + (number + 1) * each_seconds - clock()))
            elif number % 50 == 49 or number == count - 1:
                await self._heard(id_)
        if each_seconds:
            await self._heard(id_)

    def last(self, room: str) -> str:
        """What is in the last message."""
        return f"In {room}, number {self.said[room]}:"

    async def _send(self, type_: str, **payload: object) -> None:
        await self._socket.send(json.dumps({"type": type_, "payload": payload}))

    async def _heard(self, id_: str) -> None:
        async with asyncio.timeout(WAIT_MS / 1000):
            while json.loads(await self._socket.recv())["payload"].get("id") != id_:
                pass


@asynccontextmanager
async def _writing(server: PageServer) -> AsyncIterator[_Writer]:
    async with connect(
        server.url.replace("http", "ws", 1) + "/ws",
        subprotocols=[Subprotocol("hubbub.v1")],
        additional_headers={"Authorization": f"Bearer {server.token}"},
        compression=None,
        max_queue=None,
        proxy=None,
    ) as socket:
        yield _Writer(socket)


@asynccontextmanager
async def _visit(chromium: Browser) -> AsyncIterator[tuple[BrowserContext, Page]]:
    context = await chromium.new_context(viewport={"width": 1280, "height": 800}, locale="en")
    context.set_default_timeout(WAIT_MS)
    await context.add_init_script(_NOTE_CLICKS)
    try:
        yield context, await context.new_page()
    finally:
        await context.close()


async def _read(context: BrowserContext, page: Page, server: PageServer, room: str, text: str) -> None:
    """Come in beside the page, and read a room."""
    await context.request.post(f"{server.url}/login", data={"username": READER, "password": PASSWORD})
    await page.goto(f"{server.url}/rooms/{room}")
    await _to_end(page)
    await page.evaluate(_PAINTED, text)


async def _to_end(page: Page) -> None:
    """To the end of the room, where new messages are followed."""
    await page.get_by_test_id("message").first.wait_for()
    if await page.get_by_test_id("newer-button").is_visible():
        await page.get_by_test_id("newer-button").click()


async def _first_load(chromium: Browser, server: PageServer, writer: _Writer) -> Found:
    async with _visit(chromium) as (context, page):
        session = await context.new_cdp_session(page)
        await session.send("Network.enable")
        kinds: dict[str, str] = {}
        sizes: dict[str, float] = {}
        session.on(
            "Network.responseReceived", lambda event: kinds.update({event["requestId"]: event["type"]})
        )
        session.on(
            "Network.loadingFinished",
            lambda event: sizes.update({event["requestId"]: event["encodedDataLength"]}),
        )
        await _read(context, page, server, ROOMS[0], writer.last(ROOMS[0]))
        wanted = [request for request, kind in kinds.items() if kind in ("Script", "Stylesheet")]
        return browser.first_load(sum(sizes.get(request, 0) for request in wanted), len(wanted))


async def _log_in(chromium: Browser, server: PageServer, writer: _Writer) -> float:
    async with _visit(chromium) as (context, page):
        # Whoever reads has read all, so that the room opens at its end.
        await _mark_all_read(context, server, writer)
        await page.goto(f"{server.url}/rooms/{ROOMS[0]}")
        form = page.get_by_test_id("login-form")
        await form.get_by_label("Name", exact=True).fill(READER)
        await form.get_by_label("Password", exact=True).fill(PASSWORD)
        await form.get_by_role("button", name="Log in", exact=True).click()
        return await _since_click(page, writer.last(ROOMS[0])) / 1000


async def _mark_all_read(context: BrowserContext, server: PageServer, writer: _Writer) -> None:
    page = await context.new_page()
    for room in ROOMS:
        await _read(context, page, server, room, writer.last(room))
        await page.locator(f'[data-testid="room-item"][data-room="{room}"]').wait_for()
    await page.close()
    await context.clear_cookies()


async def _since_click(page: Page, text: str) -> float:
    """Milliseconds from the last click until a message with this text was painted."""
    painted = float(await page.evaluate(_PAINTED, text))
    return painted - float(await page.evaluate("() => Number(sessionStorage.getItem('bench.click'))"))


async def _switching(chromium: Browser, server: PageServer, writer: _Writer, count: int) -> Found:
    async with _visit(chromium) as (context, page):
        await _mark_all_read(context, server, writer)
        await _read(context, page, server, ROOMS[0], writer.last(ROOMS[0]))
        taken = []
        for number in range(count):
            room = ROOMS[(number + 1) % len(ROOMS)]
            heading = page.get_by_role("heading", name=room, exact=True)
            await page.locator(f'[data-testid="room-item"][data-room="{room}"]').click()
            taken.append(await _since_click(page, writer.last(room)))
            await heading.first.wait_for()
        return browser.switching(taken)


async def _flood(chromium: Browser, server: PageServer, writer: _Writer, times: Times) -> list[Found]:
    room = ROOMS[0]
    async with _visit(chromium) as (context, page):
        session = await context.new_cdp_session(page)
        await _mark_all_read(context, server, writer)
        await _read(context, page, server, room, writer.last(room))
        await page.evaluate(NOTE_TASKS)
        steady = RATE * times.seconds
        await chromium.start_tracing(page=page, categories=["toplevel"])
        await writer.say(room, steady, 1 / RATE)
        await page.evaluate(_PAINTED, writer.last(room))
        cpu = longest_cpu_ms(json.loads(await chromium.stop_tracing())["traceEvents"])
        tasks = await page.evaluate("() => benchTasks")
        before = await heap_bytes(session)
        await writer.say(room, times.messages - steady)
        await page.evaluate(_PAINTED, writer.last(room))
        after = await heap_bytes(session)
        counters: dict[str, Any] = await session.send("Memory.getDOMCounters")
        return [
            browser.longest_task(tasks, cpu, steady, times.seconds),
            browser.memory(before, after, times.messages, counters["nodes"]),
        ]


async def _far(chromium: Browser, server: PageServer, messages: int) -> list[Found]:
    async with _visit(chromium) as (context, page):
        await _read(context, page, server, FAR, "")
        return await read_far(chromium, page, await context.new_cdp_session(page), messages)
