"""Reading by the page: where it opens, what is unread, long histories, links into them, and several tabs."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Visit
from tests.browser.visitors import Visitor, a_room, until
from tests.support.client import join
from tests.support.server import Person, Server

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def say(server: Server, person: Person, room: str, *texts: str) -> list[int]:
    """Somebody says all this; the numbers of the messages."""
    async with join(server, person) as writer:
        await writer.enter(room)
        return [(await writer.say(room, text))["seq"] for text in texts]


async def is_in_sight(visitor: Visitor, seq: int) -> None:
    """Wait until a message is in the part of the list that can be seen."""
    await expect(visitor.message(seq)).to_be_in_viewport()


async def place_of(visitor: Visitor, seq: int) -> float:
    """How far a message is below the top of the list that can be seen, in pixels."""
    return float(
        await visitor.message(seq).evaluate(
            "(one) => one.getBoundingClientRect().top"
            " - one.closest('[data-testid=\"message-list\"]').getBoundingClientRect().top"
        )
    )


async def stands(visitor: Visitor, seq: int, top: float) -> None:
    """Wait until nothing is loading any more, and see that a message is where it was."""
    await expect(visitor.by("message-list")).to_have_attribute("aria-busy", "false")
    assert abs(await place_of(visitor, seq) - top) <= 2


async def test_a_room_opens_at_what_is_unread_with_a_line_there_and_its_counts_go_as_it_is_read(
    visit: Visit, server: Server
) -> None:
    room, elsewhere, person = await a_room(server), await a_room(server), server.person()
    async with visit() as peter:
        await peter.come(f"/rooms/{room}", "peter")
        await peter.write("read")
        await peter.sees("read")
        await peter.go(f"/rooms/{elsewhere}")
        await expect(peter.by("composer")).to_be_visible()
        numbers = await say(server, person, room, *(f"line {number}" for number in range(60)), "for @peter")
        await expect(peter.room_item(room)).to_contain_text(re.compile(r"6[12] new messages"))
        await expect(peter.room_item(room)).to_contain_text("1 mention of you")
        await expect(peter.page).to_have_title(re.compile(r"^\(\d+\)"))
        await peter.room_item(room).click()
        await expect(peter.by("unread-line")).to_be_in_viewport()
        await is_in_sight(peter, numbers[0])
        await expect(peter.message(numbers[-1])).not_to_be_in_viewport()
        await peter.to_end()
        await is_in_sight(peter, numbers[-1])
        await expect(peter.room_item(room)).not_to_contain_text("new message")
        await expect(peter.page).not_to_have_title(re.compile(r"^\("))


async def test_who_joins_a_room_that_is_not_open_is_no_new_message(visit: Visit, server: Server) -> None:
    room, elsewhere = await a_room(server), await a_room(server)
    await server.call(await server.log_in("peter"), "POST", f"/api/rooms/{room}/join")
    async with visit() as peter:
        await peter.come(f"/rooms/{elsewhere}", "peter")
        await expect(peter.by("composer")).to_be_visible()
        await say(server, server.person(), room, "only this")  # they join first
        await expect(peter.room_item(room)).to_contain_text("1 new message")
        await expect(peter.page).to_have_title(re.compile(r"^\(1\)"))


async def test_what_is_read_in_one_tab_is_read_in_all(visit: Visit, server: Server) -> None:
    room, elsewhere, person = await a_room(server), await a_room(server), server.person()
    async with visit() as peter:
        await peter.come(f"/rooms/{room}", "peter")
        await expect(peter.by("composer")).to_be_visible()
        await peter.go(f"/rooms/{elsewhere}")
        await expect(peter.by("composer")).to_be_visible()
        other = await peter.another_tab(f"/rooms/{elsewhere}")
        in_other = other.locator(f'[data-testid="room-item"][data-room="{room}"]')
        await say(server, person, room, "news")
        await expect(in_other).to_contain_text("new message")
        await peter.page.bring_to_front()
        await peter.room_item(room).click()
        await expect(peter.messages.last).to_contain_text("news")
        await expect(in_other).not_to_contain_text("new message")


async def test_a_link_to_a_message_opens_there_and_back_comes_back(visit: Visit, server: Server) -> None:
    room, elsewhere, person = await a_room(server), await a_room(server), server.person()
    numbers = await say(server, person, room, *(f"line {number}" for number in range(200)))
    async with visit() as peter:
        await peter.come(f"/rooms/{elsewhere}", "peter")
        await expect(peter.by("composer")).to_be_visible()
        linked = numbers[41]
        await peter.go(f"/rooms/{room}/{linked}")
        await is_in_sight(peter, linked)
        await expect(peter.message(linked)).to_contain_text("line 41")
        await expect(peter.message(numbers[-1])).not_to_be_in_viewport()
        await peter.page.reload()
        await is_in_sight(peter, linked)
        assert peter.page.url.endswith(f"/{linked}")
        await peter.room_item(elsewhere).click()
        await peter.is_in(elsewhere)
        await peter.page.go_back()
        await is_in_sight(peter, linked)
        await peter.page.go_forward()
        await peter.is_in(elsewhere)


# When they go back, some of what was seen beside the answer is there, or none of it.
@pytest.mark.parametrize("between", [140, 300])
async def test_a_click_on_what_a_reply_quotes_goes_there_each_time_and_back_leads_to_the_same_place(
    visit: Visit, server: Server, between: int
) -> None:
    room, person = await a_room(server), server.person()
    async with join(server, person) as writer:
        await writer.enter(room)
        first = (await writer.say(room, "the question"))["seq"]
        for number in range(between):
            await writer.say(room, f"noise {number}")
        answer = (await writer.say(room, "the answer", reply_to=first))["seq"]
    async with visit() as peter:
        await peter.come(f"/rooms/{room}", "peter")
        await peter.to_end()
        await is_in_sight(peter, answer)
        before = await place_of(peter, answer)
        await peter.message(answer).get_by_text("the question").click()
        await is_in_sight(peter, first)
        assert peter.page.url.endswith(f"/{first}")
        await peter.by("message-list").hover()
        await peter.page.mouse.wheel(0, 900)  # and on from there, until more has come
        await expect(peter.message(first + 100)).to_have_count(1)
        await peter.page.get_by_role("button", name="Back to where you were").click()
        await is_in_sight(peter, answer)
        await stands(peter, answer, before)
        for _turn in range(2):  # the second time the address is there already
            await peter.to_end()
            await peter.message(answer).get_by_text("the question").click()
            await is_in_sight(peter, first)
        await peter.page.get_by_role("button", name="Back to where you were").click()
        await is_in_sight(peter, answer)


async def test_a_long_history_is_read_in_both_directions_without_a_hole_and_only_a_part_is_in_the_page(
    visit: Visit, server: Server
) -> None:
    room, person = await a_room(server), server.person()
    numbers = await say(server, person, room, *(f"line {number}" for number in range(600)))
    async with visit() as peter:
        await peter.come(f"/rooms/{room}/{numbers[300]}", "peter")
        await is_in_sight(peter, numbers[300])
        found: set[int] = set()
        most = 0
        await peter.by("message-list").hover()
        for direction in (-1, 1):
            for _turn in range(200):
                seen = await peter.messages.evaluate_all("(all) => all.map((one) => Number(one.dataset.seq))")
                assert seen == sorted(set(seen)), "messages out of order, or twice"
                first, last = seen[0], seen[-1]
                assert [seq for seq in seen if seq in numbers] == [
                    n for n in numbers if first <= n <= last
                ], "a hole"
                found |= set(seen)
                most = max(most, len(seen))
                if (numbers[0] if direction < 0 else numbers[-1]) in seen:
                    break
                await peter.page.mouse.wheel(0, direction * 1500)
                await until(peter.page, "() => true")
        assert found >= set(numbers)
        assert most < 450, "the page keeps everything"


async def test_new_messages_are_followed_at_the_end_and_counted_elsewhere(
    visit: Visit, server: Server
) -> None:
    room, person = await a_room(server), server.person()
    async with visit() as peter, join(server, person) as writer:
        await writer.enter(room)
        for number in range(60):
            await writer.say(room, f"line {number}")
        await peter.come(f"/rooms/{room}", "peter")
        await peter.to_end()
        at_end = (await writer.say(room, "followed"))["seq"]
        await is_in_sight(peter, at_end)
        await peter.by("message-list").hover()
        await peter.page.mouse.wheel(0, -3000)
        await expect(peter.message(at_end)).not_to_be_in_viewport()
        before = await peter.by("message-list").evaluate("(list) => list.scrollTop")
        unseen = [(await writer.say(room, f"unseen {number}"))["seq"] for number in range(12)]
        await expect(peter.by("newer-button")).to_contain_text("12")
        assert await peter.by("message-list").evaluate("(list) => list.scrollTop") == before, (
            "the list jumped"
        )
        await peter.by("newer-button").click()
        await is_in_sight(peter, unseen[-1])
        await expect(peter.by("newer-button")).to_have_count(0)
