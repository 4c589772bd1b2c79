"""Another program holds the database's write lock: short, and nobody notices; long, and what is said waits its turn."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from tests.support.client import RefusedByServer, join
from tests.support.copies import Copy
from tests.support.fixtures import Connect, StartServer
from tests.support.server import Server

pytestmark = pytest.mark.asyncio


@contextmanager
def _locked(server: Server) -> Iterator[None]:
    """Nobody else may write to the database."""
    with closing(sqlite3.connect(server.data / "hubbub.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


async def test_a_short_lock_is_waited_for(server: Server, connect: Connect) -> None:
    client = await connect(server, server.person())
    await client.enter("general")
    with _locked(server):
        ref = await client.send("send_message", room="general", id="1", message="in a moment")
        await client.fence()
        assert [entry for entry in server.entries("general") if entry.get("id") == "1"] == []
    answer = await client.answer(ref)
    assert {"type": "new_message", **answer.payload} == {"room": "general", **server.entries("general")[-1]}


async def test_while_another_program_holds_the_lock_sending_is_refused_for_now_and_it_heals(
    start_server: StartServer, connect: Connect
) -> None:
    server = start_server()
    room = server.room()
    ada, bob = server.people(2)
    a, b = await connect(server, ada), await connect(server, bob)
    copy = Copy(room)
    b.hears = copy.hears
    await a.enter(room)
    await copy.catch_up(b)
    await a.say(room, "before")
    with _locked(server):
        mine = await a.send("send_message", room=room, id="mine", message="mine")
        await a.fence()  # it is being written now; what comes from here on waits for the next batch
        his = await b.send("send_message", room=room, id="his", message="his")
        # Reading and resuming go on.
        async with join(server, bob) as back:
            resumed = Copy(room)
            back.hears = resumed.hears
            await resumed.catch_up(back)
            assert resumed.entries == server.entries(room)
        page = await server.call(ada, "GET", f"/api/rooms/{room}/messages")
        assert [message["message"] for message in page["messages"]] == ["before"]
        with pytest.raises(RefusedByServer) as refused:
            await a.answer(mine)
        assert refused.value.event.payload == {
            "code": "unavailable",
            "message": "The server can't save this right now. Try again soon.",
            "retry": True,
            "room": room,
            "id": "mine",
            "retry_after": 1.0,
        }
    assert (await b.answer(his))["message"] == "his"
    assert (await a.say(room, "mine", id_="mine"))["message"] == "mine"
    await b.until("new_message", id="mine")
    assert copy.entries == server.entries(room)
    assert [entry["message"] for entry in copy.entries if entry["type"] == "new_message"] == [
        "before",
        "his",
        "mine",
    ]
    for client in (a, b):
        await client.close()
    server.stop(quiet=False)
    assert len(server.errors) == 1
    assert "database is locked" in server.errors[0]
