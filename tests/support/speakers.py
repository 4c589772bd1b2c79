"""A program that chats over many connections: it sends what was not echoed again, and keeps a copy of each room."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import ConnectionClosed

from tests.support.client import Client, Event, connected
from tests.support.copies import Copy
from tests.support.server import WAIT_SECONDS, Person, Server


@dataclass(frozen=True)
class Request:
    """Something to be said, in words and under an id of its own."""

    type: str
    id: str
    room: str
    message: str
    about: dict[str, int] = field(default_factory=dict)


class Speaker:
    """Somebody who talks in rooms with so many requests under way, and outlives their connections."""

    def __init__(self, person: Person, rooms: Iterable[str], *, under_way: int = 20) -> None:
        self.name = person.name
        self.copies = {room: Copy(room) for room in rooms}
        self.sent: list[Request] = []  # in the order in which it was first sent
        self.open: dict[str, Request] = {}  # sent and not echoed, by id
        self.echoed: dict[str, dict[str, Any]] = {}  # payloads, by id
        self.sent_again = 0
        self.refusals: list[Event] = []
        self.repeats = 0  # sent again though it was in the log already
        self.on_echo: Callable[[], None] = lambda: None  # called with each echo, as it is read
        self.on_refusal: Callable[[], None] = lambda: None  # called with each refusal, as it is read
        self.client: Client
        self._person = person
        self.under_way = under_way
        self._numbers = itertools.count(1)
        self._asked: dict[str | int | None, str] = {}  # ids, by the `ref` of this connection's requests
        self._last: dict[str, int] = {}  # number of the last message of one's own, by room
        self._gone = asyncio.Event()

    async def come(self, server: Server) -> None:
        """Connect; resume each room; send again, in order, what was not echoed."""
        self._gone.clear()
        self._asked.clear()
        self.client = await connected(server, self._person)
        self.client.hears = self._hears
        for copy in self.copies.values():
            await copy.catch_up(self.client)
        for request in list(self.open.values()):
            self.sent_again += 1
            await self._send(request)

    async def talk(self) -> None:
        """Talk until the connection ends, and read all that has come by then."""
        with suppress(ConnectionClosed):
            while not self._gone.is_set():
                while len(self.open) < self.under_way:
                    await self._say()
                await self.client.receive()
        if not self._gone.is_set():
            await self.client.closed()

    async def finish(self) -> None:
        """Wait until all that was said is echoed, and everything written before now has come."""
        async with asyncio.timeout(WAIT_SECONDS):
            while self.open:
                await self.client.receive()
        await self.client.fence()

    async def leave(self) -> None:
        """Be gone, and wait until it is so."""
        self.vanish()
        await self.client.socket.wait_closed()

    def vanish(self) -> None:
        """Be gone at once, without reading what has come."""
        self._gone.set()
        self.client.socket.transport.abort()

    async def _say(self) -> None:
        number = next(self._numbers)
        rooms = list(self.copies)
        room = rooms[number % len(rooms)]
        id_ = f"{self.name}:{number}"
        if number % 7 == 0 and room in self._last:
            request = Request("edit_message", id_, room, f"{number}, better", {"seq": self._last[room]})
        else:
            request = Request("send_message", id_, room, f"{number}, by {self.name}")
        self.sent.append(request)
        self.open[id_] = request
        await self._send(request)

    async def _send(self, request: Request) -> None:
        ref = await self.client.send(
            request.type, room=request.room, id=request.id, message=request.message, **request.about
        )
        self._asked[ref] = request.id

    def _hears(self, event: Event) -> None:
        assert event.type != "gap", event
        if event.ref not in self._asked:
            self._keep(event)
            return
        if event.type == "error":
            self.refusals.append(event)
            self.on_refusal()
            return
        request = self.open.pop(self._asked[event.ref])
        copy = self.copies[request.room]
        if event["seq"] <= copy.head:
            self.repeats += 1
            held = {name: value for name, value in event.payload.items() if name != "room"}
            assert copy.entries[event["seq"] - 1] == {"type": event.type, **held}
        else:
            self._keep(event)
        self.echoed[request.id] = event.payload
        if event.type == "new_message":
            self._last[request.room] = event["seq"]
        self.on_echo()

    def _keep(self, event: Event) -> None:
        for copy in self.copies.values():
            copy.hears(event)
