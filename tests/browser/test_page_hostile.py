"""The page and what is sent to harm it: it shows as text, runs nothing, fetches nothing, and breaks no layout."""

from __future__ import annotations

import csv
import html
import json
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any, Final
from urllib.parse import quote

import pytest
from playwright.async_api import expect

from tests.browser import hostile, hostile_shapes
from tests.browser.conftest import Visit
from tests.browser.visitors import NARROWEST, WIDE, Visitor, a_room, until
from tests.support.client import join
from tests.support.server import Accounts, Person, Server, hubbub, running

pytestmark = pytest.mark.asyncio(loop_scope="session")

# What a message may be made of, and each element's attributes. Everything else is a way in.
_ELEMENTS: Final = {
    *(
        "article",
        "div",
        "span",
        "p",
        "br",
        "strong",
        "em",
        "del",
        "code",
        "pre",
        "blockquote",
        "ul",
        "ol",
        "li",
    ),
    *("a", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
    *("time", "button", "header", "footer", "bdi", "svg", "path", "rect", "circle", "text", "g"),
}
_COMMON: Final = {"class", "dir", "lang", "title", "style", "role", "tabindex", "hidden"}
_OF_ELEMENT: Final = {
    "a": {"href", "rel", "target"},
    "button": {"type", "disabled"},
    "time": {"datetime"},
    "ol": {"start"},
    "td": {"align"},
    "th": {"align", "scope"},
}
_LINKS: Final = ("http:", "https:", "mailto:")

# Of each message shown: its number, its text, its links, and what in it is not allowed.
_GATHER: Final = """
([elements, common, ofElement, links]) => [...document.querySelectorAll('[data-testid="message"]')].map((message) => {
  const strange = [];
  for (const element of [message, ...message.querySelectorAll('*')]) {
    const name = element.localName;
    const drawn = element instanceof SVGElement;
    if (!elements.includes(name)) strange.push('<' + name + '>');
    for (const { name: attribute, value } of element.attributes) {
      const plain = /^(aria|data)-[a-z-]+$/.test(attribute) || common.includes(attribute);
      const own = (ofElement[name] ?? []).includes(attribute);
      if (attribute.startsWith('on') || attribute === 'id' || !(plain || own || drawn))
        strange.push(name + ' ' + attribute + '=' + value.slice(0, 80));
      if (/url\\(|expression|javascript:/i.test(attribute === 'style' ? value : '')) strange.push('style ' + value);
    }
    if (name === 'a' && element.hasAttribute('href') && !element.getAttribute('href').startsWith('/') && !links.includes(element.protocol))
      strange.push('link ' + String(element.getAttribute('href')).slice(0, 80));
    if (name === 'a' && element.origin !== location.origin && !/noopener|noreferrer/.test(element.rel))
      strange.push('link without rel ' + String(element.getAttribute('href')).slice(0, 80));
  }
  return { seq: Number(message.dataset.seq), text: message.textContent, strange };
})
"""
# Where markup is all that the text is, and has to be seen as it was sent.
_SHOWN_WHOLE: Final = {
    *(hostile.SCRIPTS + hostile.HANDLERS + hostile.VECTOR_AND_MATH + hostile.MUTATIONS + hostile.TEMPLATES),
    *(
        hostile.STYLES
        + hostile.CLOBBERING
        + hostile_shapes.DIRECTIONS
        + hostile_shapes.INVISIBLE
        + hostile_shapes.ZALGO
    ),
    *(hostile_shapes.EMOJI + hostile_shapes.HOMOGLYPHS),
}
_A_ROOM: Final = 40  # so many texts in each room


@pytest.fixture(scope="module")
def names(accounts: Accounts, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str]]:
    """User names and display names to be tried, each of the one with one of the other."""
    displays = [*hostile.DISPLAY_NAMES, *hostile.DISPLAY_NAMES]
    return list(zip(hostile.USER_NAMES, displays, strict=False))


@pytest.fixture(scope="module")
def server(
    accounts: Accounts, names: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server with accounts of hostile names, where one may write as fast as one likes."""
    folder = tmp_path_factory.mktemp("hostile")
    server = Server(folder, accounts, limit_messages=0, limit_enters=0, limit_rooms=0)
    people, tokens = folder / "people.csv", folder / "tokens.csv"
    with people.open("w", newline="", encoding="utf-8") as lines:
        csv.writer(lines).writerows(
            [("name", "display name", "role"), *((*name, "member") for name in names)]
        )
    made = hubbub("user", "import", str(people), "--tokens-out", str(tokens), "--data", str(server.data))
    assert made.returncode == 0, made.stderr
    server.hostile = [Person(*line.split(",")) for line in tokens.read_text("utf-8").splitlines()]  # type: ignore[attr-defined]
    with running(server):
        yield server


def hostile_people(server: Server) -> list[Person]:
    found: list[Person] = server.hostile  # type: ignore[attr-defined]
    return found


async def say_all(server: Server, person: Person, room: str, texts: Sequence[str]) -> dict[int, str]:
    """Say them all; by their numbers."""
    async with join(server, person) as writer:
        await writer.enter(room)
        refs = [
            await writer.send("send_message", room=room, id=f"{person.token[:8]}-{number}", message=text)
            for number, text in enumerate(texts)
        ]
        echoes = [await writer.answer(ref) for ref in refs]
    assert [echo["message"] for echo in echoes] == list(texts)
    return {echo["seq"]: echo["message"] for echo in echoes}


async def gathered(visitor: Visitor, room: str, said: dict[int, str]) -> dict[int, dict[str, Any]]:
    """What the page shows of these messages of a room, read from the first to the last with the wheel."""
    page = visitor.page
    await visitor.go(f"/rooms/{room}/{min(said)}")
    await visitor.message(min(said)).wait_for()
    allowed = [
        sorted(_ELEMENTS),
        sorted(_COMMON),
        {name: sorted(own) for name, own in _OF_ELEMENT.items()},
        _LINKS,
    ]
    found: dict[int, dict[str, Any]] = {}
    await visitor.by("message-list").hover()
    for _turn in range(400):
        for message in await page.evaluate(_GATHER, allowed):
            found[message["seq"]] = message
        if found.keys() >= said.keys():
            return found
        await page.mouse.wheel(0, 1500)
        await until(page, "() => true")
    missing = sorted(said.keys() - found.keys())
    raise AssertionError(f"never shown: {[(seq, said[seq][:60]) for seq in missing]}")


def letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def is_shown(text: str, page_text: str) -> bool:
    """Whether the letters and digits of `text` are in what is shown: all where markup is all, else some of them."""
    shown = letters(page_text)
    if text in _SHOWN_WHOLE and "](" not in text:
        return letters(text) in shown or letters(html.unescape(text)) in shown
    words = "".join(c if c.isalnum() else " " for c in html.unescape(text)).split()
    return not words or any(word in shown for word in words)


async def nothing_ran(visitor: Visitor) -> None:
    """No script of anybody's left a trace, and no name on `window` or `document` has been taken."""
    traces = await visitor.page.evaluate(
        "() => [...Object.keys(window).filter((name) => name.startsWith('canary')),"
        " ...(document.body instanceof HTMLBodyElement ? [] : ['body']),"
        " ...(document.cookie instanceof Object ? ['cookie'] : []), ...Object.keys(Object.prototype)]"
    )
    assert traces == []


async def the_layout_holds(visitor: Visitor, where: str) -> None:
    assert await visitor.overflow() <= 0, f"wider than the window: {where}"
    wide = await visitor.page.evaluate(
        """() => [...document.querySelectorAll('[data-testid="message"]')]
             .filter((message) => message.scrollWidth > message.clientWidth + 1 && getComputedStyle(message).overflowX === 'visible')
             .map((message) => message.dataset.seq)"""
    )
    assert wide == [], f"messages that are wider than their place: {where}"


async def test_the_corpus_is_large() -> None:
    assert hostile.COUNT >= 400
    assert len(set(hostile.TEXTS)) == len(hostile.TEXTS) >= 350


@pytest.mark.parametrize("part", range(-(-len(hostile.TEXTS) // _A_ROOM)))
async def test_hostile_messages_show_as_text_run_nothing_and_break_no_layout(
    visit: Visit, server: Server, part: int
) -> None:
    room = f"hostile-{part}"
    people = hostile_people(server)
    texts = hostile.TEXTS[part * _A_ROOM : (part + 1) * _A_ROOM]
    said = await say_all(server, people[part % len(people)], room, texts)
    size = NARROWEST if part % 2 else {"width": 1024, "height": 700}
    async with visit(viewport=size) as olga:
        await olga.come(f"/rooms/{room}")
        await olga.by("message-list").wait_for()
        shown = await gathered(olga, room, said)
        assert {seq: shown[seq]["strange"] for seq in said if shown[seq]["strange"]} == {}
        missing = [text[:80] for seq, text in said.items() if not is_shown(text, shown[seq]["text"])]
        assert missing == []
        await the_layout_holds(olga, room)
        await nothing_ran(olga)


async def test_hostile_names_topics_and_reactions_show_as_text_wherever_they_stand(
    visit: Visit, server: Server
) -> None:
    people = hostile_people(server)
    for number, room in enumerate(hostile.ROOM_NAMES):
        person = people[number % len(people)]
        async with join(server, person) as writer:
            await writer.enter(room)
            first = (
                await writer.say(room, f"by {person.name} for @{person.name} and @olga", id_=f"name-{number}")
            )["seq"]
            for emoji in hostile.REACTIONS:
                await writer.ask("react", room=room, seq=first, emoji=emoji)
        topic = hostile.TOPICS[number % len(hostile.TOPICS)]
        await server.call(person, "PATCH", f"/api/rooms/{quote(room)}", {"topic": topic})
    for person in people:
        await server.call(person, "POST", "/api/direct", {"users": ["olga"]})
    for size in (WIDE, NARROWEST):
        async with visit(viewport=size) as olga:
            await olga.come("/rooms/general")
            for number, room in enumerate(hostile.ROOM_NAMES):
                if size == NARROWEST and len(room) < 20:
                    continue
                await olga.go(f"/rooms/{quote(room)}")
                await olga.is_in(normal(room))
                await expect(olga.messages.first).to_contain_text("and @olga")
                topic = normal(hostile.TOPICS[number % len(hostile.TOPICS)])
                await expect(olga.page.get_by_text(topic).first).to_be_attached()
                await the_layout_holds(olga, room)
            await olga.go("/")
            shown = await olga.by("room-list").evaluate("(list) => list.textContent")
            assert [room for room in hostile.ROOM_NAMES if letters(normal(room)) not in letters(shown)] == []
            await the_layout_holds(olga, "list of rooms")
            await olga.go("/admin/people")
            await expect(olga.page.get_by_text("0__proto__", exact=True).first).to_be_visible()
            await the_layout_holds(olga, "people")
            await nothing_ran(olga)


def normal(text: str) -> str:
    """As the server keeps a name, in the form that is called the same by a browser."""
    return unicodedata.normalize("NFC", text)


async def test_half_a_character_that_json_allows_harms_neither_the_server_nor_the_page(
    visit: Visit, server: Server
) -> None:
    person, room = server.person(), await a_room(server)
    async with visit() as olga, join(server, person) as writer:
        await writer.enter(room)
        await olga.come(f"/rooms/{room}")
        await expect(olga.by("composer")).to_be_visible()
        for number, text in enumerate(hostile_shapes.HALF_CHARACTERS):
            request = {"room": room, "id": f"half-{number}", "message": text}
            # With escapes, as JSON allows: it could not be sent as UTF-8.
            await writer.socket.send(
                json.dumps({"type": "send_message", "ref": f"half-{number}", "payload": request})
            )
        await writer.fence()
        last = (await writer.say(room, "whole again"))["seq"]
        await expect(olga.message(last)).to_contain_text("whole again")
