"""Other servers' wires: what the load generator says in them, and that it finds the same faults in them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from hubbub.bench import process, wire
from hubbub.bench.dialect import DIALECTS, Dialect
from hubbub.bench.findings import Fault
from hubbub.bench.reader import Reader
from hubbub.bench.roomlog import RoomLog
from hubbub.bench.tally import Tally
from tests.support.bench import FOREVER, ROOM, RUN

RELAY, SOCKETIO = DIALECTS["relay"], DIALECTS["socketio"]


class Sent:
    """Keeps what a reader sends."""

    def __init__(self) -> None:
        self.texts: list[bytes] = []

    def send(self, payload: bytes) -> None:
        self.texts.append(payload)

    def pong(self, payload: bytes) -> None:
        raise AssertionError(payload)


class Listeners:
    """Readers of one room that all speak a dialect."""

    def __init__(self, dialect: Dialect, count: int = 2) -> None:
        self.tally = Tally()
        self.tally.measure(0, FOREVER)
        self.log = RoomLog(ROOM, before_dropping=self.tally.forget_range)
        self.sent = [Sent() for _ in range(count)]
        stamps = wire.StampReader(RUN)
        self.readers = [
            Reader(number, self.log, self.tally, stamps, sent, dialect)
            for number, sent in enumerate(self.sent)
        ]

    def give(self, reader: int, *payloads: bytes) -> None:
        """Texts arrive at a reader, in one read."""
        self.readers[reader].take(memoryview(b"".join(map(wire.server_frame, payloads))), 1000)

    def end(self) -> tuple[int, dict[Fault, int]]:
        """The run is over: the deliveries and the faults."""
        self.tally.settle()
        for reader in self.readers:
            reader.note_what_is_missing(0)
        return self.tally.deliveries, dict(self.tally.findings.counts)


def requests(dialect: Dialect, count: int) -> list[bytes]:
    """What a speaker sends."""
    writer = wire.MessageWriter(RUN, 0, ROOM, 64)
    return [dialect.message(writer.request(number, 500)) for number in range(1, count + 1)]


# --- a relay, which numbers nothing


@pytest.mark.parametrize(
    ("order", "faults"),
    [
        ([0, 1, 2, 3, 4], {}),
        ([0, 1, 3, 4], {Fault.LOSS: 1}),
        ([0, 1, 2, 3], {Fault.LOSS: 1}),
        ([0, 1, 2, 2, 3, 4], {Fault.REPEAT: 1}),
        ([0, 2, 1, 3, 4], {Fault.DISORDER: 1}),
    ],
)
def test_what_a_relay_does_wrong_is_found_without_numbers(order: list[int], faults: dict[Fault, int]) -> None:
    listeners = Listeners(RELAY)
    for reader in listeners.readers:
        reader.enter()
    messages = requests(RELAY, 5)
    listeners.give(0, *messages)
    for place in order:
        listeners.give(1, messages[place])
    _, found = listeners.end()
    assert found == faults


def test_messages_from_a_relay_are_numbered_on_when_old_ones_are_dropped() -> None:
    listeners = Listeners(RELAY)
    listeners.log._window_bytes = 1000
    for reader in listeners.readers:
        reader.enter()
    for message in requests(RELAY, 100):
        listeners.give(0, message)
        listeners.give(1, message)
    assert listeners.log.first > 1
    assert len(listeners.log._places or ()) == listeners.log.head - listeners.log.first + 1
    assert listeners.end() == (200, {})


def test_a_client_of_a_relay_connects_to_its_room_and_sends_what_all_receive() -> None:
    assert RELAY.address("ws://127.0.0.1:1/ws", ROOM) == f"ws://127.0.0.1:1/ws/{ROOM}"
    assert RELAY.greeting(ROOM) is None
    event = RELAY.event(requests(RELAY, 1)[0])
    assert (event.type, event.payload.room, event.payload.seq) == ("new_message", ROOM, 0)
    stamp = wire.StampReader(RUN).read(event)
    assert stamp == wire.Stamp(0, 1, 500)


# --- Socket.IO


def said_back(request: bytes, seq: int) -> bytes:
    """What the server makes of a message."""
    return request.replace(b'["send_message",{', b'["new_message",{"seq":%d,' % seq)


def test_a_socket_io_client_connects_enters_and_answers_heartbeats() -> None:
    listeners = Listeners(SOCKETIO, 1)
    listeners.give(0, b'0{"sid":"a","upgrades":[],"pingInterval":25000}')
    listeners.give(0, b'40{"sid":"b"}')
    listeners.give(0, b"2")
    assert listeners.sent[0].texts == [b"40", b'42["enter",{"room":"bench-0"}]', b"3"]
    assert not listeners.readers[0].has_entered
    listeners.give(0, b'42["entered",{"room":"bench-0","head":0}]')
    assert listeners.readers[0].has_entered


def test_messages_over_socket_io_are_checked_like_any_others() -> None:
    listeners = Listeners(SOCKETIO)
    for reader in (0, 1):
        listeners.give(reader, b'42["entered",{"room":"bench-0","head":0}]')
    messages = [said_back(request, seq) for seq, request in enumerate(requests(SOCKETIO, 3), 1)]
    listeners.give(0, *messages)
    listeners.give(1, messages[0], b"2", messages[2])
    assert listeners.end() == (5, {Fault.LOSS: 1})
    assert listeners.sent[1].texts == [b"3"]


def test_what_is_no_socket_io_event_is_refused() -> None:
    for payload in (b'44{"message":"no"}', b'42["new_message"]', b'42{"a":1}'):
        with pytest.raises(wire.WireError):
            SOCKETIO.event(payload)


# --- the processes of a server


def test_what_a_server_uses_includes_its_children() -> None:
    code = "import subprocess,sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        assert parent.stdout.readline() == "1\n"
        family = process.family(parent.pid)
        resident = [process._resident_kib(member) or 0 for member in family]
        assert (len(family), family[0]) == (2, parent.pid)
        assert min(resident) > 0
        assert process.resident_kib(parent.pid) == sum(resident)
        parent.stdin.write("\n")
        parent.stdin.flush()
    assert process.cpu_seconds(parent.pid) is None
    assert process.cpu_seconds(os.getpid()) is not None
