"""Who looks elsewhere is told of what is meant for them: on the desktop, by a sound, in the title and the icon; no more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.visitors import Visitor, until
from tests.support.client import Client, join
from tests.support.server import PASSWORD, WAIT_SECONDS, Person, Server, hubbub

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Notes what goes to the desktop and what is heard, and does it all the same. A worker's registration may be had in a test.
_NOTE: Final = """
window.notices = [];
window.notes = 0;
window.taken = 0;
const note = (how, title, options) => window.notices.push({how, title, body: options.body, path: options.data.path});
const show = ServiceWorkerRegistration.prototype.showNotification;
ServiceWorkerRegistration.prototype.showNotification = function (title, options) {
  return show.call(this, title, options).then(() => note('worker', title, options));
};
const close = Notification.prototype.close;
Notification.prototype.close = function () {
  window.taken += 1;
  return close.call(this);
};
window.Notification = class extends Notification {
  constructor(title, options) {
    super(title, options);
    note('page', title, options);
    window.lastNotice = this;
  }
};
const start = AudioScheduledSourceNode.prototype.start;
AudioScheduledSourceNode.prototype.start = function (...when) {
  window.notes += 1;
  return start.apply(this, when);
};
window.titles = [];
const title = Object.getOwnPropertyDescriptor(Document.prototype, 'title');
Object.defineProperty(document, 'title', {
  get: title.get,
  set(text) {
    window.titles.push(text);
    title.set.call(this, text);
  },
});
window.stored = [];
const setItem = Storage.prototype.setItem;
Storage.prototype.setItem = function (key, value) {
  window.stored.push(key);
  return setItem.call(this, key, value);
};
"""
_HIDDEN: Final = """
let hidden = false;
Object.defineProperty(document, 'visibilityState', {get: () => (hidden ? 'hidden' : 'visible')});
window.hide = (yes) => {
  hidden = yes;
  document.dispatchEvent(new Event('visibilitychange'));
};
"""
EVENING: Final = datetime(2026, 3, 1, 23, 0, tzinfo=UTC)
_NO_WORKER: Final = "delete Navigator.prototype.serviceWorker"


class Told(Visitor):
    """Somebody with an account of their own, a room, and somebody else who writes in it."""

    name: str
    room: str

    async def notified(self, *bodies: str) -> list[dict[str, Any]]:
        """Wait until there are so many notifications; they must be these."""
        await until(self.page, "(count) => window.notices.length >= count", len(bodies))
        return await self.has_been_told(*bodies)

    async def has_been_told(self, *bodies: str) -> list[dict[str, Any]]:
        """The notifications so far, which must be these."""
        found: list[dict[str, Any]] = await self.page.evaluate("window.notices")
        assert [one["body"] for one in found] == list(bodies)
        return found

    async def look_elsewhere(self) -> None:
        """To another tab of the browser, so that this one loses the focus."""
        session = await self.context.new_cdp_session(self.page)
        # Playwright lets every page believe that it has the focus.
        await session.send("Emulation.setFocusEmulationEnabled", {"enabled": False})
        await (await self.context.new_page()).bring_to_front()
        await until(self.page, "() => !document.hasFocus()")

    async def icon(self) -> str:
        """Where the icon is."""
        found = await self.page.locator("link[rel=icon]").get_attribute("href")
        assert found is not None
        return found


@asynccontextmanager
async def told(
    visit: Visit, server: Server, writer: Client, *scripts: str, path: str = "/rooms/{room}"
) -> AsyncIterator[Told]:
    """Somebody new who has allowed notifications and stands at `path`; `writer` is in their room."""
    name, room = server.room("reader").replace(" ", "-"), server.room()
    added = hubbub("user", "add", name, "--password-stdin", "--data", str(server.data), given=f"{PASSWORD}\n")
    assert added.returncode == 0, added.stderr
    await server.call(server.known(writer.name), "POST", "/api/rooms", {"name": room})
    await writer.enter(room)
    async with visit(permissions=["notifications"], timezone_id="UTC") as visitor:
        for script in (_NOTE, *scripts):
            await visitor.context.add_init_script(script)
        await visitor.come(f"/rooms/{room}", name)
        await expect(visitor.by("composer")).to_be_visible()
        await writer.until("member_joined", room=room, user=name)
        await visitor.go("/account")
        await visitor.page.get_by_label("Notify me").check()
        await visitor.go(path.format(room=room))
        if not scripts or _NO_WORKER not in scripts:
            await visitor.page.evaluate("() => navigator.serviceWorker.ready.then(() => 0)")
        visitor.__class__ = Told
        assert isinstance(visitor, Told)
        visitor.name, visitor.room = name, room
        await expect(visitor.room_item(room)).to_be_visible()
        await visitor.page.mouse.click(640, 10)  # a page that nobody has touched may not sound
        yield visitor


async def write_directly(server: Server, writer: Client, to: str, text: str) -> str:
    """A direct message; its room."""
    made = await server.call(server.known(writer.name), "POST", "/api/direct", {"users": [to]})
    await writer.enter(made["room"])
    await writer.say(made["room"], text)
    return str(made["room"])


async def turn(page: Page, condition: str) -> None:
    """Turn the page's clock, which stands, until a function of JavaScript says yes."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not await page.evaluate(condition):
            await page.clock.run_for(50)


@pytest.fixture
def person(server: Server) -> Person:
    """Who writes."""
    return server.person()


async def test_a_mention_and_a_direct_message_are_told_to_who_looks_elsewhere_and_nothing_else_is(
    visit: Visit, server: Server, person: Person
) -> None:
    async with join(server, person) as writer, told(visit, server, writer) as olga:
        await olga.look_elsewhere()
        await writer.say(olga.room, "nothing special")
        said = await writer.say(olga.room, f"@{olga.name} are you there?")
        await olga.notified(f"@{olga.name} are you there?")
        await writer.say(olga.room, "nothing special either")
        direct = await write_directly(server, writer, olga.name, "just for you")
        mention, private = await olga.notified(f"@{olga.name} are you there?", "just for you")
        assert mention["title"] == f"{person.name} in {olga.room}"
        assert mention["path"] == f"/rooms/{olga.room.replace(' ', '%20')}/{said['seq']}"
        assert private["title"] == person.name
        assert mention["how"] == private["how"] == "worker"
        assert private["path"].startswith("/rooms/")
        assert direct != olga.room


async def test_a_tab_that_is_hidden_tells_too(visit: Visit, server: Server, person: Person) -> None:
    async with join(server, person) as writer, told(visit, server, writer, _HIDDEN) as olga:
        await olga.page.evaluate("hide(true)")
        await writer.say(olga.room, f"@{olga.name} hello")
        await olga.notified(f"@{olga.name} hello")


async def test_who_reads_the_room_is_not_told_of_it(visit: Visit, server: Server, person: Person) -> None:
    async with join(server, person) as writer, told(visit, server, writer) as olga:
        await writer.say(olga.room, f"@{olga.name} this you see")
        await olga.sees("this you see")
        await expect(olga.page).to_have_title(f"{olga.room} · Hubbub")
        await olga.look_elsewhere()
        await writer.say(olga.room, f"@{olga.name} this you don't")
        await olga.notified(f"@{olga.name} this you don't")
        assert await olga.page.evaluate("window.notes") == 2


async def test_in_quiet_hours_there_is_neither_a_notification_nor_a_sound(
    visit: Visit, server: Server, person: Person
) -> None:
    async with join(server, person) as writer, told(visit, server, writer, path="/account") as olga:
        page = olga.page
        await page.get_by_label("Quiet hours").check()
        await page.clock.install(time=EVENING)
        await page.reload()
        await expect(page.get_by_label("Quiet hours")).to_be_checked()
        await page.mouse.click(640, 10)
        await olga.look_elsewhere()
        await page.clock.pause_at(EVENING + timedelta(minutes=30))
        await writer.say(olga.room, f"@{olga.name} in the night")
        await turn(page, "() => document.title.startsWith('(1) ')")
        await page.clock.run_for(3000)
        await page.clock.pause_at(EVENING + timedelta(hours=8, minutes=1))
        await writer.say(olga.room, f"@{olga.name} in the morning")
        await turn(page, "() => window.notices.length > 0")
        await olga.has_been_told(f"@{olga.name} in the morning")
        await turn(page, "() => window.notes === 2")


@pytest.mark.parametrize("kind", ["a mention", "a direct message"])
async def test_it_sounds_once_for(visit: Visit, server: Server, person: Person, kind: str) -> None:
    async with join(server, person) as writer, told(visit, server, writer) as olga:
        await olga.look_elsewhere()
        await writer.say(olga.room, "nothing special")
        if kind == "a mention":
            await writer.say(olga.room, f"@{olga.name} hello")
        else:
            await write_directly(server, writer, olga.name, "hello")
        await until(olga.page, "() => window.notices.length === 1 && window.notes === 2")


async def test_without_sound_it_is_only_shown_and_without_leave_only_heard(
    visit: Visit, server: Server, person: Person
) -> None:
    async with join(server, person) as writer, told(visit, server, writer, path="/account") as olga:
        await olga.page.get_by_label("Play a soft sound").uncheck()
        await olga.look_elsewhere()
        await writer.say(olga.room, f"@{olga.name} seen")
        await olga.notified(f"@{olga.name} seen")
        assert await olga.page.evaluate("window.notes") == 0
        await olga.page.bring_to_front()
        await olga.page.get_by_label("Play a soft sound").check()
        await olga.page.get_by_label("Notify me").uncheck()
        await olga.look_elsewhere()
        await writer.say(olga.room, f"@{olga.name} heard")
        await until(olga.page, "() => window.notes === 2")
        await olga.notified(f"@{olga.name} seen")


async def test_a_click_on_a_notification_leads_to_its_message(
    visit: Visit, server: Server, person: Person
) -> None:
    async with (
        join(server, person) as writer,
        told(visit, server, writer, path="/rooms/general") as olga,
    ):
        await olga.look_elsewhere()
        said = await writer.say(olga.room, f"@{olga.name} come here")
        await olga.notified(f"@{olga.name} come here")
        worker = olga.context.service_workers[0]
        await worker.evaluate(
            """async () => {
                 const [notification] = await registration.getNotifications();
                 self.dispatchEvent(new NotificationEvent('notificationclick', {notification}));
               }"""
        )
        await olga.is_in(olga.room)
        await expect(olga.message(said["seq"])).to_be_visible()
        assert olga.page.url.endswith(f"/{said['seq']}")
        assert await worker.evaluate("async () => (await registration.getNotifications()).length") == 0


async def test_where_there_is_no_service_worker_the_page_itself_tells_and_leads_there(
    visit: Visit, server: Server, person: Person
) -> None:
    async with (
        join(server, person) as writer,
        told(visit, server, writer, _NO_WORKER, path="/rooms/general") as olga,
    ):
        await olga.look_elsewhere()
        said = await writer.say(olga.room, f"@{olga.name} come here")
        (notice,) = await olga.notified(f"@{olga.name} come here")
        assert notice["how"] == "page"
        await olga.page.evaluate("window.lastNotice.onclick()")
        await olga.is_in(olga.room)
        await expect(olga.message(said["seq"])).to_be_visible()


async def test_what_was_read_meanwhile_leaves_the_desktop_the_title_and_the_icon(
    visit: Visit, server: Server, person: Person
) -> None:
    async with (
        join(server, person) as writer,
        told(visit, server, writer, path="/rooms/general") as olga,
    ):
        assert await olga.icon() == "/icon.svg"
        await olga.look_elsewhere()
        await writer.say(olga.room, "nothing special")
        await expect(olga.page).to_have_title("(1) general · Hubbub")
        await expect(olga.page.locator("link[rel=icon]")).to_have_attribute("type", "image/png")
        dot = await olga.icon()
        assert dot.startswith("data:image/png")
        await writer.say(olga.room, f"@{olga.name} hello")
        await expect(olga.page).to_have_title("(2) general · Hubbub")
        await until(olga.page, "(dot) => document.querySelector('link[rel=icon]').href !== dot", dot)
        await olga.notified(f"@{olga.name} hello")
        # Read in another browser.
        async with visit() as elsewhere:
            await elsewhere.come(f"/rooms/{olga.room}", olga.name)
            await expect(elsewhere.messages).to_have_count(2)
            await expect(olga.page).to_have_title("general · Hubbub")
        await expect(olga.page.locator("link[rel=icon]")).to_have_attribute("href", "/icon.svg")
        await until(olga.page, "() => window.taken === 1")


async def test_at_the_door_neither_title_nor_icon_say_what_waits(
    visit: Visit, server: Server, person: Person
) -> None:
    async with (
        join(server, person) as writer,
        told(visit, server, writer, path="/rooms/general") as olga,
    ):
        await writer.say(olga.room, f"@{olga.name} hello")
        await expect(olga.page).to_have_title("(1) general · Hubbub")
        await expect(olga.page.locator("link[rel=icon]")).to_have_attribute("type", "image/png")
        # Ended elsewhere, so that the page is not loaded anew.
        answer = await olga.context.request.delete(f"{server.url}/api/sessions")
        assert answer.ok
        await expect(olga.by("login-form")).to_be_visible()
        await expect(olga.page).to_have_title("Log in to Hubbub · Hubbub")
        await expect(olga.page.locator("link[rel=icon]")).to_have_attribute("href", "/icon.svg")


async def test_a_flood_changes_the_title_four_times_a_second_at_most_and_stores_the_room_once(
    visit: Visit, server: Server, person: Person
) -> None:
    async with join(server, person) as writer, told(visit, server, writer) as olga:
        page, other = olga.page, server.room()
        await server.call(person, "POST", "/api/rooms", {"name": other})
        await server.call(person, "POST", f"/api/rooms/{other}/members", {"user": olga.name})
        await writer.enter(other)
        await page.clock.install()
        await page.reload()
        await expect(olga.room_item(other)).to_be_visible()
        await expect(olga.by("composer")).to_be_visible()
        await page.clock.pause_at(await page.evaluate("Date.now()") / 1000 + 1)
        began = await page.evaluate("() => { window.titles = []; window.stored = []; return Date.now(); }")
        for number in range(40):
            for room in (olga.room, other):
                await writer.say(room, f"number {number}")
            await page.clock.run_for(25)
        await turn(page, "() => document.title.startsWith('(40) ')")
        milliseconds = await page.evaluate("Date.now()") - began
        assert 2 <= len(await page.evaluate("window.titles")) <= milliseconds / 250 + 1
        await olga.sees(*(f"number {number}" for number in range(40)))
        assert [key for key in await page.evaluate("window.stored") if key.startswith("hubbub.room")] == []
