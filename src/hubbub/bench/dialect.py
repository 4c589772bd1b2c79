"""How a server writes what the load generator says and hears: Hubbub's own wire, and that of others it is measured beside."""

from __future__ import annotations

from typing import ClassVar, Final

import msgspec

from hubbub.bench.wire import Event, Payload, WireError, decode, enter_request
from hubbub.events import SUBPROTOCOL


class Dialect:
    """Hubbub's wire: a JSON text frame for each event, the entries of a room numbered by the server.

    `numbers` is whether the server does that; where it does not, the generator numbers a room's messages as it
    receives them. `enters` is whether there is an event that says when a client is in its room.
    """

    subprotocol: ClassVar[str | None] = SUBPROTOCOL
    numbers: ClassVar[bool] = True
    enters: ClassVar[bool] = True

    def address(self, url: str, room: str) -> str:
        """Where a client of `room` connects."""
        del room
        return url

    def greeting(self, room: str) -> bytes | None:
        """What a client says first."""
        return enter_request(room)

    def answer(self, payload: bytes, room: str) -> bytes | None:
        """What the protocol answers to this frame, if it is no event but one of its own."""
        del payload, room
        return None

    def event(self, payload: bytes) -> Event:
        """The event in a frame. Raises `WireError`."""
        return decode(payload)

    def message(self, request: bytes) -> bytes:
        """Hubbub's request to send a message, as this server takes it."""
        return request


class Bare(Dialect):
    """Hubbub's wire without its subprotocol, which a server that knows one kind of client does not ask for."""

    subprotocol = None


class Relay(Bare):
    """Whatever is sent to a channel comes to all its subscribers as it is. The room is in the address, and nothing is numbered."""

    numbers = False
    enters = False

    def address(self, url: str, room: str) -> str:
        """The room's name is the end of the path."""
        return f"{url}/{room}"

    def greeting(self, room: str) -> bytes | None:
        """Connecting is entering."""
        del room
        return None

    def message(self, request: bytes) -> bytes:
        """As everyone is to receive it."""
        return b'{"type":"new_message"' + request.removeprefix(_SEND)


class SocketIO(Bare):
    """Socket.IO's protocol, version 5, on Engine.IO's, version 4, over a WebSocket from the beginning.

    The first character of a frame is Engine.IO's type, that of a message's data Socket.IO's.
    """

    def greeting(self, room: str) -> bytes | None:
        """The server speaks first."""
        del room
        return None

    def answer(self, payload: bytes, room: str) -> bytes | None:
        """Connect when the transport is open, enter the room once connected, and answer heartbeats."""
        if payload.startswith(_OPEN):
            return _CONNECT
        if payload.startswith(_CONNECT):
            return _EVENT + msgspec.json.encode(["enter", {"room": room}])
        return _PONG if payload == _PING else None

    def event(self, payload: bytes) -> Event:
        """The event's name and its one argument. Raises `WireError`."""
        if not payload.startswith(_EVENT):
            raise WireError(f"a packet that is no event: {payload[:80]!r}")
        try:
            return Event(*_decode_arguments(payload[len(_EVENT) :]))
        except msgspec.DecodeError as error:
            raise WireError(f"an event that is none: {error}: {payload[:80]!r}") from error

    def message(self, request: bytes) -> bytes:
        """An event with one argument, the payload."""
        payload = request.removeprefix(_SEND + b',"payload":').removesuffix(b"}")
        return _EVENT + b'["send_message",' + payload + b"]"


_SEND: Final = b'{"type":"send_message"'
_OPEN: Final = b"0"
_PING: Final = b"2"
_PONG: Final = b"3"
_CONNECT: Final = b"40"
_EVENT: Final = b"42"
_decode_arguments = msgspec.json.Decoder(tuple[str, Payload]).decode

HUBBUB: Final = Dialect()
DIALECTS: Final = {"hubbub": HUBBUB, "bare": Bare(), "relay": Relay(), "socketio": SocketIO()}
