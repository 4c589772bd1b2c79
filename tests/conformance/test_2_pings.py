"""Autobahn, group 2: pings and pongs."""

from __future__ import annotations

import pytest

from tests.conformance.case import Case, Echo, cases, hold
from tests.support.raw import PING, PONG, frame

pytestmark = pytest.mark.asyncio

BYTES = b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff"
TEN = [b"payload-%d" % number for number in range(10)]
PINGS = b"".join(frame(PING, payload) for payload in TEN)


@pytest.mark.parametrize(
    "case",
    cases(
        Case("2.1", frame(PING), [(PONG, b"")]),
        Case("2.2", frame(PING, b"Hello, world!"), [(PONG, b"Hello, world!")]),
        Case("2.3", frame(PING, BYTES), [(PONG, BYTES)]),
        Case("2.4", frame(PING, 125 * b"\xfe"), [(PONG, 125 * b"\xfe")]),
        Case("2.5", frame(PING, 126 * b"\xfe"), code=1002),
        Case("2.6", frame(PING, 125 * b"\xfe"), [(PONG, 125 * b"\xfe")], chop=1),
        Case("2.7", frame(PONG)),
        Case("2.8", frame(PONG, b"unsolicited pong payload")),
        Case("2.9", frame(PONG, b"unsolicited") + frame(PING, b"ping payload"), [(PONG, b"ping payload")]),
        Case("2.10", PINGS, [(PONG, payload) for payload in TEN]),
        Case("2.11", PINGS, [(PONG, payload) for payload in TEN], chop=1),
    ),
)
async def test_each_ping_has_its_pong(echo: Echo, case: Case) -> None:
    await hold(echo, case)
