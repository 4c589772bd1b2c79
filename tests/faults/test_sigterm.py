"""SIGTERM under load: what was accepted is committed and delivered, everyone is told when to come back, status 0."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import signal
import struct
from contextlib import AsyncExitStack
from typing import Final

import pytest

from tests.support.client import Client, basic, connected
from tests.support.fixtures import Connect, StartServer
from tests.support.raw import CLOSE, TEXT, Raw, event, frame, handshake, raw, raw_socket
from tests.support.server import Server
from tests.support.speakers import Speaker

pytestmark = pytest.mark.asyncio

WITHIN_SECONDS: Final = 10
SPREAD_SECONDS: Final = 20.0


async def _ended(server: Server) -> None:
    """Wait for the server's end, with status 0, in the time that it may take at most."""
    async with asyncio.timeout(WITHIN_SECONDS):
        await asyncio.to_thread(server.ended, 0)


def _terminate_at_echo(server: Server, speakers: list[Speaker], number: int) -> None:
    """Send the server SIGTERM as the speakers read this echo of theirs, all counted together."""
    left = number

    def echoed() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            server.signal(signal.SIGTERM)

    for speaker in speakers:
        speaker.on_echo = echoed


def _delay(told: tuple[int | None, str]) -> float:
    code, reason = told
    found = re.fullmatch(r"restarting; retry after (\d+\.\d) s", reason)
    assert code == 1012
    assert found, reason
    return float(found[1])


async def test_on_sigterm_what_was_accepted_is_delivered_and_everyone_told_when_to_come_back(
    start_server: StartServer, connect: Connect
) -> None:
    server = start_server(limit_messages=0, restart_spread_seconds=SPREAD_SECONDS)
    rooms = [server.room() for _ in range(3)]
    speakers = [Speaker(person, rooms, under_way=30) for person in server.people(6)]
    idle = [await connect(server, person) for person in server.people(40)]
    for speaker in speakers:
        await speaker.come(server)
    _terminate_at_echo(server, speakers, 2000)
    async with basic(server, server.person()) as tutorial:
        talking = [asyncio.create_task(speaker.talk()) for speaker in speakers]
        told = await asyncio.gather(*(client.closed() for client in idle))
        await tutorial.socket.wait_closed()
        told.append((tutorial.socket.close_code, tutorial.socket.close_reason or ""))
        await asyncio.gather(*talking)
    await _ended(server)
    assert server.errors == []

    told += [_close_of(speaker.client) for speaker in speakers]
    delays = [_delay(one) for one in told]
    assert max(delays) <= SPREAD_SECONDS
    assert max(delays) - min(delays) > SPREAD_SECONDS / 3
    assert len(set(delays)) == len(delays)
    # All that is in the log was delivered to each before the close; all that was echoed is in the log.
    for room in rooms:
        log = server.entries(room)
        for speaker in speakers:
            copy = speaker.copies[room].entries
            assert copy == log
            echoed = [r.message for r in speaker.sent if r.room == room and r.id in speaker.echoed]
            assert echoed == [entry["message"] for entry in log if entry.get("from") == speaker.name]

    server.start()
    for speaker in speakers:
        await speaker.come(server)
    await asyncio.gather(*(speaker.finish() for speaker in speakers))
    await asyncio.gather(*(speaker.client.fence() for speaker in speakers))
    for room in rooms:
        log = server.entries(room)
        for speaker in speakers:
            assert speaker.copies[room].entries == log
            said = [request.message for request in speaker.sent if request.room == room]
            assert said == [entry["message"] for entry in log if entry.get("from") == speaker.name]
    await asyncio.gather(*(speaker.leave() for speaker in speakers))


def _close_of(client: Client) -> tuple[int | None, str]:
    return client.socket.close_code, client.socket.close_reason or ""


async def test_those_who_go_on_sending_do_not_hold_up_the_end(start_server: StartServer) -> None:
    # Nobody falls behind, and there is time enough for what was accepted.
    server = start_server(limit_messages=0, write_buffer_bytes=2**28, shutdown_seconds=40)
    room = server.room()
    async with AsyncExitStack() as there:
        sockets = [await there.enter_async_context(raw_socket(server, person)) for person in server.people(2)]
        for socket in sockets:
            await socket.send(frame(TEXT, event("enter", room=room)))
            await socket.heard("entered")
        flooding = asyncio.create_task(_flood(sockets[0], room))
        await sockets[0].heard("new_message")
        server.signal(signal.SIGTERM)
        heard = await asyncio.gather(*(socket.frames_until_close() for socket in sockets))
    flooding.cancel()
    await asyncio.gather(flooding, return_exceptions=True)
    await _ended(server)
    assert server.errors == []
    log = [entry["seq"] for entry in server.entries(room) if entry["type"] == "new_message"]
    for frames in heard:
        assert _delay(frames[-1].close) > 0
        texts = [json.loads(found.payload) for found in frames if found.opcode == TEXT]
        said = [text["payload"]["seq"] for text in texts if text["type"] == "new_message"]
        assert said == log[-len(said) :]  # the first were read before


async def _flood(socket: Raw, room: str) -> None:
    """Say things as fast as they are taken, without end."""
    texts = [
        event("send_message", room=room, id=f"####{number}", message="more" * 20) for number in range(2000)
    ]
    # With a mask of zeros the id can be changed in place.
    frames = b"".join(struct.pack("!BBHL", 0x81, 0xFE, len(text), 0) + text for text in texts)
    for part in itertools.count():
        await socket.send(frames.replace(b"####", b"%04d" % part))


async def test_while_it_ends_nobody_is_let_in(start_server: StartServer, connect: Connect) -> None:
    server = start_server()
    ada, bob, cleo = server.people(3)
    client = await connect(server, ada)
    async with raw_socket(server, bob) as silent, raw(server) as early:
        server.signal(signal.SIGTERM)
        await client.closed()
        # One who does not answer its close holds the server up a little; meanwhile nobody new gets in.
        assert (await silent.until(CLOSE)).close[0] == 1012
        with pytest.raises(ConnectionRefusedError):
            await connected(server, cleo)
        await early.send(handshake(server, Authorization=cleo.bearer["Authorization"]))
        answer = await early.answer()
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        await _ended(server)
    assert server.errors == []
