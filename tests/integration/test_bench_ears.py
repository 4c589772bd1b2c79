"""How the load generator reads its sockets: the same bytes for all are taken in steps, and other bytes are seen."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import pytest

from hubbub.bench.ears import Ears
from hubbub.bench.findings import Fault
from tests.support.bench import PING, World, message, messages

pytestmark = pytest.mark.asyncio

LISTENERS = 30


class Hearing:
    """A room whose listeners hear through sockets."""

    def __init__(self, world: World, ears: Ears, ends: list[socket.socket]) -> None:
        self.world = world
        self.ears = ears
        self.ends = ends
        self.ended: dict[int, str] = {}

    def write_all(self, stream: bytes) -> None:
        """The same bytes to everyone."""
        for end in self.ends:
            end.sendall(stream)

    async def received(self, entries: int) -> None:
        """Wait until so many entries were counted, by all together."""
        while self.world.tally.received < entries:
            await asyncio.sleep(0)
            self.world.tally.settle()


@contextmanager
def hearing(listeners: int = LISTENERS) -> Iterator[Hearing]:
    """A room of so many."""
    world = World(readers=listeners)
    with ExitStack() as stack:
        ears = Ears(world.tally)
        stack.callback(ears.close)
        heard = Hearing(world, ears, [])
        for number, reader in enumerate(world.readers):
            near, far = socket.socketpair()
            near.setblocking(False)
            stack.enter_context(near)
            heard.ends.append(stack.enter_context(far))
            ears.add(near.fileno(), reader, partial(heard.ended.__setitem__, number))
        yield heard


async def test_all_listeners_are_counted_for_each_of_the_same_bytes() -> None:
    with hearing() as heard:
        for seq in range(1, 6):
            heard.write_all(message(seq))
            await heard.received(LISTENERS * seq)
        heard.write_all(b"".join(messages(6, 200)))
        await heard.received(LISTENERS * 200)
        assert heard.world.end() == {}
    assert heard.world.tally.latency.total == LISTENERS * 200
    assert heard.ended == {}


async def test_one_changed_byte_among_many_listeners_is_seen() -> None:
    with hearing() as heard:
        heard.write_all(message(1))
        for number, end in enumerate(heard.ends):
            end.sendall(message(2, stamp_ns=501 if number == 17 else 500))
        await heard.received(LISTENERS * 2)
        assert heard.world.end() == {Fault.DIFFERENCE: 1}
    assert heard.world.tally.findings.words[Fault.DIFFERENCE][0].startswith(
        "connection 17 in room bench-0: entry 2"
    )


async def test_a_ping_to_one_of_them_is_answered_and_costs_nobody_an_entry() -> None:
    with hearing() as heard:
        for number, end in enumerate(heard.ends):
            end.sendall(message(1) + (PING if number == 5 else b"") + message(2))
        await heard.received(LISTENERS * 2)
        assert heard.world.end() == {}
    assert [sent.pongs for sent in heard.world.sent] == [
        [b"hi"] if number == 5 else [] for number in range(LISTENERS)
    ]


async def test_who_speaks_hears_its_own_among_the_others() -> None:
    with hearing() as heard:
        speaker = heard.world.speaker(3)
        speaker.start(2)
        for seq in (1, 2):
            heard.write_all(message(seq, speaker=3))
            await heard.received(LISTENERS * seq)
        assert heard.world.end() == {}
    assert heard.world.tally.acknowledged == 2


async def test_more_than_one_read_takes_is_read_to_its_end() -> None:
    with hearing(listeners=1) as heard:
        heard.ends[0].setblocking(False)
        stream = memoryview(b"".join(messages(1, 20_000)))
        while stream:
            try:
                stream = stream[heard.ends[0].send(stream) :]
            except BlockingIOError:
                await asyncio.sleep(0)
        await heard.received(20_000)
        assert heard.world.end() == {}


async def test_an_end_is_told_once_with_its_reason() -> None:
    with hearing(listeners=2) as heard:
        heard.write_all(message(1))
        heard.ends[0].close()
        heard.ends[1].sendall(b"\x81\x85oh no")
        while len(heard.ended) < 2:  # noqa: ASYNC110 - nobody but the loop itself could set an event
            await asyncio.sleep(0)
    assert heard.ended == {0: "the server ended the connection", 1: "a masked frame from the server"}
