"""The project's own rules about its tree (tools/check_tree.py), each seen to bite."""

from __future__ import annotations

import pytest

from tools import check_tree

# Made up here, so that this file does not itself name what it looks for.
HOST = "example.org".replace("example", "pypi")
HERE = "/somewhere/main".replace("somewhere", "work")


def found(name: str, text: str) -> list[str]:
    return list(check_tree.check_text(name, text))


def test_a_registry_host_is_found_with_its_line() -> None:
    faults = found("docs/a.md", f"fine\nsee https://{HOST}/project/x\n")
    assert faults == [f"docs/a.md:2: names the registry host {HOST}; name the package alone"]


def test_a_path_of_one_machine_is_found() -> None:
    assert found("docs/a.md", f"cd {HERE}\n") == [f"docs/a.md:1: names a path of one machine ({HERE[:7]}…)"]


@pytest.mark.parametrize("line", ["see docs/work/plan.md", "https://example.org/work/x", "the PyPI package"])
def test_what_only_looks_like_a_path_or_a_host_is_no_fault(line: str) -> None:
    assert found("docs/a.md", line) == []


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("import time\ntime.sleep(1)", "a test sleeps; wait for the event instead"),
        ("import asyncio\nawait asyncio.sleep(0.1)", "a test sleeps; wait for the event instead"),
        ("import time\ntime.perf_counter()", "a test holds a stopwatch; turn the clock by hand instead"),
        ("import pytest\n@pytest.mark.skip\ndef test_a(): f()", "a test is left out"),
        ("import pytest\npytest.importorskip('x')", "a test is left out"),
        ("\nassert True", "asserts nothing"),
        ('\ndef test_a():\n    """Words."""\n    pass', "an empty test"),
        ("\ndef test_a(:", "is not Python: invalid syntax"),
    ],
)
def test_a_test_that_waits_or_says_nothing_is_found(source: str, fault: str) -> None:
    assert found("tests/unit/test_a.py", source) == [f"tests/unit/test_a.py:2: {fault}"]


def test_letting_others_run_is_no_sleep() -> None:
    assert found("tests/unit/test_a.py", "await asyncio.sleep(0)") == []


def test_the_rules_for_tests_leave_the_program_alone() -> None:
    assert found("src/hubbub/a.py", "time.sleep(1)") == []


def test_a_long_module_is_found_and_a_long_test_is_not() -> None:
    text = "x = 1\n" * 401
    assert found("src/hubbub/a.py", text) == ["src/hubbub/a.py:401: over 400 lines; make it two modules"]
    assert found("tests/unit/test_a.py", text) == []


def test_a_line_may_give_its_reason_to_break_a_rule() -> None:
    assert found("docs/a.md", f"{HOST}  <!-- tree: allow, the word is the subject -->") == []


def test_the_files_looked_at_are_those_of_the_project() -> None:
    files = check_tree.project_files()
    assert {"Makefile", "tools/check_tree.py"} <= set(files)
    assert not [name for name in files if name.startswith((".venv/", ".git/"))]


def test_every_dependency_is_pinned() -> None:
    assert list(check_tree.check_pins()) == []
