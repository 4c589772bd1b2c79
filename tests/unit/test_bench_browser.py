"""The figures of the page in a browser: medians, goals met and missed, and their part of the page of results."""

from __future__ import annotations

import pytest

from bench import browser
from bench.browser import Found, NoBrowserError
from bench.browser_figures import longest_cpu_ms

FOUND = [
    browser.first_load(150_000, 3),
    browser.log_in([0.5, 9.0, 0.7]),
    browser.longest_task([51.0, 80.0], 44.0, 1000, 10),
    browser.switching([40.0, 60.0, 300.0]),
    browser.memory(10e6, 15.2e6, 10_000, 2345),
    browser.far_up([], 28.4, [12.0, 33.6], 3000, 100_000),
    browser.memory_far_up(10e6, 12.1e6, 3000, 400),
]


def test_a_goal_is_met_up_to_its_limit_and_times_are_judged_by_their_median() -> None:
    assert [found.is_met for found in FOUND] == [True, True, False, True, False, True, True]
    assert [found.written for found in FOUND] == [
        "150.0 KB",
        "0.70 s",
        "80 ms",
        "60 ms",
        "5.2 MB",
        "0 ms",
        "2.1 MB",
    ]
    assert [found.goal for found in FOUND] == [
        "≤ 150 KB",
        "≤ 1 s",
        "≤ 50 ms",
        "≤ 100 ms",
        "≤ 5 MB",
        "≤ 50 ms",
        "≤ 5 MB",
    ]


def test_no_long_task_at_all_meets_its_goal() -> None:
    assert browser.longest_task([], 31.4, 1000, 10) == Found(
        "longest task",
        "ms",
        ".0f",
        50,
        0,
        "100 messages a second for 10 s; 0 tasks of 50 ms or more; at most 31 ms of a processor",
    )


def test_the_section_has_a_line_for_each_figure_and_says_what_was_left_out() -> None:
    written = browser.section(FOUND, ["A note."])
    lines = [line for line in written.splitlines() if line.startswith("| P ")]
    assert [line.split("|")[5].strip() for line in lines] == [
        "met",
        "met",
        "**missed**",
        "met",
        "**missed**",
        "met",
        "met",
    ]
    assert "slowest 300 ms" in lines[3]
    assert "over 3,000 of 100,000 messages" in lines[5]
    assert "2 pages loaded, the slowest in 34 ms" in lines[5]
    assert "> A note." in written
    assert browser.section([]) == ""


def test_without_a_browser_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUBBUB_BROWSER", "no-such-browser")
    with pytest.raises(NoBrowserError, match="HUBBUB_BROWSER"):
        browser.executable()


def test_a_trace_tells_the_longest_task_of_a_page_and_of_no_other_thread() -> None:
    def thread(tid: int, name: str) -> dict[str, object]:
        return {"name": "thread_name", "pid": 1, "tid": tid, "args": {"name": name}}

    def task(tid: int, tdur: int) -> dict[str, object]:
        return {"name": "RunTask", "pid": 1, "tid": tid, "dur": 99_000, "tdur": tdur}

    events = [
        thread(1, "CrRendererMain"),
        thread(2, "Compositor"),
        task(1, 12_000),
        task(1, 31_000),
        task(2, 80_000),
    ]
    assert longest_cpu_ms(events) == 31.0
    assert longest_cpu_ms([]) == 0.0
