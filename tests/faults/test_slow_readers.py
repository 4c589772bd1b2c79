"""Readers that fall behind pay for it themselves: memory stays bounded, the others hear everything, nothing is lost."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from typing import Any

import pytest

from tests.support.client import Client, Event
from tests.support.copies import Copy
from tests.support.fixtures import Connect, StartServer
from tests.support.raw import TEXT, event, frame, handshake, raw_socket
from tests.support.server import WAIT_SECONDS, Person, Server

pytestmark = pytest.mark.asyncio

MEBIBYTE = 1024 * 1024
BUFFER = 64 * 1024
LONG = "x" * 10_000
MUCH = 3_500
# Of a machine that is busy for long, nobody is to be closed.
PATIENT = {
    "limit_messages": 0,
    "write_buffer_bytes": BUFFER,
    "ping_seconds": 300,
    "slow_reader_seconds": 300,
    "presence_interval_seconds": 0,
}


class Deaf:
    """A client that talks and never reads."""

    def __init__(self, server: Server, person: Person, profile: str | None = "hubbub.v1") -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.settimeout(WAIT_SECONDS)
        self._socket.connect(("127.0.0.1", server.port))
        self._socket.sendall(handshake(server, **person.bearer, Sec_WebSocket_Protocol=profile))
        assert self._socket.recv(12) == b"HTTP/1.1 101"  # the last that it ever reads

    def send(self, type_: str, **payload: Any) -> None:
        """Send an event."""
        self._socket.sendall(frame(TEXT, event(type_, **payload)))

    async def ended(self) -> None:
        """Read after all, until the server's end."""
        with suppress(ConnectionResetError):
            while await asyncio.to_thread(self._socket.recv, MEBIBYTE):
                pass

    def close(self) -> None:
        """Go."""
        self._socket.close()


@contextmanager
def _deaf(server: Server, people: list[Person]) -> Iterator[list[Deaf]]:
    with ExitStack() as there:
        clients = []
        for person in people:
            client = Deaf(server, person)
            there.callback(client.close)
            clients.append(client)
        yield clients


@asynccontextmanager
async def _talk(server: Server, room: str) -> AsyncIterator[None]:
    """Somebody talks on in a room until the block ends, in bursts of messages that share a batch."""
    enough = asyncio.Event()

    async def talk() -> None:
        async with raw_socket(server, server.person()) as speaker:
            await speaker.send(frame(TEXT, event("enter", room=room)))
            for burst in itertools.count():
                said = [event("send_message", room=room, id=f"{burst}.{n}", message=LONG) for n in range(20)]
                await speaker.send(b"".join(frame(TEXT, text) for text in said))
                await speaker.event_until("new_message", id=f"{burst}.19")
                if enough.is_set():
                    return

    talking = asyncio.create_task(talk())
    try:
        yield
    finally:
        enough.set()
        await talking


async def _say_much(client: Client, room: str, first: int) -> None:
    """Over thirty mebibytes in long messages."""
    for number in range(first, first + MUCH):
        await client.send("send_message", room=room, id=f"much.{number}", message=LONG)
        if number % 100 == 99:
            await client.until("new_message", id=f"much.{number}")


async def _until_behind(server: Server, count: int) -> None:
    while await server.metric("hubbub_readers_behind") < count:
        pass


async def test_a_hundred_who_never_read_cost_a_bounded_memory_and_the_others_hear_everything(
    start_server: StartServer, connect: Connect
) -> None:
    server = start_server(**PATIENT)
    room = server.room()
    speaker, *listeners = [await connect(server, person) for person in server.people(4)]
    copies = [Copy(room) for _ in listeners]
    await speaker.enter(room)
    for listener, copy in zip(listeners, copies, strict=True):
        listener.hears = copy.hears
        await copy.catch_up(listener)
    await _say_much(speaker, room, 0)  # so that the database's cache has grown as far as it does
    with _deaf(server, server.people(100)) as deaf:
        for client in deaf:
            client.send("enter", room=room)
        while (await speaker.enter(room))["present_count"] < 104:
            pass
        before = server.resident_bytes
        await _say_much(speaker, room, MUCH)
        assert await server.metric("hubbub_readers_behind") == 100
        grown = server.resident_bytes - before
        for listener in listeners:
            await listener.until("new_message", id=f"much.{2 * MUCH - 1}")
    # What all of them are still to read is in memory once, until there is more of it than one may have.
    assert grown < 16 * MEBIBYTE
    for copy in copies:
        assert copy.entries == server.entries(room)


@pytest.mark.parametrize("io_uring", [True, False])
async def test_one_who_reads_again_is_told_of_the_gap_and_gets_all_that_was_missed(
    start_server: StartServer, connect: Connect, io_uring: bool
) -> None:
    server = start_server(**PATIENT, io_uring=io_uring)
    room, quiet = server.room(), server.room()
    ada, bob = server.people(2)
    speaker = await connect(server, bob)
    for name in (room, quiet):
        await speaker.enter(name)
    copies = {name: Copy(name) for name in (room, quiet)}
    async with raw_socket(server, ada, limit=4096) as slow:
        for copy in copies.values():
            await slow.send(frame(TEXT, event("enter", room=copy.room, after=0)))
            copy.hears(await slow.event_until("entered"))
        async with _talk(server, room):
            await _until_behind(server, 1)
        # It reads again: what came before it fell behind, in order, and then of the gap, and of no other room.
        told: list[Event] = []
        while not told or told[-1].type != "gap":
            told.append(await slow.event())
            copies[room].hears(told[-1])
        gap = told[-1]
        assert (gap["room"], gap["from"]) == (room, copies[room].head + 1)
        assert gap["to"] == server.entries(room)[-1]["seq"]
        assert [one.type for one in told if one.type != "presence" and one["room"] == quiet] == []
        # In the other room it has missed nothing, and is live already.
        await speaker.say(quiet, "psst")
        copies[quiet].hears(await slow.event_until("new_message"))
        more = True
        while more:
            await slow.send(frame(TEXT, event("enter", room=room, after=copies[room].head)))
            entered = await slow.event_until("entered")
            copies[room].hears(entered)
            more = entered["more"]
        await speaker.say(room, "live again")
        copies[room].hears(await slow.event_until("new_message"))
    for name, copy in copies.items():
        assert copy.entries == server.entries(name)


async def test_one_of_the_basic_profile_who_reads_again_hears_what_is_said_from_then_on(
    start_server: StartServer, connect: Connect
) -> None:
    server = start_server(**PATIENT)
    ada, bob = server.people(2)
    speaker = await connect(server, bob)
    await speaker.enter("general")
    async with raw_socket(server, ada, protocol=None, limit=4096) as slow:
        async with _talk(server, "general"):
            await _until_behind(server, 1)
        while await server.metric("hubbub_readers_behind"):
            assert (await slow.event()).type == "new_message"
        await speaker.say("general", "do you hear me?")
        await slow.event_until("new_message", message="do you hear me?")


async def test_one_who_never_reads_is_closed_after_a_while(
    start_server: StartServer, connect: Connect
) -> None:
    server = start_server(
        limit_messages=0, write_buffer_bytes=BUFFER, slow_reader_seconds=0.3, ping_seconds=0.5
    )
    ada, bob, cleo = server.people(3)
    room = server.room()
    speaker, listener = await connect(server, bob), await connect(server, cleo)
    for client in (speaker, listener):
        await client.enter(room)
    with _deaf(server, [ada]) as deaf:
        deaf[0].send("enter", room=room)
        await speaker.until("member_joined", user=ada.name)
        async with _talk(server, room):
            await _until_behind(server, 1)
            while await server.metric("hubbub_connections") > 3:
                pass
        await deaf[0].ended()
    assert await server.metric("hubbub_readers_behind") == 0
    await speaker.say(room, "and the others are here")
    await listener.until("new_message", message="and the others are here")


async def test_one_who_asks_again_and_again_and_never_reads_costs_a_bounded_memory(
    start_server: StartServer, connect: Connect
) -> None:
    server = start_server(limit_enters=0, **PATIENT)
    room = server.room()
    speaker = await connect(server, server.person())
    await speaker.enter(room)
    for number in range(100):
        await speaker.say(room, LONG, id_=f"n{number}")
    with _deaf(server, server.people(10)) as deaf:
        before = server.resident_bytes
        for client in deaf:
            for _ in range(2000):
                client.send("enter", room=room, after=0)
        await _until_behind(server, 10)
        await speaker.say(room, "still here")
        grown = server.resident_bytes - before
    # Without a bound it were ten times two thousand times half a megabyte.
    assert grown < 60 * MEBIBYTE
