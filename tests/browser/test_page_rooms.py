"""Rooms by the page: made, found, joined, left, archived, made private; people written to; search."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Visit
from tests.browser.newcomers import newcomer
from tests.browser.visitors import a_room
from tests.support.client import join
from tests.support.server import Server

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_room_is_made_found_by_another_left_and_archived(visit: Visit, server: Server) -> None:
    room = server.room("kitchen")
    async with visit() as olga, visit() as peter:
        await olga.come("/rooms/general")
        await olga.page.get_by_role("button", name="New room").click()
        dialog = olga.page.get_by_role("dialog")
        await dialog.get_by_label("Name of the room").fill("a/b")
        await dialog.get_by_role("button", name="Make room").click()
        await expect(
            dialog.get_by_text("A room's name has none of").or_(dialog.get_by_text("name can’t be used"))
        ).to_be_visible()
        await dialog.get_by_label("Name of the room").fill(room)
        await dialog.get_by_label("Topic (if you like)").fill("What we eat")
        await dialog.get_by_role("button", name="Make room").click()
        await olga.is_in(room)
        await olga.write("soup")
        await peter.come("/rooms/general", "peter")
        await peter.page.get_by_role("button", name="Browse rooms").click()
        await peter.page.get_by_label("Filter by name or topic").fill("we eat")
        await peter.page.get_by_role("dialog").get_by_text(room).click()
        await peter.is_in(room)
        await peter.sees("soup")
        await expect(peter.page.get_by_text("What we eat").first).to_be_visible()
        await peter.choose("Room menu", "Leave room")
        await peter.confirm("Leave room")
        await expect(peter.room_item(room)).to_have_count(0)
        await olga.choose("Room menu", "Archive room")
        await olga.confirm("Archive room")
        await expect(olga.by("composer")).to_have_count(0)
        await olga.choose("Room menu", "Open again")
        await expect(olga.by("composer")).to_be_visible()


async def test_a_private_room_is_seen_by_whoever_is_invited_and_no_longer_by_whoever_is_removed(
    visit: Visit, server: Server
) -> None:
    room = server.room("secret")
    async with visit() as olga, visit() as peter:
        await olga.come("/rooms/general")
        await peter.come("/rooms/general", "peter")
        await olga.page.get_by_role("button", name="New room").click()
        dialog = olga.page.get_by_role("dialog")
        await dialog.get_by_label("Name of the room").fill(room)
        await dialog.get_by_role("radio", name="Only who is invited").check()
        await dialog.get_by_role("button", name="Make room").click()
        await olga.is_in(room)
        await olga.choose("Room menu", "Invite people")
        await dialog.get_by_label("Name of the person").first.fill("pete")
        await dialog.get_by_role("option", name="peter").click()
        await expect(dialog.get_by_text("peter is in the room now.")).to_be_visible()
        await expect(peter.room_item(room)).to_be_visible()
        await peter.room_item(room).click()
        await expect(peter.by("composer")).to_be_visible()
        await olga.page.keyboard.press("Escape")
        await olga.show_members()
        await olga.choose("What to do with peter", "Remove from the room")
        await olga.confirm("Remove from the room")
        await expect(peter.room_item(room)).to_have_count(0)
        await expect(peter.by("composer")).to_have_count(0)
        await expect(peter.page.get_by_text("You are not in this room any more.")).to_be_visible()
        await expect(olga.by("members").get_by_role("link", name="peter")).to_have_count(0)
        await olga.choose("Room menu", "Invite people")
        await dialog.get_by_label("Name of the person").first.fill("peter")
        await olga.page.keyboard.press("Enter")
        await expect(peter.by("composer")).to_be_visible()  # without anything done there


async def test_a_room_made_private_is_gone_for_strangers_and_there_again_when_it_is_public(
    visit: Visit, server: Server
) -> None:
    room = await a_room(server, "plans")
    async with visit() as olga, visit() as peter, visit() as stranger:
        await newcomer(server, stranger, "/rooms/general")
        await peter.come(f"/rooms/{room}", "peter")
        await peter.write("between us")
        await olga.come(f"/rooms/{room}")
        await olga.sees("between us")
        await olga.choose("Room menu", "Make private")
        await olga.confirm("Make private")
        await expect(peter.room_item(room)).to_contain_text("private")
        await peter.write("still here")
        await olga.sees("between us", "still here")
        await stranger.page.get_by_role("button", name="Browse rooms").click()
        dialog = stranger.page.get_by_role("dialog")
        await expect(dialog.get_by_role("link", name="general")).to_be_visible()
        await expect(dialog.get_by_role("link", name=room)).to_have_count(0)
        await stranger.go(f"/rooms/{room}")
        await expect(stranger.page.get_by_role("heading", name="This room can’t be opened")).to_be_visible()
        await expect(stranger.page.get_by_text("There is no such room, or it is private.")).to_be_visible()
        await olga.choose("Room menu", "Make public")
        await olga.confirm("Make public")
        await stranger.page.get_by_role("button", name="Try again").click()
        await stranger.sees("between us", "still here")


async def test_an_archived_room_is_read_by_its_members_and_by_nobody_else(
    visit: Visit, server: Server
) -> None:
    room = await a_room(server, "old days")
    async with visit() as olga, visit() as peter, visit() as stranger:
        await newcomer(server, stranger, "/rooms/general")
        await peter.come(f"/rooms/{room}", "peter")
        await peter.write("those were the days")
        await olga.come(f"/rooms/{room}")
        await olga.sees("those were the days")
        await olga.choose("Room menu", "Archive room")
        await olga.confirm("Archive room")
        await expect(peter.page.get_by_text("This room is archived: it can be read")).to_be_visible()
        await peter.sees("those were the days")
        await stranger.go(f"/rooms/{room}")
        await expect(stranger.page.get_by_text("only those who were in it can read it")).to_be_visible()
        await stranger.page.get_by_role("button", name="Browse rooms").click()
        dialog = stranger.page.get_by_role("dialog")
        await expect(dialog.get_by_role("link", name="general")).to_be_visible()
        await expect(dialog.get_by_role("link", name=room)).to_have_count(0)
        await peter.go("/rooms/general")
        await peter.is_in("general")
        await peter.page.get_by_role("button", name="Browse rooms").click()
        await peter.page.get_by_role("dialog").get_by_role("link", name=room).click()
        await peter.sees("those were the days")


async def test_a_topic_and_a_name_change_for_everybody_and_the_address_follows(
    visit: Visit, server: Server
) -> None:
    room, renamed = await a_room(server, "old"), server.room("new")
    async with visit() as olga, visit() as peter:
        await olga.come(f"/rooms/{room}")
        await olga.write("hello")
        await peter.come(f"/rooms/{room}", "peter")
        await peter.sees("hello")
        await olga.choose("Room menu", "Change topic")
        await olga.page.get_by_role("dialog").get_by_label("Topic").fill("Weather")
        await olga.confirm("Save")
        await expect(peter.page.get_by_text("Weather").first).to_be_visible()
        await olga.choose("Room menu", "Rename room")
        await olga.page.get_by_role("dialog").get_by_label("Name of the room").fill(renamed)
        await olga.confirm("Save")
        for visitor in (olga, peter):
            await visitor.is_in(renamed)
            await expect(visitor.room_item(room)).to_have_count(0)
            await expect(visitor.page).to_have_url(re.compile(renamed.replace(" ", "%20")))
        await peter.write("still here")
        await olga.sees("hello", "still here")


async def test_who_reads_and_writes_in_a_room_that_gets_another_name_keeps_the_place_and_the_draft(
    visit: Visit, server: Server
) -> None:
    room, renamed = await a_room(server, "before"), server.room("之後 (new)")
    async with join(server, server.person()) as writer:
        await writer.enter(room)
        numbers = [(await writer.say(room, f"line {number}"))["seq"] for number in range(80)]
    async with visit() as olga, visit() as peter:
        await peter.come(f"/rooms/{room}/{numbers[9]}", "peter")
        await expect(peter.message(numbers[9])).to_be_in_viewport()
        await peter.by("composer").fill("half a sentence")
        await olga.come(f"/rooms/{room}")
        await olga.choose("Room menu", "Rename room")
        await olga.page.get_by_role("dialog").get_by_label("Name of the room").fill(renamed)
        await olga.confirm("Save")
        await peter.is_in(renamed)
        await expect(peter.page).to_have_url(f"{server.url}/rooms/{quote(renamed, safe='()')}/{numbers[9]}")
        await expect(peter.message(numbers[9])).to_be_in_viewport()
        await expect(peter.by("composer")).to_have_value("half a sentence")
        await peter.page.reload()
        await expect(peter.message(numbers[9])).to_be_in_viewport()
        await expect(peter.by("composer")).to_have_value("half a sentence")
        # A link from before leads there still, and the address says the name of now.
        await olga.go(f"/rooms/{room}/{numbers[40]}")
        await expect(olga.message(numbers[40])).to_be_in_viewport()
        await expect(olga.page).to_have_url(f"{server.url}/rooms/{quote(renamed, safe='()')}/{numbers[40]}")


async def test_a_name_that_is_taken_is_told_in_the_dialog_and_nothing_typed_is_lost(
    visit: Visit, server: Server
) -> None:
    room, taken = await a_room(server, "one"), await a_room(server, "other")
    async with visit() as olga:
        await olga.come(f"/rooms/{room}")
        await olga.choose("Room menu", "Rename room")
        dialog = olga.page.get_by_role("dialog")
        field = dialog.get_by_label("Name of the room")
        await field.fill(taken)
        await olga.confirm("Save")
        await expect(dialog.get_by_text("This name is taken. Choose another.")).to_be_visible()
        await expect(field).to_have_value(taken)
        await expect(field).to_have_attribute("aria-invalid", "true")


async def test_control_k_goes_to_any_room_and_person_by_part_of_a_name(visit: Visit, server: Server) -> None:
    room = await a_room(server, "garden")
    async with visit() as olga, visit() as peter:
        await olga.come(f"/rooms/{room}")
        await expect(olga.by("composer")).to_be_visible()
        await olga.page.keyboard.press("Control+k")
        await expect(olga.by("jump-dialog")).to_be_visible()
        await olga.page.keyboard.type("pete")
        await expect(olga.by("jump-dialog").get_by_role("option", name="peter")).to_be_visible()
        await olga.page.keyboard.press("Enter")
        await expect(olga.by("jump-dialog")).to_have_count(0)
        await olga.is_in("peter")
        await olga.write("A word in private")
        await peter.come("/", "peter")
        await expect(peter.by("room-list")).to_contain_text("olga")
        await olga.page.keyboard.press("Control+k")
        await olga.page.keyboard.type(room[2:])
        await expect(olga.by("jump-dialog").get_by_role("option").first).to_have_text(room)
        await olga.page.keyboard.press("Enter")
        await olga.is_in(room)
        await olga.page.keyboard.press("Control+k")
        await olga.page.keyboard.press("Escape")
        await expect(olga.by("jump-dialog")).to_have_count(0)


async def test_search_finds_words_parts_of_words_and_chinese_and_goes_there(
    visit: Visit, server: Server
) -> None:
    room, person = await a_room(server, "library"), server.person()
    async with join(server, person) as writer:
        await writer.enter(room)
        english = (await writer.say(room, "The quarterly marmalade report"))["seq"]
        chinese = (await writer.say(room, "明天下午三點在圖書館見面"))["seq"]
        for number in range(120):
            await writer.say(room, f"noise {number}")
    async with visit() as olga:
        await olga.come(f"/rooms/{room}")
        await expect(olga.by("composer")).to_be_visible()
        for query, seq in (
            ("marmalade", english),
            ("armala", english),
            ("圖書館", chinese),
            ("下午", chinese),
        ):
            await olga.go("/search")
            await olga.by("search-input").fill(query)
            await olga.by("search-input").press("Enter")
            await expect(olga.by("search-result")).to_have_count(1)
            await olga.by("search-result").get_by_role("link").first.click()
            await expect(olga.message(seq)).to_be_in_viewport()
            assert olga.page.url.endswith(f"/{seq}")
        await olga.go(f"/search?q=noise%20from%3A{person.name}%20in%3A%22{room}%22")
        await expect(olga.by("search-result").first).to_contain_text("noise")
        await olga.go("/search?q=noise%20from%3Apeter")
        await expect(olga.page.get_by_text("Nothing found.")).to_be_visible()
