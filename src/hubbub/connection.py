"""One client (the tutorial's Client): who it is, which rooms it is in, and what it may send.

Frames come in through `receive`, one at a time and in order, even when a handler waits; what goes out is written to
the transport at once, or not at all.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

import structlog

from hubbub import frames
from hubbub.errors import INTERNAL, INTERNAL_CLOSE, REFUSALS, CloseReason, Refused
from hubbub.events import Error, Payload, encode
from hubbub.room import Room
from hubbub.tickets import Identity

if TYPE_CHECKING:
    from hubbub.hub import Hub

_INBOX_FULL: Final = 64

logger = structlog.get_logger(__name__)


class Transport(Protocol):
    """A WebSocket as a client sees it. Nothing here waits."""

    @property
    def write(self) -> Callable[[bytes], object]:
        """What sends finished text frames (see `hubbub.frames`)."""

    @property
    def socket(self) -> bytes | None:
        """The socket for `hubbub.room.Multicast`, while it may go past `write`; `Client.rerouted` when that changes."""

    @property
    def inflates(self) -> bool:
        """Whether the other side takes compressed frames (`hubbub.compression`)."""

    def ping(self) -> None:
        """Send a ping."""

    def close(self, reason: CloseReason) -> None:
        """Start the closing handshake; what was written before goes out first."""

    def abort(self) -> None:
        """Drop the connection at once."""

    def pause_reading(self) -> None:
        """Take no more frames in until `resume_reading`."""

    def resume_reading(self) -> None:
        """Take frames in again."""


class Client:
    """One connection of a user. Made by `Hub.connect`."""

    __slots__ = (
        "__weakref__",
        "_inbox",
        "_reading_paused",
        "_task",
        "behind_since",
        "closed",
        "closing",
        "entered",
        "full",
        "heard",
        "hub",
        "identity",
        "inflates",
        "name",
        "ref",
        "rooms",
        "socket",
        "transport",
        "write",
    )

    def __init__(self, hub: Hub, identity: Identity, transport: Transport, *, full: bool) -> None:
        self.hub = hub
        self.identity = identity
        self.name = identity.name
        self.full = full
        self.transport = transport
        self.write = transport.write  # the hot path: one attribute less for each delivery
        self.socket = transport.socket
        self.inflates = transport.inflates
        self.rooms: dict[str, Room] = {}  # entered, by each name they were called by
        self.entered = 0  # how many
        self.ref: str | int | None = None  # of the event being handled
        self.heard = True  # since the last ping
        self.closed = False
        self.closing = False  # a close frame was sent
        self.behind_since: float | None = None
        self._inbox: deque[str] | None = None
        self._task: asyncio.Task[None] | None = None
        self._reading_paused = False

    # --- in

    def begin(self, greeting: Coroutine[Any, Any, None]) -> None:
        """Run `greeting` before the first event is handled. One who can't be greeted is closed, to come again."""
        self._task = self.hub.spawn(self._work(self._greeted(greeting)))

    def receive(self, text: str) -> None:
        """Handle one text frame, after those before it; not while what was sent to this client is not read."""
        if self.closing:
            return
        if not self.hub.accepting:  # the server goes down: what was accepted comes first
            if not self._reading_paused:
                self._reading_paused = True
                self.transport.pause_reading()
            return
        if self._task is None and self.behind_since is None:
            waiting = self.hub.handle(self, text)
            if waiting is not None:
                self._task = self.hub.spawn(self._work(waiting))
            return
        if self._inbox is None:
            self._inbox = deque()
        self._inbox.append(text)
        if len(self._inbox) >= _INBOX_FULL and not self._reading_paused:
            self._reading_paused = True
            self.transport.pause_reading()

    async def _greeted(self, greeting: Coroutine[Any, Any, None]) -> None:
        if self.closed:
            greeting.close()
            return
        try:
            await greeting
        except Exception as error:
            refused = error if isinstance(error, Refused) else Refused(INTERNAL)
            self.hub.figures.refused(refused.refusal.code)
            if refused is not error:
                logger.exception("greeting failed")
            # The basic profile may be refused its first room, and change to another.
            if self.full or refused.refusal.retry or refused is not error:
                self.close(INTERNAL_CLOSE)

    async def _work(self, waiting: Awaitable[None] | None) -> None:
        """Finish a handler that waits, then handle what came meanwhile."""
        try:
            while True:
                if waiting is not None:
                    await waiting
                if not self._inbox or self.closing or self.behind_since is not None:
                    break
                if not self.hub.accepting:  # what waits here was not accepted: the client will send it again
                    break
                waiting = self.hub.handle(self, self._inbox.popleft())
        finally:
            self._task = None
            if not self._inbox or self.closing:
                self._read_on()

    def _read_on(self) -> None:
        """Nothing that came in waits."""
        self._inbox = None
        if self._reading_paused and not self.closed:
            self._reading_paused = False
            if self.behind_since is None:
                self.heard = True  # or may have been, but for us
                self.transport.resume_reading()

    # --- out

    def send(self, type_: str, payload: object, ref: str | int | None = None) -> None:
        """Send one event to this client alone."""
        self.send_frame(frames.text(encode(type_, payload, ref)))

    def send_frame(self, frame: bytes) -> None:
        """Send a finished frame to this client alone, compressed if it takes that and it is worth it."""
        self.write(self.hub.outgoing.deflater.deflated(frame) if self.inflates else frame)

    def reply(self, type_: str, payload: object) -> None:
        """Answer the event being handled: `send` with its `ref`."""
        self.send(type_, payload, self.ref)

    async def append(
        self, room: str, type_: str, payload: Mapping[str, object] | Payload, *, id_: str | None = None
    ) -> int:
        """Put an entry of your application's own into the log of a room that this client's user belongs to.

        Everyone in the room gets it as an event of `type_` with `room`, `seq`, `from` and `sent` before the payload's
        own fields; it is numbered, kept and replayed like a message, and once only for each `id_` of this user.
        Returns its number once it is on disk and delivered. Raises `Refused`.
        """
        return await self.hub.directory.append(self, room, type_, payload, id_)

    async def tell(self, room: str, type_: str, payload: Mapping[str, object] | Payload) -> None:
        """Send an event that is in no log to everyone in a room that this client's user belongs to."""
        found = await self.hub.directory.member(self, room)
        found.broadcast(frames.text(encode(type_, payload)))

    def refuse(
        self,
        refused: Refused,
        ref: str | int | None = None,
        *,
        room: str | None = None,
        id_: str | None = None,
    ) -> None:
        """Send `error`. The basic profile has no such event, and hears nothing."""
        self.hub.figures.refused(refused.refusal.code)
        self.hub.handlers.on_refused(self, refused)
        if not self.full or self.closed or self.closing:
            return
        assert refused.refusal.code in REFUSALS
        wait = refused.retry_after_seconds
        error = Error(
            refused.refusal.code,
            refused.detail,
            refused.refusal.retry,
            field=refused.field,
            room=room,
            id=id_,
            retry_after=round(wait, 3) if wait is not None else None,
        )
        self.send("error", error, ref)

    def close(self, reason: CloseReason) -> None:
        """End this connection for `reason`: nothing more is sent to it but what was written before."""
        if not self.closed and not self.closing:
            self.closing = True
            self.hub.dismiss_from_all(self)
            self.transport.close(reason)
            self._read_on()  # to its answer; what came before that is not handled any more

    # --- the transport's buffer

    def fall_behind(self, now: float) -> None:
        """The transport's buffer is full: this client leaves the live set of its rooms, and is read from no more."""
        if self.behind_since is None:
            self.behind_since = now
            self.transport.pause_reading()
            for room in self.distinct_rooms():
                room.fall_behind(self)
            self.hub.figures.fell_behind += 1
            self.hub.behind.add(self)

    def caught_up(self) -> None:
        """The buffer has drained: tell of what was missed."""
        if self.behind_since is None or self.closed:
            return
        self.behind_since = None
        self.heard = True  # it reads
        self.hub.behind.discard(self)
        for room in self.distinct_rooms():
            self.hub.tell_gap(self, room)
        if self._inbox and self._task is None:
            self._task = self.hub.spawn(self._work(None))
        if not self._reading_paused:
            self.transport.resume_reading()

    def rerouted(self) -> None:
        """The transport has another `socket` than before, or none any more."""
        self.socket = self.transport.socket
        for room in self.distinct_rooms():
            room.rerouted()

    @property
    def paused(self) -> bool:
        """Whether this client is not read from: it has not read what was sent, or too much of its waits here."""
        return self.behind_since is not None or self._reading_paused

    @property
    def busy(self) -> bool:
        """Whether a handler, or the greeting, waits for something."""
        return self._task is not None

    def distinct_rooms(self) -> set[Room]:
        """The rooms that this client has entered."""
        return set(self.rooms.values())

    def lost(self) -> None:
        """The transport is gone, or the other side has closed: nothing more may be sent."""
        if not self.closed:
            self.closed = self.closing = True
            if self._task is not None:
                # Not at once: a coroutine that was never begun complains.
                self._task.get_loop().call_soon(self._task.cancel)
            self.hub.disconnected(self)
