"""Autobahn, group 3: bits that mean nothing here."""

from __future__ import annotations

import pytest

from tests.conformance.case import Case, Echo, cases, hold
from tests.support.raw import BINARY, CLOSE, PING, PONG, TEXT, frame

pytestmark = pytest.mark.asyncio

HELLO = frame(TEXT, b"Hello, world!")
HEARD = [(TEXT, b"Hello, world!")]


def _bad(rsv: int, opcode: int = TEXT) -> bytes:
    return frame(opcode, b"Hello, world!" if opcode != CLOSE else b"", rsv=rsv)


@pytest.mark.parametrize(
    "case",
    cases(
        Case("3.1", _bad(1), code=1002),
        Case("3.2", HELLO + _bad(2) + frame(PING), HEARD, code=1002),
        Case("3.3", HELLO + _bad(3) + frame(PING), HEARD, code=1002, chop=40),
        Case("3.4", HELLO + _bad(4) + frame(PING), HEARD, code=1002, chop=1),
        Case("3.5", _bad(5, BINARY), code=1002),
        Case("3.6", _bad(6, PING), code=1002),
        Case("3.7", _bad(7, CLOSE), code=1002),
        # Not in the suite: each bit on each opcode.
        *(
            Case(f"3+{rsv}-{opcode}", _bad(rsv, opcode), code=1002)
            for rsv in range(1, 8)
            for opcode in (TEXT, BINARY, PING, PONG, CLOSE)
        ),
    ),
)
async def test_a_reserved_bit_ends_the_connection(echo: Echo, case: Case) -> None:
    await hold(echo, case)
