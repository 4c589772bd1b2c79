"""A client of the full profile for tests: it asks and waits for the answer, and never for time."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from tests.support.server import WAIT_SECONDS, Person, Server

FULL = Subprotocol("hubbub.v1")
_ids = itertools.count(1)  # of messages: unique for ever, over connections too


@dataclass(frozen=True)
class Event:
    """One event as it came."""

    type: str
    payload: dict[str, Any]
    ref: str | int | None = None

    def __getitem__(self, name: str) -> Any:
        return self.payload[name]

    def has(self, **fields: object) -> bool:
        """Whether its payload has these values."""
        return all(self.payload.get(name) == value for name, value in fields.items())


class RefusedByServer(Exception):
    """The answer was an `error`."""

    def __init__(self, event: Event) -> None:
        super().__init__(f"{event['code']}: {event['message']}")
        self.event = event
        self.code: str = event["code"]


class Client:
    """One connection. Events that were not asked for wait in order until somebody asks."""

    def __init__(self, socket: ClientConnection, name: str = "") -> None:
        self.socket = socket
        self.name = name
        self.welcome: Event
        self.heard: list[Event] = []  # everything, in the order in which it came
        self.hears: Callable[[Event], None] = lambda _event: None  # called with each event as it is read
        self._unread: deque[Event] = deque()
        self._refs = itertools.count(1)

    # --- saying

    async def send(self, type_: str, **payload: object) -> str:
        """Send an event with a `ref` of its own, and don't wait. ``from_`` and its like lose their underscore."""
        ref = f"r{next(self._refs)}"
        fields = {name.removesuffix("_"): value for name, value in payload.items()}
        event = {"type": type_, "ref": ref, "payload": fields}
        await self.socket.send(json.dumps(event, ensure_ascii=False))
        return ref

    async def ask(self, type_: str, **payload: object) -> Event:
        """Send an event and wait for its answer. Raises `RefusedByServer`."""
        return await self.answer(await self.send(type_, **payload))

    async def answer(self, ref: str | int) -> Event:
        """The answer with this `ref`. Raises `RefusedByServer`."""
        event = await self.first(lambda event: event.ref == ref, f"the answer {ref}")
        if event.type == "error":
            raise RefusedByServer(event)
        return event

    async def enter(self, room: str, **more: object) -> Event:
        """Enter a room."""
        return await self.ask("enter", room=room, **more)

    async def say(self, room: str, message: str, *, id_: str | None = None, **more: object) -> Event:
        """Say something; returns the echo."""
        return await self.ask(
            "send_message", room=room, message=message, id=id_ or f"{self.name}.{next(_ids)}", **more
        )

    # --- hearing

    async def until(self, type_: str, **fields: object) -> Event:
        """The first event of this type, with these values in its payload, that nobody has asked for yet."""
        return await self.first(
            lambda event: event.type == type_ and event.has(**fields), f"{type_} {fields}"
        )

    async def first(self, fits: Callable[[Event], bool], what: str) -> Event:
        """The first event that fits."""
        for event in self._unread:
            if fits(event):
                self._unread.remove(event)
                return event
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while True:
                    event = await self.receive()
                    if fits(event):
                        return event
                    self._unread.append(event)
        except TimeoutError:
            raise AssertionError(f"{self.name} never heard {what}, but {self.heard[-20:]}") from None

    async def receive(self) -> Event:
        """The next event off the wire."""
        raw = json.loads(await self.socket.recv())
        event = Event(raw["type"], raw["payload"], raw.get("ref"))
        self.heard.append(event)
        self.hears(event)
        return event

    async def fence(self) -> None:
        """Wait until everything that was written to this connection before now has come."""
        ref = await self.send("no_such_event")
        await self.first(lambda event: event.ref == ref, "that there is no such event")

    async def unread(self, type_: str | None = None, **fields: object) -> list[Event]:
        """What has come by now and nobody asked for: all, or those of a type with these values."""
        await self.fence()
        return [event for event in self._unread if type_ in (None, event.type) and event.has(**fields)]

    async def closed(self) -> tuple[int | None, str]:
        """Wait for the connection to end; close code and reason."""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while True:
                    self._unread.append(await self.receive())
        except ConnectionClosed:
            return self.socket.close_code, self.socket.close_reason or ""

    async def close(self) -> None:
        """Go."""
        await self.socket.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()


class BasicClient:
    """One connection in the basic profile, as the tutorial's page has it."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.heard: list[dict[str, Any]] = []

    async def change_room(self, name: str) -> None:
        """Go to another room. Nothing answers."""
        await self._send("change_room", {"name": name})

    async def send(self, message: str, from_: str = "test") -> None:
        """Say something, and don't wait."""
        await self._send("send_message", {"message": message, "from": from_})

    async def say(self, message: str, from_: str = "test") -> dict[str, Any]:
        """Say something; returns the echo's payload."""
        await self.send(message, from_)
        return await self.until(message)

    async def until(self, message: str) -> dict[str, Any]:
        """The payload of the first event from here on that carries this message."""
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                event = json.loads(await self.socket.recv())
                self.heard.append(event)
                if event["payload"].get("message") == message:
                    return dict(event["payload"])

    async def _send(self, type_: str, payload: dict[str, str]) -> None:
        await self.socket.send(json.dumps({"type": type_, "payload": payload}))


@asynccontextmanager
async def basic(server: Server, person: Person) -> AsyncIterator[BasicClient]:
    """Somebody in the basic profile, in by a ticket in the URL."""
    async with opened(f"{server.socket_url}?otp={await server.ticket(person)}") as socket:
        yield BasicClient(socket)


@asynccontextmanager
async def join(server: Server, person: Person) -> AsyncIterator[Client]:
    """Somebody in the full profile, welcomed."""
    client = await connected(server, person)
    async with client:
        yield client


async def connected(server: Server, person: Person, **options: Any) -> Client:
    """The same, to be closed by whoever asked."""
    socket = await opened(server.socket_url, subprotocols=[FULL], additional_headers=person.bearer, **options)
    client = Client(socket, person.name)
    client.welcome = await client.until("welcome")
    return client


def opened(url: str, **options: Any) -> connect:
    """A plain connection: no pings of ours, no compression, whatever comes is taken."""
    plain: dict[str, Any] = {
        "ping_interval": None,
        "compression": None,
        "max_size": None,
        "max_queue": None,
        "proxy": None,
        "close_timeout": WAIT_SECONDS,
        "open_timeout": WAIT_SECONDS,
    }
    return connect(url, **(plain | options))


async def knock(url: str, **options: Any) -> int:
    """The status with which a WebSocket is answered: 101 if it was opened. It is closed again."""
    try:
        async with opened(url, **options):
            return 101
    except InvalidStatus as error:
        return error.response.status_code
