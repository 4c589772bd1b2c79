"""One connection: opened by picows, entered into its room, and then read by comparing bytes."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Any, Final

import picows

from hubbub.bench.dialect import HUBBUB, Dialect
from hubbub.bench.ears import Ears
from hubbub.bench.reader import Reader
from hubbub.bench.wire import WireError

CONNECT_SECONDS: Final = 60.0

_IP_BIND_ADDRESS_NO_PORT: Final = 24
_SLOW_READER_BUFFER_BYTES: Final = 4096


class NotAdmittedError(Exception):
    """The server does not let a client in. The text says why, in words for people."""


class Client(picows.WSListener):
    """A connection of the bench. `entered` is done once it is in its room and reads at full speed.

    `reader` decides what is made of what arrives; this class only carries it there. picows opens the connection and reads
    until the room is entered; from then on `ears` read. What is sent is framed and masked by picows all the time.
    Under TLS picows goes on reading, frame by frame: as exact, but slower.
    """

    def __init__(self, room: str, is_slow: bool, ears: Ears, dialect: Dialect = HUBBUB) -> None:
        self.entered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.reader: Reader | None = None
        self.room = room
        self.dialect = dialect
        self._is_slow = is_slow
        self._ears = ears
        self._transport: picows.WSTransport | None = None
        self._is_heard = False
        self._is_leaving = False

    # --- what a reader and a speaker need: see `reader.Answers` ---

    def send(self, payload: bytes) -> None:
        """Send a text frame."""
        if self._transport is not None:
            self._transport.send(picows.WSMsgType.TEXT, payload)

    def say(self, request: bytes) -> None:
        """Send a request of Hubbub's to send a message, as this server writes it."""
        self.send(self.dialect.message(request))

    def pong(self, payload: bytes) -> None:
        """Answer a ping."""
        if self._transport is not None:
            self._transport.send_pong(payload)

    def leave(self) -> None:
        """Close the connection. What arrives from now on is not looked at."""
        self._is_leaving = True
        if self._transport is not None:
            self._transport.underlying_transport.abort()

    # --- picows: until the room is entered ---

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        """The handshake is done: ask to enter the room, or be in it where connecting is entering."""
        self._transport = transport
        greeting = self.dialect.greeting(self.room)
        if greeting is not None:
            self.send(greeting)
        if not self.dialect.enters and self.reader is not None:
            self.reader.enter()
            self._hand_over(transport, self.reader)

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """A frame arrived before `ears` took over. Pings are answered by picows."""
        if frame.msg_type == picows.WSMsgType.CLOSE:
            self.ended(f"code {frame.get_close_code()} {frame.get_close_reason() or ''}".rstrip())
        elif frame.msg_type == picows.WSMsgType.TEXT:
            self._read(frame.get_payload_as_bytes())
        if (
            frame.tail_size == 0
            and self.reader is not None
            and self.reader.has_entered
            and not self._is_heard
        ):
            self._hand_over(transport, self.reader)

    def on_ws_disconnected(self, transport: picows.WSTransport) -> None:
        """The connection ended before `ears` took over."""
        self.ended("the connection ended")

    def ended(self, why: str) -> None:
        """The connection ended; if not by us, that is a fault."""
        if self._is_leaving:
            return
        if self.reader is not None:
            self.reader.note_close(why)
        self._fail_to_enter(why)
        self.leave()

    def _read(self, payload: bytes) -> None:
        if self.reader is None or self._is_leaving:
            return
        try:
            self.reader.take_payload(payload, time.monotonic_ns())
        except WireError as error:
            self.ended(str(error))
        if self.reader.refusal:
            self._fail_to_enter(self.reader.refusal)

    def _fail_to_enter(self, why: str) -> None:
        if not self.entered.done():
            self.entered.set_exception(
                NotAdmittedError(f"the server does not let a client enter {self.room}: {why}")
            )

    def _hand_over(self, transport: picows.WSTransport, reader: Reader) -> None:
        """Let others read from here on: picows holds nothing that it has read and not parsed."""
        self._is_heard = True
        underlying = transport.underlying_transport
        opened: socket.socket = underlying.get_extra_info("socket")
        if self._is_slow:
            underlying.pause_reading()
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SLOW_READER_BUFFER_BYTES)
        elif not transport.is_secure:
            underlying.pause_reading()
            self._ears.add(opened.fileno(), reader, self.ended)
        if not self.entered.done():
            self.entered.set_result(None)


async def connect(url: str, client: Client, token: str | None, source: str | None) -> None:
    """Open the connection of `client` and enter its room. Raises `NotAdmittedError`."""
    dialect = client.dialect
    headers = [("Sec-WebSocket-Protocol", dialect.subprotocol)] if dialect.subprotocol else []
    if token is not None:
        headers.append(("Authorization", f"Bearer {token}"))
    options: dict[str, Any] = {}
    if source is not None:
        options["socket_factory"] = lambda _: _socket(source)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await picows.ws_connect(
                lambda: client,
                dialect.address(url, client.room),
                extra_headers=headers,
                websocket_handshake_timeout=CONNECT_SECONDS,
                **options,
            )
            await client.entered
    except picows.WSInvalidStatusError as error:
        status = int(error.response.status) if error.response else 0
        hint = "; give --tokens FILE, with a line name,token for each account" if status == 401 else ""
        raise NotAdmittedError(f"the server refused a connection: HTTP {status}{hint}") from error
    except TimeoutError as error:
        raise NotAdmittedError(f"a connection was not in its room within {CONNECT_SECONDS:.0f} s") from error
    except (OSError, picows.WSError) as error:
        raise NotAdmittedError(f"no connection to {url}: {error}") from error


def _socket(source: str) -> socket.socket:
    """A socket from the address `source`, whose port is chosen only at connect().

    With both ends known, the kernel may use all of the address's ports for each server.
    """
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    opened.setblocking(False)
    opened.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
    opened.bind((source, 0))
    return opened
