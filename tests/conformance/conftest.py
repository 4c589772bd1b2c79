"""The echo on the chat's transport, in a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.conformance.case import Echo
from tests.support.server import WAIT_SECONDS, environment


@pytest.fixture(scope="session")
def echo() -> Iterator[Echo]:
    """An echo that takes messages of up to 16 MiB; at its end it has written nothing but where it was."""
    process = subprocess.Popen(
        [sys.executable, "-m", "hubbub.testing.echo", "--port", "0"],
        env=environment({}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    said = process.stdout.readline()
    try:
        yield Echo(int(said.rpartition(":")[2]))
    finally:
        process.send_signal(signal.SIGTERM)
        rest, complaints = process.communicate(timeout=WAIT_SECONDS)
    assert (rest, complaints) == ("", "")
