"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import re
import sqlite3
import statistics
import subprocess
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import Final

from bench import floor

PACKAGES: Final = ("hubbub", "uvloop", "uvicorn", "websockets", "msgspec", "sqlalchemy", "picows")
_SYNCS: Final = 50


def description(folder: Path) -> dict[str, str]:
    """Names and values for people. `folder` is where the log is written."""
    return {
        "processor": f"{_cores()} × {_processor()}",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_version()}, SQLite {sqlite3.sqlite_version}",
        "packages": ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
        "compiler of the floor": _compiler(),
        "one durable write": f"{_sync_microseconds(folder):,.0f} µs (4 KiB and fsync, median of {_SYNCS}; {_file_system(folder)})",
    }


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "from its source"


def _compiler() -> str:
    compiler = floor.compiler()
    if compiler is None:
        return "none"
    said = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False).stdout
    return said.splitlines()[0] if said else compiler


def _sync_microseconds(folder: Path) -> float:
    """What the disk takes to keep 4 KiB: the least that a durable commit waits."""
    times = []
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(_SYNCS):
            started = time.perf_counter()
            file.write(b"\0" * 4096)
            os.fsync(file.fileno())
            times.append((time.perf_counter() - started) * 1e6)
    return statistics.median(times)


def _file_system(folder: Path) -> str:
    """The type of the file system that `folder` is on; on one in memory nothing is durable."""
    try:
        mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    except OSError:
        return "unknown file system"
    path = folder.resolve()
    holding = [(point, kind) for point, kind in mounts if path.is_relative_to(point)]
    return max(holding, key=lambda mount: len(mount[0]))[1] if holding else "unknown file system"
