"""A peer from end to end: started, measured by the same generator, and ended. It is one that the tests have anyway."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bench.peers.peer import PEERS
from bench.peers.place import Place
from hubbub.bench import load
from hubbub.bench.options import BenchOptions
from hubbub.bench.process import family


class ThisPython(Place):
    """The environment of the tests, which has websockets too."""

    @property
    def python(self) -> Path:
        return Path(sys.executable)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_peer_looks_like_a_server_to_the_generator_and_is_gone_afterwards(processes: int) -> None:
    peer = next(peer for peer in PEERS if peer.key == "websockets")
    options = BenchOptions(connections=12, rooms=3, senders=2, window=4, messages=300, processes=processes)
    with peer.running(ThisPython()) as server:
        result = load.run(options, server.url, [], server.pid, dialect=peer.dialect)
        assert family(server.pid) == [server.pid]
    assert (result.findings.counts, result.deliveries) == ({}, 300 * 4)
    assert (result.server.resident_kib or 0) > 0
    assert not Path(f"/proc/{server.pid}").exists()
