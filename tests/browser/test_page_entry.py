"""Getting in and out by the page: the first account, an invitation, a login, a lost password, and every no in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import Visit
from tests.browser.visitors import PHONE, Visitor, a_room, visiting
from tests.support.fixtures import StartServer
from tests.support.server import PASSWORD, Server, running

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[Server]:
    """A server that nobody has set up."""
    with running(Server(tmp_path)) as server:
        yield server


async def fill_in(page: Page, **fields: str) -> None:
    """Fill the fields of these labels."""
    for label, value in fields.items():
        await page.get_by_label(label.replace("_", " ").capitalize(), exact=True).fill(value)


async def log_in(visitor: Visitor, name: str, password: str = PASSWORD) -> None:
    """By the form, as a person does."""
    form = visitor.by("login-form")
    await form.get_by_label("Name", exact=True).fill(name)
    await form.get_by_label("Password", exact=True).fill(password)
    await form.get_by_role("button", name="Log in", exact=True).click()


async def invitation(visitor: Visitor) -> str:
    """A link to an invitation, made on the page for it, where it is shown as a QR code too."""
    await visitor.go("/admin/invitations")
    await visitor.page.get_by_role("button", name="Make invitation").click()
    await expect(visitor.page.get_by_label("QR code of the invitation link")).to_be_visible()
    link = await visitor.page.get_by_label("Link", exact=True).input_value()
    assert re.fullmatch(re.escape(visitor.server.url) + r"/invite#[\w-]{20,}", link)
    return link


async def test_the_first_account_is_made_then_a_second_and_a_third_by_invitation_and_all_talk(
    chromium: Browser, new_server: Server
) -> None:
    setup = re.search(r"/setup#\S+", "\n".join(new_server.banner))
    assert setup is not None
    async with (
        visiting(chromium, new_server) as olga,
        visiting(chromium, new_server, viewport=PHONE) as peter,
        visiting(chromium, new_server) as quinn,
    ):
        await olga.go(setup[0])
        await fill_in(olga.page, name="olga", display_name="Olga O.", password=PASSWORD)
        await olga.page.get_by_role("button", name="Make account").click()
        await expect(olga.by("composer")).to_be_visible()
        assert "#" not in olga.page.url, "the secret stays in the address bar"
        for guest, name in ((peter, "peter"), (quinn, "quinn")):
            link = await invitation(olga)
            await guest.page.goto(link)
            await fill_in(guest.page, name=name, password=PASSWORD)
            await guest.page.get_by_role("button", name="Make account").click()
            await guest.page.wait_for_url(lambda url: "/invite" not in url)
        await olga.go("/rooms/general")
        await peter.go("/rooms/general")
        await quinn.go("/rooms/general")
        await expect(peter.by("composer")).to_be_visible()
        await expect(quinn.by("composer")).to_be_visible()
        await olga.write("Welcome")
        await peter.sees("Welcome")
        await quinn.sees("Welcome")
        await peter.write("Thank you")
        await quinn.sees("Welcome", "Thank you")
        await quinn.write("Good morning")
        for everyone in (olga, peter, quinn):
            await everyone.sees("Welcome", "Thank you", "Good morning")
            await expect(everyone.messages.first).to_contain_text("Olga O.")


async def test_a_login_that_fails_says_so_in_place_and_one_that_works_goes_where_it_was_headed(
    visit: Visit, server: Server
) -> None:
    room = await a_room(server, "where to")
    async with visit() as peter:
        await peter.go(f"/rooms/{quote(room)}")
        await log_in(peter, "peter", "wrong password")
        await expect(peter.by("login-form").get_by_text("The name or the password is wrong.")).to_be_visible()
        await expect(peter.by("login-form").get_by_label("Name", exact=True)).to_have_value("peter")
        await log_in(peter, "peter")
        await expect(peter.page.get_by_role("heading", name=room)).to_be_visible()
        assert peter.page.url == f"{server.url}/rooms/{quote(room)}"


async def test_too_many_tries_are_told_with_how_long_to_wait(
    chromium: Browser, start_server: StartServer
) -> None:
    server = start_server()  # its own: tries count by address, and the other tests have the same
    async with visiting(chromium, server) as stranger:
        for _ in range(10):
            await stranger.context.request.post(
                f"{server.url}/login", data={"username": server.person().name, "password": "guess"}
            )
        name = server.person().name
        for _ in range(11):
            await stranger.context.request.post(
                f"{server.url}/login", data={"username": name, "password": "guess"}
            )
        await stranger.go("/login")
        await log_in(stranger, name, "guess")
        await expect(
            stranger.by("login-form").get_by_text(re.compile(r"Too many tries\. Try again in \d+ "))
        ).to_be_visible()


async def test_links_that_are_void_say_so_and_show_no_form(visit: Visit) -> None:
    async with visit() as stranger:
        for page in ("setup", "invite", "reset"):
            await stranger.go(f"/{page}#made-up")
            await expect(
                stranger.page.get_by_text("This link has been used or has expired. Ask for a new one.")
            ).to_be_visible()
            await expect(stranger.page.locator("form")).to_have_count(0)
            await expect(stranger.page.get_by_role("link", name="Go to the login page")).to_be_visible()


async def test_a_taken_name_and_a_short_password_are_told_in_place_and_lose_nothing(visit: Visit) -> None:
    async with visit() as olga, visit() as guest:
        await olga.come()
        await guest.page.goto(await invitation(olga))
        page = guest.page
        await fill_in(page, name="Peter", display_name="The other Peter", password="short")
        await page.get_by_role("button", name="Make account").click()
        await expect(page.get_by_text("The password needs at least 8 characters.")).to_be_visible()
        await fill_in(page, password=PASSWORD)
        await page.get_by_role("button", name="Make account").click()
        await expect(page.get_by_text("This name is taken. Choose another.")).to_be_visible()
        await expect(page.get_by_label("Display name")).to_have_value("The other Peter")
        await fill_in(page, name="peter.the.other")
        await page.get_by_role("button", name="Make account").click()
        await expect(guest.by("room-list")).to_be_visible()


async def test_a_lost_password_is_chosen_anew_by_a_link_from_an_administrator(visit: Visit) -> None:
    async with visit() as olga, visit() as guest, visit() as again:
        await olga.come()
        await guest.page.goto(await invitation(olga))
        await fill_in(guest.page, name="forgetful", password=PASSWORD)
        await guest.page.get_by_role("button", name="Make account").click()
        await expect(guest.by("room-list")).to_be_visible()
        await olga.go("/admin/people")
        await olga.page.get_by_label("Find by the beginning of a name").fill("forget")
        await olga.page.get_by_role("button", name="What to do with forgetful").click()
        await olga.page.get_by_role("menuitem", name="Reset link").click()
        link = await olga.page.get_by_label("Link", exact=True).input_value()
        await again.page.goto(link)
        await again.page.get_by_label("Password", exact=True).fill("another password")
        await again.page.get_by_role("button", name="Set password").click()
        await expect(again.by("room-list")).to_be_visible()
        await expect(guest.by("login-form")).to_be_visible()
        await log_in(guest, "forgetful", "another password")
        await expect(guest.by("room-list")).to_be_visible()


async def test_a_session_ended_elsewhere_shows_the_login_at_once(visit: Visit) -> None:
    async with visit() as desk, visit() as phone:
        await desk.come("/account")
        await phone.come("/rooms/general")
        await expect(phone.by("composer")).to_be_visible()
        await desk.page.reload()
        await desk.page.get_by_role("button", name="Log out everywhere else").click()
        await expect(phone.by("login-form")).to_be_visible()
        await expect(desk.page.get_by_text("ended.")).to_be_visible()
        await desk.page.get_by_role("button", name="Log out", exact=True).click()
        await expect(desk.by("login-form")).to_be_visible()
        await desk.go("/rooms/general")
        await expect(desk.by("login-form")).to_be_visible()


async def test_a_person_changes_the_name_that_others_see_and_the_password(visit: Visit) -> None:
    async with visit() as olga, visit() as guest, visit() as again:
        await olga.come()
        await guest.page.goto(await invitation(olga))
        await fill_in(guest.page, name="changing", password=PASSWORD)
        await guest.page.get_by_role("button", name="Make account").click()
        await expect(guest.by("room-list")).to_be_visible()
        await guest.go("/account")
        page = guest.page
        await page.get_by_label("Display name").fill("Somebody Else")
        await page.get_by_role("button", name="Save").first.click()
        await expect(page.get_by_text("Saved.")).to_be_visible()
        await page.get_by_label("Current password", exact=True).fill("not this")
        await page.get_by_label("New password", exact=True).fill("a newer password")
        await page.get_by_role("button", name="Change password").click()
        await expect(page.get_by_text("The current password is wrong.")).to_be_visible()
        await page.get_by_label("Current password", exact=True).fill(PASSWORD)
        await page.get_by_role("button", name="Change password").click()
        await expect(page.get_by_text("The password is changed.")).to_be_visible()
        await again.come("/account", "changing", "a newer password")
        await expect(again.page.get_by_label("Display name")).to_have_value("Somebody Else")


# What a refusal says, in each language: labels and buttons first.
WORDS: Final = {
    "en-GB": {
        "Name": "Name",
        "Display name": "Display name",
        "Password": "Password",
        "Log in": "Log in",
        "Make account": "Make account",
        "Set password": "Set password",
        "Try again": "Try again",
        "wrong": "The name or the password is wrong.",
        "tries": r"^Too many tries\. Try again in \d+ (seconds?|minutes?)\.$",
        "taken": "This name is taken. Choose another.",
        "bad name": "This name can’t be used.",
        "short": "The password needs at least 8 characters.",
        "bad password": "This password can’t be used. Choose a longer one that is hard to guess.",
        "void": "This link has been used or has expired. Ask for a new one.",
        "away": "The server does not answer. Check your connection and try again.",
    },
    "zh-TW": {
        "Name": "帳號",
        "Display name": "顯示名稱",
        "Password": "密碼",
        "Log in": "登入",
        "Make account": "建立帳號",
        "Set password": "設定密碼",
        "Try again": "再試一次",
        "wrong": "帳號或密碼不正確。",
        "tries": r"^嘗試太多次了，請在 \d+ ?(秒|分鐘)後再試。$",
        "taken": "這個名稱已經有人使用，請換一個。",
        "bad name": "這個名稱不能使用。",
        "short": "密碼至少需要 8 個字元。",
        "bad password": "這個密碼不能使用。請選一個更長、更難猜的密碼。",
        "void": "這個連結已經用過或過期了，請索取新的連結。",
        "away": "伺服器沒有回應。請檢查網路連線，再試一次。",
    },
}


@dataclass(frozen=True)
class Stranger:
    """Somebody at a form, in a language, who is refused."""

    visitor: Visitor
    words: dict[str, str]

    async def submit(self, button: str, **fields: str) -> None:
        """Fill in and send: fields by their English labels."""
        page = self.visitor.page
        for label, value in fields.items():
            await page.get_by_label(self.words[label.replace("_", " ")], exact=True).fill(value)
        await page.get_by_role("button", name=self.words[button], exact=True).click()

    async def is_told(self, what: str, *, at: str = "") -> None:
        """Wait for these words, said aloud, as the only ones; `at`: right at the field of this label."""
        said = self.visitor.page.get_by_role("alert")
        await expect(said).to_have_text(re.compile(self.words[what]) if what == "tries" else self.words[what])
        if at:
            field = self.visitor.page.get_by_label(self.words[at], exact=True)
            await expect(
                self.visitor.page.locator(".field").filter(has=field).get_by_role("alert")
            ).to_be_visible()
            await expect(field).to_have_attribute("aria-invalid", "true")


@pytest.mark.parametrize("locale", WORDS)
async def test_every_no_on_the_way_in_is_said_in_ones_language_and_at_the_field_it_is_about(
    visit: Visit, server: Server, locale: str
) -> None:
    async with visit() as olga, visit(locale=locale, viewport=PHONE) as visitor:
        stranger = Stranger(visitor, WORDS[locale])
        await visitor.go("/login")
        await stranger.submit("Log in", Name="nobody", Password="guess")
        await stranger.is_told("wrong")
        for page in ("setup", "invite", "reset"):
            await visitor.go(f"/{page}#made-up")
            await stranger.is_told("void")
        await olga.come()
        await visitor.page.goto(await invitation(olga))
        name = f"stranger.{locale[:2]}"
        await stranger.submit("Make account", Name="two words", Password=PASSWORD)
        await stranger.is_told("bad name", at="Name")
        await stranger.submit("Make account", Name="peter")
        await stranger.is_told("taken", at="Name")
        await stranger.submit("Make account", Name=name, Display_name="\u200b")
        await stranger.is_told("bad name", at="Display name")
        await stranger.submit("Make account", Display_name="", Password="short")
        await stranger.is_told("short", at="Password")
        await stranger.submit("Make account", Password=name)
        await stranger.is_told("bad password", at="Password")
        assert await visitor.overflow() <= 0
        await visitor.context.set_offline(True)
        await stranger.submit("Make account", Password=PASSWORD)
        await stranger.is_told("away")
        await visitor.context.set_offline(False)
        await stranger.submit("Make account")
        await expect(visitor.by("room-list")).to_be_visible()
        reset = await olga.context.request.post(f"{server.url}/api/users/{name}/reset-password")
        await visitor.page.goto((await reset.json())["link"])
        await stranger.submit("Set password", Password="short")
        await stranger.is_told("short", at="Password")
        await visitor.context.clear_cookies()
        for _ in range(11):
            await visitor.context.request.post(
                f"{server.url}/login", data={"username": name, "password": "guess"}
            )
        await visitor.go("/login")
        await stranger.submit("Log in", Name=name, Password=PASSWORD)
        await stranger.is_told("tries")


async def test_what_is_wrong_is_said_in_the_other_language_when_that_is_chosen(visit: Visit) -> None:
    async with visit() as guest:
        await guest.go("/login")
        await log_in(guest, "nobody", "guess")
        await Stranger(guest, WORDS["en-GB"]).is_told("wrong")
        await guest.page.get_by_label("Language", exact=True).select_option("zh-TW")
        await Stranger(guest, WORDS["zh-TW"]).is_told("wrong")


async def test_a_link_that_cannot_be_looked_at_now_can_be_tried_again(visit: Visit) -> None:
    async with visit() as olga, visit() as guest:
        await olga.come()
        link = await invitation(olga)
        await guest.context.route("**/api/links/check", lambda route: route.abort())
        await guest.page.goto(link)
        await Stranger(guest, WORDS["en-GB"]).is_told("away")
        await expect(guest.page.get_by_role("heading", name="Welcome to Hubbub")).to_be_visible()
        await guest.context.unroute("**/api/links/check")
        await guest.page.get_by_role("button", name="Try again").click()
        await expect(guest.page.get_by_role("button", name="Make account")).to_be_visible()
