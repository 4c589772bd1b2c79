"""Make the pictures in docs/screenshots: the page with a small conversation, wide, on a phone, dark and in Chinese.

`make screenshots`, or `python -m tools.screenshots`. Needs a Chromium, and fonts for Chinese and emoji.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from playwright.async_api import Browser, Page, WebSocketRoute, async_playwright
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from bench.browser import executable
from tools.screenshots_talk import DIRECT, PASSWORD, PEOPLE, READER, ROOMS, Line, Room

OUT: Final = Path(__file__).parent.parent / "docs" / "screenshots"
MOST_BYTES: Final = 200_000
_HUBBUB: Final = (sys.executable, "-m", "hubbub")
NOW: Final = datetime(2026, 3, 2, 9, 41, tzinfo=UTC)
_WIDE: Final = {"width": 1280, "height": 800}


@dataclass(frozen=True)
class Picture:
    """One picture: its name, the room shown, and how the browser is."""

    name: str
    room: str
    options: dict[str, Any] = field(default_factory=dict)
    members: bool = False


PICTURES: Final = (
    Picture("wide", "general", {"viewport": _WIDE}, members=True),
    Picture("phone", "general", {"viewport": {"width": 390, "height": 780}, "device_scale_factor": 2}),
    Picture("dark", "release", {"viewport": _WIDE, "color_scheme": "dark"}),
    Picture("chinese", "茶水間", {"viewport": _WIDE, "locale": "zh-TW"}),
)


def main() -> int:
    """Make them all, and say how large they are. 1 if one is too large."""
    OUT.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="hubbub-pictures-") as folder,
        _serving(Path(folder)) as (url, tokens),
    ):
        asyncio.run(_make(url, tokens))
    sizes = {picture.name: (OUT / f"{picture.name}.png").stat().st_size for picture in PICTURES}
    for name, size in sizes.items():
        print(f"docs/screenshots/{name}.png: {size / 1000:.0f} KB{' is too large' * (size > MOST_BYTES)}")
    return int(max(sizes.values()) > MOST_BYTES)


@contextmanager
def _serving(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """A server with the people; its address, and a token for each by name."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HUBBUB_")}
    environment |= {"HUBBUB_LOG_LEVEL": "warning", "HUBBUB_DATA": str(folder / "data")}

    def run(*arguments: str, given: str = "") -> str:
        done = subprocess.run(
            [*_HUBBUB, *arguments],
            env=environment,
            input=given,
            text=True,
            check=True,
            stdout=subprocess.PIPE,
        )
        return done.stdout.strip()

    tokens = {}
    for name, shown, role in PEOPLE:
        run(
            *("user", "add", name, "--role", role, "--display-name", shown, "--password-stdin"),
            given=f"{PASSWORD}\n",
        )
        tokens[name] = run("user", "token", name)
    server = subprocess.Popen(
        [*_HUBBUB, "serve", "--port", "0"], env=environment, stdout=subprocess.PIPE, bufsize=0
    )
    try:
        assert server.stdout is not None
        said = os.read(server.stdout.fileno(), 64 * 1024).decode()  # written in one piece
        yield f"http://127.0.0.1:{int(said.splitlines()[0].rpartition(':')[2])}", tokens
    finally:
        server.terminate()
        server.wait()


async def _make(url: str, tokens: dict[str, str]) -> None:
    async with async_playwright() as playwright, AsyncExitStack() as stack:
        chromium = await playwright.chromium.launch(executable_path=executable(), args=["--no-sandbox"])
        stack.push_async_callback(chromium.close)
        people = {
            name: await stack.enter_async_context(_coming(url, token)) for name, token in tokens.items()
        }
        for direct in DIRECT:
            await _talk(people, direct, {READER: f"@{direct.name}", direct.name: f"@{READER}"})
        for room in ROOMS:
            await people[READER].ask("enter", room=room.name)
            await _set_topic(chromium, url, tokens[READER], room)
            await _talk(people, room, dict.fromkeys(people, room.name))
        for picture in PICTURES:
            await _take(chromium, url, picture)


class _Person:
    """Somebody who talks by the WebSocket, and stays."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._last = 0

    async def ask(self, type_: str, **payload: object) -> dict[str, Any]:
        """Ask, and wait for the answer."""
        self._last += 1
        await self._socket.send(json.dumps({"type": type_, "ref": self._last, "payload": payload}))
        while True:
            event = json.loads(await self._socket.recv())
            if event.get("ref") == self._last:
                assert event["type"] != "error", event
                return dict(event["payload"])


@asynccontextmanager
async def _coming(url: str, token: str) -> AsyncIterator[_Person]:
    async with connect(
        url.replace("http", "ws", 1) + "/ws",
        subprotocols=[Subprotocol("hubbub.v1")],
        additional_headers={"Authorization": f"Bearer {token}"},
        proxy=None,
    ) as socket:
        yield _Person(socket)


async def _talk(people: dict[str, _Person], room: Room, names: dict[str, str]) -> None:
    """What is said in a room. `names`: who is in it, with what they call it."""
    for person, name in names.items():
        await people[person].ask("enter", room=name)
    numbers: list[int] = []
    for line in room.lines:
        numbers.append(await _say(people, names, line, numbers))
    read = numbers[-1 - room.unread] if room.unread < len(numbers) else numbers[0] - 1
    # Reactions have numbers too.
    await people[READER].ask("mark_read", room=names[READER], seq=read if room.unread else read + 99)


async def _say(people: dict[str, _Person], names: dict[str, str], line: Line, numbers: list[int]) -> int:
    answer = {} if line.answers is None else {"reply_to": numbers[line.answers]}
    said = await people[line.who].ask(
        "send_message", room=names[line.who], message=line.text, id=os.urandom(8).hex(), **answer
    )
    for emoji, who in line.reactions:
        for name in who:
            await people[name].ask("react", room=names[name], seq=said["seq"], emoji=emoji)
    return int(said["seq"])


async def _set_topic(chromium: Browser, url: str, token: str, room: Room) -> None:
    context = await chromium.new_context(extra_http_headers={"Authorization": f"Bearer {token}"})
    answer = await context.request.patch(f"{url}/api/rooms/{quote(room.name)}", data={"topic": room.topic})
    assert answer.ok, await answer.text()
    await context.close()


async def _take(chromium: Browser, url: str, picture: Picture) -> None:
    context = await chromium.new_context(
        **({"locale": "en-GB", "reduced_motion": "reduce", "timezone_id": "UTC"} | picture.options)
    )
    page: Page = await context.new_page()
    await page.clock.set_fixed_time(NOW)
    await page.route_web_socket("**/ws", _as_if_in_the_morning)
    await context.request.post(f"{url}/login", data={"username": READER, "password": PASSWORD})
    await page.goto(f"{url}/rooms/{quote(picture.room)}")
    await page.get_by_test_id("message").last.wait_for()
    if picture.members:
        await page.get_by_role("button", name=re.compile("^Members")).click()
        await page.get_by_test_id("members").wait_for()
    await page.evaluate("document.fonts.ready.then(() => null)")
    await page.wait_for_load_state("networkidle")
    await page.mouse.move(0, 0)
    await page.screenshot(path=OUT / f"{picture.name}.png", animations="disabled", caret="hide")
    await context.close()


def _as_if_in_the_morning(socket: WebSocketRoute) -> None:
    """Let what is said in a second be said over half an hour."""
    server = socket.connect_to_server()

    def pass_on(message: str | bytes) -> None:
        event = json.loads(message)
        messages = event["payload"].get("messages") or []
        for number, said in enumerate(reversed(messages)):
            said["sent"] = (
                (NOW - timedelta(minutes=2 + 3 * number + number % 3)).isoformat().replace("+00:00", "Z")
            )
        socket.send(json.dumps(event) if messages else message)

    server.on_message(pass_on)


if __name__ == "__main__":
    raise SystemExit(main())
