"""Direct messages by the page: with one, with several, from the people picker, from a name, and to oneself."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, expect

from tests.browser.conftest import Visit
from tests.browser.newcomers import newcomer
from tests.browser.visitors import NARROWEST, Visitor
from tests.support.server import Server

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def picker(visitor: Visitor) -> Locator:
    """The dialog in which one chooses whom to write to."""
    await visitor.page.get_by_role("button", name="New direct message").click()
    dialog = visitor.page.get_by_role("dialog", name="New direct message")
    await expect(dialog.get_by_label("Who to write to").first).to_be_focused()
    return dialog


async def test_three_people_talk_in_a_direct_message_from_the_people_picker(
    visit: Visit, server: Server
) -> None:
    async with visit() as olga, visit() as peter, visit() as third:
        name = await newcomer(server, third, "/rooms/general")
        await peter.come("/rooms/general", "peter")
        await olga.come("/rooms/general")
        dialog = await picker(olga)
        keys = olga.page.keyboard
        start = dialog.get_by_role("button", name="Start writing")
        await expect(start).to_be_disabled()
        for person in ("peter", name):
            await keys.type(person)
            await expect(dialog.get_by_role("option")).to_have_count(1)
            await keys.press("Enter")
            await expect(dialog.get_by_role("button", name=f"Take out {person}")).to_be_visible()
            await expect(dialog.get_by_label("Who to write to").first).to_have_value("")
        await start.click()
        both = ", ".join(sorted(("peter", name)))
        await olga.is_in(both)
        await olga.write("Shall we, the three of us?")
        for guest, others in ((peter, sorted(("olga", name))), (third, ["olga", "peter"])):
            item = guest.by("room-item").filter(has_text=", ".join(others))
            await expect(item.get_by_test_id("room-mentions")).to_contain_text("1 new message")
            await item.click()
            await guest.is_in(", ".join(others))
            await guest.sees("Shall we, the three of us?")
        await peter.write("I am in")
        await third.write("So am I")
        for everyone in (olga, peter, third):
            await everyone.sees("Shall we, the three of us?", "I am in", "So am I")
        # The same three, chosen by somebody else in another order, are the same conversation.
        address = olga.page.url
        dialog = await picker(third)
        for person in ("peter", "olga"):
            await dialog.get_by_label("Who to write to").first.fill(person)
            await dialog.get_by_role("option", name=person, exact=True).click()
        await dialog.get_by_role("button", name="Start writing").click()
        await expect(third.page).to_have_url(address)
        await third.sees("Shall we, the three of us?", "I am in", "So am I")
        # Nobody leaves or renames it.
        await olga.page.get_by_role("button", name="Room menu").click()
        await expect(olga.page.get_by_role("menuitem")).to_have_text(["Copy link"])


async def test_who_was_chosen_by_mistake_is_taken_out_again(visit: Visit, server: Server) -> None:
    person = server.person().name
    async with visit(viewport=NARROWEST) as olga:
        await olga.come("/")
        dialog = await picker(olga)
        field = dialog.get_by_label("Who to write to").first
        for name in ("peter", person):
            await field.fill(name)
            await dialog.get_by_role("option", name=name, exact=True).click()
        assert await olga.overflow() <= 0
        await field.fill("peter")
        await expect(dialog.get_by_text("Nobody is called like that.")).to_be_visible()  # chosen already
        await dialog.get_by_role("button", name=f"Take out {person}").click()
        await dialog.get_by_role("button", name="Start writing").click()
        await olga.is_in("peter")


async def test_a_name_among_the_members_leads_to_a_direct_message(visit: Visit) -> None:
    async with visit() as olga, visit() as peter:
        await peter.come("/rooms/general", "peter")
        await expect(peter.by("composer")).to_be_visible()
        await olga.come("/rooms/general")
        await olga.show_members()
        await olga.by("members").get_by_role("link", name="peter").click()
        await olga.is_in("peter")
        await olga.write("Just you")
        item = peter.room_item("@olga,peter")
        await expect(item).to_contain_text("online")
        await expect(item.get_by_test_id("room-mentions")).to_contain_text("1 new message")
        await item.click()
        await peter.sees("Just you")


async def test_a_conversation_with_somebody_who_is_not_there_says_so(visit: Visit) -> None:
    async with visit() as olga:
        await olga.come("/rooms/@nobody.at.all")
        await expect(olga.page.get_by_role("heading", name="This room can’t be opened")).to_be_visible()
        await expect(olga.page.get_by_text("There is nobody of this name.")).to_be_visible()
        await olga.page.get_by_role("link", name="Go to your rooms").click()
        await expect(olga.by("composer")).to_be_visible()
