"""The page of the benchmark: medians, goals met and missed, and the same figures in both READMEs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench import growth
from bench.page import Measured, page, verdict
from bench.readme import CHINESE, ENGLISH, block, fill, filled
from bench.workloads import WORKLOADS, Workload
from hubbub.bench.findings import Findings
from hubbub.bench.histogram import Histogram
from hubbub.bench.load import Result, ServerFigures

MACHINE = {"processor": "4 × Processor 9"}


BESIDE = {"quickest": 2000, "second": 8000, "slow": 9000}
"""Latencies in µs; Hubbub has 5,000."""


def a_result(
    workload: Workload, cpu_us: float, deliveries: int = 1000, others: float = 0.0, latency_us: int = 5000
) -> Result:
    """A run of a second, with these figures."""
    latency = Histogram()
    latency.add(latency_us)
    cpu_seconds = cpu_us * deliveries / 1e6
    return Result(
        options=workload.options,
        processes=1,
        seconds=1.0,
        deliveries=deliveries,
        deliveries_in_time=deliveries,
        sent_in_time=10_500,
        acknowledged_in_time=10_500,
        other_entries=0,
        gaps=0,
        missed_in_gaps=0,
        generator_cpu_seconds=0.5,
        generator_seconds=1.0,
        latency=latency,
        late_sends=Histogram(),
        findings=Findings(),
        server=ServerFigures(
            cpu_seconds, 0.1, 10 * workload.options.connections, 1000, cpu_seconds + 0.5 + others
        ),
    )


def measured_as(letter: str, floor: list[float], hubbub: list[float]) -> Measured:
    """A workload with these microseconds a delivery."""
    workload = next(each for each in WORKLOADS if each.letter == letter)
    return Measured(
        workload, [a_result(workload, cpu) for cpu in floor], [a_result(workload, cpu) for cpu in hubbub]
    )


ALL = [measured_as(workload.letter, [2.0], [4.0]) for workload in WORKLOADS]


@pytest.mark.parametrize(("hubbub", "is_met"), [([3.0, 3.4, 99.0], True), ([3.0, 3.5, 99.0], False)])
def test_a_goal_compares_the_medians_of_the_rounds(hubbub: list[float], is_met: bool) -> None:
    measured = measured_as("A", [1.0, 2.0, 9.0], hubbub)
    found = verdict(measured.workload.goals[0], measured)
    assert (found.floor, found.hubbub, found.is_met) == (2.0, hubbub[1], is_met)


def test_a_goal_that_must_be_reached_from_below_is_missed_below_it() -> None:
    measured = measured_as("D", [2.0], [2.0])
    assert [verdict(goal, measured).is_met for goal in measured.workload.goals] == [False]


def test_a_run_with_a_fault_meets_no_goal() -> None:
    measured = measured_as("I", [2.0], [4.0])
    assert [verdict(goal, measured).is_met for goal in measured.workload.goals] == [True, True]
    measured.faults.append("Hubbub: 1 lost")
    assert [verdict(goal, measured).is_met for goal in measured.workload.goals] == [False, False]
    assert "- I: Hubbub: 1 lost" in page([measured], MACHINE, "One round.", [])


def test_a_goal_for_a_log_in_memory_is_of_those_runs_alone() -> None:
    measured = measured_as("A", [2.0], [9.0])
    goal = measured.workload.goals[1]
    assert goal.name == "CPU a delivery, log in memory"
    assert verdict(goal, measured).is_met is None
    measured.in_memory = [a_result(measured.workload, 2.2)]
    found = verdict(goal, measured)
    assert (found.hubbub, found.is_met) == (2.2, True)


def test_without_a_floor_a_ratio_is_not_measured_and_other_goals_are() -> None:
    ratio, value = measured_as("A", [], [4.0]), measured_as("I", [], [4.0])
    assert verdict(ratio.workload.goals[0], ratio).is_met is None
    assert [verdict(goal, value).is_met for goal in value.workload.goals] == [True, True]
    assert "not measured" in page([ratio], MACHINE, "One round.", ["The floor is left out: no C compiler."])


def test_latency_is_compared_with_that_of_the_best_peer_that_had_no_fault() -> None:
    workload = next(each for each in WORKLOADS if each.letter == "L")
    measured = measured_as("L", [], [4.0])
    measured.peers = {key: [a_result(workload, 4.0, latency_us=us)] for key, us in BESIDE.items()}
    assert verdict(workload.goals[0], measured).value == pytest.approx(5000 / 2000, rel=0.02)
    measured.peer_faults["quickest"] = ["1 lost"]
    found = verdict(workload.goals[0], measured)
    assert found.value == pytest.approx(5000 / 8000, rel=0.02)
    assert found.is_met


def test_the_page_says_so_if_others_used_the_machine_meanwhile() -> None:
    alone = Measured(WORKLOADS[0], [], [a_result(WORKLOADS[0], 4.0)])
    disturbed = Measured(WORKLOADS[0], [], [a_result(WORKLOADS[0], 4.0, others=0.7)])
    assert "with care" not in page([alone], MACHINE, "One round.", [])
    assert "Others used up to 0.70 cores of the machine meanwhile" in page(
        [disturbed], MACHINE, "One round.", []
    )


def test_the_page_has_a_line_for_each_goal_and_a_column_for_each_workload() -> None:
    written = page(ALL, MACHINE, "One round.", ["A note."])
    goals = written.partition("## Goals")[2].partition("## All figures")[0]
    assert re.findall(r"^\| ([A-Z]) ", goals, re.MULTILINE) == list("AABCDEFFGHIIL")
    first = next(line for line in goals.splitlines() if line.startswith("| A "))
    assert [cell.strip() for cell in first.split("|")[3:-1]] == [
        *("CPU a delivery", "2.00 µs", "4.00 µs", "2.00 ×", "≤ 1.7 ×", "**missed**"),
    ]
    columns = next(line for line in written.splitlines() if line.startswith("| ") and " G |" in line)
    assert re.findall("[A-Z]", columns) == [workload.letter for workload in WORKLOADS]
    assert "- processor: 4 × Processor 9" in written


def test_both_readmes_get_the_same_figures_and_nothing_else_changes(tmp_path: Path) -> None:
    for language in (ENGLISH, CHINESE):
        (tmp_path / language.file).write_text("# 1\n<!-- bench -->\nold 99\n<!-- /bench -->\nend\n")
    fill(tmp_path, ALL, MACHINE)
    fill(tmp_path, ALL, MACHINE)
    texts = [(tmp_path / language.file).read_text() for language in (ENGLISH, CHINESE)]
    figures = [re.findall(r"\d[\d.,]*", text) for text in texts]
    assert figures[0] == figures[1]
    for text in texts:
        assert text.startswith("# 1\n<!-- bench -->\n")
        assert text.endswith("<!-- /bench -->\nend\n")
        assert "99\n" not in text


def test_both_readmes_show_others_with_the_same_figures_and_the_chart_if_there_are_any() -> None:
    assert "benchmark.svg" not in block(ENGLISH, ALL, MACHINE)
    measured = [measured_as(letter, [2.0], [4.0]) for letter in "ABCDL"]
    for each in measured:
        each.in_memory = each.hubbub
        each.peers = {"starlette": [a_result(each.workload, 9.0)]}
    english, chinese = (block(language, measured, MACHINE) for language in (ENGLISH, CHINESE))
    for text in (english, chinese):
        assert "](docs/benchmark.svg)" in text
        assert "| Starlette " in text
    assert re.findall(r"\d[\d.,]*", english) == re.findall(r"\d[\d.,]*", chinese)
    names = [re.findall(r"^\| ([A-Z*][\w*]+)", text, re.MULTILINE) for text in (english, chinese)]
    assert names == [["**Hubbub**", "Starlette"]] * 2
    names_of_things = r"`[^`]*`|\(.*?\)|\[(docs|bench)/.*?\]|Starlette|Hubbub|4 × Processor"
    assert not re.search("[a-z]{4}", re.sub(names_of_things, "", chinese))


def test_every_word_of_the_figures_is_there_in_chinese() -> None:
    english = block(ENGLISH, ALL, MACHINE)
    chinese = block(CHINESE, ALL, MACHINE)
    said = {cell.strip() for line in chinese.splitlines() if line.startswith("|") for cell in line.split("|")}
    wanted = {goal.name for workload in WORKLOADS for goal in workload.goals} | {
        each.title for each in WORKLOADS
    }
    assert not said & wanted
    assert len(english.splitlines()) == len(chinese.splitlines())


def test_a_readme_without_a_place_for_figures_is_refused() -> None:
    with pytest.raises(ValueError, match="to put the figures between"):
        filled("# Hubbub\n", "figures")


# --- growth


def grown_as(hubbub_us: list[float], floor_us: list[float]) -> growth.Grown:
    """Rooms of more and more members, with these microseconds a delivery."""
    steps = growth.MEMBERS.steps
    return growth.Grown(
        growth.MEMBERS,
        [
            Measured(step, [a_result(step, floor)], [a_result(step, hubbub)])
            for step, hubbub, floor in zip(steps, hubbub_us, floor_us, strict=True)
        ],
    )


@pytest.mark.parametrize(
    ("hubbub", "floor", "grew", "is_met"),
    [
        ([20.0, 4.0, 2.0, 2.4], [3.0, 2.0, 2.0, 2.0], 1.2, True),
        ([2.0, 2.0, 2.0, 3.0], [3.0, 2.0, 2.0, 2.0], 1.5, False),
        ([2.0, 3.0, 2.0, 2.0], [1.0, 1.0, 1.0, 1.0], 1.0, True),
        ([9.0, 4.0, 2.0, 3.0], [3.0, 1.0, 1.5, 2.2], 1.15, True),
        ([9.0, 4.0, 2.0, 3.0], [3.0, 1.0, 2.5, 2.2], 1.5, False),
    ],
)
def test_growth_is_the_largest_size_against_the_cheapest_less_what_the_floors_grew_by(
    hubbub: list[float], floor: list[float], grew: float, is_met: bool
) -> None:
    grown = grown_as(hubbub, floor)
    assert grown.growth == pytest.approx(grew)
    assert grown.is_met is is_met
    rows = [line for line in "\n".join(growth.section([grown])).splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows]
    assert cells[0][1:] == ["10", "100", "1,000", "10,000", "growth", "goal", ""]
    assert cells[2][5:] == [f"{grew:.2f} ×", "≤ 1.25 ×", "met" if is_met else "**missed**"]
    assert cells[3] == ["floor: CPU a delivery, µs", *(f"{us:.2f}" for us in floor), "", "", ""]


def test_growth_with_a_fault_is_missed_and_without_all_sizes_not_measured() -> None:
    grown = grown_as([2.0] * 4, [2.0] * 4)
    grown.steps[1].hubbub.clear()
    assert (grown.growth, grown.is_met) == (None, None)
    grown.steps[1].faults.append("Hubbub: 1 lost")
    assert grown.is_met is False
    assert "- M: Hubbub: 1 lost" in growth.section([grown])


@pytest.mark.parametrize("series", growth.SERIES, ids=lambda series: series.letter)
def test_only_the_size_differs_between_the_steps_of_a_series(series: growth.Series) -> None:
    assert [step.options.connections for step in series.steps] == list(series.sizes)
    assert len({(step.options.rate, step.options.window, step.options.senders) for step in series.steps}) == 1
    members = {step.options.connections // step.options.rooms for step in series.steps}
    assert members == (set(series.sizes) if series is growth.MEMBERS else {1})
