"""Runs the work under valgrind's callgrind, and reads what it counted."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from bench.guard import data, work
from bench.guard.marks import FUNCTIONS

ROOT: Final = Path(__file__).resolve().parents[2]
_MOST_SECONDS: Final = 900  # thirty times as long as it takes
_TOTALS: Final = re.compile(r"^totals: (\d+)", re.MULTILINE)


class CountError(Exception):
    """Nothing could be counted; the text says why."""


def version(valgrind: str) -> str:
    """Which valgrind it is, e.g. ``3.19.0``. Raises `CountError`."""
    try:
        done = subprocess.run([valgrind, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise CountError(f"{valgrind} does not run: {error}") from None
    return done.stdout.strip().removeprefix("valgrind-")


def count(valgrind: str) -> dict[str, int]:
    """The instructions of each thing that the work does. Raises `CountError`."""
    with tempfile.TemporaryDirectory(prefix="hubbub-guard-") as name:
        folder = Path(name)
        data.make(folder / work.DATABASE)
        try:
            done = subprocess.run(
                _command(valgrind, folder),
                cwd=ROOT,
                env=_environment(folder),
                capture_output=True,
                text=True,
                check=False,
                timeout=_MOST_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise CountError(
                f"the work was not done after {_MOST_SECONDS} seconds: does it wait for something?"
            ) from None
        if done.returncode:
            raise CountError(f"the work failed:\n{done.stdout}{done.stderr}".rstrip())
        return _read(folder)


def _command(valgrind: str, folder: Path) -> list[str]:
    return [
        *_at_fixed_addresses(),
        *(valgrind, "--tool=callgrind", "--quiet", f"--callgrind-out-file={folder / 'out'}"),
        *(f"--dump-before={function}" for function in FUNCTIONS),
        *(sys.executable, "-m", "bench.guard.work", str(folder)),
    ]


def _at_fixed_addresses() -> list[str]:
    """Objects are hashed by their address, so that fixed ones make counts steadier. Some containers forbid it."""
    setarch = shutil.which("setarch")
    command = [setarch, "-R"] if setarch else []
    allowed = command and subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0
    return command if allowed else []


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of the environment is in the counts, but where things are."""
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "PYTHONPATH") if name in os.environ}
    return kept | {
        "PATH": os.defpath,
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LC_ALL": "C.UTF-8",
        "PYTHONHASHSEED": "0",
    }


def _read(folder: Path) -> dict[str, int]:
    """What was counted between the two marks of each name: callgrind writes a file at each mark, numbered from 1."""
    names: list[str] = json.loads((folder / work.COUNTS).read_text())
    found = {}
    for number, name in enumerate(names, 1):
        path = folder / f"out.{2 * number}"
        totals = _TOTALS.search(path.read_text()) if path.exists() else None
        if totals is None:
            raise CountError(f"callgrind counted nothing for {name}: it has not seen {FUNCTIONS[0]}() called")
        found[name] = int(totals[1])
    if (folder / f"out.{2 * len(names) + 1}").exists():
        raise CountError(f"something else calls {FUNCTIONS[0]}() as well")
    return found
