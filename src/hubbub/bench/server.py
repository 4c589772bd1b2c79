"""A server for the bench alone: a real one, with accounts and a log on disk, on a free port, with data that is thrown away."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hubbub.bench.options import read_tokens

NO_LIMITS: Final = {
    "HUBBUB_LIMIT_MESSAGES": "0",
    "HUBBUB_LIMIT_CONNECTIONS": "0",
    "HUBBUB_LIMIT_ADDRESS": "0",
    "HUBBUB_LIMIT_ENTERS": "0",
    "HUBBUB_LIMIT_ROOMS": "0",
    "HUBBUB_LIMIT_LOGINS": "0",
    "HUBBUB_LIMIT_TICKETS": "0",
}
"""Settings of a server that is measured: it checks what each account may do, but not how fast."""

START_SECONDS: Final = 60.0
END_SECONDS: Final = 20.0

_LOOK_SECONDS: Final = 0.05
_SPAWN: Final = (sys.executable, "-m", "hubbub")


class ServerError(Exception):
    """The bench's own server did not start, or did not end well. The text says what it said last."""


@dataclass(frozen=True)
class OwnServer:
    """A server that runs: where, as which process, and the tokens of its accounts."""

    url: str
    pid: int
    tokens: list[str]


@contextlib.contextmanager
def own_server(accounts: int, settings: Mapping[str, str] | None = None) -> Iterator[OwnServer]:
    """A server with so many accounts, until the block ends. `settings` are more ``HUBBUB_…`` ones.

    It writes to a folder of the system's for temporary files; set ``TMPDIR`` to have the log on another disk.
    Raises `ServerError`, also at the end if the server does not end with status 0.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HUBBUB_")}
    environment |= NO_LIMITS | {"HUBBUB_LOG_LEVEL": "warning"} | dict(settings or {})
    with tempfile.TemporaryDirectory(prefix="hubbub-bench-") as folder:
        data = Path(folder) / "data"
        tokens = _add_accounts(accounts, Path(folder), data, environment)
        port = _free_port()
        output = Path(folder) / "server.log"
        with output.open("wb") as written:
            server = subprocess.Popen(  # noqa: S603 - this very program
                [*_SPAWN, "serve", "--host", "127.0.0.1", "--port", str(port), "--data", str(data)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=written,
            )
            try:
                _wait_until_ready(server, port, output)
                yield OwnServer(f"ws://127.0.0.1:{port}/ws", server.pid, tokens)
            except BaseException:
                server.kill()
                server.wait()
                raise
            _end(server, output)


def _add_accounts(count: int, folder: Path, data: Path, environment: Mapping[str, str]) -> list[str]:
    people, tokens = folder / "people.csv", folder / "tokens.csv"
    lines = [f"bench-{number:05},Bench {number},member" for number in range(count)]
    people.write_text("\n".join(["name,display name,role", *lines, ""]))
    command = [*_SPAWN, "user", "import", str(people), "--tokens-out", str(tokens), "--data", str(data)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise ServerError(f"no accounts could be made: {last_line(done.stderr or done.stdout)}")
    return read_tokens(tokens)


def _wait_until_ready(server: subprocess.Popen[bytes], port: int, output: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise ServerError(
                f"the server ended with status {server.returncode}: {last_line(output.read_text())}"
            )
        if is_ready(port):
            return
        time.sleep(_LOOK_SECONDS)
    raise ServerError(
        f"the server was not ready within {START_SECONDS:.0f} s: {last_line(output.read_text())}"
    )


def is_ready(port: int) -> bool:
    """Whether a server on this port answers, and has its database."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:  # nobody listens yet, or it says that it is not ready
        return False


def _end(server: subprocess.Popen[bytes], output: Path) -> None:
    server.send_signal(signal.SIGTERM)
    try:
        status = server.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
        raise ServerError(f"the server did not end within {END_SECONDS:.0f} s of SIGTERM") from None
    if status:
        raise ServerError(f"the server ended with status {status}: {last_line(output.read_text())}")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def last_line(text: str) -> str:
    """What a program said last."""
    lines = text.strip().splitlines()
    return lines[-1] if lines else "it said nothing"
