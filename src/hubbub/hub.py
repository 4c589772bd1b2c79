"""The hub (the tutorial's Manager): its clients, the handlers by type of event, the rooms in use, who is here.

An application adds events of its own with `Hub.on`. Everything here runs on the event loop and never waits, but
for `connect`, which reads what a user belongs to.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, Final, Protocol, TypeVar, Union, get_type_hints

import msgspec
import structlog

from hubbub import frames
from hubbub.clock import Clock
from hubbub.connection import Client, Transport
from hubbub.decoding import refusal_for
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
from hubbub.events import ClientEvent, Gap, RoomHead, client_event, encode, wrap
from hubbub.figures import Figures
from hubbub.heartbeat import Heartbeat
from hubbub.limits import RateLimit
from hubbub.log.queries import RoomRow
from hubbub.log.store import Store
from hubbub.log.transaction import Change, Entry
from hubbub.log.writer import Writer
from hubbub.membership import Membership, User
from hubbub.names import key_of
from hubbub.pulse import Pulse
from hubbub.room import Echo, Reader, Room
from hubbub.settings import Settings
from hubbub.tickets import Identity

Handler = Callable[[Client, Any], Awaitable[None] | None]
H = TypeVar("H", bound=Callable[..., Any])
T = TypeVar("T")

_BASIC_EVENTS: Final = frozenset({"send_message", "change_room"})

logger = structlog.get_logger(__name__)


class Directory(Protocol):
    """Where a client's rooms come from; the chat's `Rooms`. A room that one may not see is not found."""

    async def open(self, identity: Identity, name: str) -> RoomRow:
        """The room called `name`, made and joined if need be."""

    async def member(self, client: Client, name: str) -> Room:
        """The room called `name`, to which the client's user belongs."""


class ClientChange(Change):
    """A change that a client asked for: it gets the entry as its answer, or the refusal."""

    __slots__ = ("origin", "ref")

    def __init__(self, origin: Client | None, ref: str | int | None) -> None:
        super().__init__()
        self.origin = origin
        self.ref = ref

    def refused(self, error: Refused) -> None:
        """Tell the client; on the event loop."""
        if self.origin is not None:
            self.origin.refuse(error, self.ref)


class _Awaited(Change):
    """A change that somebody waits for."""

    __slots__ = ("change", "done")

    def __init__(self, change: Change, done: asyncio.Future[None]) -> None:
        super().__init__()
        self.change = change
        self.done = done

    def apply(self, tx: Any) -> None:
        self.change.entries = self.entries
        self.change.error = None
        self.change.apply(tx)

    def finished(self) -> None:
        self.change.error = self.error
        self.change.finished()
        if self.done.done():
            return
        if self.error is not None:
            self.done.set_exception(self.error)
        else:
            self.done.set_result(None)


class HubLimits:
    """How fast users may do things; each by user id."""

    def __init__(self, settings: Settings) -> None:
        self.messages = RateLimit(settings.limit_messages, settings.limit_messages_burst)
        self.enters = RateLimit(settings.limit_enters, int(settings.limit_enters * 10))
        self.typing = RateLimit(1.0, 1)  # by user and room: said again every few seconds, told once a second


class Hub:
    """Clients, rooms and handlers of one server. Add handlers, then `start` it in a running event loop."""

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}
        self._events: dict[str, type[ClientEvent]] = {}
        self._by_event: dict[type[ClientEvent], tuple[str, Handler]] = {}
        self._decode: Callable[[str], ClientEvent] | None = None
        self.clients: set[Client] = set()
        self.behind: set[Client] = set()
        self.rooms: dict[int, Room] = {}
        self._rooms_by_key: dict[str, Room] = {}
        self.membership = Membership()
        self.directory: Directory
        self.figures = Figures()
        self.accepting = True

    # --- handlers

    def on(self, type_: str) -> Callable[[H], H]:
        """Handle events of `type_` with the decorated function of a client and the typed payload.

        The payload's type is the annotation of the second parameter; what doesn't fit it is refused before the
        function is called. The function may be `async`: the client's next events wait until it is done. `Refused`
        raised in it is told to the client.
        """

        def register(function: H) -> H:
            self.add_handler(type_, _payload_type(function), function)
            return function

        return register

    def add_handler(self, type_: str, payload: type[Any], function: Handler) -> None:
        """The same as `on`, with the payload's type given."""
        if type_ in self._handlers:
            raise ValueError(f"There is a handler for {type_!r} already.")
        self._handlers[type_] = function
        self._events[type_] = client_event(type_, payload)
        self._by_event[self._events[type_]] = (type_, function)
        self._decode = None

    @property
    def event_types(self) -> list[str]:
        """The types of event that clients may send."""
        return sorted(self._handlers)

    def _decoder(self) -> Callable[[str], ClientEvent]:
        if self._decode is None:
            self._decode = msgspec.json.Decoder(Union[tuple(self._events.values())]).decode
        return self._decode

    # --- life

    async def start(self, settings: Settings, store: Store, clock: Clock, epoch: str) -> None:
        """Begin: timers run, clients may connect. `epoch` names the log."""
        self.settings = settings
        self.store = store
        self.clock = clock
        self.epoch = epoch
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.writer = Writer(store, clock, self._deliver)
        self._heartbeat = Heartbeat(settings.ping_seconds, settings.pong_seconds)
        self._leavers: list[tuple[float, Room, str]] = []
        self._dirty_presence: set[Room] = set()
        self._dirty_heads: set[int] = set()
        self._presence = Pulse(settings.presence_interval_seconds, self._tell_presence)
        self._heads = Pulse(settings.room_head_interval_seconds, self._tell_heads)
        self._bad_frames = RateLimit(50, 1000)
        self.limits = HubLimits(settings)
        self.loop_delay_seconds = 0.0  # how late the timer was, last
        self._tick_at = self._loop.time() + self._heartbeat.tick_seconds
        self._ticker = self._loop.call_at(self._tick_at, self._tick)

    async def stop(self, spread_seconds: float) -> None:
        """End: no new clients; what was accepted is written and delivered; everyone is told when to come back."""
        self.accepting = False
        await self.writer.drained()
        for number, client in enumerate(list(self.clients)):
            delay = spread_seconds * (number % 97 + 1) / 97  # spread, so that they do not all come at once
            client.close(restarting(delay))
        self._ticker.cancel()
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
            event = (self._decode or self._decoder())(text)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            self._refuse_frame(client, *refusal_for(text, error, self.event_types))
            return None
        type_, handler = self._by_event[type(event)]
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
            client.refuse(Refused(INTERNAL), event.ref)
            return None
        return self._waited(client, event, type_, waiting) if waiting is not None else None

    async def _waited(self, client: Client, event: ClientEvent, type_: str, waiting: Awaitable[None]) -> None:
        try:
            await waiting
        except Refused as refused:
            self.refuse(client, refused, event)
        except Exception:
            logger.exception("handler failed", type=type_)
            client.refuse(Refused(INTERNAL), event.ref)

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
            found = Room(row.id, row.name, key_of(row.name), row.kind, row.topic, archived=row.archived)
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
            if room.come(client.name):
                self._presence_changed(room)
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
        gone_at = self._loop.time() + self.settings.presence_grace_seconds
        if room.go(client.name, gone_at):
            self._leavers.append((gone_at, room, client.name))
            if not self.settings.presence_grace_seconds:
                self._see_off()

    def rename(self, room: Room, name: str) -> None:
        """A room in use has a new name."""
        if self._rooms_by_key.get(room.key) is room:
            del self._rooms_by_key[room.key]
        room.name = name
        room.key = key_of(name)
        self._rooms_by_key[room.key] = room
        for reader in room.readers:
            if isinstance(reader, Client):
                reader.rooms[name] = room

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
        return self.rooms.get(row.id) or Room(
            row.id, row.name, key_of(row.name), row.kind, row.topic, archived=row.archived
        )

    async def commit(self, change: Change) -> None:
        """Write a change and wait until it is on disk and delivered. Raises its `Refused`."""
        done = self._loop.create_future()
        self.writer.submit(_Awaited(change, done))
        await done

    def _deliver(self, batch: list[Change]) -> None:
        """A batch is on disk: write it to everyone, answer those who asked, then let each change finish."""
        by_room: dict[int, list[Entry]] = {}
        answers: list[tuple[ClientChange, Entry]] = []
        echoes: dict[int, dict[Reader, list[Echo]]] = {}
        for change in batch:
            for entry in change.entries:
                if not entry.repeat:
                    by_room.setdefault(entry.room_id, []).append(entry)
            if isinstance(change, ClientChange) and change.origin is not None and change.entries:
                self._sort_answer(change, change.entries[-1], answers, echoes)
        for room_id, entries in by_room.items():
            room = self.rooms.get(room_id)
            if room is not None:
                self.figures.deliveries += room.deliver(entries, echoes.get(room_id))
            self._news(room_id, entries)
        for change, entry in answers:
            if change.origin is not None and not change.origin.closing:
                change.origin.write(_answer_frame(entry, change.ref))
        for change in batch:
            if change.error is not None and isinstance(change, ClientChange):
                change.refused(change.error)
            try:
                change.finished()
            except Exception:
                logger.exception("change not finished", change=type(change).__name__)

    def _sort_answer(
        self,
        change: ClientChange,
        entry: Entry,
        answers: list[tuple[ClientChange, Entry]],
        echoes: dict[int, dict[Reader, list[Echo]]],
    ) -> None:
        """The sender hears its entry with the room's others; alone, if it is a repeat or it is not in the room."""
        client = change.origin
        if client is None or client.closing:
            return
        room = self.rooms.get(entry.room_id)
        if entry.repeat or room is None or not room.hears(client):
            if client.full or entry.repeat:
                answers.append((change, entry))
        elif change.ref is not None and client.full:
            echo = Echo(entry, _answer_frame(entry, change.ref))
            echoes.setdefault(entry.room_id, {}).setdefault(client, []).append(echo)

    # --- news of rooms one is not in

    def _news(self, room_id: int, entries: list[Entry]) -> None:
        watchers = self.membership.watchers.get(room_id)
        if not watchers:
            return
        self.membership.heard_of(room_id, entries)
        self.tell_head(room_id)

    def tell_head(self, room_id: int) -> None:
        """Tell the connected members who are not in a room of its head, soon."""
        self._dirty_heads.add(room_id)
        self._heads.poke()

    def _tell_heads(self) -> None:
        dirty, self._dirty_heads = self._dirty_heads, set()
        users: dict[User, list[int]] = {}
        heads = self.membership.heads
        for room_id in dirty:
            for user in self.membership.watchers.get(room_id, ()):
                users.setdefault(user, []).append(room_id)
        for user, room_ids in users.items():
            news = {
                room_id: frames.text(encode("room_head", RoomHead(mark.name, heads[room_id], mark.mentions)))
                for room_id in room_ids
                if (mark := user.marks.get(room_id)) is not None
            }
            for client in user.clients:
                if client.full and client.behind_since is None and news:
                    inside = {room.id for room in client.rooms.values()}
                    told = b"".join([frame for room_id, frame in news.items() if room_id not in inside])
                    if told:
                        client.write(told)

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

    # --- presence

    def _presence_changed(self, room: Room) -> None:
        self._dirty_presence.add(room)
        self._presence.poke()

    def _tell_presence(self) -> None:
        dirty, self._dirty_presence = self._dirty_presence, set()
        for room in dirty:
            frame = room.presence()
            if frame is not None:
                room.broadcast(frame)
            self.forget_if_empty(room)

    def _see_off(self) -> None:
        now = self._loop.time()
        due = [leaver for leaver in self._leavers if leaver[0] <= now]
        if not due:
            return
        self._leavers = [leaver for leaver in self._leavers if leaver[0] > now]
        for _, room, name in due:
            if room.gone(name, now):
                self._presence_changed(room)
            else:
                self.forget_if_empty(room)

    # --- the one timer

    def _tick(self) -> None:
        now = self._loop.time()
        self.loop_delay_seconds = max(0.0, now - self._tick_at)
        self._tick_at = now + self._heartbeat.tick_seconds
        self._ticker = self._loop.call_at(self._tick_at, self._tick)
        self._heartbeat.tick(self.clock.monotonic())
        self._see_off()
        if self.behind:
            limit = self.clock.monotonic() - self.settings.slow_reader_seconds
            for client in [client for client in self.behind if (client.behind_since or 0) <= limit]:
                client.close(TOO_SLOW)
                client.transport.abort()


def _answer_frame(entry: Entry, ref: str | int | None) -> bytes:
    return entry.frame if ref is None else frames.text(wrap(entry.type, entry.payload, ref))


def _payload_type(function: Callable[..., Any]) -> type[Any]:
    parameters = list(inspect.signature(function).parameters)
    hints = get_type_hints(function)
    if len(parameters) != 2 or parameters[1] not in hints:
        raise TypeError(f"A handler takes a client and a payload with its type: {function.__qualname__}.")
    payload: type[Any] = hints[parameters[1]]
    return payload
