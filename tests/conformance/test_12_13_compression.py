"""Autobahn, groups 12 and 13: permessage-deflate (RFC 7692), by size and by what is offered.

Where the suite sends a message a thousand times, these send it ten times.
"""

from __future__ import annotations

import json
import random
import zlib

import pytest

from tests.conformance.case import RSV1, Echo, closes, deflated, ends_cleanly, inflated, opened, pieces
from tests.support.raw import BINARY, CLOSE, CONT, PING, TEXT, Raw, frame, raw

pytestmark = pytest.mark.asyncio

KIB = 1024
SIZES = (16, 64, 256, KIB, 4 * KIB, 8 * KIB, 16 * KIB, 32 * KIB, 64 * KIB, 128 * KIB)
IN_FRAGMENTS = (
    *((size * KIB, 256) for size in (8, 16, 32, 64, 128)),
    *((128 * KIB, fragment) for fragment in (KIB, 4 * KIB, 32 * KIB)),
)
TESTS = [(size, 0) for size in SIZES] + list(IN_FRAGMENTS)
PLAIN = "permessage-deflate"
TIMES = 10
# What may not be shared by all readers is declined, and then messages go as they are: RFC 7692 §5.1 allows it.
OFFERS = {
    13.1: (PLAIN, True),
    13.2: (f"{PLAIN}; server_no_context_takeover", False),
    13.3: (f"{PLAIN}; server_max_window_bits=9", False),
    13.4: (f"{PLAIN}; server_max_window_bits=15", True),
    13.5: (f"{PLAIN}; server_no_context_takeover; server_max_window_bits=9", False),
    13.6: (f"{PLAIN}; server_no_context_takeover; server_max_window_bits=15", False),
    13.7: (
        (
            f"{PLAIN}; server_no_context_takeover; server_max_window_bits=9, "
            f"{PLAIN}; server_no_context_takeover, {PLAIN}"
        ),
        True,
    ),
}


def _text(size: int) -> bytes:
    chance = random.Random(size)
    rows = [
        {"id": n, "name": f"user-{chance.randrange(999)}", "ok": n % 3 == 0} for n in range(size // 40 + 1)
    ]
    return json.dumps(rows).encode()[:size]


def _noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def _compressed(opcode: int, data: bytes, fragment: int) -> bytes:
    parts = pieces(deflated(data), fragment or 2**30)
    return b"".join(
        frame(CONT if place else opcode, part, fin=place == len(parts) - 1, rsv=0 if place else RSV1)
        for place, part in enumerate(parts)
    )


async def _echoed(socket: Raw, opcode: int, data: bytes) -> None:
    found = await socket.until(TEXT, BINARY, CLOSE)
    assert found.opcode == opcode, found
    assert (inflated(found.payload) if found.rsv else found.payload) == data


async def _there_and_back(
    echo: Echo, opcode: int, data: bytes, fragment: int, offer: str, taken: bool
) -> None:
    async with raw(echo) as socket:
        assert (await opened(echo, socket, offer) is not None) == taken
        sent = _compressed(opcode, data, fragment) if taken else frame(opcode, data)
        for _ in range(TIMES):
            await socket.send(sent)
            await _echoed(socket, opcode, data)
        await ends_cleanly(socket)


@pytest.mark.parametrize(("size", "fragment"), TESTS)
@pytest.mark.parametrize("kind", ["12.1 JSON", "12.2 noise"])
async def test_messages_come_back_compressed(echo: Echo, kind: str, size: int, fragment: int) -> None:
    opcode, data = (TEXT, _text(size)) if "JSON" in kind else (BINARY, _noise(size))
    await _there_and_back(echo, opcode, data, fragment, PLAIN, taken=True)


@pytest.mark.parametrize(("size", "fragment"), TESTS)
@pytest.mark.parametrize("group", OFFERS)
async def test_every_offer_is_answered_and_held(echo: Echo, group: float, size: int, fragment: int) -> None:
    offer, taken = OFFERS[group]
    await _there_and_back(echo, TEXT, _text(size), fragment, offer, taken)


@pytest.mark.parametrize(
    ("sent", "codes"),
    [
        pytest.param(frame(TEXT, deflated(b"x" * 99), fin=False, rsv=4) + frame(CONT, b"", rsv=4), [1002], id="a continuation with the bit"),
        pytest.param(frame(CONT, b"", rsv=4), [1002], id="a continuation alone"),
        pytest.param(frame(PING, b"", rsv=4), [1002], id="a ping with the bit"),
        pytest.param(frame(CLOSE, b"", rsv=4), [1002], id="a close with the bit"),
        pytest.param(frame(TEXT, b"\xff\xff\xff\xff", rsv=4), [1002, 1007], id="noise"),
        pytest.param(frame(BINARY, deflated(_noise(3000))[:-9] + b"\x07" * 9, rsv=4), [1002, 1007], id="damaged"),
        pytest.param(frame(TEXT, deflated(b"caf\xe9"), rsv=4), [1007], id="not UTF-8 within"),
        pytest.param(frame(TEXT, deflated(b"*" * (16 * KIB * KIB + 1)), rsv=4), [1009], id="a bomb"),
        pytest.param(
            frame(TEXT, deflated(b"*" * (32 * KIB * KIB))[:20_000], fin=False, rsv=4)
            + frame(CONT, deflated(b"*" * (32 * KIB * KIB))[20_000:]),
            [1009],
            id="a bomb in fragments",
        ),
    ],
)  # fmt: skip
async def test_what_breaks_a_rule_of_compression_ends_the_connection(
    echo: Echo, sent: bytes, codes: list[int]
) -> None:
    async with raw(echo) as socket:
        await opened(echo, socket, PLAIN)
        await socket.send(sent)
        await closes(socket, *codes)


@pytest.mark.parametrize("bits", [9, 15])
async def test_a_client_may_use_any_window_and_plain_messages_between(echo: Echo, bits: int) -> None:
    async with raw(echo) as socket:
        await opened(echo, socket, f"{PLAIN}; client_max_window_bits={bits}")
        for data in (_text(5000), b"", _text(200)):
            await socket.send(frame(TEXT, deflated(data, bits), rsv=RSV1) + frame(TEXT, data))
            await _echoed(socket, TEXT, data)
            await _echoed(socket, TEXT, data)
        await socket.send(frame(TEXT, b"\x00", rsv=RSV1))  # RFC 7692 §7.2.3.6: an empty message
        await _echoed(socket, TEXT, b"")
        stored = zlib.compressobj(0, zlib.DEFLATED, -zlib.MAX_WBITS)
        data = (stored.compress(b"stored") + stored.flush(zlib.Z_SYNC_FLUSH))[:-4]
        await socket.send(frame(TEXT, data, rsv=RSV1))
        await _echoed(socket, TEXT, b"stored")
        await ends_cleanly(socket)
