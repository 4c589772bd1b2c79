"""What Chromium itself says of a page: how long its tasks take, and what its heap holds."""

from __future__ import annotations

from typing import Any, Final

from playwright.async_api import CDPSession

NOTE_TASKS: Final = """
() => {
  window.benchTasks = [];
  new PerformanceObserver((list) => benchTasks.push(...list.getEntries().map((entry) => entry.duration)))
    .observe({ type: 'longtask' });
}
"""
"""Keeps what Chromium tells of tasks of 50 ms and more, in `benchTasks`."""


def longest_cpu_ms(events: list[dict[str, Any]]) -> float:
    """What the longest task of a page's main thread took of a processor, from a trace of Chromium's."""
    mains = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    taken = (event.get("tdur", 0) for event in events if (event["pid"], event["tid"]) in mains)
    return float(max(taken, default=0)) / 1000


async def heap_bytes(session: CDPSession) -> float:
    """What the heap holds after a collection."""
    for _ in range(3):  # what ends the life of something may itself have to be collected first
        await session.send("HeapProfiler.collectGarbage")
    usage: dict[str, float] = await session.send("Runtime.getHeapUsage")
    return usage["usedSize"]
