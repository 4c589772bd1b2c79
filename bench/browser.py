"""The page in a real Chromium: what loading, logging in, reading and switching rooms cost whoever uses it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.page import markdown

LETTER: Final = "P"
"""Of the page, in ``--only``."""

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class NoBrowserError(Exception):
    """The page can't be measured here. The text says why."""


@dataclass(frozen=True)
class Found:
    """One figure of the page, what it must not exceed, and more about it in words."""

    name: str
    unit: str
    form: str
    limit: float
    value: float
    note: str = ""

    @property
    def is_met(self) -> bool:
        """Whether the goal is kept."""
        return self.value <= self.limit

    @property
    def written(self) -> str:
        """The value with its unit."""
        return f"{self.value:{self.form}} {self.unit}"

    def as_json(self) -> dict[str, object]:
        """As it is kept beside the runs."""
        return {
            "figure": self.name,
            "goal": self.goal,
            "value": self.value,
            "met": self.is_met,
            "more": self.note,
        }

    @property
    def goal(self) -> str:
        """The goal, as it is written."""
        return f"≤ {self.limit:,g} {self.unit}"


def first_load(transferred_bytes: float, requests: int) -> Found:
    """Scripts and styles until a room can be read, as they came over the wire."""
    return Found("first load", "KB", ",.1f", 150, transferred_bytes / 1000, f"{requests} files")


def log_in(seconds: Sequence[float]) -> Found:
    """From the click on the button to the last message of a room, painted: the median."""
    return Found("log in to readable room", "s", ".2f", 1, _median(seconds), f"slowest {max(seconds):.2f} s")


def longest_task(tasks_ms: Sequence[float], cpu_ms: float, messages: int, seconds: float) -> Found:
    """The longest of the main thread while messages arrive. Chromium tells only of tasks of 50 ms and more.

    Others on the machine lengthen a task: `cpu_ms` is what the longest took of a processor.
    """
    note = (
        f"{messages / seconds:,.0f} messages a second for {seconds:.0f} s; {len(tasks_ms)} tasks of 50 ms or more; "
        f"at most {cpu_ms:.0f} ms of a processor"
    )
    return Found("longest task", "ms", ".0f", 50, max(tasks_ms, default=0), note)


def switching(milliseconds: Sequence[float]) -> Found:
    """From the click on a room to its last message, painted: the median."""
    return Found(
        "switching rooms", "ms", ".0f", 100, _median(milliseconds), f"slowest {max(milliseconds):.0f} ms"
    )


def memory(before_bytes: float, after_bytes: float, messages: int, elements: int) -> Found:
    """What the page's heap grew by, after collecting, while so many messages came."""
    grown = (after_bytes - before_bytes) / 1e6
    note = f"{before_bytes / 1e6:.1f} to {after_bytes / 1e6:.1f} MB over {messages:,} messages; {elements:,} nodes"
    return Found("memory grown", "MB", ".1f", 5, grown, note)


def far_up(
    tasks_ms: Sequence[float], cpu_ms: float, loads_ms: Sequence[float], messages: int, of: int
) -> Found:
    """The longest task of the main thread while somebody scrolls up over so many messages of a long room."""
    note = (
        f"over {messages:,} of {of:,} messages; {len(tasks_ms)} tasks of 50 ms or more; at most {cpu_ms:.0f} ms of a "
        f"processor; {len(loads_ms)} pages loaded, the slowest in {max(loads_ms, default=0):.0f} ms"
    )
    return Found("longest task, scrolling far up", "ms", ".0f", 50, max(tasks_ms, default=0), note)


def memory_far_up(before_bytes: float, after_bytes: float, messages: int, most: int) -> Found:
    """What the page's heap grew by meanwhile, after collecting. `most`: messages that were in the page at once."""
    grown = (after_bytes - before_bytes) / 1e6
    note = f"{before_bytes / 1e6:.1f} to {after_bytes / 1e6:.1f} MB over {messages:,} messages; at most {most} in the page"
    return Found("memory grown, scrolling far up", "MB", ".1f", 5, grown, note)


def section(found: Sequence[Found], notes: Sequence[str] = ()) -> str:
    """The part of the page of results that is about the browser; empty if there is nothing to say."""
    if not found and not notes:
        return ""
    parts = ["## In the browser\n", *[f"> {note}\n" for note in notes]]
    if found:
        rows = [["", "figure", "Hubbub", "goal", "", "more"]]
        rows += [
            [LETTER, one.name, one.written, one.goal, "met" if one.is_met else "**missed**", one.note]
            for one in found
        ]
        parts += [_WORDS, markdown(rows, right=(2, 3))]
    return "\n".join(parts) + "\n"


def executable() -> str:
    """The path of a Chromium: ``HUBBUB_BROWSER``, or one on the path. Raises `NoBrowserError`."""
    names = [os.environ["HUBBUB_BROWSER"]] if os.environ.get("HUBBUB_BROWSER") else BROWSERS
    for name in names:
        path = shutil.which(name)
        if path is not None:
            return path
    raise NoBrowserError("there is no Chromium; install one, or name it with HUBBUB_BROWSER")


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) // 2]


_WORDS: Final = """The page against a server of its own, both on this machine, in Chromium without a window. Times are taken in the page, until
the frame after the last message of the room is there. Tasks and memory are Chromium's own figures, memory after a collection.
"""
