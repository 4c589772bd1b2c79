"""Compares what Hubbub's work costs with the baseline: `python -m bench.guard.main`, or `make bench-guard`.

The exit status is 0 if nothing grew, and 1 if something did or the work failed. Without valgrind it is 0, but under CI.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sqlite3
import statistics
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Final

import msgspec

from bench.guard import calibration, callgrind
from bench.guard.compare import WRITE, Baseline, Baselines, advice, compare, passes, table
from bench.guard.figures import FIGURES, Counts, ratios

BASELINES: Final = callgrind.ROOT / "bench" / "guard.json"
PACKAGES: Final = ("msgspec", "sqlalchemy", "websockets")  # whose code is in the counts
PYTHON: Final = f"{sys.version_info.major}.{sys.version_info.minor}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Count, compare and say; the exit status."""
    given = _parser().parse_args(arguments)
    valgrind = shutil.which(given.valgrind)
    if valgrind is None:
        return _not_checked("there is no valgrind here; install it, e.g. with `apt-get install valgrind`")
    try:
        made_with = _made_with(valgrind)
        runs = [callgrind.count(valgrind) for _ in range(given.times)]
    except callgrind.CountError as error:
        print(f"bench-guard: nothing was counted: {error}", file=sys.stderr)
        return 1
    _say_spread(runs)
    found = _written(runs, made_with)
    baselines = _read(BASELINES)
    if given.write:
        _write(BASELINES, baselines | {PYTHON: found})
    return _judge(baselines.get(PYTHON), found, written=given.write)


def _judge(baseline: Baseline | None, found: Baseline, *, written: bool) -> int:
    """Say what became of the figures; the exit status."""
    if baseline is None:
        print("\n".join(table(compare(found, found.figures), found.instructions)))
        if not written:
            _warn(
                f"NOT CHECKED: the baseline has nothing for Python {PYTHON}. `{WRITE}` notes the figures of now."
            )
        return 0
    compared = compare(baseline, found.figures)
    print("\n".join(table(compared, baseline.instructions)))
    if written:
        print(f"bench-guard: kept as the baseline for Python {PYTHON}; commit {BASELINES.name}")
        return 0
    for line in advice(compared, baseline, found.made_with):
        print(line, file=sys.stderr)
    return 0 if passes(compared) else 1


def _not_checked(why: str) -> int:
    """Nothing can be counted here: under CI that is a failure, and elsewhere said so that nobody misses it."""
    in_ci = os.environ.get("CI", "") not in ("", "0", "false")
    _warn(f"NOT CHECKED whether Hubbub costs more than it did: {why}.")
    return 1 if in_ci else 0


def _warn(text: str) -> None:
    rule = "=" * 86
    print(f"{rule}\nbench-guard: {text}\n{rule}", file=sys.stderr)


def _say_spread(runs: Sequence[Counts]) -> None:
    """With several runs, how far apart they were."""
    if len(runs) > 1:
        each = [ratios(run) for run in runs]
        for figure in FIGURES:
            values = [run[figure.name] for run in each]
            print(f"spread of {figure.name}: {max(values) / min(values) - 1:.2%}")


def _written(runs: Sequence[Counts], made_with: dict[str, str]) -> Baseline:
    """The medians of the runs."""
    each = [ratios(run) for run in runs]
    return Baseline(
        made_with=made_with,
        instructions=round(statistics.median(run["calibration"] / calibration.ROUNDS for run in runs)),
        figures={
            figure.name: round(statistics.median(run[figure.name] for run in each), 6) for figure in FIGURES
        },
    )


def _made_with(valgrind: str) -> dict[str, str]:
    versions = {name: metadata.version(name) for name in PACKAGES}
    return {
        "Python": platform.python_version(),
        "machine": platform.machine(),
        "SQLite": sqlite3.sqlite_version,
        "valgrind": callgrind.version(valgrind),
    } | versions


def _read(path: Path) -> Baselines:
    return msgspec.json.decode(path.read_bytes(), type=Baselines) if path.exists() else {}


def _write(path: Path, baselines: Baselines) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(baselines, order="sorted"), indent=2) + b"\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make bench-guard ARGS=…", description=__doc__)
    parser.add_argument("--write", action="store_true", help="keep the figures of now as the baseline")
    parser.add_argument(
        "--times", type=int, default=1, help="count so many times, and say how far apart they were"
    )
    parser.add_argument("--valgrind", default="valgrind", help="the valgrind to run")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
