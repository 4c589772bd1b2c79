"""The figures that the guard watches, and how they come of what was counted. No I/O here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from bench.guard import calibration, data, work

Counts = Mapping[str, int]  # instructions, by the name of what was counted


@dataclass(frozen=True)
class Figure:
    """One cost: `instructions` finds it in what was counted."""

    name: str
    means: str
    instructions: Callable[[Counts], float]


def _each_more(kind: str, times: int) -> Callable[[Counts], float]:
    """What each one more in the room costs, each time: what is there for any number of them drops out."""
    return lambda counts: (counts[f"{kind} many"] - counts[f"{kind} few"]) / (work.MANY - work.FEW) / times


def _each(name: str, times: int) -> Callable[[Counts], float]:
    return lambda counts: counts[name] / times


FIGURES: Final = (
    Figure("message", "a message alone, to 100 in a room", _each("talk", work.MESSAGES)),
    Figure("delivery", "of that, each reader in the room", _each_more("deliver", work.MESSAGES)),
    Figure(
        "busy",
        "a message of 10 in a batch, all to the 100 in one room, compressed",
        _each("talk at once", work.AT_ONCE * work.BUSY_ROUNDS),
    ),
    Figure(
        "rooms",
        "a message of 100 in a batch, each to the 10 in a room of its own",
        _each("talk everywhere", work.MANY * work.ROUNDS),
    ),
    Figure("ring", "a delivery through the ring, Python's part", _each("ring", work.IN_RING * work.MESSAGES)),
    Figure(
        "connect",
        "a socket opened with a ticket, up to `welcome`, and closed",
        _each("connect", work.CONNECTS),
    ),
    Figure("resume", "a room resumed, 20 messages missed", _each("resume", len(data.QUIET))),
    Figure(
        "heartbeat",
        "a ping and its answer",
        lambda counts: _each_more("beat", 1)(counts) - _each_more("no beat", 1)(counts),
    ),
    Figure("index", "a message taken into the search index", _each("index", work.MESSAGES + work.WARM)),
)


def ratios(counts: Counts) -> dict[str, float]:
    """Each figure as a part of a round of the calibration, which another Python or machine moves about as much."""
    unit = counts["calibration"] / calibration.ROUNDS
    return {figure.name: figure.instructions(counts) / unit for figure in FIGURES}
