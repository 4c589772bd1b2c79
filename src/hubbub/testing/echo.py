"""An echo on the very transport that the chat uses, for conformance suites such as Autobahn's.

``python -m hubbub.testing.echo --port 9001`` lets everyone in without a ticket, and sends each text and each binary
message back as it came. It keeps nothing. Not for the open network.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import uvicorn
from starlette.applications import Starlette
from websockets.frames import Frame

from hubbub import frames
from hubbub.clock import SystemClock
from hubbub.compression import Deflater
from hubbub.hub import Hub
from hubbub.settings import Settings
from hubbub.tickets import Identity, Tickets
from hubbub.transport.door import Door, Knock
from hubbub.transport.http import HttpProtocol
from hubbub.transport.ring import open_ring
from hubbub.transport.websocket import Session, WebSocketProtocol, protocol_factory

LONGEST_BYTES: Final = 16 * 1024 * 1024
_BINARY: Final = 0b11  # what is to be changed in the first byte of a finished text frame
_NOBODY: Final = Identity(0, "nobody", "", "member")


class EchoDoor(Door):
    """Lets everyone in, at every path."""

    def look(self, knock: Knock) -> str:
        """Whoever it is."""
        return ""

    def identify(self, knock: Knock) -> Identity | None:
        """Nobody in particular."""
        return _NOBODY


class EchoSession:
    """Sends back what it is given; reads no more while that is not taken."""

    def __init__(self, transport: WebSocketProtocol, deflater: Deflater) -> None:
        self.heard = True
        self._transport = transport
        self._deflater = deflater

    def receive(self, text: str) -> None:
        """A text message."""
        self._transport.write(self._framed(text.encode()))

    def receive_bytes(self, data: bytes) -> None:
        """A binary message."""
        framed = self._framed(data)
        self._transport.write(bytes((framed[0] ^ _BINARY,)) + framed[1:])

    def _framed(self, data: bytes) -> bytes:
        frame = frames.text(data)
        return self._deflater.deflated(frame) if self._transport.inflates else frame

    def lost(self) -> None:
        """There is nothing to give back."""

    def fall_behind(self, now: float) -> None:
        """The other side reads more slowly than it sends."""
        self._transport.pause_reading()

    def caught_up(self) -> None:
        """It has read."""
        self._transport.resume_reading()

    def rerouted(self) -> None:
        """There is no room whose ring would have to know."""


class EchoProtocol(WebSocketProtocol):
    """The chat's transport with an echo behind it, which takes binary messages as well."""

    __slots__ = ("_of_bytes",)
    deflater: Final = Deflater()

    def _enter(self, identity: Identity, knock: Knock) -> Session:
        self._of_bytes = False
        return EchoSession(self, self.deflater)

    def _binary(self, session: Session, frame: Frame) -> None:
        self._of_bytes = True
        if frame.fin:
            self._text(session, bytes(frame.data))
        else:
            self._fragments = [bytes(frame.data)]

    def _text(self, session: Session, data: bytes) -> None:
        if self._of_bytes and isinstance(session, EchoSession):
            self._of_bytes = False
            session.receive_bytes(data)
        else:
            super()._text(session, data)


async def serve(listener: socket.socket, settings: Settings) -> None:
    """Echo until SIGTERM or Ctrl-C. Says where on standard output."""
    clock = SystemClock()
    hub = Hub()
    hub.clock = clock
    door = EchoDoor(settings, hub, Tickets(clock, settings.ticket_seconds), _by_token)
    ring = open_ring() if settings.io_uring else None
    config = uvicorn.Config(
        Starlette(),
        http=HttpProtocol,
        ws=protocol_factory(door, ring, EchoProtocol),  # type: ignore[arg-type]
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=2,
    )
    host, port = listener.getsockname()[:2]
    print(f"Hubbub's echo at ws://{host}:{port}", flush=True)
    await uvicorn.Server(config).serve(sockets=[listener])


async def _by_token(_token: str) -> Identity | None:
    return _NOBODY


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit status."""
    parser = argparse.ArgumentParser("hubbub.testing.echo", description="An echo on Hubbub's own transport.")
    parser.add_argument("--port", type=int, default=9001, help="0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--read-limit-bytes", type=int, default=LONGEST_BYTES, help="of one message: 128 to 16777216"
    )
    given = parser.parse_args(arguments)
    if not 128 <= given.read_limit_bytes <= LONGEST_BYTES:
        parser.error(f"--read-limit-bytes must be from 128 to {LONGEST_BYTES}")
    settings = Settings(
        data=Path(),
        host=given.host,
        port=given.port,
        read_limit_bytes=given.read_limit_bytes,
        limit_connections=0,
        limit_address=0,
    )
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server((settings.host, settings.port), family=family, backlog=1024)
    except (OSError, OverflowError) as error:
        print(f"Can't listen on {settings.host}:{settings.port}: {error}.", file=sys.stderr)
        return 1
    with listener, asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(serve(listener, settings))
    return 0


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - there is none on Windows
    except ImportError:
        return None
    return uvloop.new_event_loop


if __name__ == "__main__":
    sys.exit(main())
