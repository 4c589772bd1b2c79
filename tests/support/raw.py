"""Bytes on a socket, for what no decent client would send (RFC 6455)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol

from websockets.utils import apply_mask

from tests.support.client import Event
from tests.support.server import WAIT_SECONDS, Person, Server

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
CLOSE_BYTES: Final = 127  # of the longest close frame of a server
KEY: Final = base64.b64encode(b"0123456789abcdef").decode()
ACCEPT: Final = base64.b64encode(
    hashlib.sha1(f"{KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
).decode()


class Listening(Protocol):
    """What can be connected to on this machine."""

    @property
    def port(self) -> int:
        """Where."""


@dataclass(frozen=True)
class Frame:
    """One frame as it came."""

    opcode: int
    payload: bytes
    fin: bool = True
    rsv: int = 0
    masked: bool = False

    @property
    def close(self) -> tuple[int, str]:
        """What a close frame says; 1005 for nothing."""
        assert self.opcode == CLOSE, self
        if not self.payload:
            return 1005, ""
        return int.from_bytes(self.payload[:2], "big"), self.payload[2:].decode()


@dataclass(frozen=True)
class Answer:
    """The head of an answer, and its body if it says how long that is. Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    masked: bool = True,
    declared: int | None = None,
) -> bytes:
    """A frame as a client sends it. `declared` is the length that it says it has."""
    length = len(payload) if declared is None else declared
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    bit = 0x80 if masked else 0
    if length < 126:
        head += bytes([bit | length])
    elif length < 65_536:
        head += struct.pack("!BH", bit | 126, length)
    else:
        head += struct.pack("!BQ", bit | 127, length)
    if not masked:
        return head + payload
    key = os.urandom(4)
    return head + key + apply_mask(payload, key)


def event(type_: str, *, padded_to: int = 0, **payload: Any) -> bytes:
    """The text of an event with the ref 1, with spaces behind it up to a length."""
    text = json.dumps({"type": type_, "ref": 1, "payload": payload}).encode()
    return text + b" " * (padded_to - len(text))


def close(code: int, reason: bytes = b"") -> bytes:
    """A close frame."""
    return frame(CLOSE, struct.pack("!H", code) + reason)


def handshake(server: Listening, *, start: str = "GET /ws HTTP/1.1", **changes: str | None) -> bytes:
    """The request for a WebSocket, with headers changed or, if None, left out; ``_`` in a name stands for ``-``."""
    headers: dict[str, str | None] = {
        "Host": f"127.0.0.1:{server.port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Version": "13",
    }
    by_lower = {name.lower(): name for name in headers}
    for name, value in changes.items():
        dashed = name.replace("_", "-")
        headers[by_lower.get(dashed.lower(), dashed)] = value
    lines = [start, *(f"{name}: {value}" for name, value in headers.items() if value is not None)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Raw:
    """A socket with nothing between it and the test."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes, *, chop: int = 0) -> None:
        """Send bytes, in pieces of `chop` if that is given."""
        for place in range(0, len(data), chop or len(data) or 1):
            self._writer.write(data[place : place + chop] if chop else data)
            await self._writer.drain()

    async def answer(self) -> Answer:
        """Read the answer to a request."""
        async with asyncio.timeout(WAIT_SECONDS):
            first, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {
                name.strip().lower(): value.strip()
                for name, _, value in (line.partition(":") for line in lines if line)
            }
            body = await self._reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(int(first.split()[1]), headers, body)

    async def read(self) -> Frame:
        """Read one frame."""
        async with asyncio.timeout(WAIT_SECONDS):
            first, second = await self._reader.readexactly(2)
            length = second & 0x7F
            if length == 126:
                length = int.from_bytes(await self._reader.readexactly(2), "big")
            elif length == 127:
                length = int.from_bytes(await self._reader.readexactly(8), "big")
            payload = await self._reader.readexactly(length)
        return Frame(first & 0x0F, payload, bool(first & 0x80), first >> 4 & 7, bool(second & 0x80))

    async def until(self, *opcodes: int) -> Frame:
        """Read frames until one of these comes."""
        while True:
            found = await self.read()
            if found.opcode in opcodes:
                return found

    async def event(self) -> Event:
        """The next event."""
        told = json.loads((await self.until(TEXT)).payload)
        return Event(told["type"], told["payload"], told.get("ref"))

    async def event_until(self, type_: str, **fields: object) -> Event:
        """The next event of this type with these values; those before it are dropped."""
        while True:
            found = await self.event()
            if found.type == type_ and found.has(**fields):
                return found

    async def heard(self, type_: str) -> dict[str, Any]:
        """Read until an event of this type comes; its payload."""
        return (await self.event_until(type_)).payload

    async def closed(self) -> tuple[int, str]:
        """Wait for the close frame, answer it, and wait for the end; code and reason."""
        found = await self.until(CLOSE)
        await self.send(frame(CLOSE, found.payload[:2]))
        await self.ended()
        return found.close

    async def frames_until_close(self) -> list[Frame]:
        """All frames up to the close; taken off the wire as fast as can be, and looked at later."""
        taken = bytearray()
        async with asyncio.timeout(WAIT_SECONDS):
            while b"\x88" not in taken[-CLOSE_BYTES:] or not _ends_with_close(taken):
                data = await self._reader.read(2**20)
                assert data, "it ended without a close"
                taken += data
        self._reader = asyncio.StreamReader()
        self._reader.feed_data(bytes(taken))
        found = [await self.read()]
        while found[-1].opcode != CLOSE:
            found.append(await self.read())
        return found

    async def ended(self) -> bytes:
        """Wait until the other side ends the connection; what came before."""
        rest = b""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while data := await self._reader.read(65_536):
                    rest += data
        except ConnectionError:
            pass  # an end as well
        return rest

    async def no_more(self) -> None:
        """Say that nothing more will be sent."""
        self._writer.write_eof()


def _ends_with_close(taken: bytearray) -> bool:
    """Whether the last bytes are a whole close frame that says to come back."""
    start = taken.rfind(b"\x88", -CLOSE_BYTES)
    code = taken[start + 2 : start + 4]
    return len(taken) == start + 2 + taken[start + 1] and code == (1012).to_bytes(2, "big")


@asynccontextmanager
async def raw(server: Listening, *, limit: int = 2**20) -> AsyncIterator[Raw]:
    """A bare connection, which takes in `limit` bytes or a little more before they are read."""
    plain = socket.socket()
    if limit < 2**16:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, limit)
    plain.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", server.port))
    reader, writer = await asyncio.open_connection(sock=plain, limit=limit)
    try:
        yield Raw(reader, writer)
    finally:
        writer.transport.abort()


@asynccontextmanager
async def raw_socket(
    server: Server, person: Person, *, protocol: str | None = "hubbub.v1", limit: int = 2**20
) -> AsyncIterator[Raw]:
    """A WebSocket, opened; in the full profile it has been welcomed."""
    async with raw(server, limit=limit) as opened:
        await opened.send(handshake(server, **person.bearer, Sec_WebSocket_Protocol=protocol))
        assert (await opened.answer()).status == 101
        if protocol is not None:
            await opened.heard("welcome")
        yield opened
