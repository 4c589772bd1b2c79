"""A hub with the chat on a database of its own, and people who talk in it over transports that only take notes."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection

from hubbub.accounts import people
from hubbub.chat import add_chat
from hubbub.chat.entering import greet
from hubbub.chat.rooms import Rooms, ensure_general
from hubbub.connection import Client
from hubbub.hub import Hub
from hubbub.log import queries
from hubbub.log.store import Store, open_store
from hubbub.settings import Settings
from hubbub.tickets import Identity
from tests.fakes import FakeClock, FakeTransport

T = TypeVar("T")
# Presence and news of other rooms come at once; nothing is limited but where a test says so.
QUICK: dict[str, Any] = {
    "presence_grace_seconds": 0.0,
    "presence_interval_seconds": 0.0,
    "room_head_interval_seconds": 0.0,
    "limit_messages": 0.0,
    "limit_enters": 0.0,
    "limit_rooms": 0,
}
_refs = itertools.count(1)


class Someone:
    """One connection of a user."""

    def __init__(self, client: Client, transport: FakeTransport) -> None:
        self.client = client
        self.transport = transport
        self.name = client.name
        self.identity = client.identity

    def says(self, type_: str, ref: str | int | None = None, **payload: Any) -> None:
        """Send an event."""
        event = {"type": type_, "payload": payload} | ({} if ref is None else {"ref": ref})
        self.client.receive(json.dumps(event))

    async def asks(self, type_: str, **payload: Any) -> dict[str, Any]:
        """Send an event with a `ref` of its own; the answer."""
        ref = f"ask-{next(_refs)}"
        self.says(type_, ref, **payload)
        return await self.hears(ref=ref)

    async def hears(self, type_: str | None = None, **wanted: Any) -> dict[str, Any]:
        """The next event of this type, or with these fields."""
        return await self.transport.next(**({"type": type_} if type_ else {}), **wanted)

    async def enters(self, room: str, **payload: Any) -> dict[str, Any]:
        """Enter a room; what `entered` says."""
        answer = await self.asks("enter", room=room, **payload)
        assert answer["type"] == "entered", answer
        return dict(answer["payload"])

    async def sends(self, room: str, text: str, id_: str | None = None, **payload: Any) -> dict[str, Any]:
        """Send a message; the payload of its entry."""
        answer = await self.asks(
            "send_message", room=room, message=text, id=id_ or f"m-{next(_refs)}", **payload
        )
        assert answer["type"] == "new_message", answer
        return dict(answer["payload"])

    async def is_refused(self, type_: str, **payload: Any) -> dict[str, Any]:
        """Send an event; the error that it gets."""
        answer = await self.asks(type_, **payload)
        assert answer["type"] == "error", answer
        return dict(answer["payload"])

    def rest(self) -> list[dict[str, Any]]:
        """What was heard and not looked at yet."""
        return self.transport.rest()

    def goes(self) -> None:
        """The connection is lost."""
        self.client.lost()


class ChatWorld:
    """The parts, each within reach of a test."""

    def __init__(self, hub: Hub, store: Store, clock: FakeClock) -> None:
        self.hub = hub
        self.store = store
        self.clock = clock
        self.rooms = Rooms(hub)
        self._people: dict[str, Identity] = {}
        self._transports: list[FakeTransport] = []
        self.faults: list[object] = []

    def person(self, name: str, role: str = "member") -> Identity:
        """An account, made when it is first asked for."""
        if name not in self._people:
            made = self.store.write_now(
                lambda connection: people.add(connection, name, role=role, password=None, now=self.now)
            )
            self._people[name] = Identity(made.id, name, "", role)
        return self._people[name]

    @property
    def now(self) -> int:
        """Milliseconds since 1970."""
        return int(self.clock.now() * 1000)

    def connect(self, name: str, *, full: bool = True, role: str = "member") -> Someone:
        """A connection of somebody, greeted soon."""
        transport = FakeTransport()
        self._transports.append(transport)
        client = self.hub.connected(self.person(name, role), transport, full=full)
        client.begin(greet(client))
        return Someone(client, transport)

    async def come(self, name: str, *rooms: str, role: str = "member") -> Someone:
        """A connection of somebody who was welcomed and has entered these rooms."""
        someone = self.connect(name, role=role)
        await someone.hears("welcome")
        for room in rooms:
            await someone.enters(room)
        return someone

    async def come_basic(self, name: str) -> Someone:
        """A connection in the basic profile, in `general`."""
        someone = self.connect(name, full=False)
        await self.until(lambda: someone.client.rooms)
        return someone

    async def until(self, true: Callable[[], object]) -> None:
        """Wait until something is true that comes of what is under way: of threads, and callbacks after them."""
        while not true():
            await self.hub.writer.drained()
            await self.store.read(lambda _connection: None)

    async def settled(self) -> None:
        """Wait until what was asked for is written, delivered and told."""
        for _ in range(3):
            await self.hub.writer.drained()
            await self.store.read(lambda _connection: None)
            await asyncio.sleep(0)

    async def log(self, room: str) -> list[dict[str, Any]]:
        """The room's log as it came live: events with type and payload."""
        room_id = await self.room_id(room)
        prefix = json.dumps(room)

        def read(connection: Connection) -> list[dict[str, Any]]:
            found: list[queries.LogItem] = []
            while True:
                page = queries.entries_after(connection, room_id, found[-1].seq if found else 0, 500)
                found += page.items
                if not page.more:
                    return [
                        {"type": item.type, "payload": json.loads(f'{{"room":{prefix},{item.body[1:]}')}
                        for item in found
                    ]

        return await self.store.read(read)

    async def room_id(self, room: str) -> int:
        """The id of the room called so."""
        rows = await self.store.read(queries.all_rooms)
        return next(row.id for row in rows if row.name == room)

    def had_no_faults(self) -> None:
        """Nothing failed unseen, and nothing was written after a close frame."""
        assert self.faults == []
        assert [transport.faults for transport in self._transports if transport.faults] == []

    async def query(self, read: Callable[[Connection], T]) -> T:
        """What a query finds."""
        return await self.store.read(read)


@asynccontextmanager
async def a_chat(folder: Path, hub: Hub | None = None, **changes: Any) -> AsyncIterator[ChatWorld]:
    """A hub with the chat and `general`, whose settings have these changes."""
    settings = msgspec.structs.replace(Settings(data=folder), **(QUICK | changes))
    store = open_store(settings.database_url)
    hub = hub or Hub()
    add_chat(hub)
    clock = FakeClock()
    await hub.start(settings, store, clock, store.read_now(queries.epoch))
    world = ChatWorld(hub, store, clock)
    hub.directory = world.rooms
    await ensure_general(hub)
    # What fails in a callback of the loop would only be logged.
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: world.faults.append(context))
    try:
        yield world
        world.had_no_faults()
    finally:
        for client in list(hub.clients):
            client.lost()
        await hub.stop(0.0)
        store.close()
