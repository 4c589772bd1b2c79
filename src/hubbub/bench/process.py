"""CPU and memory of a process, and the CPU of the machine, from /proc. None where there is no /proc or no such process."""

from __future__ import annotations

import os
import re
from pathlib import Path


def cpu_seconds(pid: int) -> float | None:
    """The CPU time of all threads of a process since its start, in user and kernel mode (proc(5))."""
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


def resident_kib(pid: int) -> int | None:
    """The resident memory of a process, in KiB, counted page by page; the kernel's quick count is off by some."""
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
