"""What the fuzzer found, each as small as it can be."""

from __future__ import annotations

import pytest

from tests.support.fixtures import StartServer
from tests.support.raw import raw

pytestmark = pytest.mark.asyncio

ASKED = b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "rest", [b"\x00no HTTP\r\n\r\n", b"GET / HTTP/1.1\r\n" + 120 * b"a: b\r\n" + b"\r\n", b""]
)
async def test_requests_before_one_that_ends_the_connection_leave_no_traceback(
    start_server: StartServer, rest: bytes
) -> None:
    server = start_server()
    for count in range(1, 6):
        async with raw(server) as socket:
            await socket.send(count * ASKED + rest)
            await socket.no_more()
            await socket.ended()
    assert (await server.request("GET", "/healthz")).status_code == 200
    assert server.errors == []
