"""The first line that a server prints, and its end."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.fixtures import StartServer
from tests.support.raw import CLOSE, raw, raw_socket
from tests.support.server import WAIT_SECONDS, environment, hubbub

LONGEST_END_SECONDS = 10


def test_who_waits_for_the_first_line_may_end_the_server_at_once(tmp_path: Path) -> None:
    for _ in range(3):
        server = subprocess.Popen(
            [sys.executable, "-m", "hubbub", "serve", "--port", "0"],
            env=environment({"data": tmp_path}),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        with server:
            assert server.stdout is not None
            assert os.read(server.stdout.fileno(), 4096).startswith(b"Hubbub ")
            server.send_signal(signal.SIGTERM)
            assert server.wait(WAIT_SECONDS) == 0


def test_the_banner_tells_where_it_is_and_where_its_data_lies(start_server: StartServer) -> None:
    server = start_server()
    assert server.banner == [
        f"{hubbub('--version').stdout.strip().replace('hubbub', 'Hubbub')} at http://localhost:{server.port}",
        f"Data in {server.data.resolve() / 'hubbub.db'}",
    ]


@pytest.mark.asyncio
async def test_requests_that_do_not_arrive_and_closes_that_are_not_answered_do_not_hold_up_the_end(
    start_server: StartServer,
) -> None:
    server = start_server(handshake_seconds=60)
    async with raw(server) as half, raw_socket(server, server.person()) as silent:
        head = f"POST /login HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Length: 50\r\n\r\n{{"
        await half.send(head.encode())
        # A request behind it: once this is answered, the server has read that one too.
        assert (await server.request("GET", "/healthz")).status_code == 200
        server.signal(signal.SIGTERM)
        assert (await silent.until(CLOSE)).close[0] == 1012
        async with asyncio.timeout(LONGEST_END_SECONDS):
            await asyncio.to_thread(server.ended, 0)
