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


def _step(letter: str, title: str, options: BenchOptions) -> Workload:
    return Workload(letter, title, "", options, rounds=1)


MEMBERS: Final = Series(
    "M",
    "members of one room, one message in flight",
    "a delivery should cost the same however many there are; with few members, they share a message's own cost",
    CPU,
    SIZES,
    tuple(_step("M", f"{size:,} members of one room", BenchOptions(connections=size)) for size in SIZES),
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
        """What it costs Hubbub at the largest size, divided by what it costs where it costs least."""
        return _growth([median(self.series.figure, step.hubbub) for step in self.steps])

    @property
    def is_met(self) -> bool | None:
        """Whether the cost does not grow. With a fault it is not met; None if it was not measured."""
        if any(step.faults for step in self.steps):
            return False
        return None if self.growth is None else self.growth <= LIMIT

    def as_json(self) -> dict[str, Any]:
        """For programs: the figure at each size, in the unit of its name."""
        figure = self.series.figure
        return {
            "title": self.series.title,
            "figure": f"{figure.name}, {figure.unit}",
            "sizes": self.series.sizes,
            "hubbub": [median(figure, step.hubbub) for step in self.steps],
            "floor": [median(figure, step.floor) for step in self.steps],
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
    hubbub = [median(series.figure, step.hubbub) for step in grown.steps]
    floor = [median(series.figure, step.floor) for step in grown.steps]
    verdict = {True: "met", False: "**missed**", None: "not measured"}[grown.is_met]
    for name, values, goal in (
        ("**Hubbub**", hubbub, [f"≤ {LIMIT:g} ×", verdict]),
        ("floor", floor, ["", ""]),
    ):
        label = f"{name}: {series.figure.name}, {series.figure.unit}"
        growth = _growth(values)
        cells = [_NONE if value is None else f"{value:{series.figure.form}}" for value in values]
        rows.append([label, *cells, _NONE if growth is None else f"{growth:.2f} ×", *goal])
    return (
        markdown(rows, right=range(1, len(series.sizes) + 3))
        + f"\n{series.why[0].upper()}{series.why[1:]}.\n"
    )


def _growth(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value]
    return known[-1] / min(known) if known and len(known) == len(values) else None


_WORDS: Final = f"""What the largest size costs, as a multiple of what the cheapest one does: {LIMIT:g} at most. One round each.
"""
