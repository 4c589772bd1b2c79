"""The disk is full while serving: what can't be kept is refused, all else goes on, and it heals by itself."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.client import Client, RefusedByServer, join
from tests.support.copies import Copy
from tests.support.fixtures import Connect, StartServer
from tests.support.server import Server
from tests.support.speakers import Speaker

pytestmark = pytest.mark.asyncio

LONG = "x" * 9_000


async def _refusal(client: Client, room: str, id_: str) -> RefusedByServer:
    with pytest.raises(RefusedByServer) as refused:
        await client.say(room, LONG, id_=id_)
    return refused.value


def _fill(server: Server) -> None:
    """Leave no room for a page of the database."""
    server.limit_files(4096)


async def test_with_a_full_disk_sending_is_refused_for_now_and_everything_else_goes_on(
    start_server: StartServer, connect: Connect
) -> None:
    server = start_server(limit_messages=0)
    room = server.room()
    ada, bob = server.people(2)
    a, b = await connect(server, ada), await connect(server, bob)
    await a.enter(room)
    copy = Copy(room)
    b.hears = copy.hears
    await copy.catch_up(b)
    for number in range(600):  # more than a page of resuming
        await a.say(room, f"{number}")
    _fill(server)
    for id_ in ("mine", "mine", "another"):
        refusal = await _refusal(a, room, id_)
        wait = refusal.event.payload.pop("retry_after")
        assert wait > 0
        assert refusal.event.payload == {
            "code": "unavailable",
            "message": "The server can't save this right now. Try again soon.",
            "retry": True,
            "room": room,
            "id": id_,
        }
    # Reading, resuming, and all that is not kept go on; so does the connection.
    async with join(server, bob) as back:
        resumed = Copy(room)
        back.hears = resumed.hears
        await resumed.catch_up(back)
        assert resumed.entries == server.entries(room)
    page = await server.call(ada, "GET", f"/api/rooms/{room}/messages?limit=200")
    assert [message["message"] for message in page["messages"]][-1] == "599"
    await a.send("typing", room=room)
    await b.until("typing", user=ada.name)
    # There is room again: no restart, and the same id is taken.
    server.limit_files()
    said = await a.say(room, LONG, id_="mine")
    assert (await a.say(room, "again", id_="mine")).payload == said.payload
    await b.until("new_message", id="mine")
    await b.fence()
    assert copy.entries == server.entries(room)
    assert [entry["seq"] for entry in copy.entries] == list(range(1, len(copy.entries) + 1))
    assert len([entry for entry in copy.entries if entry.get("id") == "mine"]) == 1
    await _stop(server)


async def test_a_disk_so_full_that_nothing_can_be_logged_either_heals_as_well(
    start_server: StartServer, connect: Connect
) -> None:
    server = start_server(limit_messages=0)
    client = await connect(server, server.person())
    await client.enter("general")
    _fill(server)
    for _ in range(60):  # far more than can be logged
        assert (await _refusal(client, "general", "mine")).code == "unavailable"
    server.limit_files()
    await client.say("general", "there is room again", id_="mine")
    await client.fence()
    await asyncio.to_thread(server.stop, quiet=False)  # a line of the log may be cut


async def test_under_load_a_disk_that_fills_and_empties_loses_nothing_that_was_echoed(
    start_server: StartServer,
) -> None:
    server = start_server(limit_messages=0)
    rooms = [server.room(), server.room()]
    speakers = [Speaker(person, rooms) for person in server.people(2)]
    for speaker in speakers:
        await speaker.come(server)
    for _ in range(3):
        _fill_at_echo(server, speakers, 60)
        await asyncio.gather(*(speaker.talk() for speaker in speakers))
        for speaker in speakers:
            await speaker.leave()
        server.limit_files()
        for speaker in speakers:
            await speaker.come(server)
    for speaker in speakers:
        speaker.on_echo = lambda: None
    await asyncio.gather(*(speaker.finish() for speaker in speakers))
    await asyncio.gather(*(speaker.client.fence() for speaker in speakers))
    assert all(speaker.refusals for speaker in speakers)
    server.kill()
    server.start()
    for room in rooms:
        log = server.entries(room)
        for speaker in speakers:
            assert speaker.copies[room].entries == log
            said = [entry["message"] for entry in log if entry.get("from") == speaker.name]
            assert sorted(said) == sorted(r.message for r in speaker.sent if r.room == room)
    for speaker in speakers:
        assert speaker.echoed.keys() == {request.id for request in speaker.sent}
        assert {refused["code"] for refused in speaker.refusals} == {"unavailable"}
        await speaker.leave()
    await _stop(server)


def _fill_at_echo(server: Server, speakers: list[Speaker], number: int) -> None:
    """The disk is full at this echo; each speaker goes when all that it said since is refused."""
    left = number

    def echoed() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            _fill(server)

    for speaker in speakers:
        speaker.on_echo = echoed
        speaker.on_refusal = speaker.vanish


async def _stop(server: Server) -> None:
    """End it in good order; it has logged that it could not write, and nothing else."""
    await asyncio.to_thread(server.stop, quiet=False)
    assert server.errors
    assert [line for line in server.errors if '"batch not written"' not in line] == []
