"""Autobahn, group 5: messages in pieces, and control frames between them."""

from __future__ import annotations

import pytest

from tests.conformance.case import Case, Echo, cases, fragments, hold
from tests.support.raw import CONT, PING, PONG, TEXT, frame

pytestmark = pytest.mark.asyncio

ONE, TWO = b"fragment1", b"fragment2"
FIRST, LAST = frame(TEXT, ONE, fin=False), frame(CONT, TWO)
BOTH = (TEXT, ONE + TWO)
PINGED = frame(PING, b"ping payload")
PONGED = (PONG, b"ping payload")
ORPHAN = frame(CONT, b"non-continuation payload")
ORPHAN_OPEN = frame(CONT, b"non-continuation payload", fin=False)
HELLO = frame(TEXT, b"Hello, world!")
HEARD = [(TEXT, b"Hello, world!")]
FIVE = b"fragment1fragment2fragment3fragment4fragment5"
LONG = (
    FIRST
    + frame(CONT, TWO, fin=False)
    + frame(PING, b"pongme 1!")
    + frame(CONT, b"fragment3", fin=False)
    + frame(CONT, b"fragment4", fin=False)
    + frame(PING, b"pongme 2!")
    + frame(CONT, b"fragment5")
)
LONG_HEARD = [(PONG, b"pongme 1!"), (PONG, b"pongme 2!"), (TEXT, FIVE)]


@pytest.mark.parametrize(
    "case",
    cases(
        Case("5.1", frame(PING, ONE, fin=False) + frame(CONT, TWO), code=1002),
        Case("5.2", frame(PONG, ONE, fin=False) + frame(CONT, TWO), code=1002),
        Case("5.3", FIRST + LAST, [BOTH]),
        Case("5.4", FIRST + LAST, [BOTH], chop=20),
        Case("5.5", FIRST + LAST, [BOTH], chop=1),
        Case("5.6", FIRST + PINGED + LAST, [PONGED, BOTH]),
        Case("5.7", FIRST + PINGED + LAST, [PONGED, BOTH], chop=20),
        Case("5.8", FIRST + PINGED + LAST, [PONGED, BOTH], chop=1),
        Case("5.9", ORPHAN + HELLO, code=1002),
        Case("5.10", ORPHAN + HELLO, code=1002, chop=40),
        Case("5.11", ORPHAN + HELLO, code=1002, chop=1),
        Case("5.12", ORPHAN_OPEN + HELLO, code=1002),
        Case("5.13", ORPHAN_OPEN + HELLO, code=1002, chop=40),
        Case("5.14", ORPHAN_OPEN + HELLO, code=1002, chop=1),
        Case("5.15", FIRST + LAST + ORPHAN_OPEN + HELLO, [BOTH], code=1002),
        Case("5.16", 2 * (ORPHAN_OPEN + fragments(TEXT, (ONE, TWO))), code=1002),
        Case("5.17", 2 * (ORPHAN + fragments(TEXT, (ONE, TWO))), code=1002),
        Case("5.18", FIRST + frame(TEXT, TWO), code=1002),
        Case("5.19", LONG, LONG_HEARD),
        Case("5.20", LONG, LONG_HEARD, chop=1),
        Case("5+ a text before an error is answered", HELLO + ORPHAN, HEARD, code=1002),
    ),
)
async def test_fragments_are_joined_or_refused(echo: Echo, case: Case) -> None:
    await hold(echo, case)
