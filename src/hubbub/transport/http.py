"""HTTP on uvicorn, with bounds on how long and how large a request's head may be."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES: Final = 16 * 1024
HEADERS: Final = 100


class HttpProtocol(HttpToolsProtocol):
    """uvicorn's own, but a request's head arrives within `head_seconds` and is not too large (431)."""

    head_seconds = 10.0

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._head_timer: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._cycles: list[Any] = []  # requests that are not answered yet: several, if they came at once

    def connection_made(self, transport: Any) -> None:
        """A connection: its first request is awaited."""
        super().connection_made(transport)
        self._head_timer = self.loop.call_later(self.head_seconds, self._head_late)

    def data_received(self, data: bytes) -> None:
        """Bytes of a request."""
        if self._head_timer is None and self.cycle.response_complete:
            self._head_timer = self.loop.call_later(self.head_seconds, self._head_late)
            self._head_bytes = 0
        if self._head_timer is not None:
            self._head_bytes += len(data)
            head = data.find(b"\r\n\r\n")
            if self._head_bytes > HEAD_BYTES and (
                head < 0 or self._head_bytes - len(data) + head > HEAD_BYTES
            ):
                self._refuse_head()
                return
        super().data_received(data)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._stop_head_timer()
        if len(self.headers) > HEADERS:
            self._refuse_head()
            return
        if self.transport.is_closing():
            return
        super().on_headers_complete()
        self._cycles = [cycle for cycle in self._cycles if not cycle.response_complete]
        if self.cycle is not None:
            self._cycles.append(self.cycle)

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over to the WebSocket protocol."""
        self._stop_head_timer()
        if self.parser.get_http_version() == "1.0":  # which knows no upgrade
            self._answer(b"505 HTTP Version Not Supported")
            self.transport.close()
        elif not self.transport.is_closing():
            super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        """What came is no HTTP. What was asked before it can't be answered any more."""
        self._give_up()
        if not self.transport.is_closing():
            super().send_400_response(msg)

    def eof_received(self) -> None:
        """The other side ends the connection, which is closed with that."""
        self._give_up()

    def _give_up(self) -> None:
        """The connection is closed from here on, though the loop has yet to say so: nothing may be written to it."""
        self.pipeline.clear()
        for cycle in self._cycles:
            cycle.disconnected = True
            cycle.message_event.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._stop_head_timer()
        super().connection_lost(exc)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_late(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            if self._head_bytes:
                self._answer(b"408 Request Timeout")
            self.transport.close()

    def _refuse_head(self) -> None:
        self._stop_head_timer()
        self._give_up()
        self._answer(b"431 Request Header Fields Too Large")
        self.transport.close()

    def _answer(self, status: bytes) -> None:
        self.transport.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
