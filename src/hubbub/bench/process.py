"""CPU and memory of a process, and the CPU of the machine, from /proc. None where there is no /proc or no such process."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

Figure = TypeVar("Figure", int, float)


def family(pid: int) -> list[int]:
    """A process and all that come from it."""
    found = [pid]
    for member in found:
        for task in Path(f"/proc/{member}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                found += map(int, task.read_text().split())
    return found


def cpu_seconds(pid: int) -> float | None:
    """The CPU time of all threads of a process and its children since their start, in user and kernel mode (proc(5))."""
    return _sum(_cpu_seconds(member) for member in family(pid))


def resident_kib(pid: int) -> int | None:
    """The resident memory of a process and its children, in KiB, counted page by page; the kernel's quick count is off by some."""
    return _sum(_resident_kib(member) for member in family(pid))


def _sum(figures: Iterable[Figure | None]) -> Figure | None:
    """None if the first lacks it, which is of the process itself; a child may have gone meanwhile."""
    first, *others = figures
    return first if first is None else sum((figure for figure in others if figure is not None), start=first)


def _cpu_seconds(pid: int) -> float | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    after_name = text[text.rindex(")") + 2 :].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def machine_cpu_seconds() -> float | None:
    """The CPU time that all processes, the kernel, and other guests on the same host have used since the start (proc(5))."""
    try:
        fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    except OSError:
        return None
    user, nice, system, _idle, _iowait, *rest = (int(field) for field in fields[1:9])
    return (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK")


def _resident_kib(pid: int) -> int | None:
    for source, field in (("smaps_rollup", "Rss"), ("status", "VmRSS")):
        try:
            found = re.search(
                rf"^{field}:\s+(\d+) kB", Path(f"/proc/{pid}/{source}").read_text(), re.MULTILINE
            )
        except OSError:
            continue
        if found:
            return int(found[1])
    return None
