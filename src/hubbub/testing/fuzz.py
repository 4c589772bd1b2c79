"""Random and damaged frames and HTTP requests at a running server: ``python -m hubbub.testing.fuzz --count 100000``.

It starts a server of its own. Inputs come in batches, each from the seed and its own number, so that a run repeats with
its seed whatever order the batches are sent in. Two people talk in a room all the while, and must never be disturbed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import os
import random
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hubbub.testing.bystanders import Bystanders, Disturbed
from hubbub.testing.inputs import Input, event_input, request_input
from hubbub.torture.server import VictimServer

BATCH: Final = 200
_CHUNK: Final = 20  # inputs in one write
_AT_ONCE: Final = 4
_WAIT_SECONDS: Final = 20.0
_REQUESTS: Final = 0.15  # of all batches
_PEOPLE: Final = 8
_MORE_FILES: Final = 8
_MORE_BYTES: Final = 48 * 1024 * 1024
# What comes before it on the connection has been handled when it is answered.
_QUESTION: Final = b'{"type":"anything more","ref":"fuzz-end","payload":{}}'
_ASKED: Final = bytes((0x81, 0x80 | len(_QUESTION), 0, 0, 0, 0)) + _QUESTION
_ANSWERED: Final = b'"ref":"fuzz-end"'
_LAST: Final = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
_SETTINGS: Final = {"HUBBUB_IO_URING": "true", "HUBBUB_LIMIT_SEARCHES": "0"}


@dataclass
class FuzzResult:
    """What a run sent, and what went wrong."""

    seed: int
    frames: int = 0
    requests: int = 0
    connections: int = 0
    bytes_sent: int = 0
    heard: int = 0  # what the bystanders said and heard
    resident_bytes: tuple[int, int] = (0, 0)  # after the first half, and at the end
    files: tuple[int, int] = (0, 0)  # before the first, and at the end
    faults: list[str] = field(default_factory=list)


async def fuzz(seed: int, count: int, say: Callable[[str], None]) -> FuzzResult:
    """Send `count` inputs, and look at what the server makes of them."""
    with tempfile.TemporaryDirectory(prefix="hubbub-fuzz-") as folder:
        server = VictimServer(Path(folder), _SETTINGS)
        tokens = server.add_accounts([f"fuzz-{number}" for number in range(_PEOPLE)] + ["ada", "bob"])
        try:
            await server.start()
            run = _Run(server, tokens[:_PEOPLE], FuzzResult(seed))
            async with Bystanders(server.port, tokens[_PEOPLE:]) as bystanders:
                await run.all(count, bystanders, say)
            await server.terminate()
            run.result.faults += server.complaints()
        finally:
            server.end()
    return run.result


class _Run:
    def __init__(self, server: VictimServer, tokens: Sequence[str], result: FuzzResult) -> None:
        self.result = result
        self._server = server
        self._tokens = tokens

    async def all(self, count: int, bystanders: Bystanders, say: Callable[[str], None]) -> None:
        """Every batch, a few at once."""
        batches = iter(range(-(-count // BATCH)))
        sizes = iter(min(BATCH, count - start) for start in range(0, count, BATCH))
        before = self._server.files()
        half = 0

        async def work() -> None:
            nonlocal half
            for batch, size in zip(batches, sizes, strict=False):
                await self._batch(batch, size)
                done = self.result.frames + self.result.requests
                if half == 0 and done >= count / 2:
                    half = self._server.resident_bytes()
                if batch % 500 == 499:
                    say(f"{done:,} sent")
                if batch % 5 == 0:
                    await self._talk(bystanders)
                if len(self.result.faults) > 20:
                    return

        await asyncio.gather(*(work() for _ in range(_AT_ONCE)))
        await self._talk(bystanders)
        self.result.heard = bystanders.heard
        self.result.resident_bytes = (half, self._server.resident_bytes())
        self.result.files = (before, await self._settled_files(before))
        self._judge()

    async def _talk(self, bystanders: Bystanders) -> None:
        try:
            await bystanders.talk()
        except Disturbed as error:
            self.result.faults.append(str(error))

    async def _settled_files(self, before: int) -> int:
        """How many are open once the server has seen that we are gone."""
        for _ in range(100):
            if self._server.files() <= before + _MORE_FILES:
                break
            await asyncio.sleep(0.1)
        return self._server.files()

    def _judge(self) -> None:
        before, after = self.result.resident_bytes
        if after > before + _MORE_BYTES:
            self.result.faults.append(f"memory grew from {before:,} to {after:,} bytes")
        if self.result.files[1] > self.result.files[0] + _MORE_FILES + 2:
            self.result.faults.append(
                f"open files grew from {self.result.files[0]} to {self.result.files[1]}"
            )

    async def _batch(self, number: int, size: int) -> None:
        chance = random.Random(f"{self.result.seed}/{number}")  # noqa: S311 - to be repeated, not secret
        try:
            async with asyncio.timeout(_WAIT_SECONDS * 10):
                if chance.random() < _REQUESTS:
                    await self._requests(chance, size)
                else:
                    await self._frames(chance, size)
        except (OSError, asyncio.IncompleteReadError, TimeoutError, Disturbed) as error:
            self.result.faults.append(f"batch {number}: {type(error).__name__} {error}")

    async def _frames(self, chance: random.Random, size: int) -> None:
        inflates = chance.random() < 0.4
        token = chance.choice(self._tokens)
        inputs = iter([event_input(chance, inflates=inflates) for _ in range(size)])
        chunk = _chunk(inputs)
        while chunk:
            async with self._connected() as (reader, writer):
                await _open(reader, writer, token, inflates=inflates)
                while chunk:
                    self.result.frames += len(chunk)
                    whole = chunk[-1].whole
                    open_still = await self._sent(chunk, _ASKED, reader, writer, _ANSWERED if whole else None)
                    chunk = _chunk(inputs)
                    if not open_still:
                        break

    async def _requests(self, chance: random.Random, size: int) -> None:
        inputs = iter([request_input(chance, chance.choice(self._tokens)) for _ in range(size)])
        while chunk := _chunk(inputs):
            async with self._connected() as (reader, writer):
                self.result.requests += len(chunk)
                await self._sent(chunk, _LAST, reader, writer, None)

    async def _sent(
        self,
        chunk: list[Input],
        last: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        sign: bytes | None,
    ) -> bool:
        """Send, and read until the sign that all was read, or the end; whether it is open still."""
        data = b"".join(each.data for each in chunk) + last
        self.result.bytes_sent += len(data)
        with contextlib.suppress(ConnectionError):
            writer.write(data)
            if sign is None:
                writer.write_eof()
        heard = b""
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                while more := await reader.read(2**16):
                    found = heard[-500:] + more
                    if b"HTTP/1.1 500" in found:
                        self.result.faults.append(f"500 after {data!r}"[:3000])
                    if sign is not None and sign in found:
                        return True
                    heard = found
        except ConnectionError:
            pass
        except TimeoutError:
            self.result.faults.append(f"no answer and no end after {data!r}"[:3000])
        return False

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        self.result.connections += 1
        reader, writer = await asyncio.open_connection("127.0.0.1", self._server.port, limit=2**20)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()


def _chunk(inputs: Iterator[Input]) -> list[Input]:
    """The next ones, up to one that may end the connection."""
    found = []
    for each in itertools.islice(inputs, _CHUNK):
        found.append(each)
        if not each.whole:
            break
    return found


async def _open(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str, *, inflates: bool
) -> None:
    offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n" if inflates else ""
    writer.write(
        (
            "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: hubbub.v1\r\n{offer}Authorization: Bearer {token}\r\n\r\n"
        ).encode()
    )
    async with asyncio.timeout(_WAIT_SECONDS):
        head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 101"):
        raise Disturbed(f"a WebSocket was refused: {head[:40]!r}")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command: 0 if nothing was found, 1 if something was."""
    parser = argparse.ArgumentParser("hubbub.testing.fuzz", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=100_000, help="how many frames and requests")
    parser.add_argument("--seed", type=int, default=None, help="of an earlier run, to repeat it")
    given = parser.parse_args(arguments)
    if given.count < 1:
        parser.error("--count must be at least 1")
    seed = int.from_bytes(os.urandom(4)) if given.seed is None else given.seed
    print(f"seed {seed}", flush=True)
    result = asyncio.run(fuzz(seed, given.count, lambda line: print(line, flush=True)))
    print(
        f"{result.frames:,} frames and {result.requests:,} requests on {result.connections:,} connections, "
        f"{result.bytes_sent:,} bytes; {result.heard:,} messages between bystanders\n"
        f"memory {result.resident_bytes[0]:,} bytes at half, {result.resident_bytes[1]:,} at the end; "
        f"open files {result.files[0]}, {result.files[1]}"
    )
    for fault in result.faults:
        print(f"FAULT {fault}")
    print(f"{len(result.faults)} faults (seed {seed})")
    return 1 if result.faults else 0


if __name__ == "__main__":
    sys.exit(main())
