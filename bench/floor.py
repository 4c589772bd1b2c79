"""Builds and runs the floor, where there is a C compiler."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).with_name("floor.c")


class NoFloorError(Exception):
    """The floor cannot be built here. The text says why."""


@dataclass(frozen=True)
class RunningFloor:
    """A floor that serves at `url`, as process `pid`."""

    url: str
    pid: int


def compiler() -> str | None:
    """Where the C compiler is, if there is one."""
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def build(folder: Path) -> Path:
    """The floor's program, built into `folder` unless it is there and newer than its source. Raises `NoFloorError`."""
    found = compiler()
    if found is None:
        raise NoFloorError("no C compiler (cc, gcc or clang) is here")
    program = folder / "floor"
    if program.exists() and program.stat().st_mtime > SOURCE.stat().st_mtime:
        return program
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [found, "-O2", "-o", str(program), str(SOURCE)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NoFloorError(f"{found} could not build it: {done.stderr.strip().splitlines()[:1]}")
    return program


@contextlib.contextmanager
def running(program: Path) -> Iterator[RunningFloor]:
    """The floor, until the block ends."""
    with subprocess.Popen([str(program), "0"], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            port = server.stdout.readline().rpartition(":")[2].strip()
            if not port:
                raise NoFloorError("it ended at once")
            yield RunningFloor(f"ws://127.0.0.1:{port}/ws", server.pid)
        finally:
            server.kill()
