"""What a delivery costs in rooms of more members, and a message on a server with more rooms. Neither should grow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from bench.page import Measured, markdown, median
from bench.workloads import CPU, CPU_MESSAGE, Figure, Workload
from hubbub.bench.options import BenchOptions

SIZES: Final = (10, 100, 1000, 10_000)
ROOMS: Final = (1, 100, 1000, 10_000)
ACCOUNTS: Final = 10
"""Of the members of one room, who come from several devices: that 10,000 people join a room for the first time is another matter."""

LIMIT: Final = 1.25
"""So much may it cost at the largest size, as a multiple of what it costs where it costs least."""

_NONE: Final = "–"


@dataclass(frozen=True)
class Series:
    """The same workload in several sizes, and the figure that should not grow with them."""

    letter: str
    title: str
    why: str
    figure: Figure
    sizes: tuple[int, ...]
    steps: tuple[Workload, ...]


def _step(letter: str, title: str, options: BenchOptions, accounts: int | None = None) -> Workload:
    return Workload(letter, title, "", options, rounds=1, accounts=accounts)


MEMBERS: Final = Series(
    "M",
    "members of one room, one message in flight",
    "a delivery should cost the same however many there are; with few members, they share a message's own cost",
    CPU,
    SIZES,
    tuple(
        _step("M", f"{size:,} members of one room", BenchOptions(connections=size), ACCOUNTS)
        for size in SIZES
    ),
)
MANY_ROOMS: Final = Series(
    "R",
    "rooms of one member each, 1,000 messages a second in all",
    "a message should cost the same however many rooms there are",
    CPU_MESSAGE,
    ROOMS,
    tuple(
        _step("R", f"{rooms:,} rooms of one member", BenchOptions(connections=rooms, rooms=rooms, rate=1000))
        for rooms in ROOMS
    ),
)
SERIES: Final = (MEMBERS, MANY_ROOMS)
LETTERS: Final = "".join(series.letter for series in SERIES)


@dataclass
class Grown:
    """A series that was measured, step by step."""

    series: Series
    steps: list[Measured]

    @property
    def growth(self) -> float | None:
        """What it costs Hubbub at the largest size, divided by what it costs where it costs least.

        What the floor's cost grew by from there on is taken off: that is the kernel's part, whoever asks for it.
        """
        hubbub, floor = self.medians()
        known = [value for value in hubbub if value]
        if not known or len(known) < len(hubbub):
            return None
        least = hubbub.index(min(known))
        kernel = (floor[-1] or 0.0) - (floor[least] or 0.0) if all(floor) else 0.0
        return (known[-1] - max(0.0, kernel)) / known[least]

    @property
    def is_met(self) -> bool | None:
        """Whether the cost does not grow. With a fault it is not met; None if it was not measured."""
        if any(step.faults for step in self.steps):
            return False
        return None if self.growth is None else self.growth <= LIMIT

    def medians(self) -> tuple[list[float | None], list[float | None]]:
        """The figure at each size: Hubbub's and the floor's."""
        figure = self.series.figure
        return [median(figure, step.hubbub) for step in self.steps], [
            median(figure, step.floor) for step in self.steps
        ]

    def as_json(self) -> dict[str, Any]:
        """For programs: the figure at each size, in the unit of its name."""
        figure = self.series.figure
        hubbub, floor = self.medians()
        return {
            "title": self.series.title,
            "figure": f"{figure.name}, {figure.unit}",
            "sizes": self.series.sizes,
            "hubbub": hubbub,
            "floor": floor,
            "growth": self.growth,
            "met": self.is_met,
            "faults": [fault for step in self.steps for fault in step.faults],
        }


def section(grown: Sequence[Grown]) -> list[str]:
    """The part of the page about growth; nothing if it was not measured."""
    if not grown:
        return []
    return [
        "## Growth\n",
        _WORDS,
        *[_table(each) for each in grown],
        *[
            f"- {each.series.letter}: {fault}"
            for each in grown
            for step in each.steps
            for fault in step.faults
        ],
        "",
    ]


def _table(grown: Grown) -> str:
    series = grown.series
    rows = [
        [
            f"**{series.letter}**: {series.title}",
            *[f"{size:,}" for size in series.sizes],
            "growth",
            "goal",
            "",
        ]
    ]
    hubbub, floor = grown.medians()
    verdict = {True: "met", False: "**missed**", None: "not measured"}[grown.is_met]
    growth = _NONE if grown.growth is None else f"{grown.growth:.2f} ×"
    for name, values, cells in (
        ("**Hubbub**", hubbub, [growth, f"≤ {LIMIT:g} ×", verdict]),
        ("floor", floor, ["", "", ""]),
    ):
        written = [_NONE if value is None else f"{value:{series.figure.form}}" for value in values]
        rows.append([f"{name}: {series.figure.name}, {series.figure.unit}", *written, *cells])
    return (
        markdown(rows, right=range(1, len(series.sizes) + 3))
        + f"\n{series.why[0].upper()}{series.why[1:]}.\n"
    )


_WORDS: Final = f"""What the largest size costs Hubbub, as a multiple of what the cheapest one does: {LIMIT:g} at most. What the floor's
cost grew by meanwhile is taken off first: memory that no longer fits into the processor's caches is the kernel's part too.
One round each.
"""
