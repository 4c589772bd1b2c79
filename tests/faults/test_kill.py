"""kill -9 in the middle of sending: what was echoed is there, what was not is sent again, and each is there once."""

from __future__ import annotations

import asyncio
import random
from typing import Any, Final

import pytest

from tests.support.client import join
from tests.support.copies import Copy
from tests.support.fixtures import StartServer
from tests.support.server import Person, Server
from tests.support.speakers import Speaker

pytestmark = pytest.mark.asyncio

ROUNDS: Final = 10


class Killer:
    """Kills the server at an echo chosen by chance, while all talk; some then go without reading what has come."""

    def __init__(self, server: Server, speakers: list[Speaker], chance: random.Random) -> None:
        self._server = server
        self._speakers = speakers
        self._chance = chance
        self._left = 0
        for speaker in speakers:
            speaker.on_echo = self._echoed

    async def round(self) -> None:
        """Let all come and talk until the server is dead."""
        self._left = self._chance.randint(1, 150)
        for speaker in self._speakers:
            speaker.under_way = self._chance.choice((1, 4, 20))  # batches of few changes, or of many
        await asyncio.gather(*(speaker.come(self._server) for speaker in self._speakers))
        await asyncio.gather(*(speaker.talk() for speaker in self._speakers))
        await asyncio.gather(*(speaker.leave() for speaker in self._speakers))

    def _echoed(self) -> None:
        self._left -= 1
        if self._left == 0:
            self._server.kill()
            for speaker in self._speakers:
                if self._chance.random() < 0.5:
                    speaker.vanish()


async def _log_over_http(server: Server, person: Person, room: str) -> list[dict[str, Any]]:
    """All messages of a room as they are now, in small pages."""
    found: list[dict[str, Any]] = []
    more = True
    while more:
        after = found[-1]["seq"] if found else 0
        page = await server.call(person, "GET", f"/api/rooms/{room}/messages?after={after}&limit=200")
        found += page["messages"]
        more = page["more"]
    return found


def _as_they_are_now(log: list[dict[str, Any]]) -> dict[int, str]:
    """The text of each message after its edits, by number."""
    texts = {entry["seq"]: entry["message"] for entry in log if entry["type"] == "new_message"}
    return texts | {entry["target"]: entry["message"] for entry in log if entry["type"] == "message_edited"}


async def test_over_many_kills_nothing_echoed_is_lost_and_nothing_is_there_twice(
    start_server: StartServer,
) -> None:
    server = start_server(limit_messages=0)
    rooms = [server.room() for _ in range(3)]
    ada, bob, cleo = server.people(3)
    speakers = [Speaker(ada, rooms), Speaker(bob, rooms)]
    killer = Killer(server, speakers, random.Random(20_250_802))
    for _ in range(ROUNDS):
        await killer.round()
        server.start()
    for speaker in speakers:
        speaker.on_echo = lambda: None
    await asyncio.gather(*(speaker.come(server) for speaker in speakers))
    await asyncio.gather(*(speaker.finish() for speaker in speakers))
    await asyncio.gather(*(speaker.client.fence() for speaker in speakers))

    async with join(server, cleo) as reader:
        reader_copies = {room: Copy(room) for room in rooms}
        for room, copy in reader_copies.items():
            reader.hears = copy.hears
            await copy.catch_up(reader)
            log = copy.entries
            assert log == server.entries(room)
            for speaker in speakers:
                assert speaker.copies[room].entries == log[: speaker.copies[room].head]
                await speaker.client.until("member_joined", user=cleo.name, room=room)
                assert speaker.copies[room].entries == log
                # Each thing said is there once, and in the order in which it was said.
                said = [request.message for request in speaker.sent if request.room == room]
                assert said == [entry["message"] for entry in log if _is_by(speaker, entry)]
            shown = await _log_over_http(server, cleo, room)
            assert {message["seq"]: message["message"] for message in shown} == _as_they_are_now(log)
    await asyncio.gather(*(speaker.leave() for speaker in speakers))
    for speaker in speakers:
        assert speaker.refusals == []
        assert speaker.echoed.keys() == {request.id for request in speaker.sent}
        for payload in speaker.echoed.values():
            held = {"room": payload["room"], **speaker.copies[payload["room"]].entries[payload["seq"] - 1]}
            assert held == {"type": held["type"], **payload}
    # The kills came in the middle: some of what had to be sent again was in the log by then, and some was not.
    again = sum(speaker.sent_again for speaker in speakers)
    repeats = sum(speaker.repeats for speaker in speakers)
    assert again > repeats > 0
    assert len(speakers[0].sent) > 100


def _is_by(speaker: Speaker, entry: dict[str, Any]) -> bool:
    return entry["type"] in ("new_message", "message_edited") and entry["from"] == speaker.name
