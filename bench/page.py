"""The page of results: Markdown, for the terminal and for the documentation."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bench.workloads import FIGURES, OTHERS, Against, Figure, Goal, Workload
from hubbub.bench.load import Result

BUSY_CORES: Final = 0.15
"""More than that, and others disturb the measurement."""

_NONE: Final = "–"


@dataclass
class Measured:
    """The runs of one workload: of the floor, of Hubbub, of peers by their keys, and what went wrong in words.

    `in_memory` is Hubbub with its log in memory. `faults` are the floor's and Hubbub's; a peer's stand in `peer_faults`, since what
    others lose is not for Hubbub to mend. `omitted` is why a peer was not measured here.
    """

    workload: Workload
    floor: list[Result] = field(default_factory=list)
    hubbub: list[Result] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    in_memory: list[Result] = field(default_factory=list)
    peers: dict[str, list[Result]] = field(default_factory=dict)
    peer_faults: dict[str, list[str]] = field(default_factory=dict)
    omitted: dict[str, str] = field(default_factory=dict)

    @property
    def all_results(self) -> list[list[Result]]:
        """The runs of each server."""
        return [self.floor, self.hubbub, self.in_memory, *self.peers.values()]


@dataclass(frozen=True)
class Verdict:
    """A goal, what was reached, and whether that is enough; None where it could not be measured."""

    goal: Goal
    floor: float | None
    hubbub: float | None
    value: float | None
    is_met: bool | None


def median(figure: Figure, results: Sequence[Result]) -> float | None:
    """The median of a figure over several runs; None if any run lacks it."""
    values = [figure.of(result) for result in results]
    known = [value for value in values if value is not None]
    return statistics.median(known) if known and len(known) == len(values) else None


def verdict(goal: Goal, measured: Measured) -> Verdict:
    """Whether a goal is met. A run with a fault meets none."""
    runs = measured.in_memory if goal.in_memory else measured.hubbub
    floor, hubbub = median(goal.figure, measured.floor), median(goal.figure, runs)
    value = hubbub
    if goal.against is not Against.ITSELF:
        beside = floor if goal.against is Against.FLOOR else best_peer(goal, measured)
        value = hubbub / beside if hubbub is not None and beside else None
    if measured.faults:
        return Verdict(goal, floor, hubbub, value, is_met=False)
    return Verdict(goal, floor, hubbub, value, None if value is None else goal.is_met_by(value))


def best_peer(goal: Goal, measured: Measured) -> float | None:
    """The best median among the peers that had no fault."""
    found = [
        median(goal.figure, results)
        for key, results in measured.peers.items()
        if key not in measured.peer_faults
    ]
    known = [value for value in found if value is not None]
    return (max if goal.at_least else min)(known, default=None)


def page(
    measured: Sequence[Measured],
    machine: Mapping[str, str],
    how: str,
    notes: Sequence[str],
    sections: Sequence[str] = (),
) -> str:
    """The whole page. `sections` stand behind the goals."""
    parts = [
        _HEAD,
        *[f"> {note}\n" for note in [*notes, *_disturbances(measured)]],
        "## Goals\n",
        goals_table(measured),
        *sections,
        "## All figures\n",
        f"{how} Each cell is **Hubbub's** median / the floor's.\n",
        figures_table(measured),
        *_fault_lines(measured),
        "## What the workloads are\n",
        *[f"- **{each.workload.letter}**: {each.workload.title}: {each.workload.why}." for each in measured],
        "",
        _FIGURES,
        "## The machine\n",
        *[f"- {name}: {value}" for name, value in machine.items()],
    ]
    return "\n".join(parts) + "\n"


def goals_table(measured: Sequence[Measured]) -> str:
    """One line for each goal."""
    rows = [["", "workload", "figure", "floor", "Hubbub", "ratio", "goal", ""]]
    for each in measured:
        for goal in each.workload.goals:
            found = verdict(goal, each)
            ratio = None if goal.against is Against.ITSELF else found.value
            rows.append([
                each.workload.letter,
                each.workload.title,
                goal.name,
                written(goal.figure, found.floor),
                written(goal.figure, found.hubbub),
                _NONE if ratio is None else f"{ratio:.2f} ×",
                str(goal),
                {True: "met", False: "**missed**", None: "not measured"}[found.is_met],
            ])  # fmt: skip
    return markdown(rows, right=(3, 4, 5, 6))


def figures_table(measured: Sequence[Measured]) -> str:
    """One line for each figure, one column for each workload."""
    rows = [["", *[each.workload.letter for each in measured]]]
    for figure in FIGURES:
        cells = [f"{figure.name}, {figure.unit}"]
        for each in measured:
            hubbub, floor = median(figure, each.hubbub), median(figure, each.floor)
            cells.append(f"**{_number(figure, hubbub)}** / {_number(figure, floor)}")
        rows.append(cells)
    return markdown(rows, right=range(1, len(measured) + 1))


def _disturbances(measured: Sequence[Measured]) -> list[str]:
    """A line if others took part of the machine while it measured."""
    most = max((median(OTHERS, runs) or 0.0 for each in measured for runs in each.all_results), default=0.0)
    if most < BUSY_CORES:
        return []
    return [f"Others used up to {most:.2f} cores of the machine meanwhile: take these figures with care."]


def _fault_lines(measured: Sequence[Measured]) -> list[str]:
    lines = [f"- {each.workload.letter}: {fault}" for each in measured for fault in each.faults]
    return ["## What went wrong\n", *lines, ""] if lines else []


def written(figure: Figure, value: float | None) -> str:
    """A figure with its unit."""
    return _NONE if value is None else f"{value:{figure.form}} {figure.unit}"


def _number(figure: Figure, value: float | None) -> str:
    return _NONE if value is None else f"{value:{figure.form}}"


def markdown(rows: Sequence[Sequence[str]], right: Sequence[int]) -> str:
    """A table whose columns are aligned in its source too."""
    widths = [max(3, *(len(row[column]) for row in rows)) for column in range(len(rows[0]))]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return f"| {' | '.join(padded)} |"

    rule = ["-" * (width - 1) + (":" if column in right else "-") for column, width in enumerate(widths)]
    return "\n".join([line(rows[0]), line(rule), *map(line, rows[1:])]) + "\n"


_HEAD: Final = """# Benchmark

Made by `make bench`: `hubbub bench` (the load generator that is part of Hubbub) against Hubbub with everything on (accounts, checks,
a log on disk that is synchronised before anyone sees a message), and in the same run against a *floor*: a C program that does the
least a server can (`bench/floor.c`: one `send()` for each member, no accounts, no log). What the floor costs is the
kernel's part, which every server pays in any language; it is there so that figures from different machines can be compared.
Others that people write chats with are measured beside it, each written as its own documentation recommends (`bench/peers`).
Every delivery is checked: a message lost, repeated, out of order or different for two readers fails the run.
"""

_FIGURES: Final = """## What the figures are

- **deliveries**: messages received by members, the sender's own included. One message in a room of 1,000 is 1,000 deliveries.
- **acknowledged messages**: messages that came back to their sender. From Hubbub that means: on disk. The floor has no disk.
- **latency**: from the time at which a message was to be sent to each of its deliveries, so that a server that stalls is charged
  for everything that should have been sent meanwhile. The generator's own delay is in it.
- **CPU a delivery, CPU a message**: the server's, user and kernel, from `/proc`, divided by deliveries or acknowledged messages.
- **CPU a connection**: from the first handshake until all have entered their room and the server is quiet; for the first time, so
  that it includes making each user a member of the room and telling everyone who is there.
- **memory a connection**: what the server's resident memory grew by when all had entered, divided by their number.
- **share of a core**: how much of one core the server kept busy.
- **generator**: what the load generator itself used. It shares the machine with the server.
- **others on the machine**: what neither the server nor the generator used. Above a few hundredths, somebody else was at work.
"""
