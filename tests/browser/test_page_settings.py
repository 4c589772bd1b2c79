"""Language, look and quiet hours follow the account; what depends on the device stays with it; nobody gets another's."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import Route, expect

from tests.browser.conftest import Visit
from tests.browser.visitors import Visitor, until
from tests.support.server import PASSWORD, Server, hubbub

pytestmark = pytest.mark.asyncio(loop_scope="session")


def somebody(server: Server, name: str) -> str:
    """A new person with a password, so that no other test's settings are theirs."""
    added = hubbub("user", "add", name, "--password-stdin", "--data", str(server.data), given=f"{PASSWORD}\n")
    assert added.returncode == 0, added.stderr
    return name


async def kept(visitor: Visitor) -> dict[str, Any]:
    """What the server keeps for who is logged in."""
    answer = await visitor.context.request.get(f"{visitor.server.url}/api/preferences")
    found: dict[str, Any] = await answer.json()
    return found


async def chooses(visitor: Visitor, label: str, option: str) -> None:
    """Choose in the settings, and wait until the account has it."""
    async with visitor.page.expect_response(
        lambda answer: answer.url.endswith("/api/preferences") and answer.request.method == "PUT"
    ) as written:
        await visitor.page.get_by_label(label, exact=True).select_option(option)
    assert (await written.value).ok


async def shows(visitor: Visitor, *, language: str, theme: str | None) -> None:
    """Wait until the page has this language and this theme; None: as the system."""
    html = visitor.page.locator("html")
    await expect(html).to_have_attribute("lang", language)
    if theme is None:
        await until(visitor.page, "() => !('theme' in document.documentElement.dataset)")
    else:
        await expect(html).to_have_attribute("data-theme", theme)


async def logs_in(visitor: Visitor, name: str) -> None:
    """Through the page."""
    form = visitor.by("login-form")
    await form.locator("input[name=username]").fill(name)
    await form.locator("input[name=password]").fill(PASSWORD)
    await form.locator("button.primary").click()
    await expect(visitor.by("room-list")).to_be_visible()


async def test_language_theme_and_quiet_hours_are_there_after_reload_and_in_another_browser(
    visit: Visit, server: Server
) -> None:
    name = somebody(server, "settled")
    async with visit() as desk, visit() as phone:
        await phone.come("/account", name)
        await shows(phone, language="en", theme=None)
        await desk.come("/account", name)
        await chooses(desk, "Theme", "dark")
        await chooses(desk, "Language", "zh-TW")
        async with desk.page.expect_response(lambda answer: answer.request.method == "PUT"):
            await desk.page.get_by_label("勿擾時段").check()
        await desk.page.reload()
        await shows(desk, language="zh-TW", theme="dark")
        await expect(desk.page.get_by_label("勿擾時段")).to_be_checked()
        assert await kept(desk) == {
            "theme": "dark",
            "language": "zh-TW",
            "quiet": {"on": True, "from": "22:00", "to": "07:00"},
        }
        await shows(phone, language="en", theme=None)
        await phone.page.reload()
        await shows(phone, language="zh-TW", theme="dark")
        await expect(phone.page.get_by_label("勿擾時段")).to_be_checked()
        await phone.page.get_by_label("主題").select_option("light")
        await shows(phone, language="zh-TW", theme="light")


async def test_another_tab_shows_at_once_what_is_chosen(visit: Visit, server: Server) -> None:
    name = somebody(server, "tabs")
    async with visit() as desk:
        await desk.come("/account", name)
        other = await desk.another_tab("/rooms/general")
        await expect(other.get_by_test_id("composer")).to_be_visible()
        await desk.page.get_by_label("Theme", exact=True).select_option("dark")
        await expect(other.locator("html")).to_have_attribute("data-theme", "dark")


async def test_what_is_chosen_offline_is_written_when_the_network_is_back(
    visit: Visit, server: Server
) -> None:
    name = somebody(server, "traveller")
    async with visit() as desk:
        await desk.come("/account", name)
        await chooses(desk, "Theme", "light")
        await desk.context.set_offline(True)
        await expect(desk.by("connection-banner")).to_be_visible()
        await desk.page.get_by_label("Theme", exact=True).select_option("dark")
        await shows(desk, language="en", theme="dark")
        assert await kept(desk) == {"theme": "light"}
        async with desk.page.expect_response(lambda answer: answer.request.method == "PUT"):
            await desk.context.set_offline(False)
        assert await kept(desk) == {"theme": "dark"}


async def test_notifications_and_sound_are_the_devices_and_the_settings_say_so(
    visit: Visit, server: Server
) -> None:
    name = somebody(server, "gadgets")
    async with visit(permissions=["notifications"]) as desk, visit() as phone:
        await desk.come("/account", name)
        await expect(desk.page.get_by_text("for this browser alone")).to_be_visible()
        await desk.page.get_by_label("Notify me").check()
        await desk.page.get_by_label("Play a soft sound").uncheck()
        await chooses(desk, "Theme", "dark")
        await desk.page.reload()
        await expect(desk.page.get_by_label("Notify me")).to_be_checked()
        await expect(desk.page.get_by_label("Play a soft sound")).not_to_be_checked()
        assert await kept(desk) == {"theme": "dark"}
        await phone.come("/account", name)
        await shows(phone, language="en", theme="dark")
        await expect(phone.page.get_by_label("Notify me")).not_to_be_checked()
        await expect(phone.page.get_by_label("Play a soft sound")).to_be_checked()


async def test_whoever_logs_in_next_in_a_browser_gets_nothing_of_the_one_before(
    visit: Visit, server: Server
) -> None:
    first, second = somebody(server, "first"), somebody(server, "second")
    async with visit() as desk:
        await desk.go("/login")
        await logs_in(desk, first)
        await desk.go("/account")
        await chooses(desk, "Theme", "dark")
        await desk.page.get_by_label("Play a soft sound").uncheck()
        await chooses(desk, "Language", "zh-TW")
        await desk.page.get_by_role("button", name="登出", exact=True).last.click()
        await expect(desk.by("login-form")).to_be_visible()
        await shows(desk, language="en", theme=None)
        await logs_in(desk, second)
        await desk.go("/account")
        await expect(desk.page.get_by_label("Play a soft sound")).to_be_checked()
        await shows(desk, language="en", theme=None)
        assert await kept(desk) == {}
        await desk.page.get_by_role("button", name="Log out", exact=True).last.click()
        await logs_in(desk, first)
        await shows(desk, language="zh-TW", theme="dark")


async def test_a_language_chosen_at_the_door_goes_with_who_comes_in(visit: Visit, server: Server) -> None:
    name = somebody(server, "chooser")
    async with visit() as desk:
        await desk.go("/login")
        await desk.page.get_by_label("Language").select_option("zh-TW")
        async with desk.page.expect_response(lambda answer: answer.request.method == "PUT"):
            await logs_in(desk, name)
        await shows(desk, language="zh-TW", theme=None)
        assert await kept(desk) == {"language": "zh-TW"}


async def test_a_chosen_theme_is_there_in_the_first_frame(visit: Visit, server: Server) -> None:
    name = somebody(server, "sensitive")
    async with visit(color_scheme="light") as desk:
        # A service worker would answer in place of the network that is slow below.
        await desk.context.add_init_script("delete Navigator.prototype.serviceWorker")
        await desk.context.add_init_script(
            """requestAnimationFrame(() => {
                 window.firstGround = getComputedStyle(document.documentElement).backgroundColor;
               })"""
        )
        await desk.come("/account", name)
        await chooses(desk, "Theme", "dark")
        styled = asyncio.Event()
        desk.page.on(
            "requestfinished", lambda request: styled.set() if request.url.endswith(".css") else None
        )

        async def after_the_style(route: Route) -> None:
            answer = await route.fetch()
            await styled.wait()
            await route.fulfill(response=answer)

        await desk.page.route("**/-/*.js", after_the_style)
        await desk.page.reload()
        await shows(desk, language="en", theme="dark")
        await expect(desk.by("room-list")).to_be_visible()
        ground = await desk.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert await desk.page.evaluate("window.firstGround") == ground
