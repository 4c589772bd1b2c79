"""Autobahn, group 9: messages of up to 16 MiB, whole, in fragments and in small pieces; and 10, a fragment of its own kind.

The suite's numbers of times are kept where they cost little; it measures how long they take, and these do not.
"""

from __future__ import annotations

import pytest

from tests.conformance.case import Case, Echo, cases, ends_cleanly, fragments, hold, opened, pieces
from tests.support.raw import BINARY, TEXT, frame, raw

pytestmark = pytest.mark.asyncio

KIB, MIB = 1024, 1024 * 1024
SIZES = (64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB)
FRAGMENTS = (64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB)
CHOPS = (64, 128, 256, 512, KIB, 2 * KIB)
TRIPS = (0, 16, 64, 256, KIB, 4 * KIB)
KINDS = ((0, TEXT, b"*"), (1, BINARY, b"\xfe"))


@pytest.mark.parametrize("opcode", [TEXT, BINARY], ids=["9.1", "9.2"])
@pytest.mark.parametrize("size", SIZES)
async def test_a_message_of_any_size_comes_back(echo: Echo, opcode: int, size: int) -> None:
    await hold(echo, Case("", frame(opcode, size * b"*"), [(opcode, size * b"*")]))


@pytest.mark.parametrize("opcode", [TEXT, BINARY], ids=["9.3", "9.4"])
@pytest.mark.parametrize("size", FRAGMENTS)
async def test_four_mebibytes_come_back_whatever_their_fragments(echo: Echo, opcode: int, size: int) -> None:
    data = 4 * MIB * b"*"
    await hold(echo, Case("", fragments(opcode, pieces(data, size)), [(opcode, data)]))


@pytest.mark.parametrize("opcode", [TEXT, BINARY], ids=["9.5", "9.6"])
@pytest.mark.parametrize("chop", CHOPS)
async def test_a_mebibyte_comes_back_whatever_its_pieces(echo: Echo, opcode: int, chop: int) -> None:
    data = MIB * b"*"
    await hold(echo, Case("", frame(opcode, data), [(opcode, data)], chop=chop))


@pytest.mark.parametrize("opcode", [TEXT, BINARY], ids=["9.7", "9.8"])
@pytest.mark.parametrize("size", TRIPS)
async def test_a_thousand_messages_come_back_one_by_one(echo: Echo, opcode: int, size: int) -> None:
    async with raw(echo) as socket:
        await opened(echo, socket)
        for _ in range(1000):
            await socket.send(frame(opcode, size * b"*"))
            found = await socket.read()
            assert (found.opcode, found.payload) == (opcode, size * b"*")
        await ends_cleanly(socket)


@pytest.mark.parametrize(
    "case",
    cases(
        Case("9+ a byte too many", frame(BINARY, declared=16 * MIB + 1), code=1009),
        Case(
            "9+ a byte too many in fragments",
            frame(TEXT, 16 * MIB * b"*", fin=False) + frame(0, b"*"),
            code=1009,
        ),
        Case("10.1.1", fragments(TEXT, pieces(65_536 * b"*", 1300)), [(TEXT, 65_536 * b"*")]),
    ),
)
async def test_a_limit_is_held(echo: Echo, case: Case) -> None:
    await hold(echo, case)
