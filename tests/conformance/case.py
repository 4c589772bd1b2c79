"""A case of the Autobahn testsuite, by its number: what is sent, and what must come back."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import pytest
from _pytest.mark import ParameterSet

from tests.support.raw import BINARY, CLOSE, CONT, PONG, TEXT, Raw, close, frame, handshake, raw

RSV1: Final = 4
_TAIL: Final = b"\x00\x00\xff\xff"


@dataclass(frozen=True)
class Echo:
    """An echo that runs."""

    port: int


@dataclass(frozen=True)
class Case:
    """One case. `heard`: opcode and payload of each frame; then `code` if the server is to close, else we do."""

    number: str
    sent: bytes
    heard: Sequence[tuple[int, bytes]] = ()
    code: int | None = None
    chop: int = 0


def cases(*found: Case) -> list[ParameterSet]:
    """For `pytest.mark.parametrize`: each by its number."""
    return [pytest.param(case, id=case.number) for case in found]


async def hold(echo: Echo, case: Case) -> None:
    """Fail unless the echo answers as it must."""
    async with raw(echo) as socket:
        await opened(echo, socket)
        with contextlib.suppress(ConnectionError):  # what comes after a broken rule may find nobody
            await socket.send(case.sent, chop=case.chop)
        for expected in case.heard:
            found = await socket.until(TEXT, BINARY, PONG, CLOSE)
            assert (found.opcode, found.payload) == expected
            assert (found.fin, found.rsv, found.masked) == (True, 0, False)
        if case.code is None:
            await ends_cleanly(socket)
        else:
            await closes(socket, case.code)


async def ends_cleanly(socket: Raw) -> None:
    """We close, and it answers; nothing else was still to come."""
    await socket.send(close(1000))
    found = await socket.until(TEXT, BINARY, PONG, CLOSE)
    assert (found.opcode, found.payload) == (CLOSE, b"\x03\xe8")
    assert await socket.ended() == b""


async def closes(socket: Raw, *codes: int) -> None:
    """It closes with one of these codes, and ends once we have answered."""
    found = await socket.until(TEXT, BINARY, PONG, CLOSE)
    assert found.close[0] in codes
    with contextlib.suppress(
        ConnectionError
    ):  # where the rule broken was the framing, it waits for no answer
        await socket.send(frame(CLOSE, found.payload[:2]))
    assert await socket.ended() == b""


async def opened(echo: Echo, socket: Raw, offer: str | None = None) -> str | None:
    """Open the WebSocket, with extensions offered; what was agreed on."""
    await socket.send(handshake(echo, Sec_WebSocket_Extensions=offer))
    answer = await socket.answer()
    assert answer.status == 101
    return answer.headers.get("sec-websocket-extensions")


def fragments(opcode: int, parts: Iterable[bytes]) -> bytes:
    """A message in these pieces."""
    pieces = list(parts)
    return b"".join(
        frame(CONT if place else opcode, piece, fin=place == len(pieces) - 1)
        for place, piece in enumerate(pieces)
    )


def pieces(data: bytes, size: int) -> list[bytes]:
    """`data` in pieces of a size."""
    return [data[place : place + size] for place in range(0, len(data), size)]


def deflated(data: bytes, bits: int = zlib.MAX_WBITS) -> bytes:
    """The payload of a compressed message."""
    compressor = zlib.compressobj(6, zlib.DEFLATED, -bits)
    return (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)).removesuffix(_TAIL)


def inflated(data: bytes) -> bytes:
    """What a compressed message says, when it refers to none before it."""
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data + _TAIL)
