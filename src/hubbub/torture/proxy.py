"""A network that fails: a TCP proxy between one client and the server, for which faults can be ordered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, Literal

Direction = Literal["up", "down"]  # to the server, to the client

_CHUNK: Final = 16 * 1024
_DRIP_SECONDS: Final = 0.02


class Proxy:
    """Listens on a port of its own and passes on to another. Faults hold for all connections until `heal`."""

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self._target_port = target_port
        self._links: set[_Link] = set()
        self._lost: list[asyncio.StreamWriter] = []  # ends that wait for a peer that is gone without a word
        self._server: asyncio.Server
        self._flows = {"up": asyncio.Event(), "down": asyncio.Event()}
        self.heal()

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Drop everything."""
        self.heal()
        self.cut()
        self._server.close()

    def heal(self) -> None:
        """No faults from here on."""
        self._delay_seconds = 0.0
        self._drip_bytes = 0
        for flows in self._flows.values():
            flows.set()
        for writer in self._lost:
            writer.transport.abort()
        self._lost.clear()

    def cut(self) -> None:
        """Reset every connection, both ways."""
        for link in list(self._links):
            link.abort()

    def vanish(self) -> None:
        """The client loses its connections; the server hears nothing of it, neither now nor later."""
        for link in list(self._links):
            self._lost.append(link.forget_client())

    def hold(self, direction: Direction) -> None:
        """Nothing passes in one direction, and nobody is told."""
        self._flows[direction].clear()

    def delay(self, seconds: float) -> None:
        """Each piece comes so much later."""
        self._delay_seconds = seconds

    def drip(self, count: int) -> None:
        """So many bytes at a time, some fifty times a second."""
        self._drip_bytes = count

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            up = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            writer.transport.abort()  # nobody there
            return
        link = _Link((reader, writer), up)
        self._links.add(link)
        try:
            await link.run(self._pass)
        finally:
            self._links.discard(link)

    async def _pass(self, direction: Direction, data: bytes, writer: asyncio.StreamWriter) -> None:
        while data:
            await self._flows[direction].wait()
            if self._delay_seconds or self._drip_bytes:
                await asyncio.sleep(self._delay_seconds or _DRIP_SECONDS)
            size = self._drip_bytes or len(data)
            writer.write(data[:size])
            await writer.drain()
            data = data[size:]


Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Pass = Callable[[Direction, bytes, asyncio.StreamWriter], Awaitable[None]]


class _Link:
    """One connection: the client's end and the server's."""

    def __init__(self, client: Stream, server: Stream) -> None:
        self._client = client
        self._server = server
        self._running: asyncio.Future[tuple[None, None]] | None = None
        self._forgotten = False

    async def run(self, pass_on: Pass) -> None:
        """Until either side ends it, or it is aborted."""
        up = self._pump("up", self._client[0], self._server[1], pass_on)
        down = self._pump("down", self._server[0], self._client[1], pass_on)
        self._running = asyncio.gather(up, down)
        with suppress(OSError, asyncio.CancelledError):
            await self._running
        self._client[1].transport.abort()
        if not self._forgotten:
            self._server[1].transport.abort()

    def abort(self) -> None:
        """Reset both ends."""
        if self._running is not None:
            self._running.cancel()

    def forget_client(self) -> asyncio.StreamWriter:
        """Reset the client's end; the server's stays open, and is returned."""
        self._forgotten = True
        self.abort()
        return self._server[1]

    async def _pump(
        self, direction: Direction, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pass_on: Pass
    ) -> None:
        while data := await reader.read(_CHUNK):
            await pass_on(direction, data, writer)
        if writer.can_write_eof():
            writer.write_eof()
