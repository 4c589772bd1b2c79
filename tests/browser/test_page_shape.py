"""The page as people have it: narrow and wide, dark, in Chinese, by keyboard alone, and without a network."""

from __future__ import annotations

import re
from typing import Final

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Visit
from tests.browser.visitors import NARROWEST, PHONE, Visitor, a_room, until
from tests.support.client import join
from tests.support.server import PASSWORD, Server

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Every text that a person could read or hear, with where it stands.
_STRINGS: Final = """() => {
  const found = new Set([document.title]);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.parentElement.closest('script, noscript, style, template, [lang="en"], [data-testid="message-list"] bdi')) continue;
    found.add(node.textContent.trim());
  }
  for (const element of document.querySelectorAll('*'))
    for (const name of ['aria-label', 'placeholder', 'title', 'alt', 'aria-description', 'aria-roledescription'])
      if (element.hasAttribute(name)) found.add(element.getAttribute(name).trim());
  return [...found].filter((text) => text.length > 1); // one letter is somebody's picture
}"""
# Latin words that Chinese keeps, or that are somebody's own.
_NOT_ENGLISH: Final = {
    *(
        "hubbub",
        "olga",
        "peter",
        "general",
        "english",
        "qr",
        "ctrl",
        "k",
        "enter",
        "escape",
        "esc",
        "shift",
        "markdown",
    ),
    *(
        "chrome",
        "chromium",
        "headlesschrome",
        "linux",
        "mb",
        "kb",
        "gb",
        "http",
        "https",
        "localhost",
        "invite",
        "id",
    ),
    *(
        "from",
        "in",
        "before",
        "after",
        "ada",
        "cpu",
        "gmt",
        "sqlite",
        "websocket",
        "emoji",
        "tab",
        "api",
        "v",
        "b",
    ),
}


async def english_left(visitor: Visitor, *allowed: str) -> list[str]:
    """Texts on the page with Latin words in them that nobody's name explains."""
    strings: list[str] = await visitor.page.evaluate(_STRINGS)
    known = _NOT_ENGLISH | {word.lower() for text in allowed for word in re.findall(r"[A-Za-z]+", text)}
    return [text for text in strings if {word.lower() for word in re.findall(r"[A-Za-z]+", text)} - known]


async def test_a_browser_that_asks_for_chinese_gets_it_on_every_page(visit: Visit, server: Server) -> None:
    async with visit(locale="zh-TW", timezone_id="Asia/Taipei") as olga:
        await olga.go("/login")
        await expect(olga.by("login-form")).to_be_visible()
        assert await olga.page.locator("html").get_attribute("lang") == "zh-TW"
        assert await english_left(olga) == []
        await olga.come("/rooms/general")
        await olga.write("大家好")
        await olga.sees("大家好")
        assert await english_left(olga) == []
        await olga.messages.last.hover()
        assert await english_left(olga) == []
        await olga.page.keyboard.press("Control+k")
        await expect(olga.by("jump-dialog")).to_be_visible()
        assert await english_left(olga, "ada bob cleo dan eve finn gus hana") == []
        await olga.page.keyboard.press("Escape")
        for path in (
            "/account",
            "/admin/invitations",
            "/admin/rooms",
            "/admin/server",
            "/search",
            "/admin/x",
        ):
            await olga.go(path)
            await expect(olga.page.get_by_role("heading").first).to_be_visible()
            await expect(olga.page.get_by_text("載入中")).to_have_count(0)
            assert await english_left(olga, "v0 B KB MB GB") == [], path
        await olga.go("/admin/people")
        await expect(olga.page.get_by_text("ada-0", exact=True).first).to_be_visible()
        assert await english_left(olga, "ada bob cleo dan eve finn gus hana") == []


async def test_the_language_and_the_theme_can_be_chosen_and_stay(visit: Visit) -> None:
    async with visit(color_scheme="light") as olga:
        await olga.come("/account")
        await olga.page.get_by_label("Language", exact=True).select_option("zh-TW")
        await expect(olga.page.locator("html")).to_have_attribute("lang", "zh-TW")
        await expect(olga.page).to_have_title(re.compile("帳號"))
        assert await english_left(olga) == []
        await olga.page.reload()
        await expect(olga.page.get_by_role("heading", name="帳號").first).to_be_visible()
        await olga.page.get_by_label("語言", exact=True).select_option("en")
        before = await olga.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        theme = olga.page.get_by_label("Theme", exact=True)
        await (theme.select_option("dark") if await theme.count() else olga.page.get_by_label("Dark").check())
        await expect(olga.page.locator("html")).to_have_attribute("data-theme", "dark")
        after = await olga.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert after != before
        await olga.page.reload()
        await expect(olga.page.locator("html")).to_have_attribute("data-theme", "dark")


async def test_a_dark_system_gets_a_dark_page(visit: Visit) -> None:
    async with visit(color_scheme="dark") as olga:
        await olga.come("/rooms/general")
        await expect(olga.by("composer")).to_be_visible()
        ground, ink = await olga.page.evaluate(
            """() => ['backgroundColor', 'color'].map((name) => {
                 const [red, green, blue] = getComputedStyle(document.documentElement)[name].match(/\\d+/g).map(Number);
                 return 0.3 * red + 0.6 * green + 0.1 * blue;
               })"""
        )
        assert ground < 60
        assert ink > 180


@pytest.mark.parametrize("size", [PHONE, NARROWEST], ids=["phone", "narrowest"])
async def test_on_a_phone_one_sees_the_rooms_or_one_room_and_all_of_it_fits(
    visit: Visit, server: Server, size: dict[str, int]
) -> None:
    room = await a_room(server)
    async with visit(viewport=size, has_touch=True, is_mobile=True) as olga:
        await olga.come(f"/rooms/{room}")
        await olga.by("composer").fill("from a phone, " * 20)
        await olga.by("composer").press("Enter")  # breaks the line there
        await olga.by("send").tap()
        await expect(olga.by("composer")).to_have_value("")
        await expect(olga.messages).to_have_count(1)
        assert await olga.overflow() <= 0
        await expect(olga.by("composer")).to_be_in_viewport()
        await expect(olga.by("send")).to_be_in_viewport(ratio=1)
        await expect(olga.by("room-list")).not_to_be_in_viewport()
        await (
            olga.page.get_by_role("button", name="Back to the list of rooms")
            .or_(olga.page.get_by_role("link", name="Back to the list of rooms"))
            .click()
        )
        await expect(olga.by("room-list")).to_be_in_viewport()
        assert await olga.overflow() <= 0
        await olga.room_item(room).click()
        await expect(olga.by("composer")).to_be_in_viewport()
        for path in (
            "/account",
            "/admin/people",
            "/admin/invitations",
            "/admin/rooms",
            "/admin/server",
            "/search?q=phone",
        ):
            await olga.go(path)
            await expect(olga.page.get_by_role("heading").first).to_be_visible()
            assert await olga.overflow() <= 0, path


# As Safari on a phone has it: the keyboard lies over the page, which stays as high as it was; only this gets lower.
_VIEW: Final = """
const view = Object.assign(new EventTarget(), {scale: 1, offsetTop: 0, offsetLeft: 0, keyboard: 0});
Object.defineProperty(view, 'height', {get: () => innerHeight - view.keyboard});
Object.defineProperty(view, 'width', {get: () => innerWidth});
Object.defineProperty(window, 'visualViewport', {value: view});
"""
_LAY_OVER: Final = """(keyboard) => {
  visualViewport.keyboard = keyboard;
  visualViewport.dispatchEvent(new Event('resize'));
}"""
# Whether the composer ends above the keyboard, and the last message right above the composer.
_AT_THE_END: Final = """() => {
  const list = document.querySelector('[data-testid=message-list]');
  const last = [...document.querySelectorAll('[data-testid=message]')].at(-1).getBoundingClientRect();
  const composer = document.querySelector('[data-testid=composer]').getBoundingClientRect();
  return composer.bottom <= visualViewport.height && composer.height > 20 && last.bottom <= composer.top && last.top > 0
    && list.getBoundingClientRect().bottom <= composer.top + 1;
}"""


async def _talk_on_a_phone(server: Server) -> str:
    room = await a_room(server, "phone")
    async with join(server, server.person()) as writer:
        await writer.enter(room)
        for number in range(40):
            await writer.say(room, f"line {number}")
    return room


async def test_a_keyboard_that_lies_over_the_page_hides_neither_the_composer_nor_the_last_message(
    visit: Visit, server: Server
) -> None:
    room = await _talk_on_a_phone(server)
    async with visit(viewport=PHONE, has_touch=True, is_mobile=True) as olga:
        await olga.context.add_init_script(_VIEW)
        await olga.come(f"/rooms/{room}")
        await olga.to_end()
        await until(olga.page, _AT_THE_END)
        await olga.by("composer").tap()
        for keyboard in (300, 340, 300):
            await olga.page.evaluate(_LAY_OVER, keyboard)
            await until(olga.page, _AT_THE_END)
        await olga.by("composer").fill("one\ntwo\nthree\nfour")
        await until(olga.page, _AT_THE_END)
        await olga.by("send").tap()
        await expect(olga.messages.last).to_contain_text("four")
        await until(olga.page, _AT_THE_END)
        await olga.page.evaluate(_LAY_OVER, 0)
        await until(olga.page, _AT_THE_END)
        assert await olga.page.evaluate(
            "document.querySelector('#app').getBoundingClientRect().height === innerHeight"
        )
        # Nor a dialog.
        await olga.go("/")
        await olga.page.get_by_role("button", name="New room").click()
        await olga.page.evaluate(_LAY_OVER, 300)
        await until(
            olga.page,
            "() => document.querySelector('dialog').getBoundingClientRect().bottom <= visualViewport.height",
        )


async def test_a_keyboard_that_makes_the_page_lower_leaves_the_list_at_its_end(
    visit: Visit, server: Server
) -> None:
    room = await _talk_on_a_phone(server)
    async with visit(viewport=PHONE, has_touch=True, is_mobile=True) as olga:
        await olga.come(f"/rooms/{room}")
        content = await olga.page.locator('meta[name="viewport"]').get_attribute("content")
        assert "interactive-widget=resizes-content" in (content or "")
        await olga.to_end()
        await olga.by("composer").tap()
        for height in (340, 300, PHONE["height"]):
            await olga.page.set_viewport_size({"width": PHONE["width"], "height": height})
            await until(olga.page, _AT_THE_END)


async def test_everything_can_be_done_by_keyboard_alone(visit: Visit, server: Server) -> None:
    room = await a_room(server, "keys")
    async with join(server, server.person()) as writer:
        await writer.enter(room)
        await writer.say(room, "Anybody there?")
    async with visit() as olga:
        keys = olga.page.keyboard
        await olga.go("/login")
        await expect(olga.by("login-form")).to_be_visible()
        await tab_to(olga, "Name")
        await keys.type("olga")
        await tab_to(olga, "Password")
        await keys.type(PASSWORD)
        await keys.press("Enter")
        await expect(olga.by("composer").or_(olga.by("room-list")).first).to_be_visible()
        await keys.press("Control+k")
        await keys.type(room)
        await expect(olga.by("jump-dialog").get_by_role("option").first).to_have_text(room)
        await keys.press("Enter")
        await expect(olga.by("composer")).to_be_focused()
        await keys.type("Yes, by keyboard")
        await keys.press("Enter")
        await olga.sees("Anybody there?", "Yes, by keyboard")
        await tab_to(olga, "message", backwards=True)
        await expect(olga.messages.last).to_be_focused()
        assert await focus_is_seen(olga), "nobody sees where the focus is"
        await keys.press("ArrowUp")
        await expect(olga.messages.first).to_be_focused()
        await keys.press("Enter")
        while await label_of_focus(olga) != "Add a reaction":
            await keys.press("ArrowRight")
        assert await focus_is_seen(olga), "nobody sees where the focus is"
        await keys.press("Enter")
        await expect(olga.page.get_by_label("Search emoji")).to_be_focused()
        await keys.type("tada")
        await expect(olga.page.get_by_role("dialog").get_by_text("🎉").first).to_be_visible()
        await keys.press("Enter")
        await expect(olga.messages.first.get_by_role("button", name=re.compile("^🎉, "))).to_be_visible()


async def tab_to(visitor: Visitor, what: str, *, backwards: bool = False) -> None:
    """Press Tab until what has this label or this hook has the focus."""
    for _ in range(60):
        if await label_of_focus(visitor) == what:
            return
        await visitor.page.keyboard.press("Shift+Tab" if backwards else "Tab")
    raise AssertionError(f"Tab never comes to {what}")


async def label_of_focus(visitor: Visitor) -> str:
    """The hook or the label of what has the focus."""
    label: str = await visitor.page.evaluate(
        """() => { const at = document.activeElement;
             return at.dataset.testid ?? at.getAttribute('aria-label') ?? at.labels?.[0]?.textContent ?? at.textContent; }"""
    )
    return label.strip()


async def focus_is_seen(visitor: Visitor) -> bool:
    """Whether what has the focus has an outline."""
    return bool(
        await visitor.page.evaluate(
            """() => { const style = getComputedStyle(document.activeElement);
                 return (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1) || style.boxShadow !== 'none'; }"""
        )
    )


async def test_the_page_opens_without_a_network_once_it_was_there(visit: Visit, server: Server) -> None:
    async with visit(service_workers="allow") as olga:
        await olga.come("/rooms/general")
        await expect(olga.by("composer")).to_be_visible()
        await olga.page.evaluate("navigator.serviceWorker.ready.then(() => null)")
        await olga.page.reload()  # now through the worker, which keeps what it is made of
        await expect(olga.by("composer")).to_be_visible()
        await olga.page.evaluate(
            "new Promise((ok) => navigator.serviceWorker.controller ? ok() : "
            "navigator.serviceWorker.addEventListener('controllerchange', () => ok()))"
        )
        await olga.context.set_offline(True)
        await olga.page.reload()
        await expect(olga.by("connection-banner")).to_be_visible()
        await expect(olga.page).to_have_title(re.compile("Hubbub"))
        await olga.context.set_offline(False)


async def test_the_page_can_be_installed(visit: Visit) -> None:
    async with visit() as olga:
        await olga.go("/login")
        address = await olga.page.locator('link[rel="manifest"]').get_attribute("href")
        assert address is not None
        manifest = await (await olga.context.request.get(olga.server.url + address)).json()
        assert manifest["name"] == "Hubbub"
        assert manifest["display"] == "standalone"
        assert manifest["start_url"] in ("/", "./", "/?source=app")
        assert any("maskable" in icon.get("purpose", "") for icon in manifest["icons"])
        for icon in manifest["icons"]:
            answer = await olga.context.request.get(olga.server.url + "/" + icon["src"].lstrip("/"))
            assert answer.ok
            assert answer.headers["content-type"].startswith("image/")
