"""Autobahn, group 1: texts and binaries of every way to write a length."""

from __future__ import annotations

import pytest

from tests.conformance.case import Case, Echo, cases, hold
from tests.support.raw import BINARY, TEXT, frame

pytestmark = pytest.mark.asyncio

SIZES = (0, 125, 126, 127, 128, 65_535, 65_536)
KINDS = ((1, TEXT, b"*"), (2, BINARY, b"\xfe"))


@pytest.mark.parametrize(
    "case",
    cases(
        *(
            Case(f"1.{group}.{number}", frame(opcode, size * byte), [(opcode, size * byte)])
            for group, opcode, byte in KINDS
            for number, size in enumerate(SIZES, 1)
        ),
        *(
            Case(f"1.{group}.8", frame(opcode, 65_536 * byte), [(opcode, 65_536 * byte)], chop=997)
            for group, opcode, byte in KINDS
        ),
    ),
)
async def test_what_is_sent_comes_back(echo: Echo, case: Case) -> None:
    await hold(echo, case)
