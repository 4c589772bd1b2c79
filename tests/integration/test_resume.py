"""Coming back: every entry since, each once, however many come meanwhile; and an id is used once for ever."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.support.client import Client, Event, RefusedByServer, join
from tests.support.copies import Copy
from tests.support.fixtures import Connect, StartServer
from tests.support.server import Server

pytestmark = pytest.mark.asyncio


class Chatter:
    """Somebody who goes on changing a room in every way, with so many requests under way, until told to stop."""

    def __init__(self, client: Client, room: str, *, under_way: int = 20) -> None:
        self._client = client
        self._room = room
        self._under_way = under_way
        self._enough = asyncio.Event()
        self._said: list[int] = []
        self._changes = itertools.count()
        self.answered = 0

    async def talk(self, at_least: int = 0) -> None:
        """Talk until `stop`, or until so many answers have come."""
        refs: list[str] = []
        while not self._enough.is_set() and not (at_least and self.answered >= at_least):
            refs.append(await self._change())
            if len(refs) >= self._under_way:
                await self._answer(refs.pop(0))
        for ref in refs:
            await self._answer(ref)

    def stop(self) -> None:
        """Finish what is under way, and end."""
        self._enough.set()

    async def _change(self) -> str:
        number = next(self._changes)
        about = {"room": self._room, "seq": self._said[-1] if self._said else 0}
        match number % 10:
            case 3:
                return await self._client.send("edit_message", message=f"{number} edited", **about)
            case 6:
                return await self._client.send("react", emoji=f"{number % 40}", **about)
            case 9:
                return await self._client.send("delete_message", **about)
            case _:
                id_ = f"{self._client.name}.{number}"
                return await self._client.send("send_message", room=self._room, id=id_, message=f"{number}")

    async def _answer(self, ref: str) -> None:
        self.answered += 1
        try:
            answer = await self._client.answer(ref)
        except RefusedByServer as refused:
            # The last message of which we know may be deleted by now, or there is none yet.
            if refused.code not in ("no_such_message", "conflict"):
                raise
        else:
            if answer.type == "new_message":
                self._said.append(answer["seq"])


@asynccontextmanager
async def _talking(chatters: list[Chatter]) -> AsyncIterator[None]:
    """They talk until the end of the block, and until all that they asked is answered."""
    talking = [asyncio.create_task(chatter.talk()) for chatter in chatters]
    try:
        yield
    finally:
        for chatter in chatters:
            chatter.stop()
        await asyncio.gather(*talking)


async def _come_back(client: Client, copies: list[Copy]) -> None:
    """Bring copies kept over the connections before this one up to date, and keep them so."""

    def hears(event: Event) -> None:
        for copy in copies:
            copy.hears(event)

    client.hears = hears
    for copy in copies:
        await copy.catch_up(client)


async def test_whoever_resumes_while_others_go_on_gets_every_entry_once(
    start_server: StartServer, connect: Connect
) -> None:
    server = start_server(limit_messages=0)
    rooms = [server.room(), server.room()]
    talkers = [await connect(server, person) for person in server.people(4)]
    for talker, room in itertools.product(talkers, rooms):
        await talker.enter(room)
    copies = {person: [Copy(room) for room in rooms] for person in server.people(4)}
    for person, held in copies.items():  # they see a little, and are gone
        async with join(server, person) as client:
            await _come_back(client, held)
    chatters = [Chatter(talker, room) for talker, room in zip(talkers, [*rooms, *rooms], strict=True)]
    await asyncio.gather(*(chatter.talk(at_least=1000) for chatter in chatters))
    async with _talking(chatters):
        back = [await connect(server, person) for person in copies]
        await asyncio.gather(*(_come_back(*one) for one in zip(back, copies.values(), strict=True)))
    for client in back:
        await client.fence()
    logs = {room: server.entries(room) for room in rooms}
    assert min(len(log) for log in logs.values()) > 1500
    for copy in itertools.chain(*copies.values()):
        assert copy.entries == logs[copy.room]
    assert len([event for event in back[0].heard if event.type == "entered"]) >= 8


async def test_entering_again_and_again_in_a_busy_room_brings_no_hole_and_no_repeat(
    start_server: StartServer, connect: Connect
) -> None:
    server = start_server(limit_messages=0, limit_enters=0)
    room = server.room()
    talkers = [await connect(server, person) for person in server.people(2)]
    for talker in talkers:
        await talker.enter(room)
    followers = [await connect(server, person) for person in server.people(4)]
    copies = [Copy(room) for _ in followers]

    async def come_and_go(client: Client, copy: Copy) -> None:
        for _ in range(60):
            await _come_back(client, [copy])
            await client.ask("exit", room=room)
        await _come_back(client, [copy])

    async with _talking([Chatter(talker, room, under_way=4) for talker in talkers]):
        await asyncio.gather(*(come_and_go(*one) for one in zip(followers, copies, strict=True)))
    for client, copy in zip(followers, copies, strict=True):
        await client.fence()
        assert copy.entries == server.entries(room)


async def test_a_client_with_a_read_limit_of_a_mebibyte_can_resume_over_long_messages(
    start_server: StartServer, connect: Connect
) -> None:
    server = start_server(limit_messages=0)
    room = server.room()
    ada, bob = server.people(2)
    async with join(server, ada) as a:
        await a.enter(room)
        for number in range(60):
            await a.send("send_message", room=room, id=str(number), message="長" * 9_999)
        await a.until("new_message", id="59")
    copy = Copy(room)
    client = await connect(server, bob, max_size=2**20)
    client.hears = copy.hears
    await copy.catch_up(client)
    assert copy.entries == server.entries(room)
    entered = await client.enter(room)
    assert len(entered["messages"]) < 50
    assert entered["earlier"] is True


async def test_resuming_with_nothing_missed_gives_nothing(server: Server) -> None:
    room = server.room()
    async with join(server, server.person()) as client:
        entered = await client.enter(room)
        again = await client.enter(room, after=entered["head"], epoch=entered["epoch"])
        assert (again["entries"], again["more"], again["head"]) == ([], False, 2)
        assert "reset" not in again.payload
        assert "messages" not in again.payload
        await client.say(room, "live")


async def test_entries_come_as_they_came_live(server: Server) -> None:
    ada, bob = server.people(2)
    room = server.room()
    async with join(server, ada) as a, join(server, bob) as b:
        await a.enter(room)
        await b.enter(room)
        seq = (await a.say(room, "one"))["seq"]
        await a.say(room, "two", reply_to=seq)
        await a.ask("react", room=room, seq=seq, emoji="👍")
        await a.ask("edit_message", room=room, seq=seq, message="won")
        await server.call(ada, "PATCH", f"/api/rooms/{room}", {"topic": "numbers"})
        await b.until("room_changed")
        live = [{"type": event.type, "payload": event.payload} for event in b.heard if "seq" in event.payload]
        assert len(live) == 5
        assert (await b.enter(room, after=3))["entries"] == live


@pytest.mark.parametrize(
    ("after", "epoch"),
    [(1, "another"), (0, "another"), (3, ""), (4, None), (2**53 - 1, None), (999, "another")],
)
async def test_numbers_of_another_log_are_reset(server: Server, after: int, epoch: str | None) -> None:
    ada, bob = server.people(2)
    room = server.room()
    async with join(server, ada) as a, join(server, bob) as b:
        its_epoch = (await a.enter(room))["epoch"]
        said = await a.say(room, "what there is")
        assert said["seq"] == 3
        held = {"after": after} if epoch is None else {"after": after, "epoch": epoch}
        entered = await a.enter(room, **held)
        assert (entered["reset"], entered["head"], entered["epoch"]) == (True, 3, its_epoch)
        assert [message["message"] for message in entered["messages"]] == ["what there is"]
        assert "entries" not in entered.payload
        await b.enter(room)
        assert (await a.until("member_joined", user=b.name))["seq"] == 4  # live from here on


async def test_one_who_resumes_makes_no_room(server: Server) -> None:
    """What it held is gone, or not for it any more: it must not talk to whoever comes by the name next."""
    room = server.room()
    async with join(server, server.person()) as client:
        epoch = client.welcome["epoch"]
        for held in ({"after": 3}, {"after": 0, "epoch": epoch}, {"after": 3, "epoch": f"{epoch}.0000"}):
            with pytest.raises(RefusedByServer) as refused:
                await client.enter(room, **held)
            assert refused.value.code == "no_such_room"
    assert room not in [
        one["room"] for one in (await server.call(server.person(), "GET", "/api/rooms"))["rooms"]
    ]


async def test_one_who_resumes_a_private_room_is_not_led_to_another_that_took_its_name(
    server: Server,
) -> None:
    ada, bob, eve = server.people(3)
    room = server.room()
    await server.call(ada, "POST", "/api/rooms", {"name": room, "kind": "private"})
    await server.call(ada, "POST", f"/api/rooms/{room}/members", {"user": bob.name})
    async with join(server, bob) as b:
        held = await b.enter(room)
        said = await b.say(room, "between us")
    async with join(server, eve) as e:
        assert (await e.enter(room))["kind"] == "public"
        async with join(server, bob) as b:
            again = await b.enter(room, after=said["seq"], epoch=held["epoch"])
            assert (again["kind"], again["head"], again.payload.get("reset")) == (
                "private",
                said["seq"] + 1,
                None,
            )
            assert again["room"] != room
            await b.say(again["room"], "still between us")
        await server.call(ada, "DELETE", f"/api/rooms/{again['room']}/members/{bob.name}")
        async with join(server, bob) as b:
            with pytest.raises(RefusedByServer) as refused:
                await b.enter(room, after=said["seq"], epoch=held["epoch"])
            assert refused.value.code == "no_such_room"
        assert [event.type for event in await e.unread("new_message")] == []
    assert [entry for entry in server.entries(room) if entry["type"] == "new_message"] == []


async def test_an_epoch_that_is_left_out_is_not_checked(server: Server) -> None:
    room = server.room()
    async with join(server, server.person()) as client:
        await client.enter(room)
        entered = await client.enter(room, after=1)
    assert "reset" not in entered.payload
    assert [entry["payload"]["seq"] for entry in entered["entries"]] == [2]


async def test_a_repeated_id_gets_the_first_entry_back_to_its_sender_alone(server: Server) -> None:
    ada, bob = server.people(2)
    room = server.room()
    async with join(server, ada) as a, join(server, ada) as also_a, join(server, bob) as b:
        for client in (a, also_a, b):
            await client.enter(room)
        first = await a.say(room, "once", id_="my-1")
        other = await b.say(room, "another's id is another", id_="my-1")
        assert other["seq"] == first["seq"] + 1
        again = await a.say(room, "once", id_="my-1")
        changed = await a.say(room, "and twice", id_="my-1", reply_to=first["seq"])
        elsewhere = await also_a.say(room, "once", id_="my-1")
        assert [event.payload for event in (again, changed, elsewhere)] == 3 * [first.payload]
        heard = [
            event["id"] for event in b.heard if event.type == "new_message" and event["from"] == ada.name
        ]
        assert heard + [event["id"] for event in await b.unread("new_message")][:0] == ["my-1"]
        assert await a.unread("new_message", **{"from": ada.name}) == []
    async with join(server, ada) as a:
        assert (await a.say(room, "once", id_="my-1")).payload == first.payload
        next_one = await a.say(room, "a new one", id_="my-2")
    assert next_one["seq"] == first["seq"] + 2


async def test_many_repeats_at_once_make_one_entry_and_each_is_answered(server: Server) -> None:
    ada, bob = server.people(2)
    room = server.room()
    async with join(server, ada) as a, join(server, ada) as also_a, join(server, bob) as b:
        for client in (a, also_a, b):
            await client.enter(room)
        sent = [
            (client, await client.send("send_message", room=room, id="same", message=f"{client is a}"))
            for client in (a, also_a) * 10
        ]
        answers = [(await client.answer(ref)).payload for client, ref in sent]
        assert answers == len(answers) * [answers[0]]
        await b.say(room, "after")
        assert [event["id"] for event in b.heard if event.type == "new_message"].count("same") == 1


async def test_edits_reactions_and_deletions_can_be_repeated_too(server: Server) -> None:
    room = server.room()
    async with join(server, server.person()) as client:
        await client.enter(room)
        seq = (await client.say(room, "helo"))["seq"]
        requests: list[tuple[str, dict[str, Any]]] = [
            ("edit_message", {"message": "hello", "id": "e"}),
            ("react", {"emoji": "👍", "id": "r"}),
            ("react", {"emoji": "👍", "remove": True, "id": "t"}),
            ("delete_message", {"id": "d"}),
        ]
        firsts = [await client.ask(type_, room=room, seq=seq, **more) for type_, more in requests]
        agains = [await client.ask(type_, room=room, seq=seq, **more) for type_, more in requests]
    erased = dict(firsts[0].payload, message="")
    assert [event.payload for event in agains] == [erased, *(event.payload for event in firsts[1:])]
    assert len(server.entries(room)) == seq + 4


async def test_an_id_stays_used_over_a_restart(start_server: StartServer) -> None:
    server = start_server()
    ada = server.person()
    async with join(server, ada) as a:
        await a.enter("general")
        first = await a.say("general", "before", id_="for-ever")
    server.stop()
    server.start()
    async with join(server, ada) as a:
        assert (await a.say("general", "after", id_="for-ever")).payload == first.payload
        assert (await a.enter("general", after=0))["head"] == first["seq"]
