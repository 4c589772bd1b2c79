"""Nothing that was written is lost, and nothing comes twice: kills, a lost network, a closed tab, a refusal."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import Visit
from tests.browser.visitors import Visitor, a_room, visiting
from tests.support.client import join
from tests.support.server import WAIT_SECONDS, Accounts, Server, running

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def mortal(accounts: Accounts, tmp_path: Path) -> Iterator[Server]:
    """A server of the test's own, to be killed."""
    with running(Server(tmp_path, accounts)) as server:
        yield server


async def logged(server: Server, room: str) -> list[str]:
    """The messages of a room, as the server has them."""
    answer: dict[str, Any] = await server.call(
        await server.log_in("olga"), "GET", f"/api/rooms/{room}/messages?limit=200"
    )
    return [message["message"] for message in answer["messages"]]


async def texts(visitor: Visitor) -> list[str]:
    """The numbers of the messages shown: each is a line like `olga 3`."""
    found = await visitor.messages.evaluate_all(
        "(messages) => messages.map((message) => message.textContent.match(/(?:olga|peter) says \\d+/)[0])"
    )
    return [str(text) for text in found]


async def test_a_server_killed_while_two_write_loses_nothing_and_repeats_nothing(
    chromium: Browser, mortal: Server
) -> None:
    async with visiting(chromium, mortal) as olga, visiting(chromium, mortal) as peter:
        for visitor, name in ((olga, "olga"), (peter, "peter")):
            await visitor.come("/rooms/general", name)
            await expect(visitor.by("composer")).to_be_visible()

        async def write(visitor: Visitor, name: str, numbers: range) -> None:
            for number in numbers:
                await visitor.write(f"{name} says {number}")

        await asyncio.gather(write(olga, "olga", range(5)), write(peter, "peter", range(5)))
        writing = asyncio.gather(write(olga, "olga", range(5, 12)), write(peter, "peter", range(5, 12)))
        await expect(olga.page.get_by_text("peter says 5")).to_be_visible()
        await asyncio.to_thread(mortal.kill)
        await writing
        await expect(olga.by("connection-banner")).to_contain_text("The connection is lost")
        await expect(olga.by("pending").last).to_contain_text("olga says 11")
        await asyncio.to_thread(mortal.start)
        for visitor in (olga, peter):
            await expect(visitor.messages).to_have_count(24, timeout=2 * WAIT_SECONDS * 1000)
            await expect(visitor.by("pending")).to_have_count(0)
        shown = await texts(olga)
        assert sorted(shown) == sorted(
            f"{name} says {number}" for name in ("olga", "peter") for number in range(12)
        )
        for name in ("olga", "peter"):
            assert [text for text in shown if text.startswith(name)] == [
                f"{name} says {n}" for n in range(12)
            ]
        assert await texts(peter) == shown == await logged(mortal, "general")


async def test_what_was_written_offline_in_a_tab_that_was_closed_arrives_in_order_and_once(
    visit: Visit, server: Server
) -> None:
    room = await a_room(server)
    async with visit() as olga, join(server, server.person()) as witness:
        await witness.enter(room)
        await olga.come(f"/rooms/{room}")
        await olga.write("online")
        await olga.sees("online")
        await olga.context.set_offline(True)
        for text in ("first", "second", "third"):
            await olga.write(text)
        await expect(olga.by("pending")).to_have_count(3)
        await expect(olga.by("connection-banner")).to_contain_text("You are offline")
        await olga.page.close()
        await olga.context.set_offline(False)
        olga.page = await olga.another_tab(f"/rooms/{room}")
        await olga.sees("online", "first", "second", "third")
        heard = [(await witness.until("new_message"))["message"] for _ in range(4)]
        assert heard == ["online", "first", "second", "third"] == await logged(server, room)
        assert await witness.unread("new_message") == []


async def test_two_tabs_opened_again_send_what_waits_once(visit: Visit, server: Server) -> None:
    room = await a_room(server)
    async with visit() as olga:
        await olga.come(f"/rooms/{room}")
        await olga.write("online")
        await olga.sees("online")
        other = await olga.another_tab(f"/rooms/{room}")
        await expect(other.get_by_test_id("message")).to_have_count(1)
        await olga.context.set_offline(True)
        await olga.write("written offline")
        await other.get_by_test_id("composer").fill("in the other tab")
        await other.get_by_test_id("composer").press("Enter")
        await expect(other.get_by_test_id("pending").last).to_contain_text("in the other tab")
        await olga.context.set_offline(False)
        for page in (olga.page, other):
            await expect(page.get_by_test_id("message")).to_have_count(3)
            await expect(page.get_by_test_id("pending")).to_have_count(0)
        assert sorted(await logged(server, room)) == ["in the other tab", "online", "written offline"]


async def test_a_refused_message_stays_says_why_and_can_be_sent_again_or_dropped(
    visit: Visit, server: Server
) -> None:
    room, owner = server.room(), server.person()
    async with visit() as peter, join(server, owner) as somebody:
        await somebody.enter(room)
        await peter.come(f"/rooms/{room}", "peter")
        await peter.write("before")
        await peter.sees("before")
        await peter.context.set_offline(True)
        await peter.write("one too late")
        await peter.write("two too late")
        await server.call(owner, "PATCH", f"/api/rooms/{room}", {"archived": True})
        await peter.context.set_offline(False)
        refused = peter.by("pending")
        await expect(refused).to_have_count(2)
        await expect(refused.first).to_contain_text("archived")
        await refused.last.get_by_role("button", name="Drop").click()
        await expect(refused).to_have_count(1)
        await server.call(owner, "PATCH", f"/api/rooms/{room}", {"archived": False})
        await refused.get_by_role("button", name="Try again").click()
        await peter.sees("before", "one too late")
