"""A room with 100,000 messages, read in a real browser: by wheel, by dragging, by a link, and back to its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
from playwright.async_api import expect

from bench.browser_history import MESSAGES, write_history
from tests.browser.conftest import Visit
from tests.browser.visitors import Visitor
from tests.support.client import join
from tests.support.server import Accounts, Server, running

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROOM: Final = "long"
WRITER: Final = "ada-0"
MOST_IN_PAGE: Final = 400  # messages: `WINDOW` in web/src/lib/client/stretch.ts
SAME_PLACE: Final = 2.0  # pixels

# Looks at each frame: how many messages the page holds, whether one is missing or there twice, and whether those that
# are seen move all together and never against the reader, who goes up (1), down (-1) or nowhere known (0).
_WATCH: Final = """
() => {
  const watched = (window.watched = { most: 0, faults: [], seen: [], way: 0 });
  const seen = new Set();
  let before = new Map();
  const fault = (words) => watched.faults.length < 5 && watched.faults.push(words);
  const look = () => {
    requestAnimationFrame(look);
    const list = document.querySelector('[data-testid="message-list"]');
    const edge = list.getBoundingClientRect();
    const rows = [...list.querySelectorAll('[data-testid="message"]')];
    const numbers = rows.map((row) => Number(row.dataset.seq));
    watched.most = Math.max(watched.most, rows.length);
    numbers.forEach((seq, index) => {
      if (index > 0 && seq !== numbers[index - 1] + 1) fault(`${seq} comes after ${numbers[index - 1]}`);
    });
    const now = new Map();
    rows.forEach((row, index) => {
      const box = row.getBoundingClientRect();
      if (box.bottom > edge.top && box.top < edge.bottom) now.set(numbers[index], box.bottom);
    });
    if (list.querySelector('.unplaced') === null) for (const seq of now.keys()) seen.add(seq);
    watched.seen = [...seen];
    const moved = [...now].filter(([seq]) => before.has(seq)).map(([seq, end]) => end - before.get(seq));
    if (Math.max(...moved) - Math.min(...moved) > 2) fault(`rows moved apart: ${moved}`);
    if (watched.way !== 0 && moved.length > 0 && moved[0] * watched.way < -2) fault(`moved back by ${moved[0]}`);
    before = now;
  };
  look();
}
"""
# Messages that are seen, each with how far below the list's upper edge it ends: the first one loaded has its author and
# day above it, and loses them when others come before it.
_SEEN: Final = """
() => {
  const list = document.querySelector('[data-testid="message-list"]');
  const edge = list.getBoundingClientRect();
  return [...list.querySelectorAll('[data-testid="message"]')]
    .map((row) => [Number(row.dataset.seq), row.getBoundingClientRect()])
    .filter(([, box]) => box.bottom > edge.top && box.top < edge.bottom)
    .map(([seq, box]) => [seq, box.bottom - edge.top]);
}
"""
# The same, once nothing moves or loads any more.
_AT_REST: Final = f"""
() => new Promise((resolve) => {{
  const seen = {_SEEN};
  let [still, last] = [0, ''];
  const look = () => {{
    const now = JSON.stringify(seen());
    const loads = document.querySelector('[data-testid="message-list"]').ariaBusy !== 'false';
    still = now === last && !loads ? still + 1 : 0;
    last = now;
    if (still >= 6) resolve(JSON.parse(now));
    else requestAnimationFrame(look);
  }};
  look();
}})
"""
# As with the bar beside the list: at once to a part of what is loaded. What is seen then, before anything loads.
_DRAG: Final = f"""
(part) => {{
  const list = document.querySelector('[data-testid="message-list"]');
  list.scrollTop = part * (list.scrollHeight - list.clientHeight);
  return ({_SEEN})();
}}
"""


@pytest.fixture(scope="module")
def server(accounts: Accounts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a room of 100,000 messages, which `peter` has read."""
    server = Server(tmp_path_factory.mktemp("server"), accounts, limit_messages=0)
    write_history(server.data, ROOM, MESSAGES, WRITER, "peter")
    with running(server) as server:
        yield server


class Reader:
    """Somebody in front of a long room; what they see is watched at each frame."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.page = visitor.page

    async def watch(self) -> None:
        """Begin to look at each frame."""
        await self.at_rest()
        await self.page.evaluate(_WATCH)

    async def way(self, way: int) -> None:
        """The reader goes up (1), down (-1), or anywhere (0)."""
        await self.page.evaluate("(way) => { watched.way = way; }", way)

    async def at_rest(self) -> dict[int, float]:
        """The messages in sight, by number, and how far below the list's upper edge each ends."""
        found: list[tuple[int, float]] = await self.page.evaluate(_AT_REST)
        return dict(found)

    async def wheel(self, pixels: int, turns: int = 3) -> None:
        """Turn the wheel without a pause: what was in sight moves by as many pixels, whatever loads meanwhile."""
        before = await self.at_rest()
        for _turn in range(turns):
            await self.page.mouse.wheel(0, pixels / turns)
        after = await self.at_rest()
        both = before.keys() & after.keys()
        assert both, "turned further than what is in sight"
        moved = {seq: after[seq] - before[seq] for seq in both}
        assert all(abs(by + pixels) <= SAME_PLACE for by in moved.values()), moved

    async def drag(self, part: float) -> None:
        """Pull the list to a part of what is loaded: whatever loads then, what is in sight stays where it is."""
        before: list[tuple[int, float]] = await self.page.evaluate(_DRAG, part)
        after = await self.at_rest()
        assert before, "nothing in sight"
        assert {seq: after.get(seq) for seq, _end in before} == {
            seq: pytest.approx(end, abs=SAME_PLACE) for seq, end in before
        }

    async def findings(self) -> dict[str, Any]:
        """What was seen at all frames; nothing of it may have been wrong."""
        found: dict[str, Any] = await self.page.evaluate("() => watched")
        assert found["faults"] == []
        assert found["most"] <= MOST_IN_PAGE
        return found


async def test_the_page_goes_far_up_a_long_room_and_back_without_a_jump_a_hole_or_a_repeat(
    visit: Visit,
) -> None:
    async with visit() as peter:
        await peter.come(f"/rooms/{ROOM}", "peter")
        reader = Reader(peter)
        await peter.to_end()
        await reader.watch()
        last = max(await reader.at_rest())
        await peter.by("message-list").hover()
        await reader.way(1)
        for _turn in range(40):
            await reader.wheel(-540)
        top = min(await reader.at_rest())
        assert top < last - 250
        await reader.way(-1)
        for _turn in range(20):
            await reader.wheel(540)
        found = await reader.findings()
        seen = sorted(found["seen"])
        assert seen == list(range(top, last + 1))
        await reader.way(0)
        for _turn in range(15):
            await reader.drag(0.0)
        farthest = min(await reader.at_rest())
        assert farthest < last - 1000
        for _turn in range(5):
            await reader.drag(1.0)
        assert max(await reader.at_rest()) > farthest + 400
        await reader.findings()
        await peter.by("newer-button").click()
        await expect(peter.message(last)).to_be_in_viewport()
        await expect(peter.by("newer-button")).to_have_count(0)


async def test_a_link_into_the_middle_of_a_long_room_opens_there_and_what_comes_is_counted(
    visit: Visit, server: Server
) -> None:
    middle = MESSAGES // 2
    async with visit() as peter, join(server, server.known(WRITER)) as writer:
        await writer.enter(ROOM)
        await peter.come(f"/rooms/{ROOM}/{middle}", "peter")
        reader = Reader(peter)
        await expect(peter.message(middle)).to_be_in_viewport()
        await expect(peter.message(middle)).to_contain_text(f"{middle}:")
        await reader.watch()
        await peter.by("message-list").hover()
        for way in (1, -1, 1):
            await reader.way(way)
            for _turn in range(12):
                await reader.wheel(-540 * way)
        said = (await writer.say(ROOM, "Is anybody up there?"))["seq"]
        await expect(peter.by("newer-button")).to_contain_text("1 new message")
        await reader.findings()
        await peter.message(min(await reader.at_rest())).focus()
        await peter.page.keyboard.press("End")
        await expect(peter.message(said)).to_be_in_viewport()
        assert await peter.message(said).evaluate("(one) => one === document.activeElement")
