"""People who talk by the page: what one writes the other reads, changed, taken back, answered and liked."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Visit
from tests.browser.visitors import Visitor, a_room
from tests.support.client import join
from tests.support.server import Server

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def both_in(olga: Visitor, peter: Visitor, room: str) -> None:
    """Olga and Peter open a room."""
    for visitor, name in ((olga, "olga"), (peter, "peter")):
        await visitor.come(f"/rooms/{room}", name)
        await expect(visitor.by("composer")).to_be_visible()


async def test_two_people_talk_and_each_message_is_shown_to_both_once(visit: Visit, server: Server) -> None:
    async with visit() as olga, visit() as peter:
        await both_in(olga, peter, await a_room(server))
        await olga.write("Who takes the minutes?")
        await peter.sees("Who takes the minutes?")
        await peter.write("I do")
        await olga.write("Thank you")
        for visitor in (olga, peter):
            await visitor.sees("Who takes the minutes?", "I do", "Thank you")


async def test_enter_sends_shift_enter_breaks_the_line_and_arrow_up_edits_the_last(
    visit: Visit, server: Server
) -> None:
    async with visit() as olga, visit() as peter:
        await both_in(olga, peter, await a_room(server))
        composer = olga.by("composer")
        await composer.fill("one line")
        await composer.press("Shift+Enter")
        await composer.press_sequentially("another line")
        await expect(composer).to_have_value("one line\nanother line")
        await composer.press("Enter")
        await peter.sees("another line")
        await composer.press("ArrowUp")
        await expect(olga.page.get_by_text("Editing a message")).to_be_visible()
        await expect(composer).to_have_value("one line\nanother line")
        await composer.fill("never mind")
        await composer.press("Escape")
        await expect(composer).to_have_value("")
        await composer.press("ArrowUp")
        await expect(composer).to_have_value("one line\nanother line")
        await olga.write("a better line")
        for visitor in (olga, peter):
            await visitor.sees("a better line")
            await expect(visitor.messages.first).to_contain_text("edited")
            await expect(visitor.messages.first).not_to_contain_text("another line")
        await expect(composer).to_be_focused()


async def test_a_message_is_answered_liked_and_taken_back_and_others_see_it_at_once(
    visit: Visit, server: Server
) -> None:
    async with visit() as olga, visit() as peter:
        await both_in(olga, peter, await a_room(server))
        await olga.write("Shall we begin?")
        await peter.sees("Shall we begin?")
        await act(peter, 0, "Reply")
        await expect(peter.by("composer")).to_be_focused()
        await peter.write("Yes")
        await olga.sees("Shall we begin?", "Yes")
        await expect(olga.messages.last).to_contain_text("Shall we begin?")
        await act(olga, 1, "Add a reaction")
        await olga.page.get_by_label("Search emoji").fill("thumbs up")
        await expect(olga.page.get_by_role("dialog").get_by_text("👍").first).to_be_visible()
        await olga.page.keyboard.press("Enter")
        hers = olga.messages.last.get_by_role("button", name=re.compile("^👍, "))
        his = peter.messages.last.get_by_role("button", name=re.compile("^👍, "))
        await expect(his).to_have_accessible_name("👍, 1 reaction: olga")
        await his.click()
        await expect(hers).to_contain_text("2")
        await expect(his).to_have_attribute("aria-pressed", "true")
        await his.click()
        await expect(hers).to_contain_text("1")
        await act(peter, 1, "Delete")
        await act(peter, 1, "Delete")
        await expect(olga.messages.last).to_contain_text("This message was deleted.")
        await expect(olga.messages.last).not_to_contain_text("Yes")


async def act(visitor: Visitor, index: int, action: str) -> None:
    """One of the things to do with a message."""
    message = visitor.messages.nth(index)
    await message.hover()
    await message.get_by_role("button", name=action).first.click()


async def test_markdown_is_drawn_and_code_waits_for_its_colours(visit: Visit, server: Server) -> None:
    text = "**bold** *slanted* `code` ~~gone~~\n\n- one\n- two\n\n> said\n\n```python\ndef add(a, b):\n    return a + b\n```\nhttps://example.org/"
    async with visit() as olga:
        await olga.come(f"/rooms/{await a_room(server)}")
        await olga.write(text)
        message = olga.messages.last
        for element, shown in (
            ("strong", "bold"),
            ("em", "slanted"),
            ("del", "gone"),
            ("blockquote", "said"),
        ):
            await expect(message.locator(element)).to_have_text(shown)
        await expect(message.locator("li")).to_have_text(["one", "two"])
        await expect(message.locator("pre code")).to_contain_text("return a + b")
        await expect(message.locator("pre code span").first).to_be_visible()
        link = message.get_by_role("link", name="https://example.org/")
        await expect(link).to_have_attribute("target", "_blank")
        assert "noopener" in (await link.get_attribute("rel") or "")


async def test_whoever_types_is_named_and_a_mention_is_marked(visit: Visit, server: Server) -> None:
    async with visit() as olga, visit() as peter:
        await both_in(olga, peter, await a_room(server))
        await peter.by("composer").press_sequentially("Hello @ol")
        await expect(olga.page.get_by_text("peter is typing")).to_be_visible()
        await expect(peter.page.get_by_role("option", name="olga")).to_be_visible()
        await peter.by("composer").press("Enter")
        await expect(peter.by("composer")).to_have_value("Hello @olga ")
        await peter.by("composer").press("Enter")
        await olga.sees("Hello @olga")
        await expect(olga.page.get_by_text("peter is typing")).to_have_count(0)


async def test_a_colon_and_part_of_a_name_finds_an_emoji(visit: Visit, server: Server) -> None:
    async with visit() as olga:
        await olga.come(f"/rooms/{await a_room(server)}")
        await olga.by("composer").press_sequentially("Well done :tad")
        await expect(olga.page.get_by_role("option").first).to_contain_text("🎉")
        await olga.by("composer").press("Tab")
        await expect(olga.by("composer")).to_have_value("Well done 🎉 ")


async def test_a_draft_stays_with_its_room_and_outlives_the_tab(visit: Visit, server: Server) -> None:
    here, there = await a_room(server), await a_room(server)
    async with visit() as olga:
        await olga.come(f"/rooms/{there}")
        await olga.write("something")
        await olga.go(f"/rooms/{here}")
        await olga.by("composer").fill("half a thought")
        await olga.room_item(there).click()
        await olga.is_in(there)
        await expect(olga.by("composer")).to_have_value("")
        await olga.by("composer").fill("another")
        await olga.room_item(here).click()
        await expect(olga.by("composer")).to_have_value("half a thought")
        await olga.page.close()
        olga.page = await olga.another_tab(f"/rooms/{there}")
        await expect(olga.by("composer")).to_have_value("another")


async def test_a_draft_is_found_in_a_room_that_was_renamed_while_the_page_was_closed(
    visit: Visit, server: Server
) -> None:
    owner, room, renamed = server.person(), server.room("before"), server.room("after")
    await server.call(owner, "POST", "/api/rooms", {"name": room})
    async with visit() as olga:
        await olga.come(f"/rooms/{room}")
        await olga.by("composer").fill("half a thought")
        await olga.go("/account")
        await olga.page.close()
        await server.call(owner, "PATCH", f"/api/rooms/{room}", {"name": renamed})
        olga.page = await olga.another_tab(f"/rooms/{renamed}")
        await expect(olga.by("composer")).to_have_value("half a thought")


async def test_what_others_do_while_one_looks_is_told_and_people_present_are_listed(
    visit: Visit, server: Server
) -> None:
    room = await a_room(server)
    async with visit() as olga:
        await olga.come(f"/rooms/{room}")
        await expect(olga.by("composer")).to_be_visible()
        person = server.person()
        async with join(server, person) as somebody:
            await somebody.enter(room)
            await expect(olga.by("message-list")).to_contain_text(person.name)
            await olga.show_members()
            await expect(olga.by("members")).to_contain_text(person.name)
