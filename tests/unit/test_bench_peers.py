"""Who Hubbub is measured beside: chosen by name, left out with a reason, and shown in a table. No peer is needed for these."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench import main as bench_main
from bench.page import page
from bench.peers import beside, choice, place
from bench.peers.choice import UnknownPeerError, asked_for, choose
from bench.peers.peer import PEERS, NotStartedError, Peer
from bench.peers.place import SERVERS, NotInstalledError, Place
from bench.workloads import WORKLOADS
from hubbub.bench import load
from hubbub.bench.dialect import DIALECTS
from hubbub.bench.findings import Fault
from hubbub.bench.process import family
from tests.unit.test_bench_chart import whole
from tests.unit.test_bench_page import MACHINE, a_result
from tests.unit.test_docs import _skeleton
from tools import build_web

ROOT = Path(__file__).resolve().parents[2]
KEYS = [peer.key for peer in PEERS]


# --- which


def test_peers_are_asked_for_by_name_all_or_none() -> None:
    assert [peer.key for peer in asked_for("all")] == KEYS
    assert asked_for("none") == []
    assert [peer.key for peer in asked_for("websockets,nchan")] == ["nchan", "websockets"]


@pytest.mark.parametrize("said", ["", ",", "phoenix", "ws,phoenix"])
def test_a_peer_that_is_not_known_is_refused_with_those_that_are(said: str) -> None:
    with pytest.raises(UnknownPeerError, match=f"--peers {said}: give all, none, or of these.*{KEYS[-1]}"):
        asked_for(said)


def test_one_that_cannot_be_installed_is_left_out_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(_: Place) -> None:
        raise NotInstalledError("there is no network")

    def accept(_: Place) -> None:
        pass

    peers = [replace(peer, install=refuse if peer.key == "ws" else accept) for peer in PEERS]
    monkeypatch.setattr(choice, "PEERS", peers)
    said: list[str] = []
    chosen = choose("all", said.append, Place(tmp_path))
    assert [peer.key for peer in chosen.peers] == [key for key in KEYS if key != "ws"]
    assert chosen.left_out == said == ["ws (Node.js) is left out: there is no network"]
    section = beside.section(whole(), chosen.installed, chosen.left_out)
    assert "- ws (Node.js) is left out: there is no network." in section


def test_what_cannot_be_installed_is_tried_once_for_all_that_come_with_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tried = []

    def refuse(place: Place) -> None:
        tried.append(place)
        raise NotInstalledError("there is no network")

    monkeypatch.setattr(choice, "PEERS", [replace(peer, install=refuse) for peer in PEERS])
    chosen = choose("all", lambda _: None, Place(tmp_path))
    assert (len(tried), len(chosen.left_out), chosen.peers) == (1, len(PEERS), [])


def test_without_peers_nothing_is_said_of_them() -> None:
    assert beside.section(whole(), [], []) == []


# --- how they start and end


def a_peer(command: list[str]) -> Peer:
    return replace(PEERS[0], command=lambda *_: command)


def test_one_that_ends_at_once_is_left_out_with_its_last_words(tmp_path: Path) -> None:
    peer = a_peer(["sh", "-c", "echo first; echo no such file >&2; exit 3"])
    with (
        pytest.raises(NotStartedError, match="it ended with status 3: no such file"),
        peer.running(Place(tmp_path)),
    ):
        pass


def test_all_that_come_from_a_peer_end_with_it(tmp_path: Path) -> None:
    """Each of them holds the pipe open."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    end = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(end, True)
    serve = f'exec 3>{pipe}; sleep 1000 & exec {sys.executable} -m http.server --bind 127.0.0.1 "$1"'
    peer = replace(PEERS[0], command=lambda _, port, __: ["sh", "-c", serve, "sh", str(port)])
    with peer.running(Place(tmp_path)) as server:
        assert len(family(server.pid)) == 2
    assert os.read(end, 1) == b""
    os.close(end)


def test_nchan_is_not_started_where_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Place, "nginx", lambda _: None)
    nchan = next(peer for peer in PEERS if peer.key == "nchan")
    with pytest.raises(NotInstalledError, match="no nginx with nchan"), nchan.running(Place(tmp_path)):
        pass


def test_nothing_is_there_before_it_is_installed_nor_when_other_versions_are_wanted(tmp_path: Path) -> None:
    there = Place(tmp_path)
    assert (there.has_python(), there.has_node()) == (False, False)
    stamp = tmp_path / "python" / "installed"
    stamp.parent.mkdir()
    stamp.write_text(place._digest(place.REQUIREMENTS))
    assert there.has_python()
    stamp.write_text("of older requirements")
    assert not there.has_python()


def test_a_command_that_fails_gives_its_last_line_as_the_reason() -> None:
    with pytest.raises(NotInstalledError, match=r"it failed: second$"):
        place._do(["sh", "-c", "echo first >&2; echo second >&2; exit 1"], "it failed")
    with pytest.raises(NotInstalledError, match=r"it failed: status 7$"):
        place._do(["sh", "-c", "exit 7"], "it failed")
    with pytest.raises(NotInstalledError, match=r"it failed: .*no-such-program"):
        place._do(["no-such-program"], "it failed")


def fails_to_install(folder: Path, tools: Path) -> None:
    sys.stderr.write(
        "Installing what the page is built with\nnpm error: no such host\nnpm error: see a log\n"
    )
    raise build_web.BuildError(f"npm failed with {tools} in {folder}")


def has_no_node() -> Path:
    raise build_web.BuildError("There is no Node.js to build the page with")


@pytest.mark.parametrize(
    ("name", "instead", "why"),
    [
        ("install", fails_to_install, "npm could not install it: npm error: no such host"),
        ("node_folder", has_no_node, "there is no Node.js here"),
    ],
)
def test_without_node_or_its_registry_the_reason_is_given_and_nothing_is_said_of_the_page(
    name: str,
    instead: object,
    why: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(build_web, name, instead)
    with pytest.raises(NotInstalledError) as refused:
        Place(tmp_path).install_node()
    assert str(refused.value) == why
    assert capsys.readouterr().err == "Installing the peers for Node.js, into build/peers\n"


# --- what they are


def test_each_peer_has_its_file_its_dialect_and_a_pinned_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Place, "nginx", lambda _: None)
    assert len({peer.key for peer in PEERS}) == len({peer.name for peer in PEERS}) == len(PEERS)
    for peer in PEERS:
        assert peer.dialect in DIALECTS
        if peer.key != "nchan":
            assert re.match(r"\d+\.\d+", peer.version(Place())), peer.key
    source = (ROOT / "bench/peers/peer.py").read_text()
    for file in SERVERS.iterdir():
        if file.is_file():
            assert file.stem in source, f"nobody starts {file.name}"


def test_what_both_use_has_one_version_and_everything_a_hash() -> None:
    pins = [
        dict(
            re.findall(
                r"^([\w.-]+)==([^\s;]+)(?! ;)", (ROOT / "requirements" / name).read_text(), re.MULTILINE
            )
        )
        for name in ("dev.txt", "bench-peers.txt")
    ]
    shared = pins[0].keys() & pins[1].keys()
    assert {"websockets", "starlette", "uvicorn"} <= shared
    assert {name: pins[0][name] for name in shared} == {name: pins[1][name] for name in shared}
    text = (ROOT / "requirements/bench-peers.txt").read_text()
    assert all("--hash=sha256:" in part for part in re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:])
    asked = (ROOT / "bench/peers/requirements.in").read_text().splitlines()
    assert {re.sub(r"\[.*", "", line) for line in asked if not line.startswith("#")} <= pins[1].keys()


def test_the_lock_of_the_node_peers_pins_each_of_them_and_names_no_host() -> None:
    package = json.loads((ROOT / "bench/peers/package.json").read_text())
    lock = json.loads((ROOT / "bench/peers/package-lock.json").read_text())
    for name, version in package["dependencies"].items():
        assert lock["packages"][f"node_modules/{name}"]["version"] == version
    assert all("resolved" not in each for each in lock["packages"].values())
    assert all("integrity" in each for name, each in lock["packages"].items() if name)


# --- the table


def test_the_table_has_a_line_for_each_server_with_its_ratio_to_the_floor() -> None:
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in beside.table(whole()).splitlines()]
    assert rows[0] == [
        *("", "A: CPU a delivery", "B: CPU a delivery", "C: CPU a delivery", "D: deliveries"),
        *("L: latency p50", "L: latency p99", "C: memory a connection"),
    ]
    by_name = {row[0]: row[1:] for row in rows[2:]}
    assert list(by_name) == [
        *("floor", "**Hubbub**", "the same, log in memory"),
        *(peer.name for peer in PEERS),
    ]
    assert by_name["floor"][0] == "2.00 µs"
    assert by_name["**Hubbub**"][0] == "3.00 µs (1.50 ×)"
    assert by_name["the same, log in memory"][1] == "–"
    assert by_name["nchan"][6] == "10.0 KiB"
    assert by_name["Starlette"][3] == "1,000 /s (1.00 ×) †"
    assert by_name["Django Channels"][4:6] == ["–", "–"]


def test_what_a_peer_lost_is_told_and_fails_nobody_else() -> None:
    measured = whole()
    next(each for each in measured if each.workload.letter == "L").omitted = {"channels": "too slow"}
    installed = [beside.Installed("starlette", "Starlette", "1.0", "a send each")]
    written = page(measured, MACHINE, "One round.", [], beside.section(measured, installed, []))
    assert "- † Starlette in D: 3 out of order." in written
    assert "- Django Channels was not measured in L: too slow." in written
    assert "- **Starlette** 1.0: a send each." in written
    assert "What went wrong" not in written


# --- the command


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--peers", "phoenix"], "--peers phoenix: give all, none"),
        (["--peers", "phoenix", "--only", "E"], "--peers phoenix: give all, none"),
        (["--rounds", "0"], "--rounds 0: give 1 or more"),
        (["--seconds", "nan"], "--seconds nan: give 0.5 or more"),
        (["--latency-rate", "-1"], "--latency-rate -1: give 0 or more"),
        (["--only", "AZ"], "--only AZ: there are ABCDEFGHILMR, and P for the page"),
        (["--write", "--peers", "none"], "--write goes without --quick, --only and --peers"),
    ],
)
def test_arguments_that_cannot_be_used_are_refused_in_a_line(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench_main.main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"bench: {words}")
    assert said.count("\n") == 1


def test_the_latency_is_measured_at_half_of_the_peak_and_not_of_those_who_cannot_do_so_much() -> None:
    bench = bench_main._Bench(None, PEERS, bench_main._Times(1, 0, 1), latency_rate=0)
    peak = next(each for each in whole() if each.workload.letter == "C")
    for result in peak.peers["channels"]:
        result.acknowledged_in_time = 300
    bench._peak = peak
    assert bench._rate() == 5200  # half of 10,500, to the hundred
    assert bench._too_slow(5200) == {
        "channels": "its most in C is 300 messages a second, and 5,200 are asked for"
    }
    assert bench_main._Bench(None, [], bench_main._Times(1, 0, 1), latency_rate=900)._rate() == 900


def test_a_peer_that_does_not_start_is_asked_once_and_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench_main, "_measure_hubbub", lambda *_: None)
    peer = a_peer(["sh", "-c", "echo no room >&2; exit 1"])
    bench = bench_main._Bench(None, [peer], bench_main._Times(3, 0, 1), latency_rate=0)
    measured = [bench.measure(workload) for workload in WORKLOADS[:2]]
    assert bench.left_out == {peer.key: f"{peer.name} is left out: it ended with status 1: no room"}
    assert [(each.peers, each.omitted, each.faults) for each in measured] == [({}, {}, [])] * 2
    assert capsys.readouterr().err.count("no room") == 1


def test_what_a_peer_loses_is_counted_and_the_bench_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    workload = WORKLOADS[0]
    result = a_result(workload, 4.0)
    result.findings.note(Fault.LOSS, "connection 1 in room bench-0: 1,200 entries never came", 1200)
    result.findings.note(Fault.REPEAT, "connection 2 in room bench-0: entry 3 came again")
    monkeypatch.setattr(bench_main, "_measure_hubbub", lambda *_: None)
    monkeypatch.setattr(load, "run", lambda *_, **__: result)
    peer = a_peer(["sh", "-c", f'exec {sys.executable} -m http.server --bind 127.0.0.1 "$1"'])
    serves = replace(peer, command=lambda _, port, __: [*peer.command(Place(), 0, Path()), "sh", str(port)])
    bench = bench_main._Bench(None, [serves], bench_main._Times(2, 0, 1), latency_rate=0)
    measured = bench.measure(workload)
    assert measured.peers == {peer.key: [result, result]}
    assert measured.peer_faults == {peer.key: ["1,200 lost, 1 repeated"] * 2}
    assert measured.faults == []
    assert capsys.readouterr().err.count(peer.name) == 2


def test_a_latency_workload_alone_measures_the_peak_too() -> None:
    assert [each.letter for each in bench_main._chosen("l")] == ["C", "L"]
    assert bench_main._chosen("") == list(WORKLOADS)


@pytest.fixture
def documentation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of which only the documentation is there."""
    for name in ("README.md", "README.zh-TW.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "bench" / "build").mkdir(parents=True)
    monkeypatch.setattr(bench_main, "HERE", tmp_path / "bench")
    monkeypatch.setattr(bench_main, "BUILD", tmp_path / "bench" / "build")
    monkeypatch.setattr(bench_main, "PAGE", tmp_path / "docs" / "benchmark.md")
    monkeypatch.setattr(bench_main, "CHART", tmp_path / "docs" / "benchmark.svg")
    return tmp_path


def test_a_whole_run_writes_the_page_the_chart_and_both_readmes_alike(documentation: Path) -> None:
    bench_main._keep(whole(), [], [], MACHINE, "# The page\n", to_documentation=True)
    assert (documentation / "docs/benchmark.md").read_text() == "# The page\n"
    assert (documentation / "docs/benchmark.svg").read_text() == beside.chart(whole(), MACHINE)
    english, chinese = ((documentation / name).read_text() for name in ("README.md", "README.zh-TW.md"))
    assert english.count("](docs/benchmark.svg)") == 1
    assert _skeleton(english) == _skeleton(chinese)
    kept = json.loads((documentation / "bench/build/results.json").read_text())
    assert set(kept["workloads"]["A"]["peers"]) == set(KEYS)
    assert kept["workloads"]["D"]["peer_faults"] == {"starlette": ["3 out of order"]}


def test_a_run_with_a_fault_of_hubbubs_leaves_the_documentation_as_it_was(documentation: Path) -> None:
    before = (documentation / "README.md").read_text()
    measured = whole()
    measured[0].faults.append("Hubbub: 1 lost")
    bench_main._keep(measured, [], [], MACHINE, "# The page\n", to_documentation=True)
    assert not (documentation / "docs").exists()
    assert (documentation / "README.md").read_text() == before
    assert (documentation / "bench/build/results.md").read_text() == "# The page\n"
