"""The WebSocket on any ASGI server: for an application that mounts Hubbub in its own.

The server frames, pings and closes by itself here; our finished frames are taken apart again. On uvicorn,
`hubbub.transport.websocket` does without that.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from hubbub import frames
from hubbub.connection import Client
from hubbub.errors import BINARY_FRAME, CloseReason, Refused
from hubbub.events import SUBPROTOCOL
from hubbub.tickets import Identity
from hubbub.transport.door import Door, Knock, full_profile

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_TOO_BIG: Final = CloseReason(1009, "message too big")


async def serve_websocket(door: Door, scope: Scope, receive: Receive, send: Send) -> None:
    """One ASGI WebSocket connection, from the request to its end."""
    if (await receive())["type"] != "websocket.connect":
        return
    knock = _knock(scope)
    try:
        address = door.look(knock)
        found = door.identify(knock)
        identity = door.admit(await found if isinstance(found, Awaitable) else found)
    except Refused as refused:
        await _refuse(scope, send, refused)
        return
    full = full_profile(knock.protocols)
    door.came(address)
    try:
        await send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL if full else None})
        await AsgiWebSocket(door, receive, send).run(identity, full=full)
    finally:
        door.left(address)


class AsgiWebSocket:
    """One open connection: a `hubbub.connection.Transport` with a buffer of its own."""

    def __init__(self, door: Door, receive: Receive, send: Send) -> None:
        self._door = door
        self._receive = receive
        self._send = send
        self._high = door.settings.write_buffer_bytes
        self._out: deque[bytes] = deque()
        self._buffered = 0
        self._something = asyncio.Event()
        self._may_read = asyncio.Event()
        self._may_read.set()
        self._closing: CloseReason | None = None
        self._client: Client | None = None
        self._sender: asyncio.Task[None] | None = None
        self.socket: bytes | None = None  # the ASGI server's alone
        self.inflates = False  # that is the ASGI server's to decide

    async def run(self, identity: Identity, *, full: bool) -> None:
        """Until either side ends it."""
        self._sender = asyncio.create_task(self._send_all())
        reading = asyncio.create_task(self._read_all())
        self._client = self._door.enter(identity, self, full=full)
        try:
            await asyncio.wait((self._sender, reading), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._client.lost()
            for task in (self._sender, reading):
                task.cancel()
            await asyncio.gather(self._sender, reading, return_exceptions=True)

    # --- the hub calls these

    def write(self, data: bytes) -> None:
        """Send finished frames."""
        if self._closing is not None:
            return
        self._out.append(data)
        self._buffered += len(data)
        self._something.set()
        if self._buffered > self._high and self._client is not None:
            self._client.fall_behind(self._door.hub.clock.monotonic())

    def ping(self) -> None:
        """The ASGI server pings by itself, and ends what does not answer."""
        if self._client is not None:
            self._client.heard = True

    def close(self, reason: CloseReason) -> None:
        """Close once what was written is out."""
        self._closing = reason
        self._something.set()

    def abort(self) -> None:
        """Drop what was not sent."""
        if self._sender is not None:
            self._sender.cancel()

    def pause_reading(self) -> None:
        """Take no more messages in."""
        self._may_read.clear()

    def resume_reading(self) -> None:
        """Take messages in again."""
        self._may_read.set()

    # ---

    async def _read_all(self) -> None:
        while True:
            await self._may_read.wait()
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            client = self._client
            if client is None or self._closing is not None:
                continue
            client.heard = True
            if text is None:
                client.close(BINARY_FRAME)
            elif len(text.encode()) > self._door.settings.read_limit_bytes:
                client.close(_TOO_BIG)
            else:
                client.receive(text)

    async def _send_all(self) -> None:
        while True:
            await self._something.wait()
            self._something.clear()
            while self._out:
                data = self._out.popleft()
                for payload in frames.payloads(data):
                    await self._send({"type": "websocket.send", "text": payload.decode()})
                self._sent(len(data))
            if self._closing is not None:
                await self._send(
                    {
                        "type": "websocket.close",
                        "code": self._closing.code,
                        "reason": self._closing.reason,
                    }
                )
                return

    def _sent(self, size: int) -> None:
        self._buffered -= size
        client = self._client
        if client is not None and client.behind_since is not None and self._buffered <= self._high // 4:
            client.caught_up()


def _knock(scope: Scope) -> Knock:
    headers: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    query = scope.get("query_string", b"").decode("latin-1")
    peer = scope.get("client")
    return Knock(
        target=f"{path}?{query}",
        values=lambda name: headers.get(name.lower(), []),
        peer=peer[0] if peer else "",
        tls=scope.get("scheme") == "wss",
    )


async def _refuse(scope: Scope, send: Send, refused: Refused) -> None:
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008})  # which the server turns into 403
        return
    await send(
        {
            "type": "websocket.http.response.start",
            "status": refused.refusal.status,
            "headers": [(b"content-type", b"text/plain; charset=utf-8")],
        }
    )
    await send({"type": "websocket.http.response.body", "body": refused.detail.encode() + b"\n"})
