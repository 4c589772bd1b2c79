"""Measures Hubbub beside the floor: `python bench/run.py`, or `make bench`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench import browser, browser_visit, floor, growth, machine, readme
from bench.page import Measured, median, page, verdict
from bench.peers import beside
from bench.peers.choice import NONE, UnknownPeerError, asked_for, choose
from bench.peers.peer import PEERS, NotStartedError, Peer
from bench.peers.place import NotInstalledError, Place
from bench.workloads import ACKNOWLEDGED, LATENCY, PEAK, WORKLOADS, Workload
from hubbub.bench import load, report
from hubbub.bench.load import Result
from hubbub.bench.options import BadOptionError, BenchOptions
from hubbub.bench.server import ServerError, own_server

HERE: Final = Path(__file__).parent
BUILD: Final = HERE / "build"
PAGE: Final = HERE.parent / "docs" / "benchmark.md"


CHART: Final = PAGE.with_suffix(".svg")
MEMORY: Final = Path("/dev/shm")
SLOW_SECONDS: Final = 30.0
"""A peer whose first round takes longer has only that one. It is slow, and more rounds would say no more than that."""

_LETTERS: Final = "".join(each.letter for each in WORKLOADS) + growth.LETTERS


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and keep the page. 0 if every run was clean, 1 if not, 2 for arguments that cannot be used."""
    given = _parser().parse_args(arguments)
    try:
        _check(given)
        workloads = _chosen(given.only)
        choice = choose(given.peers if any(each.peers for each in workloads) else NONE, _say)
    except (BadArgumentError, UnknownPeerError) as error:
        print(f"bench: {error}", file=sys.stderr)
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
    if given.quick:
        notes.append("A quick run: one round of 2 seconds each, after 1 second of warm-up.")
    times = _Times(1, 1.0, 2.0) if given.quick else _Times(given.rounds, 1.0, given.seconds)
    bench = _Bench(program, choice.peers, times, given.latency_rate)
    measured = [bench.measure(workload) for workload in workloads]
    grown = [
        growth.Grown(series, [bench.measure(step) for step in series.steps])
        for series in growth.SERIES
        if not given.only or series.letter in given.only.upper()
    ]
    with_page = not given.only or browser.LETTER in given.only.upper()
    in_browser, browser_notes = _measure_page(quick=given.quick) if with_page else ([], [])
    installed = [each for each in choice.installed if each.key not in bench.left_out]
    left_out = [*choice.left_out, *bench.left_out.values()]
    sections = [*beside.section(measured, installed, left_out), *growth.section(grown)]
    written = page(measured, described, str(times), notes, sections) + browser.section(
        in_browser, browser_notes
    )
    print(f"\n{written}")
    _keep(measured, grown, in_browser, described, written, to_documentation=given.write)
    runs = [*measured, *(step for each in grown for step in each.steps)]
    return 1 if any(run.faults for run in runs) else 0


class BadArgumentError(Exception):
    """Arguments that cannot be used. The text says why."""


def _check(given: argparse.Namespace) -> None:
    """Raise `BadArgumentError` or `UnknownPeerError` for the first argument that cannot be used."""
    asked_for(given.peers)
    only = given.only.upper()
    if only and not set(only) <= {*_LETTERS, browser.LETTER}:
        raise BadArgumentError(
            f"--only {given.only}: there are {_LETTERS}, and {browser.LETTER} for the page in a browser"
        )
    for name, least in (("rounds", 1), ("seconds", 0.5), ("latency_rate", 0)):
        if not least <= getattr(given, name) < math.inf:
            raise BadArgumentError(
                f"--{name.replace('_', '-')} {getattr(given, name):g}: give {least:g} or more"
            )
    if given.write and (given.quick or given.only or given.peers != "all"):
        raise BadArgumentError(
            "--write goes without --quick, --only and --peers: the documentation shows whole runs"
        )


def _chosen(only: str) -> list[Workload]:
    """The workloads with these letters. `LATENCY` needs `PEAK`, from which its rate is found."""
    letters = only.upper() or _LETTERS
    if LATENCY in letters:
        letters += PEAK
    return [workload for workload in WORKLOADS if workload.letter in letters]


@dataclasses.dataclass(frozen=True)
class _Times:
    rounds: int
    warmup: float
    seconds: float

    def __str__(self) -> str:
        rounds = "One round" if self.rounds == 1 else f"{self.rounds} rounds, all servers in turn"
        return f"{rounds}; {self.seconds:g} s measured after {self.warmup:g} s of warm-up."


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make bench ARGS=…",
        description=main.__doc__,
        epilog="Whole, it takes some 20 to 25 minutes, without peers 12; with --quick 8, without peers 5.",
    )
    parser.add_argument("--quick", action="store_true", help="one round of 2 seconds each")
    parser.add_argument(
        "--only",
        metavar="LETTERS",
        default="",
        help=f"of the workloads {_LETTERS}, and P for the page, these: --only AD",
    )
    parser.add_argument(
        "--peers",
        metavar="all|none|LIST",
        default="all",
        help=f"who else is measured, in A to D and L (default: all): {','.join(peer.key for peer in PEERS)}; "
        "installed in build/peers at first",
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured (default: 3)")
    parser.add_argument("--seconds", type=float, default=2.5, help="how long each time (default: 2.5)")
    parser.add_argument(
        "--latency-rate",
        metavar="RATE",
        type=float,
        default=0.0,
        help="messages a second in L (default: half of Hubbub's most in C)",
    )
    parser.add_argument(
        "--write", action="store_true", help="write docs/benchmark.md and .svg, and the READMEs' figures too"
    )
    return parser


def _measure_page(*, quick: bool) -> tuple[list[browser.Found], list[str]]:
    _say(f"{browser.LETTER} the page in a browser")
    times = browser_visit.QUICK if quick else browser_visit.Times()
    try:
        return browser_visit.measure(times), []
    except browser.NoBrowserError as error:
        return [], [f"The page is not measured: {error}."]


class _Bench:
    """Measures workload by workload, the servers in turn."""

    def __init__(
        self, program: Path | None, peers: Sequence[Peer], times: _Times, latency_rate: float
    ) -> None:
        self._program = program
        self._peers = peers
        self._place = Place()
        self._times = times
        self._latency_rate = latency_rate
        self._peak: Measured | None = None
        self.left_out: dict[str, str] = {}
        """Peers that did not start, by their keys: nothing more is asked of them."""

    def measure(self, workload: Workload) -> Measured:
        """All rounds of a workload."""
        if workload.letter == LATENCY:
            rate = self._rate()
            workload = dataclasses.replace(workload, options=dataclasses.replace(workload.options, rate=rate))
        measured = Measured(workload)
        if workload.letter == PEAK:
            self._peak = measured
        elif workload.letter == LATENCY:
            measured.omitted = self._too_slow(workload.options.rate)
        options = dataclasses.replace(
            workload.options, warmup=self._times.warmup, seconds=self._seconds(workload)
        )
        rounds = min(self._times.rounds, workload.rounds or self._times.rounds)
        slow: set[str] = set()
        for round_ in range(rounds):
            _say(f"{workload.letter} {workload.title}, round {round_ + 1} of {rounds}")
            self._measure_floor(measured, options)
            _measure_hubbub(measured, options, measured.hubbub, "Hubbub")
            if workload.in_memory and MEMORY.is_dir():
                _measure_hubbub(measured, options, measured.in_memory, "in memory", MEMORY)
            for peer in self._peers if workload.peers else ():
                if not {peer.key} & (slow | measured.omitted.keys() | self.left_out.keys()):
                    started = time.monotonic()
                    self._measure_peer(measured, options, peer)
                    if time.monotonic() - started > SLOW_SECONDS:
                        slow.add(peer.key)
        return measured

    def _seconds(self, workload: Workload) -> float:
        """A workload's own time is for its kind, and a quick run is quick in that too."""
        return (
            max(self._times.seconds, workload.seconds or 0.0)
            if self._times.rounds > 1
            else self._times.seconds
        )

    def _rate(self) -> float:
        """Half of what Hubbub can do in the same rooms, to the hundred."""
        most = median(ACKNOWLEDGED, self._peak.hubbub) if self._peak is not None else None
        return self._latency_rate or max(100.0, (most or 0.0) / 2 // 100 * 100)

    def _too_slow(self, rate: float) -> dict[str, str]:
        """The peers that can't do this rate, and why that is known."""
        found = {}
        for key, results in self._peak.peers.items() if self._peak is not None else ():
            most = median(ACKNOWLEDGED, results) or 0.0
            if most < rate:
                found[key] = (
                    f"its most in {PEAK} is {most:,.0f} messages a second, and {rate:,.0f} are asked for"
                )
        return found

    def _measure_floor(self, measured: Measured, options: BenchOptions) -> None:
        if self._program is None:
            return
        try:
            load.allow_open_files(options.connections)
            with floor.running(self._program) as server:
                result = load.run(options, server.url, [], server.pid)
            measured.faults += _take(measured.floor, "the floor", result)
        except (floor.NoFloorError, BadOptionError, load.LoadError) as error:
            measured.faults.append(f"the floor: {error}")

    def _measure_peer(self, measured: Measured, options: BenchOptions, peer: Peer) -> None:
        try:
            load.allow_open_files(options.connections)
            with peer.running(self._place) as server:
                result = load.run(options, server.url, [], server.pid, dialect=peer.dialect)
        except (NotInstalledError, NotStartedError) as error:
            self.left_out[peer.key] = f"{peer.name} is left out: {error}"
            _say(f"  {self.left_out[peer.key]}")
            return
        except (BadOptionError, load.LoadError) as error:
            _say(f"  {peer.name}: {error}")
            measured.omitted[peer.key] = str(error)
            return
        _take(measured.peers.setdefault(peer.key, []), peer.name, result)
        if result.findings:
            counts = [f"{count:,} {fault}" for fault, count in result.findings.counts.items()]
            measured.peer_faults.setdefault(peer.key, []).append(", ".join(counts))


def _measure_hubbub(
    measured: Measured,
    options: BenchOptions,
    results: list[Result],
    who: str,
    folder: Path = BUILD,
) -> None:
    """`folder` is where its database is."""
    tempfile.tempdir = str(folder)
    try:
        load.allow_open_files(options.connections)
        with own_server(measured.workload.accounts or options.connections) as server:
            result = load.run(options, server.url, server.tokens, server.pid)
        measured.faults += _take(results, who, result)
    except (BadOptionError, ServerError, load.LoadError) as error:
        measured.faults.append(f"{who}: {error}")
    finally:
        tempfile.tempdir = str(BUILD)


def _take(results: list[Result], who: str, result: Result) -> list[str]:
    """Keep a result; the faults in it, in words."""
    results.append(result)
    cpu = result.cpu_us_per_delivery
    _say(
        f"  {who:<19} {result.deliveries_per_second:>11,.0f} deliveries/s "
        f"{result.acknowledged_per_second:>8,.0f} acknowledged/s "
        f"p99 {result.latency.percentile(99) / 1000:>8,.2f} ms "
        f"{'' if cpu is None else f'{cpu:6.2f} µs a delivery'}"
    )
    return [f"{who}: {line.strip()}" for line in report.faults(result)]


def _keep(
    measured: Sequence[Measured],
    grown: Sequence[growth.Grown],
    in_browser: Sequence[browser.Found],
    described: dict[str, str],
    written: str,
    *,
    to_documentation: bool,
) -> None:
    drawn = beside.chart(measured, described) if any(each.peers for each in measured) else None
    (BUILD / "results.md").write_text(written)
    if drawn is not None:
        (BUILD / "benchmark.svg").write_text(drawn)
    runs = {
        each.workload.letter: {
            "title": each.workload.title,
            "rate": each.workload.options.rate or None,
            "floor": [report.as_json(result) for result in each.floor],
            "hubbub": [report.as_json(result) for result in each.hubbub],
            "hubbub_in_memory": [report.as_json(result) for result in each.in_memory],
            "peers": {key: [report.as_json(result) for result in runs] for key, runs in each.peers.items()},
            "peer_faults": each.peer_faults,
            "peers_left_out": each.omitted,
            "goals": [
                {"figure": goal.name, "goal": str(goal), "value": found.value, "met": found.is_met}
                for goal in each.workload.goals
                for found in [verdict(goal, each)]
            ],
            "faults": each.faults,
        }
        for each in measured
    }
    (BUILD / "results.json").write_text(
        json.dumps(
            {
                "machine": described,
                "workloads": runs,
                "growth": {each.series.letter: each.as_json() for each in grown},
                "browser": [each.as_json() for each in in_browser],
            },
            indent=1,
            ensure_ascii=False,
        )
    )
    if to_documentation and any(
        each.faults for each in [*measured, *(step for one in grown for step in one.steps)]
    ):
        _say("the documentation stays as it was: a run had faults")
    elif to_documentation:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(written)
        if drawn is not None:
            CHART.write_text(drawn)
        readme.fill(HERE.parent, measured, described)
    goals = [found for each in measured for goal in each.workload.goals for found in [verdict(goal, each)]]
    others = [*(each.is_met for each in grown), *(each.is_met for each in in_browser)]
    met = sum(found.is_met is True for found in goals) + sum(is_met is True for is_met in others)
    _say(f"{met} of {len(goals) + len(others)} goals met; kept in {BUILD.name}/results.md and results.json")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
