"""A real hub on a real database, with real WebSocket protocols whose sockets take whatever is written.

Made of what `hubbub.server` makes a server of, without uvicorn and the kernel's sockets; see `service` there.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, select
from websockets.utils import apply_mask

from bench.guard.loop import HandTurnedLoop
from hubbub.chat import add_chat
from hubbub.chat.entering import room_epoch
from hubbub.chat.rooms import Rooms
from hubbub.events import SUBPROTOCOL, TICKET_PREFIX
from hubbub.hub import Hub
from hubbub.log import queries
from hubbub.log.schema import users
from hubbub.log.store import Store, engines
from hubbub.settings import Settings
from hubbub.tickets import Identity, Tickets
from hubbub.transport.door import Door
from hubbub.transport.ring import Ring
from hubbub.transport.websocket import WebSocketProtocol, protocol_factory

_MASK: Final = b"\x25\x4a\x13\x68"
_MANY: Final = 1_000_000_000
PING: Final = b"\x89\x00"
PONG: Final = b"\x8a\x80" + _MASK


class Wire:
    """A transport whose socket takes everything at once. `write` may be anything; one in C costs next to nothing."""

    def __init__(self, number: int, write: Callable[[bytes], object]) -> None:
        self.write = write
        self._extra = {"peername": ("127.0.0.1", 10_000 + number), "socket": self}
        self._number = number

    def fileno(self) -> int:
        """As if it were a socket."""
        return self._number

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What the protocol wants to know of a connection."""
        return self._extra.get(name, default)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """It never fills."""

    def get_write_buffer_size(self) -> int:
        """It never fills."""
        return 0

    def is_closing(self) -> bool:
        """Not by itself."""
        return False

    def close(self) -> None:
        """Closed."""

    abort = pause_reading = resume_reading = close


class Person:
    """One connection of somebody."""

    def __init__(self, protocol: WebSocketProtocol, heard: list[bytes]) -> None:
        self.receive = protocol.data_received
        self._protocol = protocol
        self.heard = heard  # what was written to it, if nothing else listens

    def leaves(self) -> None:
        """The connection is lost."""
        self._protocol.connection_lost(None)


class World:
    """The parts of one server."""

    def __init__(
        self, loop: HandTurnedLoop, hub: Hub, door: Door, tickets: Tickets, ring: Ring | None
    ) -> None:
        self.loop = loop
        self.hub = hub
        self.tickets = tickets
        self._make = protocol_factory(door, ring)
        self._state: Any = SimpleNamespace(connections=set())
        self._number = 100
        self._people = hub.store.read_now(_user_ids)
        self._rooms = {row.name: row for row in hub.store.read_now(queries.all_rooms)}

    def knock(self, name: str) -> bytes:
        """The request with which somebody opens a WebSocket, with a fresh ticket."""
        ticket = self.tickets.issue(Identity(self._people[name], name, "", "member"))
        return (
            "GET /ws HTTP/1.1\r\nHost: chat.example.org\r\nOrigin: http://chat.example.org\r\n"
            "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
            "Accept-Language: en,de;q=0.7\r\nAccept-Encoding: gzip, deflate, br\r\nCache-Control: no-cache\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"
            f"Sec-WebSocket-Protocol: {SUBPROTOCOL}, {TICKET_PREFIX}{ticket}\r\n\r\n"
        ).encode()

    def connect(self, knock: bytes, listens: Callable[[bytes], object] | None = None) -> Person:
        """A connection that comes with this request. What is written to it is kept, or given to `listens`."""
        heard: list[bytes] = []
        self._number += 1
        protocol = self._make(None, self._state, None)
        wire: Any = Wire(self._number, listens or heard.append)
        protocol.connection_made(wire)
        protocol.data_received(knock)
        return Person(protocol, heard)

    def resume(self, room: str, after: int) -> bytes:
        """The frame with which a client resumes a room."""
        epoch = room_epoch(self.hub.epoch, self._rooms[room].id)
        return event("enter", room=room, after=after, epoch=epoch)

    async def arrive(self, names: Sequence[str], rooms: Sequence[str], head: int) -> list[Person]:
        """These people, connected, each in these rooms."""
        there = [self.connect(self.knock(name)) for name in names]
        await self._until(
            lambda: all(len(person.heard) >= 2 for person in there)
        )  # the answer, and `welcome`
        for person in there:
            for room in rooms:
                person.receive(self.resume(room, head))
        await self._until(lambda: all(len(person.heard) >= 2 + len(rooms) for person in there))
        await self._rest(there)
        return there

    async def admit(
        self, there: Sequence[Person], names: Sequence[str], rooms: Sequence[Sequence[str]]
    ) -> None:
        """These people are in more rooms, as if they had entered them: that many would take a while."""
        for name, those in zip(names, rooms, strict=True):
            (client,) = self.hub.membership.users[self._people[name]].clients
            for called in those:
                row = self._rooms[called]
                room = self.hub.room(row)
                self.hub.admit(client, room, called)
                room.release(client, self.hub.membership.heads[row.id])
        await self._rest(there)

    async def _rest(self, there: Sequence[Person]) -> None:
        for _ in range(20):  # presence is told, the heads of rooms, and whatever else was due
            await self.loop.turn(0.5)
        await self.settle()
        for person in there:
            person.heard.clear()

    @contextmanager
    def in_one_thread(self) -> Iterator[None]:
        """The writer's work is done in the event loop's thread: the same instructions each time, to the last."""
        store: Any = self.hub.store
        thread, store.thread = store.thread, SimpleNamespace(run=_call)
        yield
        store.thread = thread

    async def settle(self) -> None:
        """All is written and indexed."""
        await self.hub.writer.drained()
        await self.hub.indexing.caught_up()

    async def _until(self, true: Callable[[], bool]) -> None:
        while not true():
            await self.hub.store.read(_nothing)


@asynccontextmanager
async def world(database: Path, ring: Ring | None = None) -> AsyncIterator[World]:
    """A server's parts on this database, in a `HandTurnedLoop`."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, HandTurnedLoop)
    settings = msgspec.structs.replace(
        Settings(data=database.parent),
        io_uring=ring is not None,
        limit_messages_burst=_MANY,  # they are counted all the same
        limit_enters=1e6,
        limit_connections=0,
        limit_address=0,
    )
    store = Store(*engines(f"sqlite:///{database}"))
    hub = Hub()
    add_chat(hub)
    await hub.start(settings, store, loop, await store.read(queries.epoch), multicast=ring)
    hub.directory = Rooms(hub)
    tickets = Tickets(loop, settings.ticket_seconds)
    try:
        yield World(loop, hub, Door(settings, hub, tickets, _nobody), tickets, ring)
    finally:
        await hub.stop(0.0)
        store.close()


def event(type_: str, **payload: Any) -> bytes:
    """An event as the bytes that a client sends: one masked frame."""
    data = json.dumps({"type": type_, "payload": payload}, separators=(",", ":")).encode()
    assert len(data) < 65_536
    length = bytes((0x80 | len(data),)) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2)
    return b"\x81" + length + _MASK + apply_mask(data, _MASK)


def _user_ids(connection: Connection) -> dict[str, int]:
    return {name: id_ for id_, name in connection.execute(select(users.c.id, users.c.name))}


def _call(task: Callable[[], None]) -> None:
    task()


def _nothing(_connection: Connection) -> None:
    pass


async def _nobody(_token: str) -> None:
    return None
