"""`hubbub bench` from end to end: against a real server, against one that lies, and against the floor."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from bench import floor
from hubbub.bench import load
from hubbub.bench.options import BenchOptions
from tests.support.fixtures import StartServer
from tests.support.server import Server, environment

WAIT_SECONDS = 60.0


def bench(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    command = [sys.executable, "-m", "hubbub", "bench", *map(str, arguments)]
    return subprocess.run(
        command, env=environment({}), capture_output=True, text=True, timeout=WAIT_SECONDS, check=False
    )


def tokens_of(server: Server, folder: Path, people: int) -> Path:
    """A file with so many accounts' tokens, as `user import` writes them."""
    file = folder / "tokens.csv"
    file.write_text(
        "".join(f"{person.name},{person.token}\n" for person in (server.person() for _ in range(people)))
    )
    return file


# --- against Hubbub


def test_without_an_address_it_measures_a_server_of_its_own_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hubbub", "bench", "--connections", "10", "--messages", "50", "--json"],
        env=environment({}) | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["checked_deliveries"], report["gaps"], report["fault_examples"]) == (500, 0, {})
    assert set(report["faults"].values()) == {0}
    assert report["server"]["resident_kib"] > 0
    assert list(tmp_path.iterdir()) == []


def test_two_processes_share_a_room_and_check_every_delivery(server: Server, tmp_path: Path) -> None:
    tokens = tokens_of(server, tmp_path, 6)
    done = bench(
        *("--url", server.socket_url, "--tokens", tokens, "--connections", 12, "--senders", 2, "--window", 3),
        *("--messages", 41, "--processes", 2, "--json"),
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["checked_deliveries"], report["options"]["processes"]) == (41 * 12, 2)
    assert report["server"]["cpu_us_per_delivery"] is None


def test_the_report_for_people_has_a_line_for_each_figure(server: Server, tmp_path: Path) -> None:
    tokens = tokens_of(server, tmp_path, 4)
    done = bench(
        "--url", server.socket_url, "--tokens", tokens, "--connections", 4, "--rooms", 2, "--messages", 10
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith(
        "4 connections in 2 rooms; 1 sender a room, 1 message in flight each; messages of 64"
    )
    labels = [line[2:16].strip() for line in lines[2:]]
    assert labels == [
        *("deliveries", "messages", "acknowledged"),
        *("latency p50", "latency p90", "latency p99", "latency p99.9", "latency max"),
        *("server", "generator", "sent late", "checked"),
    ]
    assert "20  deliveries: complete, each once, in order, the same for all" in lines[-1]


def test_readers_that_never_read_harm_nobody(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(limit_messages=0)
    tokens = tokens_of(server, tmp_path, 8)
    done = bench(
        *("--url", server.socket_url, "--tokens", tokens, "--connections", 8, "--slow", 3),
        *("--messages", 100, "--size", 9000, "--window", 10, "--json"),
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["checked_deliveries"] == 500


def test_messages_that_the_server_refuses_are_named_with_its_reason(
    start_server: StartServer, tmp_path: Path
) -> None:
    server = start_server(limit_messages=1, limit_messages_burst=2)
    tokens = tokens_of(server, tmp_path, 1)
    done = bench("--url", server.socket_url, "--tokens", tokens, "--connections", 2, "--messages", 5)
    assert done.returncode == 1
    assert "hubbub bench: 3 refused" in done.stderr


def test_an_open_loop_sends_as_many_messages_as_its_rate_says(
    start_server: StartServer, tmp_path: Path
) -> None:
    server = start_server(limit_messages=0)
    tokens = tokens_of(server, tmp_path, 6)
    done = bench(
        *("--url", server.socket_url, "--tokens", tokens, "--connections", 6, "--rooms", 2, "--senders", 3),
        *("--rate", 200, "--seconds", 0.5, "--warmup", 0, "--processes", 2, "--json"),
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["messages_per_second"], report["checked_deliveries"]) == (200, 300)


def test_without_tokens_it_says_what_to_give(server: Server) -> None:
    done = bench("--url", server.socket_url, "--connections", 3)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == (
        "hubbub bench: the server refused a connection: HTTP 401; "
        "give --tokens FILE, with a line name,token for each account"
    )


def test_where_no_server_is_it_says_so_in_one_line() -> None:
    done = bench("--url", "ws://127.0.0.1:1/ws", "--connections", 2)
    assert (done.returncode, done.stdout) == (1, "")
    assert "no connection to ws://127.0.0.1:1/ws" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


# --- against a server that lies


Lie = Callable[[int], list[int]]


class Liar:
    """Speaks the wire and numbers messages. One member, which does not speak, gets what `lie` makes of each message."""

    def __init__(self, lie: Lie) -> None:
        self._lie = lie
        self._lock = threading.Lock()
        self._members: list[ServerConnection] = []
        self._payloads: list[dict[str, Any]] = []

    def attend(self, connection: ServerConnection) -> None:
        """One connection, from `enter` to its end."""
        with suppress(ConnectionClosed):
            for text in connection:
                event = json.loads(text)
                with self._lock:
                    if event["type"] == "enter":
                        self._members.append(connection)
                        self._tell(connection, "entered", event["payload"] | {"head": 0, "epoch": "e"})
                    else:
                        self._pass_on(connection, event["payload"])

    def _pass_on(self, sender: ServerConnection, payload: dict[str, Any]) -> None:
        seq = len(self._payloads) + 1
        self._payloads.append(payload | {"seq": seq, "from": "ada"})
        deceived = next(member for member in self._members if member is not sender)
        for member in self._members:
            for told in self._lie(seq) if member is deceived else [seq]:
                self._tell(member, "new_message", self._payloads[told - 1])

    def _tell(self, connection: ServerConnection, type_: str, payload: dict[str, Any]) -> None:
        connection.send(json.dumps({"type": type_, "payload": payload}))


@contextmanager
def lying(lie: Lie) -> Iterator[str]:
    """A server that lies, at this address."""
    with serve(Liar(lie).attend, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/ws"
        finally:
            server.shutdown()
            thread.join()


def no_lie(seq: int) -> list[int]:
    return [seq]


def lose_the_fifth(seq: int) -> list[int]:
    return [] if seq == 5 else [seq]


def repeat_the_fifth(seq: int) -> list[int]:
    return [seq, seq] if seq == 5 else [seq]


def swap_the_fifth(seq: int) -> list[int]:
    return {5: [], 6: [6, 5]}.get(seq, [seq])


def test_a_server_that_tells_the_truth_passes() -> None:
    with lying(no_lie) as url:
        done = bench("--url", url, "--connections", 4, "--messages", 20)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("lie", "words"),
    [(lose_the_fifth, "1 lost"), (repeat_the_fifth, "1 repeated"), (swap_the_fifth, "1 out of order")],
)
@pytest.mark.parametrize("processes", [1, 2])
def test_a_server_that_lies_to_one_member_is_found_out(lie: Lie, words: str, processes: int) -> None:
    with lying(lie) as url:
        done = bench("--url", url, "--connections", 4, "--messages", 20, "--processes", processes)
    assert done.returncode == 1
    faults = [line.removeprefix("hubbub bench: ").strip() for line in done.stderr.splitlines()]
    assert words in faults
    assert "entr" in faults[faults.index(words) + 1]
    assert "room bench-0" in faults[faults.index(words) + 1]


# --- the floor


def test_the_floor_looks_like_a_server_to_the_generator(tmp_path: Path) -> None:
    if floor.compiler() is None:
        with pytest.raises(floor.NoFloorError, match="no C compiler"):
            floor.build(tmp_path)
        return
    program = floor.build(tmp_path)
    options = BenchOptions(connections=12, rooms=3, senders=2, window=4, messages=300, size=9000, processes=2)
    with floor.running(program) as server:
        result = load.run(options, server.url, [], server.pid)
    assert (result.findings.counts, result.deliveries) == ({}, 300 * 4)
