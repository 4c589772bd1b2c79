"""Running the place by the page: people kept out and let in, roles, new passwords, invitations, rooms, true figures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, expect

from tests.browser.conftest import Visit
from tests.browser.newcomers import newcomer
from tests.browser.visitors import PHONE, Visitor, a_room, visiting
from tests.support.client import join
from tests.support.server import PASSWORD, Accounts, Server, running

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def row_of(admin: Visitor, name: str) -> Locator:
    """Somebody's row on the page of people, found by the filter there."""
    if not admin.page.url.endswith("/admin/people"):
        await admin.go("/admin/people")
    await admin.page.get_by_label("Find by the beginning of a name").fill(name)
    row = admin.page.get_by_role("main").get_by_role("listitem")
    await expect(row).to_have_count(1)
    await expect(row).to_contain_text(name)
    return row


async def log_in(visitor: Visitor, name: str, password: str = PASSWORD) -> None:
    """By the form."""
    form = visitor.by("login-form")
    await form.get_by_label("Name", exact=True).fill(name)
    await form.get_by_label("Password", exact=True).fill(password)
    await form.get_by_role("button", name="Log in", exact=True).click()


async def test_whoever_is_disabled_is_sent_out_at_once_and_comes_back_when_enabled(
    visit: Visit, server: Server
) -> None:
    async with visit() as olga, visit() as guest:
        name = await newcomer(server, guest, "/rooms/general")
        await expect(guest.by("composer")).to_be_visible()
        await olga.come("/admin/people")
        row = await row_of(olga, name)
        await olga.choose(f"What to do with {name}", "Disable")
        await expect(olga.page.get_by_role("dialog")).to_contain_text(f"Disable {name}?")
        await olga.confirm("Disable")
        await expect(row).to_contain_text("disabled")
        await expect(guest.by("login-form")).to_be_visible()
        await expect(guest.page.get_by_text("You are logged out.")).to_be_visible()
        await log_in(guest, name)
        await expect(guest.page.get_by_text("The name or the password is wrong.")).to_be_visible()
        await olga.choose(f"What to do with {name}", "Enable")
        await expect(row).not_to_contain_text("disabled")
        await log_in(guest, name)
        await expect(guest.by("composer")).to_be_visible()


async def test_a_role_counts_at_once_where_the_person_is_and_nothing_typed_is_lost(
    visit: Visit, server: Server
) -> None:
    async with visit() as olga, visit() as guest:
        name = await newcomer(server, guest, "/rooms/general")
        await guest.by("composer").fill("half a sentence")
        await olga.come("/admin/people")
        row = await row_of(olga, name)
        role = row.get_by_label(f"Role of {name}")
        await role.select_option("Administrator")
        menu = guest.page.get_by_role("button", name="Your menu")
        await expect(menu).to_contain_text("Administrator")
        await expect(guest.by("composer")).to_have_value("half a sentence")
        await menu.click()
        await guest.page.get_by_role("menuitem", name="Administration").click()
        await expect(guest.page.get_by_label("Find by the beginning of a name")).to_be_visible()
        # An administrator manages no owner, and nobody themselves.
        await expect(guest.page.get_by_label("Role of olga")).to_have_count(0)
        await expect(guest.page.get_by_label(f"Role of {name}")).to_have_count(0)
        await role.select_option("Member")
        await expect(guest.page.get_by_text("Only administrators see this page.")).to_be_visible()
        await expect(menu).to_contain_text("Member")


async def test_a_role_that_cannot_be_given_is_refused_in_words_and_the_old_one_shown(
    visit: Visit, server: Server
) -> None:
    async with visit() as olga, visit() as guest:
        await newcomer(server, guest, role="admin")
        victim = server.person().name
        await guest.go("/admin/people")
        row = await row_of(guest, victim)
        await expect(row.get_by_label(f"Role of {victim}")).to_have_value("member")
        # The server says no: meanwhile somebody made an owner of them.
        await olga.come("/admin/people")
        await row_of(olga, victim)
        await olga.page.get_by_label(f"Role of {victim}").select_option("Owner")
        await expect(olga.page.get_by_label(f"Role of {victim}")).to_have_value("owner")
        await row.get_by_label(f"Role of {victim}").select_option("Administrator")
        await expect(row.get_by_text("You may not do this.")).to_be_visible()
        await expect(row.get_by_label(f"Role of {victim}")).to_have_value("member")


async def test_a_reset_link_works_once_in_another_browser_and_says_so_the_second_time(
    visit: Visit, server: Server
) -> None:
    async with visit() as olga, visit() as guest, visit(viewport=PHONE) as elsewhere:
        name = await newcomer(server, guest, "/rooms/general")
        await expect(guest.by("composer")).to_be_visible()
        await olga.come("/admin/people")
        await row_of(olga, name)
        await olga.choose(f"What to do with {name}", "Reset link")
        dialog = olga.page.get_by_role("dialog", name=f"A new password for {name}")
        link = await dialog.get_by_label("Link", exact=True).input_value()
        await dialog.get_by_role("button", name="Close").click()
        await expect(olga.page.get_by_role("button", name=f"What to do with {name}")).to_be_focused()
        await elsewhere.page.goto(link)
        await expect(elsewhere.page.get_by_text(f"For the account of {name}.")).to_be_visible()
        await elsewhere.page.get_by_label("Password", exact=True).fill("quite another password")
        await elsewhere.page.get_by_role("button", name="Set password").click()
        await expect(elsewhere.by("room-list")).to_be_visible()
        await expect(guest.page.get_by_text("You are logged out.")).to_be_visible()
        await log_in(guest, name)
        await expect(guest.page.get_by_text("The name or the password is wrong.")).to_be_visible()
        await guest.page.goto(link)
        await expect(guest.page.get_by_text("This link has been used or has expired.")).to_be_visible()
        await guest.page.get_by_role("link", name="Go to the login page").click()
        await log_in(guest, name, "quite another password")
        await expect(guest.by("room-list")).to_be_visible()


async def test_an_invitation_that_is_withdrawn_says_so_even_to_whoever_fills_it_in(
    visit: Visit, server: Server
) -> None:
    async with visit() as olga, visit() as guest, visit() as late:
        await olga.come("/admin/invitations")
        page = olga.page
        await page.get_by_label("How many people may use it").fill("3")
        await page.get_by_label("How long it works").select_option("24 hours")
        await page.get_by_role("button", name="Make invitation").click()
        code = page.get_by_label("QR code of the invitation link")
        await expect(code).to_be_visible()
        assert await square(code), "a QR code is as wide as it is high"
        link = await page.get_by_label("Link", exact=True).input_value()
        row = page.get_by_role("main").get_by_role("listitem").filter(has_text="3 uses left")
        await expect(row).to_have_count(1)
        await guest.page.goto(link)
        await guest.page.get_by_label("Name", exact=True).fill("too.late")
        await guest.page.get_by_label("Password", exact=True).fill(PASSWORD)
        await row.get_by_role("button", name=re.compile("^Withdraw")).click()
        await expect(row).to_have_count(0)
        await expect(code).to_have_count(0)
        await guest.page.get_by_role("button", name="Make account").click()
        await expect(guest.page.get_by_text("This link has been used or has expired.")).to_be_visible()
        await late.page.goto(link)
        await expect(late.page.get_by_role("heading", name="This link can’t be used")).to_be_visible()
        await expect(late.page.get_by_text("This link has been used or has expired.")).to_be_visible()


async def square(shape: Locator) -> bool:
    box = await shape.bounding_box()
    return box is not None and abs(box["width"] - box["height"]) < 1 and box["width"] > 150


async def test_an_invitation_is_used_up_by_as_many_as_it_is_for_and_gives_its_role(
    visit: Visit, server: Server
) -> None:
    async with visit() as olga, visit() as guest, visit() as second:
        await olga.come("/admin/invitations")
        await olga.page.get_by_label("What they will be").select_option("Administrator")
        await olga.page.get_by_role("button", name="Make invitation").click()
        link = await olga.page.get_by_label("Link", exact=True).input_value()
        await guest.page.goto(link)
        await guest.page.get_by_label("Name", exact=True).fill("right.hand")
        await guest.page.get_by_label("Password", exact=True).fill(PASSWORD)
        await guest.page.get_by_role("button", name="Make account").click()
        await expect(guest.page.get_by_role("button", name="Your menu")).to_contain_text("Administrator")
        await second.page.goto(link)
        await expect(second.page.get_by_text("This link has been used or has expired.")).to_be_visible()
        await guest.go("/admin/invitations")
        await expect(guest.page.get_by_label("What they will be")).not_to_contain_text("Owner")


async def test_rooms_are_found_archived_and_opened_again_and_whoever_is_in_one_sees_it(
    visit: Visit, server: Server
) -> None:
    room = await a_room(server, "cellar")
    async with visit() as olga, visit() as peter:
        await peter.come(f"/rooms/{room}", "peter")
        await peter.write("anybody down here?")
        await olga.come("/admin/rooms")
        await olga.page.get_by_label("Filter by name or topic").fill(room)
        row = olga.page.get_by_role("main").get_by_role("listitem")
        await expect(row).to_have_count(1)
        await expect(row).to_contain_text("public · 2 members")
        await row.get_by_role("button", name=re.compile("^Archive")).click()
        await expect(row).to_contain_text("archived")
        await expect(peter.by("composer")).to_have_count(0)
        await expect(peter.page.get_by_role("main").locator("header")).to_contain_text("archived")
        await row.get_by_role("button", name=re.compile("^Open again")).click()
        await expect(row).not_to_contain_text("archived")
        await expect(peter.by("composer")).to_be_visible()
        await row.get_by_role("link", name=room).click()
        await olga.is_in(room)
        await olga.sees("anybody down here?")


async def test_the_figures_are_what_is_so(chromium: Browser, accounts: Accounts, tmp_path: Path) -> None:
    with running(Server(tmp_path, accounts)) as server:
        writer, rooms = server.person(), [server.room() for _ in range(3)]
        for room, kind in zip(rooms, ("public", "public", "private"), strict=True):
            await server.call(writer, "POST", "/api/rooms", {"name": room, "kind": kind})
        await server.call(writer, "PATCH", f"/api/rooms/{rooms[0]}", {"archived": True})
        await server.call(writer, "POST", "/api/direct", {"users": ["olga"]})
        async with (
            join(server, writer) as client,
            visiting(chromium, server) as peter,
            visiting(chromium, server) as olga,
        ):
            await client.enter(rooms[1])
            for number in range(7):
                await client.say(rooms[1], f"message {number}")
            await peter.come(f"/rooms/{rooms[1]}", "peter")
            await expect(peter.messages).to_have_count(7)
            await olga.come("/admin/server")
            figure = {
                name: olga.page.locator("dl > div")
                .filter(has=olga.page.get_by_text(name, exact=True))
                .locator("dd")
                for name in (
                    "People online",
                    "Connections",
                    "Accounts",
                    "Rooms",
                    "Messages",
                    "Direct conversations",
                )
            }
            await expect(figure["People online"]).to_have_text("3")
            await expect(figure["Connections"]).to_have_text("3")
            await expect(figure["Accounts"]).to_have_text("402")
            await expect(figure["Rooms"]).to_have_text(re.compile(r"^4\s*1 private, 1 archived$"))
            await expect(figure["Messages"]).to_have_text("7")
            await expect(figure["Direct conversations"]).to_have_text("1")
            tab = await peter.another_tab("/account")
            await expect(tab.get_by_role("button", name="Your menu")).to_be_visible()  # it is connected
            await olga.page.get_by_role("button", name="Refresh").click()
            await expect(figure["Connections"]).to_have_text("4")
            await expect(figure["People online"]).to_have_text("3")
