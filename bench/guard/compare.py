"""Figures beside their baseline: what grew, what became cheaper, and what to do about it. No I/O here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

MOST_GROWTH: Final = 0.10
WRITE: Final = "make bench-guard ARGS=--write"
PAGE: Final = 'docs/performance.md, "How growth is noticed"'

Verdict = Literal["as before", "GREW", "cheaper", "new", "gone"]


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """Figures as they were when they were written down, for one minor version of Python."""

    made_with: dict[str, str]  # what may move them besides Hubbub: versions, by name
    instructions: float  # of a round of the calibration then; only to show the figures in instructions
    figures: dict[str, float]  # in rounds of the calibration


Baselines = dict[str, Baseline]  # by Python: "3.11"


@dataclass(frozen=True)
class Compared:
    """One figure, before and now, in rounds of the calibration; None where there is none."""

    name: str
    before: float | None
    now: float | None

    @property
    def growth(self) -> float | None:
        """0.1 for a tenth more."""
        return self.now / self.before - 1 if self.before and self.now is not None else None

    @property
    def verdict(self) -> Verdict:
        """What is to be thought of it."""
        growth = self.growth
        if growth is None:
            return "gone" if self.now is None else "new"
        return "GREW" if growth > MOST_GROWTH else "cheaper" if growth < -MOST_GROWTH else "as before"


def compare(baseline: Baseline, now: Mapping[str, float]) -> list[Compared]:
    """Every figure that there is or was, those of now first."""
    names = [*now, *(name for name in baseline.figures if name not in now)]
    return [Compared(name, baseline.figures.get(name), now.get(name)) for name in names]


def passes(compared: list[Compared]) -> bool:
    """Whether nothing grew, and each figure has something to be compared with."""
    return all(each.verdict in ("as before", "cheaper") for each in compared)


def table(compared: list[Compared], instructions: float) -> list[str]:
    """The figures for people, in instructions of the machine and Python of the baseline."""
    rows = [("figure", "baseline", "now", "change", "")]
    for each in compared:
        growth = each.growth
        rows.append(
            (
                each.name,
                _shown(each.before, instructions),
                _shown(each.now, instructions),
                f"{growth:+.1%}" if growth is not None else "",
                "" if each.verdict == "as before" else each.verdict,
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return [
        f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]:>{widths[3]}}  {row[4]}".rstrip()
        for row in rows
    ]


def advice(compared: list[Compared], baseline: Baseline, made_with: Mapping[str, str]) -> list[str]:
    """What to do, a line each; none if all is as before."""
    lines = [
        f"bench-guard: {each.name} costs {each.growth:.1%} more than the baseline; {MOST_GROWTH:.0%} is allowed."
        for each in compared
        if each.verdict == "GREW"
    ]
    if lines:
        lines.append(
            f"  Find what your change added on that path ({PAGE}). If it is worth that, write a new baseline with "
            f"`{WRITE}`, and say in the commit what it is worth it for."
        )
        changed = [
            f"{name} {baseline.made_with.get(name, 'none')} → {made_with.get(name, 'none')}"
            for name in sorted({*baseline.made_with, *made_with})
            if baseline.made_with.get(name) != made_with.get(name)
        ]
        if changed:
            lines.append(f"  Part of it may come from what changed besides Hubbub: {', '.join(changed)}.")
    if strange := [each.name for each in compared if each.verdict in ("new", "gone")]:
        lines.append(f"bench-guard: the baseline has other figures ({', '.join(strange)}): `{WRITE}`.")
    if cheaper := [each.name for each in compared if each.verdict == "cheaper"]:
        lines.append(
            f"bench-guard: cheaper than the baseline: {', '.join(cheaper)}. So that it stays so, write the baseline "
            f"anew: `{WRITE}`."
        )
    return lines


def _shown(figure: float | None, instructions: float) -> str:
    return "" if figure is None else f"{figure * instructions:,.0f}"
