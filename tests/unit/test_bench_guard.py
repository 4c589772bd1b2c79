"""The guard of what messages cost: it fails for growth, says what to do, and never passes for want of a tool unheard."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from bench.guard import callgrind, main, work
from bench.guard.compare import WRITE, Baseline, advice, compare, passes, table
from bench.guard.figures import FIGURES, ratios

VERSIONS = {"Python": "3.11.7", "SQLite": "3.40.1"}
BEFORE = Baseline(made_with=VERSIONS, instructions=50_000, figures={"message": 6.0, "delivery": 0.01})
# What work.py counts, such that every figure costs the same as a round of the calibration: 1,000 instructions.
COUNTS = {
    "calibration": 200_000,
    "deliver few": 1_000_000,
    "deliver many": 4_200_000,
    "no beat few": 1_000_000,
    "no beat many": 1_010_000,
    "beat few": 1_100_000,
    "beat many": 1_190_000,
    "talk": 40_000,
    "index": 48_000,
    "talk at once": 100_000,
    "talk everywhere": 400_000,
    "connect": 16_000,
    "resume": 20_000,
    "ring": 40_000_000,
}


@pytest.fixture
def guard(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    """The command, with counts and a baseline of the test's own, and a valgrind that does nothing."""
    monkeypatch.setattr(main, "BASELINES", tmp_path / "guard.json")
    monkeypatch.setattr(callgrind, "version", lambda _valgrind: "3.19.0")
    monkeypatch.delenv("CI", raising=False)

    def run(*arguments: str, **counts: int) -> int:
        names = {name.replace("_", " "): count for name, count in counts.items()}
        monkeypatch.setattr(callgrind, "count", lambda _valgrind: COUNTS | names)
        return main.main(["--valgrind", sys.executable, *arguments])

    return run


def test_each_figure_is_what_one_of_it_costs_in_rounds_of_the_calibration() -> None:
    assert ratios(COUNTS) == {figure.name: 1.0 for figure in FIGURES}


def test_a_python_that_is_dearer_in_everything_changes_no_figure() -> None:
    assert ratios({name: count * 3 for name, count in COUNTS.items()}) == ratios(COUNTS)


@pytest.mark.parametrize(
    ("now", "verdict", "passing"),
    [
        (6.0, "as before", True),
        (6.59, "as before", True),
        (6.61, "GREW", False),
        (5.41, "as before", True),
        (5.39, "cheaper", True),
    ],
)
def test_a_tenth_more_is_allowed_and_no_more(now: float, verdict: str, passing: bool) -> None:
    compared = compare(BEFORE, {"message": now, "delivery": 0.01})
    assert [each.verdict for each in compared] == [verdict, "as before"]
    assert passes(compared) is passing


def test_growth_is_named_with_its_figure_and_what_to_do() -> None:
    compared = compare(BEFORE, {"message": 6.0, "delivery": 0.015})
    first, second = advice(compared, BEFORE, VERSIONS)
    assert first == "bench-guard: delivery costs 50.0% more than the baseline; 10% is allowed."
    assert WRITE in second


def test_growth_is_said_to_come_perhaps_of_another_version_of_something() -> None:
    compared = compare(BEFORE, {"message": 6.0, "delivery": 0.015})
    *_, last = advice(compared, BEFORE, {"Python": "3.11.9", "SQLite": "3.40.1"})
    assert last == "  Part of it may come from what changed besides Hubbub: Python 3.11.7 → 3.11.9."


def test_what_became_cheaper_is_to_be_kept() -> None:
    (line,) = advice(compare(BEFORE, {"message": 3.0, "delivery": 0.01}), BEFORE, VERSIONS)
    assert "cheaper than the baseline: message" in line
    assert WRITE in line


def test_nothing_is_advised_while_all_is_as_before() -> None:
    assert advice(compare(BEFORE, BEFORE.figures), BEFORE, {"Python": "3.11.9"}) == []


def test_a_figure_without_a_baseline_and_one_that_is_measured_no_more_fail() -> None:
    compared = compare(BEFORE, {"message": 6.0, "ring": 0.01})
    assert [(each.name, each.verdict) for each in compared] == [
        ("message", "as before"),
        ("ring", "new"),
        ("delivery", "gone"),
    ]
    assert not passes(compared)
    assert advice(compared, BEFORE, VERSIONS) == [
        f"bench-guard: the baseline has other figures (ring, delivery): `{WRITE}`."
    ]


def test_the_table_shows_instructions_as_of_the_baselines_machine() -> None:
    assert table(compare(BEFORE, {"message": 6.3, "delivery": 0.02}), BEFORE.instructions) == [
        "figure    baseline      now   change",
        "message    300,000  315,000    +5.0%",
        "delivery       500    1,000  +100.0%  GREW",
    ]


def test_what_was_written_is_what_the_next_run_is_compared_with(
    guard: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert guard("--write") == 0
    assert guard() == 0
    assert capsys.readouterr().err == ""
    assert guard(connect=18_000) == 1
    assert "connect costs 12.5% more" in capsys.readouterr().err
    assert guard("--write", connect=18_000) == 0
    assert guard(connect=18_000) == 0


def test_another_python_is_compared_with_none_but_its_own_baseline(
    guard: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    other = msgspec.json.encode({"2.7": BEFORE})
    main.BASELINES.write_bytes(other)
    assert guard() == 0
    assert f"NOT CHECKED: the baseline has nothing for Python {main.PYTHON}." in capsys.readouterr().err
    assert guard("--write") == 0
    assert set(msgspec.json.decode(main.BASELINES.read_bytes())) == {"2.7", main.PYTHON}


@pytest.mark.parametrize(("ci", "status"), [("true", 1), ("", 0), ("0", 0), ("false", 0)])
def test_without_valgrind_it_says_so_and_fails_under_ci(
    guard: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    ci: str,
    status: int,
) -> None:
    monkeypatch.setenv("CI", ci)
    assert guard("--valgrind", "no-such-program") == status
    said = capsys.readouterr().err
    assert "NOT CHECKED whether Hubbub costs more than it did: there is no valgrind here" in said


def test_work_that_fails_is_a_failure_of_the_guard_wherever_it_runs(
    guard: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(_valgrind: str) -> dict[str, int]:
        raise callgrind.CountError("the work failed: no such room")

    assert guard("--write") == 0
    monkeypatch.setattr(callgrind, "count", fails)
    assert main.main(["--valgrind", sys.executable]) == 1
    assert "the work failed: no such room" in capsys.readouterr().err


def _dumps(folder: Path, totals: list[int]) -> None:
    """What callgrind leaves: a file for each call of the function that marks, and one for the end."""
    for number, total in enumerate(totals, 1):
        (folder / f"out.{number}").write_text(f"version: 1\nevents: Ir\ntotals: {total}\n")
    (folder / "out").write_text("version: 1\ntotals: 9\n")


def test_what_is_counted_is_what_lies_between_two_marks(tmp_path: Path) -> None:
    (tmp_path / work.COUNTS).write_text('["talk", "ring"]')
    _dumps(tmp_path, [1_000, 40, 2_000, 50])
    assert callgrind._read(tmp_path) == {"talk": 40, "ring": 50}


@pytest.mark.parametrize(
    ("totals", "reason"),
    [([1_000, 40], "counted nothing for ring"), ([1_000, 40, 2_000, 50, 7], "something else calls")],
)
def test_marks_that_were_not_seen_or_are_not_ours_are_told(
    tmp_path: Path, totals: list[int], reason: str
) -> None:
    (tmp_path / work.COUNTS).write_text('["talk", "ring"]')
    _dumps(tmp_path, totals)
    with pytest.raises(callgrind.CountError, match=reason):
        callgrind._read(tmp_path)


def test_the_baseline_has_the_figures_that_are_measured() -> None:
    kept = msgspec.json.decode(
        (callgrind.ROOT / "bench" / "guard.json").read_bytes(), type=dict[str, Baseline]
    )
    assert kept
    for baseline in kept.values():
        assert set(baseline.figures) == {figure.name for figure in FIGURES}
