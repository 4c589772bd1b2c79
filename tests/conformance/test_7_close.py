"""Autobahn, group 7: the end of a connection."""

from __future__ import annotations

import struct

import pytest

from tests.conformance.case import Case, Echo, cases, hold
from tests.support.raw import CLOSE, CONT, PING, TEXT, close, frame

pytestmark = pytest.mark.asyncio

HELLO = frame(TEXT, b"Hello World!")
HEARD = (TEXT, b"Hello World!")
MAY_BE_SENT = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)
MAY_NOT = (0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999)
MANY = 256 * 1024 * b"\x2a"


@pytest.mark.parametrize(
    "case",
    cases(
        Case("7.1.1", HELLO + close(1000), [HEARD], code=1000),
        Case("7.1.2", 2 * close(1000), code=1000),
        Case("7.1.3", close(1000) + frame(PING), code=1000),
        Case("7.1.4", close(1000) + HELLO, code=1000),
        Case("7.1.5", frame(TEXT, b"fr", fin=False) + close(1000) + frame(CONT, b"ag"), code=1000),
        # The suite asks for nothing here; whoever is heard before the close is answered.
        Case("7.1.6", frame(TEXT, MANY) + HELLO + close(1000), [(TEXT, MANY), HEARD], code=1000),
        Case("7.3.1", frame(CLOSE), code=1005),
        Case("7.3.2", frame(CLOSE, b"a"), code=1002),
        Case("7.3.3", close(1000), code=1000),
        Case("7.3.4", close(1000, b"Hello World!"), code=1000),
        Case("7.3.5", close(1000, 123 * b"*"), code=1000),
        Case("7.3.6", close(1000, 124 * b"*"), code=1002),
        Case("7.5.1", close(1000, b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80"), code=1007),
        *(Case(f"7.7.{number}", close(code), code=code) for number, code in enumerate(MAY_BE_SENT, 1)),
        *(Case(f"7.9.{number}", close(code), code=1002) for number, code in enumerate(MAY_NOT, 1)),
        Case("7.13.1", close(5000), code=1002),
        Case("7.13.2", close(65_535), code=1002),
    ),
)
async def test_a_close_is_answered(echo: Echo, case: Case) -> None:
    await hold(echo, case)


@pytest.mark.parametrize("code", [*range(1000, 1020), 2999, 3000, 4999, 5000])
async def test_every_code_is_either_given_back_or_an_error(echo: Echo, code: int) -> None:
    known = code in (*range(1000, 1004), *range(1007, 1015), 3000, 4999)
    await hold(echo, Case("7+", frame(CLOSE, struct.pack("!H", code)), code=code if known else 1002))
