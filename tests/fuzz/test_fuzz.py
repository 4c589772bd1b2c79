"""100,000 damaged frames and requests at a running server; `make fuzz` sends as many as you like."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest

from hubbub.testing.fuzz import main
from hubbub.testing.inputs import event_input, request_input
from tests.support.server import environment


@pytest.mark.timeout(300)
def test_a_hundred_thousand_damaged_inputs_disturb_nobody() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hubbub.testing.fuzz", "--count", "100000"],
        env=environment({}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "\n0 faults (seed " in done.stdout


def test_the_same_seed_gives_the_same_inputs() -> None:
    def drawn() -> list[bytes]:
        chance = random.Random("1/2")
        frames = [event_input(chance, inflates=bool(number % 2)).data for number in range(500)]
        return frames + [request_input(chance, "token").data for _ in range(500)]

    assert drawn() == drawn()


def test_a_count_of_nothing_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--count", "0"])
    assert "--count must be at least 1" in capsys.readouterr().err
