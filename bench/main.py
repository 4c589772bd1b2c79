"""Measures Hubbub beside the floor: `python bench/run.py`, or `make bench`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench import browser, browser_visit, floor, machine, readme
from bench.page import Measured, page, verdict
from bench.workloads import WORKLOADS, Workload
from hubbub.bench import load, report
from hubbub.bench.load import Result
from hubbub.bench.options import BadOptionError, BenchOptions
from hubbub.bench.server import ServerError, own_server

HERE: Final = Path(__file__).parent
BUILD: Final = HERE / "build"
PAGE: Final = HERE.parent / "docs" / "benchmark.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and keep the page. 0 if every run was clean, 1 if not, 2 for arguments that cannot be used."""
    given = _parser().parse_args(arguments)
    chosen = [workload for workload in WORKLOADS if not given.only or workload.letter in given.only.upper()]
    with_page = not given.only or browser.LETTER in given.only.upper()
    if not chosen and not with_page:
        letters = "".join(each.letter for each in WORKLOADS)
        print(
            f"bench: --only {given.only}: there are {letters}, and {browser.LETTER} for the page in a browser",
            file=sys.stderr,
        )
        return 2
    if given.write and (given.quick or given.only):
        print(
            "bench: --write goes without --quick and --only: the documentation shows whole runs",
            file=sys.stderr,
        )
        return 2
    BUILD.mkdir(exist_ok=True)
    tempfile.tempdir = str(BUILD)  # the log is to be on a disk, which /tmp often is not
    described = machine.description(BUILD)
    notes: list[str] = []
    try:
        program: Path | None = floor.build(BUILD)
    except floor.NoFloorError as error:
        program = None
        notes.append(f"The floor is left out: {error}.")
    times = (
        _Times(rounds=1, warmup=1.0, seconds=2.0) if given.quick else _Times(given.rounds, 2.0, given.seconds)
    )
    if given.quick:
        notes.append("A quick run: one round of 2 seconds each, after 1 second of warm-up.")
    measured = [_measure(workload, program, times) for workload in chosen]
    in_browser, browser_notes = _measure_page(quick=given.quick) if with_page else ([], [])
    written = page(measured, described, str(times), notes) + browser.section(in_browser, browser_notes)
    print(f"\n{written}")
    _keep(measured, in_browser, described, written, to_documentation=given.write)
    return 1 if any(each.faults for each in measured) else 0


@dataclasses.dataclass(frozen=True)
class _Times:
    rounds: int
    warmup: float
    seconds: float

    def __str__(self) -> str:
        rounds = "One round" if self.rounds == 1 else f"{self.rounds} rounds, the floor and Hubbub in turn"
        return f"{rounds}; {self.seconds:g} s measured after {self.warmup:g} s of warm-up."


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=main.__doc__)
    parser.add_argument("--quick", action="store_true", help="one round of 2 seconds each")
    parser.add_argument(
        "--only",
        metavar="LETTERS",
        default="",
        help="of the workloads A to G, and P for the page, these: --only AD",
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured (default: 3)")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each time (default: 5)")
    parser.add_argument(
        "--write", action="store_true", help="write docs/benchmark.md and the READMEs' figures too"
    )
    return parser


def _measure_page(*, quick: bool) -> tuple[list[browser.Found], list[str]]:
    _say(f"{browser.LETTER} the page in a browser")
    times = browser_visit.QUICK if quick else browser_visit.Times()
    try:
        return browser_visit.measure(times), []
    except browser.NoBrowserError as error:
        return [], [f"The page is not measured: {error}."]


def _measure(workload: Workload, program: Path | None, times: _Times) -> Measured:
    measured = Measured(workload)
    options = dataclasses.replace(workload.options, warmup=times.warmup, seconds=times.seconds)
    for round_ in range(times.rounds):
        _say(f"{workload.letter} {workload.title}, round {round_ + 1} of {times.rounds}")
        if program is not None:
            try:
                with floor.running(program) as server:
                    _take(
                        measured.floor, "the floor", measured, load.run(options, server.url, [], server.pid)
                    )
            except (floor.NoFloorError, load.LoadError) as error:
                measured.faults.append(f"the floor: {error}")
        _measure_hubbub(measured, options)
    return measured


def _measure_hubbub(measured: Measured, options: BenchOptions) -> None:
    try:
        load.allow_open_files(options.connections)
        with own_server(options.connections) as server:
            result = load.run(options, server.url, server.tokens, server.pid)
            _take(measured.hubbub, "Hubbub", measured, result)
    except (BadOptionError, ServerError, load.LoadError) as error:
        measured.faults.append(f"Hubbub: {error}")


def _take(results: list[Result], who: str, measured: Measured, result: Result) -> None:
    results.append(result)
    measured.faults += [f"{who}: {line.strip()}" for line in report.faults(result)]
    cpu = result.cpu_us_per_delivery
    _say(
        f"  {who:<9} {result.deliveries_per_second:>11,.0f} deliveries/s "
        f"{result.acknowledged_per_second:>8,.0f} acknowledged/s "
        f"p99 {result.latency.percentile(99) / 1000:>8,.2f} ms "
        f"{'' if cpu is None else f'{cpu:6.2f} µs a delivery'}"
    )


def _keep(
    measured: Sequence[Measured],
    in_browser: Sequence[browser.Found],
    described: dict[str, str],
    written: str,
    *,
    to_documentation: bool,
) -> None:
    (BUILD / "results.md").write_text(written)
    runs = {
        each.workload.letter: {
            "title": each.workload.title,
            "floor": [report.as_json(result) for result in each.floor],
            "hubbub": [report.as_json(result) for result in each.hubbub],
            "goals": [
                {"figure": goal.figure.name, "goal": str(goal), "value": found.value, "met": found.is_met}
                for goal in each.workload.goals
                for found in [verdict(goal, each)]
            ],
            "faults": each.faults,
        }
        for each in measured
    }
    (BUILD / "results.json").write_text(
        json.dumps(
            {"machine": described, "workloads": runs, "browser": [each.as_json() for each in in_browser]},
            indent=1,
            ensure_ascii=False,
        )
    )
    if to_documentation and any(each.faults for each in measured):
        _say("the documentation stays as it was: a run had faults")
    elif to_documentation:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(written)
        readme.fill(HERE.parent, measured, described)
    goals = [found for each in measured for goal in each.workload.goals for found in [verdict(goal, each)]]
    met = sum(found.is_met is True for found in goals) + sum(found.is_met for found in in_browser)
    _say(
        f"{met} of {len(goals) + len(in_browser)} goals met; kept in {BUILD.name}/results.md and results.json"
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
