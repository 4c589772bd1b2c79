"""`hubbub torture`: what a run says, and what it ends with."""

from __future__ import annotations

import re

import pytest

from tests.support.server import hubbub


@pytest.mark.parametrize(
    ("seed", "faults"),
    [("1", ""), ("2", "kill,cut"), ("3", "restart,vanish"), ("4", "lock,full,hold-up,hold-down")],
)
def test_no_promise_is_broken(seed: str, faults: str) -> None:
    chosen = ("--faults", faults) if faults else ()
    done = hubbub("torture", "--seed", seed, "--rounds", "2", "--seconds", "3", *chosen)
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stdout.endswith("every promise was kept\n")
    assert f"hubbub torture: seed {seed}\n" in done.stderr
    assert len(re.findall(r"round \d of 2: ok", done.stderr)) == 2
    found = re.search(r"^acknowledged +(\d+)$", done.stdout, re.MULTILINE)
    assert found is not None
    assert int(found[1]) > 100


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ("--faults", "kill,meteor"),
            (
                "hubbub torture: There is no fault 'meteor'. Known: kill, restart, pause, lock, full, cut, vanish,"
                " hold-up, hold-down, drip, delay.\n"
            ),
        ),
        (
            ("--clients", "1"),
            "hubbub torture: Give at least 1 round, 2 clients and 1 room, and up to 3,600 seconds a round.\n",
        ),
    ],
)
def test_what_can_not_be_done_is_said_in_a_line(arguments: tuple[str, ...], line: str) -> None:
    done = hubbub("torture", *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", line)
