"""The hub (the tutorial's Manager): its clients, the handlers by type of event, the rooms in use, who is here.

An application adds events of its own with `Hub.on`. Everything here runs on the event loop, and waits for nothing
but a commit that is asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from typing import Any, Final, Protocol, TypeVar

import msgspec
import structlog

from hubbub.clock import Clock
from hubbub.connection import Client, Transport
from hubbub.decoding import refusal_for
from hubbub.delivery import AwaitedChange, ClientChange, Sorted
from hubbub.errors import (
    INTERNAL,
    POLICY,
    RATE_LIMITED,
    SESSION_ENDED,
    TOO_SLOW,
    WRONG_PROFILE,
    CloseReason,
    Refused,
    restarting,
)
from hubbub.events import ClientEvent, Gap, Payload
from hubbub.figures import Figures
from hubbub.handlers import H, Handler, Handlers
from hubbub.heads import Heads
from hubbub.heartbeat import Heartbeat
from hubbub.limits import RateLimit
from hubbub.log.indexing import Indexing
from hubbub.log.queries import RoomRow
from hubbub.log.store import Store
from hubbub.log.transaction import Change
from hubbub.log.writer import Writer
from hubbub.membership import Membership
from hubbub.names import key_of
from hubbub.outgoing import Multicast, Outgoing
from hubbub.presence import Presence
from hubbub.room import Room
from hubbub.settings import Settings
from hubbub.tickets import Identity

T = TypeVar("T")

_BASIC_EVENTS: Final = frozenset({"send_message", "change_room"})

logger = structlog.get_logger(__name__)


class Directory(Protocol):
    """Where a client's rooms come from; the chat's `Rooms`. A room that one may not see is not found."""

    async def find(self, identity: Identity, name: str) -> RoomRow | None:
        """The room called `name`, if there is one that may be seen."""

    async def open(self, identity: Identity, name: str, *, make: bool = True) -> RoomRow:
        """The room called `name`, joined if need be, and made, if it may be made."""

    async def member(self, client: Client, name: str) -> Room:
        """The room called `name`, to which the client's user belongs."""

    async def append(
        self, client: Client, room: str, type_: str, payload: Mapping[str, object] | Payload, id_: str | None
    ) -> int:
        """Put an entry of the application's own into a room's log; its number."""


class HubLimits:
    """How fast users may do things; each by user id."""

    def __init__(self, settings: Settings) -> None:
        self.messages = RateLimit(settings.limit_messages, settings.limit_messages_burst)
        self.enters = RateLimit(settings.limit_enters, int(settings.limit_enters * 10))
        self.typing = RateLimit(1.0, 1)  # by user and room: said again every few seconds, told once a second


class Hub:
    """Clients, rooms and handlers of one server. Add handlers, then `start` it in a running event loop."""

    def __init__(self) -> None:
        self.handlers = Handlers()
        self.clients: set[Client] = set()
        self.behind: set[Client] = set()
        self.rooms: dict[int, Room] = {}
        self._rooms_by_key: dict[str, Room] = {}
        self.membership = Membership()
        self.directory: Directory
        self.figures = Figures()
        self.accepting = True
        self.outgoing = Outgoing()

    # --- handlers

    def on(self, type_: str) -> Callable[[H], H]:
        """Handle events of `type_` with the decorated function of a client and the typed payload.

        The payload's type is the second parameter's annotation; what doesn't fit it is refused before. The function
        may be `async`: the client's next events wait until it is done. `Refused` in it is told to the client.
        """
        return self.handlers.on(type_)

    def add_handler(self, type_: str, payload: type[Any], function: Handler) -> None:
        """The same as `on`, with the payload's type given."""
        self.handlers.add(type_, payload, function)

    @property
    def event_types(self) -> list[str]:
        """The types of event that clients may send."""
        return self.handlers.types

    # --- life

    async def start(
        self, settings: Settings, store: Store, clock: Clock, epoch: str, multicast: Multicast | None = None
    ) -> None:
        """Begin: timers run, clients may connect. `epoch` names the log. `multicast` sends to many at once."""
        self.settings = settings
        self.store = store
        self.clock = clock
        self.epoch = epoch
        self._loop = asyncio.get_running_loop()
        self.outgoing = Outgoing(multicast, self._loop.call_soon)
        self._tasks: set[asyncio.Task[Any]] = set()
        self.indexing = Indexing(store, lambda: self.writer.figures.entries)
        self.writer = Writer(store, clock, self._deliver, self.indexing)
        self._heartbeat = Heartbeat(settings.ping_seconds, settings.pong_seconds)
        self._presence = Presence(
            settings.presence_interval_seconds,
            settings.presence_grace_seconds,
            self._loop.time,
            self.forget_if_empty,
        )
        self._heads = Heads(settings.room_head_interval_seconds, self.membership, self.rooms)
        self._bad_frames = RateLimit(50, 1000)
        self.limits = HubLimits(settings)
        self.loop_delay_seconds = 0.0  # how late the timer was, last
        self._tick_at = self._loop.time() + self._heartbeat.tick_seconds
        self._ticker = self._loop.call_at(self._tick_at, self._tick)
        self.indexing.poke()

    async def stop(self, spread_seconds: float) -> None:
        """End: no new clients; what was accepted is written and delivered; everyone is told when to come back."""
        self.accepting = False
        await self.writer.drained()
        self.outgoing.finish()  # large rooms are still being written to
        for number, client in enumerate(list(self.clients)):
            delay = spread_seconds * (number % 97 + 1) / 97  # spread, so that they do not all come at once
            client.close(restarting(delay))
        self._ticker.cancel()
        self.indexing.stop()
        self._presence.stop()
        self._heads.stop()

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run `work` as a task that the hub owns."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("task failed", error=type(error).__name__, exc_info=error)

    # --- clients

    def connected(self, identity: Identity, transport: Transport, *, full: bool) -> Client:
        """A new client of `identity`. The chat's `greet` makes it welcome."""
        client = Client(self, identity, transport, full=full)
        self.clients.add(client)
        self.membership.connected(client)
        self._heartbeat.add(client)
        self.figures.connects += 1
        return client

    def connections_of(self, user_id: int) -> int:
        """How many connections a user has open."""
        user = self.membership.users.get(user_id)
        return len(user.clients) if user else 0

    def disconnected(self, client: Client) -> None:
        """A client's transport is gone."""
        self.clients.discard(client)
        self.behind.discard(client)
        self._heartbeat.discard(client)
        self._bad_frames.forget(client)
        self.dismiss_from_all(client)
        self.membership.disconnected(client)

    def dismiss_from_all(self, client: Client) -> None:
        """`client` is out of every room."""
        for room in client.distinct_rooms():
            self.dismiss(client, room)
        client.rooms.clear()

    def end(self, clients: Iterable[Client], reason: CloseReason = SESSION_ENDED) -> None:
        """Close these clients for `reason`."""
        for client in clients:
            client.close(reason)

    def end_session(self, session_id: int) -> None:
        """Close every socket of a session that ended."""
        self.end([client for client in self.clients if client.identity.session_id == session_id])

    def end_token(self, token_id: int) -> None:
        """Close every socket of a bearer token that was revoked."""
        self.end([client for client in self.clients if client.identity.token_id == token_id])

    def end_user(self, user_id: int) -> None:
        """Close every socket of a user."""
        user = self.membership.users.get(user_id)
        self.end(list(user.clients) if user else [])

    # --- events in

    def handle(self, client: Client, text: str) -> Awaitable[None] | None:
        """Decode one event and call its handler; returns what is to be awaited if the handler waits."""
        self.figures.events += 1
        try:
            event = self.handlers.decode(text)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            self._refuse_frame(client, *refusal_for(text, error, self.event_types))
            return None
        type_, handler = self.handlers.of(event)
        client.ref = event.ref
        if client.full:
            if type_ == "change_room":
                client.refuse(
                    Refused(WRONG_PROFILE, "In hubbub.v1 rooms are entered with `enter`."), event.ref
                )
                return None
        elif type_ not in _BASIC_EVENTS:
            return None
        try:
            waiting = handler(client, event.payload)  # type: ignore[attr-defined]
        except Refused as refused:
            self.refuse(client, refused, event)
            return None
        except Exception:
            logger.exception("handler failed", type=type_)
            self.refuse(client, Refused(INTERNAL), event)
            return None
        return self._waited(client, event, type_, waiting) if waiting is not None else None

    async def _waited(self, client: Client, event: ClientEvent, type_: str, waiting: Awaitable[None]) -> None:
        try:
            await waiting
        except Refused as refused:
            self.refuse(client, refused, event)
        except Exception:
            logger.exception("handler failed", type=type_)
            self.refuse(client, Refused(INTERNAL), event)

    def refuse(self, client: Client, refused: Refused, event: ClientEvent) -> None:
        """Tell a client that its event was refused, with the room and the id that it named."""
        payload = getattr(event, "payload", None)
        client.refuse(
            refused, event.ref, room=getattr(payload, "room", None), id_=getattr(payload, "id", None)
        )
        if refused.refusal is RATE_LIMITED:
            self._count_refusal(client)

    def _refuse_frame(self, client: Client, refused: Refused, ref: str | int | None) -> None:
        client.refuse(refused, ref)
        self._count_refusal(client)

    def _count_refusal(self, client: Client) -> None:
        # One who goes on for long though it is refused is no longer worth an answer.
        try:
            self._bad_frames.take(client, self.clock.monotonic())
        except Refused:
            client.close(POLICY)

    # --- rooms

    def room(self, row: RoomRow) -> Room:
        """The room in use for a row of the database."""
        found = self.rooms.get(row.id)
        if found is None:
            found = self._room_of(row)
            self.rooms[row.id] = found
            self._rooms_by_key[found.key] = found
        return found

    def room_in_use(self, key: str) -> Room | None:
        """The room of this key, if somebody is in it."""
        return self._rooms_by_key.get(key)

    def admit(self, client: Client, room: Room, called: str) -> None:
        """`client` is in `room` from here on, and catching up. `called` is the name that it used."""
        if not room.hears(client):
            client.entered += 1
            self._presence.came(room, client.name)
        client.rooms[called] = room
        client.rooms[room.name] = room
        room.hold(client)

    def dismiss(self, client: Client, room: Room) -> None:
        """`client` is out of `room`."""
        if not room.hears(client):
            return
        client.entered -= 1
        room.dismiss(client)
        for called in [name for name, its in client.rooms.items() if its is room]:
            del client.rooms[called]
        self._presence.went(room, client.name)

    def rename(self, room: Room, name: str) -> None:
        """A room in use has a new name."""
        if self._rooms_by_key.get(room.key) is room:
            del self._rooms_by_key[room.key]
        room.name = name
        room.key = key_of(name)
        self._rooms_by_key[room.key] = room
        for client in (reader for reader in room.readers if isinstance(reader, Client)):
            client.rooms[name] = room

    def forget_if_empty(self, room: Room) -> None:
        """Drop a room that nobody is in."""
        if room.empty and not room.readers and self.rooms.get(room.id) is room:
            del self.rooms[room.id]
            if self._rooms_by_key.get(room.key) is room:
                del self._rooms_by_key[room.key]

    # --- what is written

    def submit(self, change: Change) -> None:
        """Write a change with the next batch."""
        self.writer.submit(change)

    def room_for(self, row: RoomRow) -> Room:
        """The room in use for a row, or, if nobody is in it, one for this once."""
        return self.rooms.get(row.id) or self._room_of(row)

    def _room_of(self, row: RoomRow) -> Room:
        key, outgoing = key_of(row.name), self.outgoing
        return Room(row.id, row.name, key, row.kind, row.topic, archived=row.archived, outgoing=outgoing)

    async def commit(self, change: Change) -> None:
        """Write a change and wait until it is on disk and delivered. Raises its `Refused`."""
        done = self._loop.create_future()
        self.writer.submit(AwaitedChange(change, done))
        await done

    def _deliver(self, batch: list[Change]) -> None:
        """A batch is on disk: write it to everyone, answer those who asked, then let each change finish."""
        found = Sorted(batch, self.rooms)
        with self.outgoing.gathering():
            for room_id, entries in found.by_room.items():
                room = self.rooms.get(room_id)
                if room is not None:
                    self.figures.deliveries += room.deliver(entries, found.echoes.get(room_id))
                self._heads.moved(room_id, entries)
        for answer in found.answers:
            answer.client.write(answer.frame)
        for change in batch:
            if change.error is not None and isinstance(change, ClientChange):
                change.refused(change.error)
            try:
                change.finished()
            except Exception:
                logger.exception("change not finished", change=type(change).__name__)

    def tell_head(self, room_id: int) -> None:
        """Tell the connected members who are not in a room of its head, soon."""
        self._heads.tell(room_id)

    def tell_gap(self, client: Client, room: Room) -> None:
        """`client` reads again: live at once if it missed nothing of `room`, else told what it missed."""
        first = room.missed(client)
        if first is None:
            return
        if client.full:
            client.send("gap", Gap(room.name, first, room.head))
        else:
            room.hold(client)
            room.release(client, room.head)

    # --- the one timer

    def _tick(self) -> None:
        now = self._loop.time()
        self.loop_delay_seconds = max(0.0, now - self._tick_at)
        self._tick_at = now + self._heartbeat.tick_seconds
        self._ticker = self._loop.call_at(self._tick_at, self._tick)
        self._heartbeat.tick(self.clock.monotonic())
        self._presence.tick()
        if self.behind:
            limit = self.clock.monotonic() - self.settings.slow_reader_seconds
            for client in [client for client in self.behind if (client.behind_since or 0) <= limit]:
                client.close(TOO_SLOW)
                client.transport.abort()
