"""A handler of an application that raises: its client is told, and nobody else notices."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.client import RefusedByServer
from tests.support.fixtures import Connect
from tests.support.server import Accounts, Server, running

pytestmark = pytest.mark.asyncio


@pytest.fixture
def faulty(accounts: Accounts, tmp_path: Path) -> Iterator[Server]:
    """A server with the application in faulty.py."""
    server = Server(tmp_path, accounts, shutdown_seconds=2, restart_spread_seconds=100_000)
    server.program = Path(__file__).with_name("faulty.py")
    with running(server):
        yield server


async def test_a_handler_that_raises_is_answered_as_internal_and_the_connection_goes_on(
    faulty: Server, connect: Connect
) -> None:
    room = faulty.room()
    a, b = [await connect(faulty, person) for person in faulty.people(2)]
    for client in (a, b):
        await client.enter(room)
    await a.until("member_joined", user=b.name)
    await b.fence()
    heard_before = len(b.heard)
    types = ("crash", "crash_later", "crash_writing")
    # All at once: what comes behind a crash is handled in its turn.
    crashes = [await a.send(type_, room=room) for type_ in types]
    said = await a.send("send_message", room=room, id="after", message="and on it goes")
    for ref in crashes:
        with pytest.raises(RefusedByServer) as refused:
            await a.answer(ref)
        assert {**refused.value.event.payload, "room": room} == {
            "room": room,
            "code": "internal",
            "message": "Something went wrong on the server. It has been logged.",
            "retry": False,
        }
    assert (await a.answer(said))["message"] == "and on it goes"
    answered = [event.ref for event in a.heard if event.ref in (*crashes, said)]
    assert answered == [*crashes, said]
    await b.until("new_message", id="after")
    heard = [event.type for event in b.heard[heard_before:] if event.type != "presence"]
    assert heard == ["about_to_crash", "new_message"]
    for client in (a, b):
        await client.close()
    faulty.stop(quiet=False)
    logged = [json.loads(line) for line in faulty.errors]
    assert [(line["event"], line.get("type")) for line in logged] == [
        ("handler failed", "crash"),
        ("handler failed", "crash_later"),
        ("change failed", None),
    ]


async def test_a_handler_that_never_ends_holds_up_its_own_client_alone_and_not_the_end(
    faulty: Server, connect: Connect
) -> None:
    room = faulty.room()
    a, b = [await connect(faulty, person) for person in faulty.people(2)]
    for client in (a, b):
        await client.enter(room)
    await a.send("hang", room=room)
    await a.send("send_message", room=room, id="stuck", message="stuck behind it")
    await b.until("hangs")
    await b.say(room, "nobody else notices")
    faulty.signal(signal.SIGTERM)
    told = await asyncio.gather(a.closed(), b.closed())
    assert [code for code, _ in told] == [1012, 1012]
    delays = [float(reason.removeprefix("restarting; retry after ").removesuffix(" s")) for _, reason in told]
    assert 1 < min(delays) < max(delays)  # spread, though not everything could be waited for
    async with asyncio.timeout(10):
        await asyncio.to_thread(faulty.ended, 0)
    assert ["not everything was written in time" in line for line in faulty.errors] == [True]
    messages = [entry["message"] for entry in faulty.entries(room) if entry["type"] == "new_message"]
    assert messages == ["nobody else notices"]
