"""Scrolls far up in a long room, and sees what that costs the page."""

from __future__ import annotations

import json
from typing import Final

from playwright.async_api import Browser, CDPSession, Page

from bench import browser
from bench.browser import Found
from bench.browser_figures import NOTE_TASKS, heap_bytes, longest_cpu_ms
from bench.browser_history import MESSAGES

WINDOW: Final = 400  # messages that the page holds at most
_TURN: Final = -1200  # pixels of the wheel at once

# The numbers of the first and the last message that are in the page, once one is, after the next frame.
_ENDS: Final = """
() => new Promise((resolve) => {
  const look = () => {
    const all = document.querySelectorAll('[data-testid="message"]');
    if (all.length === 0) requestAnimationFrame(look);
    else resolve([Number(all[0].dataset.seq), Number(all[all.length - 1].dataset.seq), all.length]);
  };
  requestAnimationFrame(look);
})
"""
_LOADS: Final = """
() => performance.getEntriesByType('resource')
  .filter((entry) => /[?&]before=/.test(entry.name)).map((entry) => entry.duration)
"""


async def read_far(chromium: Browser, page: Page, session: CDPSession, messages: int) -> list[Found]:
    """Up over so many messages of the long room that the page is opening, from some way above its end."""
    await page.get_by_test_id("message-list").hover()
    first, last, most = await page.evaluate(_ENDS)
    await page.evaluate(NOTE_TASKS)
    # Until the page holds as much as it ever does.
    while first > last - 2 * WINDOW:
        first, _, _ = await _turn(page)
    before = await heap_bytes(session)
    last = first
    await chromium.start_tracing(page=page, categories=["toplevel"])
    while first > last - messages:
        first, _, held = await _turn(page)
        most = max(most, held)
    cpu = longest_cpu_ms(json.loads(await chromium.stop_tracing())["traceEvents"])
    tasks = await page.evaluate("() => benchTasks")
    loads = await page.evaluate(_LOADS)
    after = await heap_bytes(session)
    return [
        browser.far_up(tasks, cpu, loads, last - first, MESSAGES),
        browser.memory_far_up(before, after, last - first, most),
    ]


async def _turn(page: Page) -> tuple[int, int, int]:
    await page.mouse.wheel(0, _TURN)
    first, last, held = await page.evaluate(_ENDS)
    return first, last, held
