"""A server for the page that is measured: with somebody who has a password, and somebody who writes."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.browser import NoBrowserError
from bench.browser_history import MESSAGES, write_history
from hubbub.bench.server import END_SECONDS, NO_LIMITS

READER: Final = "reader"
PASSWORD: Final = "a password to be read"
FAR: Final = "far"
"""The room with a long history."""
_WRITER: Final = "writer"
_PROGRAM: Final = (sys.executable, "-m", "hubbub")


@dataclass(frozen=True)
class PageServer:
    """Where it is, and the bearer token of whoever writes."""

    url: str
    token: str


@contextlib.contextmanager
def page_server() -> Iterator[PageServer]:
    """A server on a free port, until the block ends. Raises `NoBrowserError` if it can't be started."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HUBBUB_")}
    environment |= NO_LIMITS | {"HUBBUB_LOG_LEVEL": "warning"}
    with tempfile.TemporaryDirectory(prefix="hubbub-page-") as folder:
        data = Path(folder) / "data"
        for name in (READER, _WRITER):
            _command(environment, data, "user", "add", name, "--password-stdin", given=f"{PASSWORD}\n")
        token = _command(environment, data, "user", "token", _WRITER)
        write_history(data, FAR, MESSAGES, _WRITER, READER)
        server = subprocess.Popen(
            [*_PROGRAM, "serve", "--port", "0", "--data", str(data)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        try:
            assert server.stdout is not None
            # The first line ends with where it is.
            said = os.read(server.stdout.fileno(), 64 * 1024).decode()
            if not said:
                raise NoBrowserError("the server did not start; what it said is above")
            yield PageServer(f"http://127.0.0.1:{int(said.splitlines()[0].rpartition(':')[2])}", token)
        finally:
            server.terminate()
            try:
                server.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _command(environment: dict[str, str], data: Path, *arguments: str, given: str = "") -> str:
    done = subprocess.run(
        [*_PROGRAM, *arguments, "--data", str(data)],
        env=environment,
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NoBrowserError(f"hubbub {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()
