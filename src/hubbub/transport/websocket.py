"""The WebSocket on uvicorn, as its ``ws=`` protocol: bytes to events and back, on the port that serves HTTP.

`websockets`' sans-I/O core reads, checks, answers control frames and closes (RFC 6455). What goes out to a room is
framed once elsewhere and written straight to each transport.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol, cast

from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from hubbub import frames
from hubbub.errors import BINARY_FRAME, NOT_UTF8, CloseReason, Refused, restarting
from hubbub.events import SUBPROTOCOL
from hubbub.tickets import Identity
from hubbub.transport.core import Core
from hubbub.transport.deflate import SharedDeflate
from hubbub.transport.door import Door, Knock, full_profile
from hubbub.transport.ordinary import ordinary
from hubbub.transport.ring import Ring

CLOSE_SECONDS: Final = 3.0  # for the other side to answer a close frame
_MOST_FRAGMENTS: Final = 4096  # or as many as make the longest message,
_SHORT_FRAGMENT: Final = 16  # of so many bytes each
_DATA: Final = frozenset({Opcode.TEXT, Opcode.BINARY, Opcode.CONT})
_EXTENSIONS: Final = (SharedDeflate(),)


class Session(Protocol):
    """What a connection is for, once it is open: `hubbub.connection.Client`, or an echo for the conformance tests."""

    heard: bool

    def receive(self, text: str) -> None:
        """Handle one text frame."""

    def lost(self) -> None:
        """The transport is gone."""

    def fall_behind(self, now: float) -> None:
        """The write buffer is full."""

    def caught_up(self) -> None:
        """The write buffer has drained."""

    def rerouted(self) -> None:
        """The transport's `socket` is another than before."""


class WebSocketProtocol(asyncio.Protocol):
    """One WebSocket connection. uvicorn makes one when a request asks for an upgrade."""

    __slots__ = (
        "_address",
        "_close_timer",
        "_connections",
        "_core",
        "_door",
        "_fragments",
        "_handshake",
        "_inflates",
        "_loop",
        "_ring",
        "_session",
        "_socket",
        "_unread",
        "_waiting",
        "inflates",
        "transport",
        "write",
    )

    def __init__(self, door: Door, connections: set[Any], ring: Ring | None = None) -> None:
        self._door = door
        self._ring = ring
        self._socket: bytes | None = None  # as the ring knows it
        self._waiting = False  # something for the socket to take before the ring may send more
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._core = Core(
            max_size=door.settings.read_limit_bytes,
            select_subprotocol=_select_subprotocol,
            extensions=_EXTENSIONS if door.settings.compression else None,
        )
        self.inflates = False  # whether permessage-deflate is agreed on
        self._session: Session | None = None
        self._fragments: list[bytes] | None = None
        self._handshake: asyncio.Task[None] | None = None
        self._close_timer: asyncio.TimerHandle | None = None
        self._address: str | None = None
        self._unread = 0  # bytes that the core has had of frames not whole yet; 0: between frames
        self.transport: asyncio.Transport
        self.write: Callable[[bytes], object]

    # --- the transport calls these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is there, handed over by the HTTP protocol."""
        self.transport = cast(asyncio.Transport, transport)
        self.write = self.transport.write
        self.transport.set_write_buffer_limits(high=self._door.settings.write_buffer_bytes)
        if self._ring is not None and self.transport.get_extra_info("sslcontext") is None:
            self._share(self._ring)
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Bytes came in."""
        session = self._session
        if session is not None:
            session.heard = True
            if not self._unread:
                data = data[self._quick(session, data) :]
                if not data:
                    return
        core = self._core
        core.receive_data(data)
        self._unread += len(data)
        if core.state is OPEN:
            self._flush()  # a pong goes before the answer to a message that came after its ping
        for event in core.events_received():
            if isinstance(event, Frame):
                self._unread -= self._size(event)
                self._frame(event)
            elif isinstance(event, Request):
                self._unread = 0
                self._knock(event)
        self._flush()
        if session is not None and core.state is not OPEN:
            session.lost()  # after a close frame no other may follow (RFC 6455 §5.5.1)

    def eof_received(self) -> None:
        """The other side sends no more."""
        self._core.receive_eof()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        self._connections.discard(self)
        if self._handshake is not None:
            self._handshake.cancel()
        if self._close_timer is not None:
            self._close_timer.cancel()
        if self._session is not None:
            self._session.lost()
            self._session = None
        if self._ring is not None and self._socket is not None:
            self._ring.remove(self._socket)
        self._core.parser.close()  # with the session, the cycles that would wait for the collector
        if self._address is not None:
            self._door.left(self._address)
            self._address = None

    def pause_writing(self) -> None:
        """The write buffer passed its high mark."""
        if self._socket is not None:
            self._waiting = True
            self._reroute()
        elif self._session is not None:
            self._session.fall_behind(self._door.hub.clock.monotonic())

    def resume_writing(self) -> None:
        """The write buffer is below its low mark."""
        if self._waiting:
            self._waiting = False
            self._reroute()
        if self._session is not None:
            self._session.caught_up()

    def shutdown(self) -> None:
        """Uvicorn goes down."""
        if self._session is None:
            self.transport.close()
        else:
            self.close(restarting(1.0))

    # --- the ring, which writes past the transport while nothing waits in that

    def _share(self, ring: Ring) -> None:
        try:
            self._socket = ring.add(self.transport.get_extra_info("socket").fileno(), self.transport.write)
        except OSError:
            return  # too many open files: the transport alone will do
        self.transport.set_write_buffer_limits(high=0)  # to be told as soon as anything waits
        self.write = self._write

    def _write(self, data: bytes) -> None:
        self.transport.write(data)
        if (
            self._waiting
            and self._session is not None
            and self.transport.get_write_buffer_size() > self._door.settings.write_buffer_bytes
        ):
            self._session.fall_behind(self._door.hub.clock.monotonic())

    def _reroute(self) -> None:
        if self._session is not None:
            self._session.rerouted()

    @property
    def socket(self) -> bytes | None:
        """The socket for the ring, or None while the transport has the word."""
        return None if self._waiting else self._socket

    # --- the hub calls these (hubbub.connection.Transport)

    def ping(self) -> None:
        """Send a ping."""
        if self._core.state is OPEN:
            self.transport.write(frames.PING)

    def close(self, reason: CloseReason) -> None:
        """Start the closing handshake."""
        if self._core.state is OPEN:
            self._core.send_close(reason.code, reason.reason)
            self._flush()

    def abort(self) -> None:
        """Drop the connection, once what fits into the socket is out."""
        self._loop.call_soon(self.transport.abort)

    def pause_reading(self) -> None:
        """Take no more frames in."""
        if not self.transport.is_closing():
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        """Take frames in again."""
        if not self.transport.is_closing():
            self.transport.resume_reading()

    # --- frames

    def _quick(self, session: Session, data: bytes) -> int:
        """Take the ordinary frames that `data` begins with, without the core. Returns how much was taken.

        To be called between frames only.
        """
        position = 0
        if self._core.state is OPEN and self._fragments is None:
            limit = self._door.settings.read_limit_bytes
            for position, text in ordinary(data, limit, inflates=self.inflates):  # noqa: B007 - where it got to
                if text is not None:
                    self._text(session, text)
                    if self._core.state is not OPEN:
                        break
        return position

    def _frame(self, frame: Frame) -> None:
        # What came before a close frame counts, though the core has read that one too by now.
        session = self._session
        if session is None:
            return
        if frame.opcode is Opcode.TEXT:
            if frame.fin:
                self._text(session, bytes(frame.data))
            else:
                self._fragments = [bytes(frame.data)]
        elif frame.opcode is Opcode.CONT:
            self._continue(session, frame)
        elif frame.opcode is Opcode.BINARY:
            self._binary(session, frame)
        elif frame.opcode is Opcode.CLOSE:
            session.lost()

    def _binary(self, session: Session, _frame: Frame) -> None:
        """The first frame of a binary message, which the chat does not know."""
        self._end(session, BINARY_FRAME)

    def _continue(self, session: Session, frame: Frame) -> None:
        fragments = self._fragments
        if fragments is None:
            return
        fragments.append(bytes(frame.data))
        if len(fragments) > max(_MOST_FRAGMENTS, self._door.settings.read_limit_bytes // _SHORT_FRAGMENT):
            self._end(session, CloseReason(1009, "too many fragments"))
        elif frame.fin:
            self._fragments = None
            self._text(session, b"".join(fragments))

    def _text(self, session: Session, data: bytes) -> None:
        try:
            text = data.decode()
        except UnicodeDecodeError:
            self._end(session, NOT_UTF8)
        else:
            session.receive(text)

    def _end(self, session: Session, reason: CloseReason) -> None:
        """The other side broke a rule: it hears why, and nothing more."""
        self.close(reason)
        session.lost()

    def _size(self, frame: Frame) -> int:
        """How long a client's frame was on the wire, if its length was written as short as can be.

        Of a frame that may have been compressed that is not known: from then on the core has every byte.
        """
        if self.inflates and frame.opcode in _DATA:
            return 0
        length = len(frame.data)
        return length + (6 if length < 126 else 8 if length < 65536 else 14)

    def _flush(self) -> None:
        for data in self._core.data_to_send():
            if data:
                self.transport.write(data)
            else:  # the core's sign that the stream ends
                self.transport.close()
        if self._close_timer is None and self._session is not None and self._core.close_expected():
            self._close_timer = self._loop.call_later(CLOSE_SECONDS, self.transport.abort)

    # --- the handshake

    def _knock(self, request: Request) -> None:
        peer = self.transport.get_extra_info("peername")
        knock = Knock(
            target=request.path,
            values=request.headers.get_all,
            peer=peer[0] if peer else "",
            tls=self.transport.get_extra_info("sslcontext") is not None,
        )
        response = self._core.accept(request)
        if response.status_code == 400 and request.headers.get_all("Sec-WebSocket-Version") not in (
            [],
            ["13"],
        ):
            # RFC 6455 §4.4: say which version would do.
            response = self._core.reject(426, "This server speaks WebSocket version 13.\n")
            response.headers["Sec-WebSocket-Version"] = "13"
        try:
            address = self._door.look(knock)
            if response.status_code != 101:
                self._answer(response)
                return
            found = self._door.identify(knock)
            self._address = address
            self._door.came(address)
            if isinstance(found, Awaitable):
                self._handshake = self._door.hub.spawn(self._open_later(request, response, knock, found))
            else:
                self._open(request, response, knock, found)
        except Refused as refused:
            self._refuse(refused)

    async def _open_later(
        self, request: Request, response: Response, knock: Knock, finding: Awaitable[Identity | None]
    ) -> None:
        try:
            self._open(request, response, knock, await finding)
        except Refused as refused:
            self._refuse(refused)
        self._handshake = None
        self._flush()

    def _open(self, request: Request, response: Response, knock: Knock, found: Identity | None) -> None:
        identity = self._door.admit(found)
        if self.transport.is_closing():
            return
        self._answer(response)
        self.inflates = bool(self._core.extensions)
        self._session = self._enter(identity, knock)
        request.headers.clear()  # the core keeps the request as long as the connection: 2.5 KiB

    def _enter(self, identity: Identity, knock: Knock) -> Session:
        return self._door.enter(identity, self, full=full_profile(knock.protocols))

    def _refuse(self, refused: Refused) -> None:
        self._door.hub.figures.refused(refused.refusal.code)
        response = self._core.reject(refused.refusal.status, refused.detail + "\n")
        if refused.refusal.status == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
        if refused.retry_after_seconds is not None:
            response.headers["Retry-After"] = str(max(1, round(refused.retry_after_seconds)))
        self._answer(response)

    def _answer(self, response: Response) -> None:
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        self._core.send_response(response)
        self._flush()


def _select_subprotocol(_core: ServerProtocol, offered: Any) -> Subprotocol | None:
    return Subprotocol(SUBPROTOCOL) if SUBPROTOCOL in offered else None


def protocol_factory(
    door: Door, ring: Ring | None = None, kind: type[WebSocketProtocol] = WebSocketProtocol
) -> Callable[..., WebSocketProtocol]:
    """What uvicorn takes as ``ws=``: makes a protocol for each upgrade."""

    def make(config: Any, server_state: Any, app_state: Any, _loop: Any = None) -> WebSocketProtocol:
        return kind(door, server_state.connections, ring)

    return make
