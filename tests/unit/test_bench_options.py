"""What the load generator refuses to do, in one line each, and how it shares out the work."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.bench.command import UNUSABLE, run_bench
from hubbub.bench.load import suitable_processes
from hubbub.bench.options import BadOptionError, BenchOptions, check, read_tokens
from hubbub.bench.plan import seats

URL = "ws://127.0.0.1:1/ws"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (BenchOptions(url="http://127.0.0.1:8082"), "--url http://127.0.0.1:8082: not a WebSocket address"),
        (BenchOptions(url="ws://[::1"), "--url ws://[::1: not a WebSocket address"),
        (BenchOptions(url="ws://host:99999/ws"), "--url ws://host:99999/ws: not a WebSocket address"),
        (BenchOptions(connections=0), "--connections 0: at least 1"),
        (BenchOptions(rooms=0), "--rooms 0: at least 1"),
        (BenchOptions(connections=2, rooms=3), "--rooms 3: more rooms than the 2 connections"),
        (
            BenchOptions(connections=2, senders=3),
            "--senders 3: 3 connections that read are needed for so many in each room, there are 2",
        ),
        (
            BenchOptions(connections=6, rooms=2, senders=2, slow=3),
            "--senders 2: 4 connections that read are needed for so many in each room, there are 3",
        ),
        (BenchOptions(window=0), "--window 0: at least 1"),
        (BenchOptions(size=5), "--size 5: a message has 18 to 10000 characters"),
        (BenchOptions(rate=-1.0), "--rate -1"),
        (BenchOptions(rate=float("nan")), "--rate nan"),
        (BenchOptions(seconds=0.0), "--seconds 0"),
        (BenchOptions(seconds=float("inf")), "--seconds inf"),
        (BenchOptions(warmup=-1.0), "--warmup -1"),
        (BenchOptions(messages=1, senders=2), "--messages 1: at least one for each of the 2 senders"),
        (BenchOptions(messages=5, rate=3.0), "--messages goes without --rate"),
        (BenchOptions(connections=3, processes=4), "--processes 4: more than the 3 connections"),
        (BenchOptions(tokens=Path("tokens.csv")), "--tokens goes with --url"),
        (BenchOptions(server_pid=1), "--server-pid goes with --url"),
        (BenchOptions(url=URL, server_pid=2**22 + 1), "--server-pid 4194305: no such process"),
        (
            BenchOptions(url=URL, tokens=Path("nowhere.csv")),
            "--tokens nowhere.csv: No such file or directory",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_option_that_cannot_be_used_is_refused_in_one_line_with_status_2(
    options: BenchOptions, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_bench(options) == UNUSABLE
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert words in printed.err


def test_what_hubbub_user_import_writes_is_read(tmp_path: Path) -> None:
    file = tmp_path / "tokens.csv"
    file.write_text("name,token\nada,one\nlovelace, ada,two\n\n")
    assert read_tokens(file) == ["one", "two"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "no line name,token"),
        ("ada,one\nbob\n", "line 2 is not name,token"),
        ("ada,\n", "line 1 is not name,token"),
    ],
)
def test_a_file_of_tokens_with_a_fault_is_refused_with_its_line(
    tmp_path: Path, content: str, words: str
) -> None:
    file = tmp_path / "tokens.csv"
    file.write_text(content)
    with pytest.raises(BadOptionError, match=words):
        read_tokens(file)


@given(
    st.integers(min_value=1, max_value=60),
    st.integers(min_value=1, max_value=12),
    st.integers(min_value=1, max_value=4),
    st.integers(min_value=0, max_value=9),
    st.integers(min_value=1, max_value=7),
)
def test_every_room_has_its_senders_and_every_connection_its_process(
    connections: int, rooms: int, senders: int, slow: int, processes: int
) -> None:
    options = BenchOptions(
        connections=connections, rooms=rooms, senders=senders, slow=slow, processes=processes
    )
    try:
        check(options)
    except BadOptionError:
        return
    shared = seats(options, ["a", "b"], processes, sources=False)
    taken = [seat for process in shared for seat in process]
    assert sorted(seat.number for seat in taken) == list(range(connections))
    assert sum(seat.is_slow for seat in taken) == slow
    assert not [seat for seat in taken if seat.is_slow and seat.speaker is not None]
    speaking = [seat for seat in taken if seat.speaker is not None]
    assert sorted(seat.speaker for seat in speaking if seat.speaker is not None) == list(
        range(rooms * senders)
    )
    for room in range(rooms):
        assert sum(seat.room == f"bench-{room}" for seat in speaking) == senders
    if rooms >= processes:
        homes = [{seat.room for seat in process} for process in shared]
        assert sum(len(home) for home in homes) == len(set().union(*homes))


def test_ten_thousand_connections_a_time_come_from_addresses_with_ports_enough() -> None:
    options = BenchOptions(connections=45_000)
    sources = [seat.source for seat in seats(options, [], 1, sources=True)[0]]
    assert {source: sources.count(source) for source in set(sources)} == {
        "127.0.0.1": 20_000,
        "127.0.0.2": 20_000,
        "127.0.0.3": 5_000,
    }


def test_few_connections_are_not_spread_over_many_processes() -> None:
    assert (suitable_processes(1), suitable_processes(60)) == (1, 1)


def test_the_options_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        BenchOptions().connections = 3  # type: ignore[misc]
