"""A room that one may not see does not exist: in no call, no text and no number is there a trace of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.client import Client, RefusedByServer, basic, join
from tests.support.fixtures import StartServer
from tests.support.server import Person, Server

pytestmark = pytest.mark.asyncio

SECRET = "Falcon"

EVENTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("enter", {}),
    ("enter", {"after": 0}),
    ("exit", {}),
    ("send_message", {"id": "x", "message": "hi"}),
    ("send_message", {"id": "y", "message": "hi", "reply_to": 3}),
    ("edit_message", {"seq": 3, "message": "hi"}),
    ("delete_message", {"seq": 3}),
    ("react", {"seq": 3, "emoji": "x"}),
    ("typing", {}),
    ("mark_read", {"seq": 3}),
)
REQUESTS: tuple[tuple[str, str, Any], ...] = (
    ("GET", "", None),
    ("PATCH", "", {"topic": "x"}),
    ("PATCH", "", {"name": "y"}),
    ("PATCH", "", {"archived": True}),
    ("PATCH", "", {"kind": "public"}),
    ("GET", "/messages", None),
    ("GET", "/messages?before=2", None),
    ("GET", "/messages?limit=0", None),
    ("POST", "/join", None),
    ("POST", "/leave", None),
    ("GET", "/members", None),
    ("POST", "/members", {"user": "olga"}),
    ("POST", "/members", {"user": "nobody"}),
    ("DELETE", "/members/olga", None),
    ("PATCH", "/members/olga", {"role": "owner"}),
    ("PATCH", "/members/olga", {"role": "king"}),
)


async def _private(server: Server, owner: Person, name: str = SECRET) -> None:
    """A private room in which something was said."""
    await server.call(owner, "POST", "/api/rooms", {"name": name, "kind": "private", "topic": "hush"})
    async with join(server, owner) as client:
        await client.enter(name)
        await client.say(name, "nobody knows @here")
        await client.say(name, "and nobody will")


async def _told(client: Client, type_: str, room: str, more: dict[str, Any]) -> str:
    """The answer to an event about `room`, without the room's name and the answer's `ref`."""
    try:
        event = await client.ask(type_, room=room, **more)
    except RefusedByServer as refused:
        event = refused.event
    return f"{event.type} {json.dumps(event.payload)}".replace(room, "_")


async def _answered(server: Server, person: Person, room: str, method: str, path: str, body: Any) -> str:
    """The answer to a request about `room`, without its name."""
    answer = await server.request(method, f"/api/rooms/{room}{path}", person, body)
    headers = {
        name: value for name, value in answer.headers.items() if name not in ("date", "content-length")
    }
    return f"{answer.status_code} {headers} {answer.text}".replace(room, "_")


@pytest.fixture
def strict(start_server: StartServer) -> Server:
    """A server where entering makes no rooms, so that a name leads to a room or to none."""
    return start_server(make_rooms="admins", room_head_interval_seconds=0, presence_interval_seconds=0)


async def test_every_event_about_a_room_that_one_may_not_see_is_answered_as_if_there_were_none(
    strict: Server,
) -> None:
    olga, eve = await strict.log_in("olga"), strict.person()
    await _private(strict, olga)
    direct = (await strict.call(olga, "POST", "/api/direct", {"users": [strict.person().name]}))["room"]
    async with join(strict, eve) as client:
        for type_, more in EVENTS:
            none = await _told(client, type_, "Nowhere", more)
            assert none.startswith("error ")
            assert await _told(client, type_, SECRET, more) == none, type_
            assert await _told(client, type_, SECRET.upper(), more) == none, type_
            if type_ != "enter":  # which makes the direct room of eve and the others
                assert await _told(client, type_, direct, more) == none, type_


async def test_every_request_about_a_room_that_one_may_not_see_is_answered_as_if_there_were_none(
    strict: Server,
) -> None:
    olga, eve, admin = await strict.log_in("olga"), strict.person(), await strict.log_in("peter")
    await _private(strict, olga)
    for person in (eve, admin):
        for request in REQUESTS:
            none = await _answered(strict, person, "Nowhere", *request)
            assert none.startswith(("404", "400"))
            assert await _answered(strict, person, SECRET, *request) == none, request


async def test_an_administrator_sees_no_more_of_it_than_anybody(server: Server) -> None:
    ada, olga = server.person(), await server.log_in("olga")
    await _private(server, ada, "Heron")
    for request in REQUESTS:
        none = await _answered(server, olga, "Nowhere", *request)
        assert await _answered(server, olga, "Heron", *request) == none, request


async def test_it_is_in_no_list_and_no_news_of_it_goes_out(strict: Server) -> None:
    olga, eve = await strict.log_in("olga"), strict.person()
    await _private(strict, olga)
    async with join(strict, eve) as client, basic(strict, eve) as page, join(strict, olga) as owner:
        await client.enter("general")
        await owner.enter("general")
        await owner.enter(SECRET)
        await owner.say(SECRET, f"@{eve.name} @here: do you hear me?")
        await owner.send("typing", room=SECRET)
        await strict.call(olga, "PATCH", f"/api/rooms/{SECRET}", {"topic": "about @everyone"})
        await owner.ask("exit", room=SECRET)
        await client.fence()
        await page.say("what is there?")
        rooms = (await strict.call(eve, "GET", "/api/rooms"))["rooms"]
        people = await strict.call(eve, "GET", "/api/people?q=Fal")
        everything = f"{client.heard} {client.welcome} {page.heard} {rooms} {people}"
    assert SECRET not in everything
    assert "do you hear me" not in everything
    async with join(strict, eve) as client:
        assert SECRET not in str(client.welcome)


async def test_a_message_of_it_can_be_reached_from_no_other_room(strict: Server) -> None:
    olga, eve = await strict.log_in("olga"), strict.person()
    await _private(strict, olga)
    async with join(strict, eve) as client:
        await client.enter("general")
        for seq in range(6):
            for type_, more in (
                ("send_message", {"id": f"r{seq}", "message": "x", "reply_to": seq}),
                ("edit_message", {"seq": seq, "message": "x"}),
                ("delete_message", {"seq": seq}),
                ("react", {"seq": seq, "emoji": "x"}),
            ):
                with pytest.raises(RefusedByServer) as refused:
                    await client.ask(type_, room="general", **more)
                assert refused.value.code == "no_such_message"


async def test_a_basic_client_that_changes_to_it_gets_a_room_of_its_own(server: Server) -> None:
    ada, eve = server.people(2)
    await _private(server, ada, "Osprey")
    async with basic(server, eve) as page:
        await page.change_room("Osprey")
        assert (await page.say("is somebody here?"))["seq"] == 3
        assert [event["payload"]["message"] for event in page.heard] == ["is somebody here?"]


@pytest.mark.parametrize("how", ["by entering", "by asking for it", "by renaming"])
async def test_who_makes_a_room_of_the_same_name_learns_nothing_and_the_members_are_told(
    start_server: StartServer, how: str
) -> None:
    server = start_server(room_head_interval_seconds=0, presence_interval_seconds=0)
    ada, bob, eve = server.people(3)
    await _private(server, ada)
    await server.call(ada, "POST", f"/api/rooms/{SECRET}/members", {"user": bob.name})
    async with join(server, ada) as a, join(server, bob) as b, join(server, eve) as e:
        await a.enter(SECRET)
        await b.enter(SECRET)
        made = {}
        epochs: set[str] = set()
        for name in ("Nowhere", SECRET):
            if how == "by entering":
                made[name] = (await e.enter(name)).payload
                epochs.add(made[name].pop("epoch").partition(".")[0])
            elif how == "by asking for it":
                made[name] = await server.call(eve, "POST", "/api/rooms", {"name": name})
            else:
                plain = server.room()
                await server.call(eve, "POST", "/api/rooms", {"name": plain})
                made[name] = await server.call(eve, "PATCH", f"/api/rooms/{plain}", {"name": name})
        assert json.dumps(made[SECRET]).replace(SECRET, "_") == json.dumps(made["Nowhere"]).replace(
            "Nowhere", "_"
        )
        # The members hear of it, and go on under the name that their room has now.
        told = [await client.until("room_changed", was=SECRET) for client in (a, b)]
        assert told[0].payload == told[1].payload
        now = told[0]["room"]
        assert now.startswith(f"{SECRET}~")
        assert "by" not in told[0].payload
        await e.enter(SECRET)
        await a.say(now, "still among us")
        assert (await b.until("new_message"))["room"] == now
        # Under the old name they reach the new room, which they have not entered, and not their own by mistake.
        with pytest.raises(RefusedByServer) as refused:
            await a.ask("send_message", room=SECRET, id="astray", message="for members only")
        assert refused.value.code == "not_entered"
        # The new room is a room like any other.
        await e.say(SECRET, "a fresh start")
        assert await a.unread("new_message") + await b.unread("new_message") == []
        assert [event.payload for event in await e.unread() if "among us" in str(event)] == []
        history = await server.call(eve, "GET", f"/api/rooms/{SECRET}/messages")
        assert [message["message"] for message in history["messages"]] == ["a fresh start"]
        assert now not in str(await server.call(eve, "GET", "/api/rooms"))
        assert now not in str(e.heard)
    async with join(server, bob) as b:
        assert [known["room"] for known in b.welcome["rooms"]] == [now]


async def test_a_room_that_was_public_is_gone_with_its_old_names(server: Server) -> None:
    ada, eve = server.people(2)
    names = [server.room(), server.room()]
    await server.call(ada, "POST", "/api/rooms", {"name": names[0]})
    await server.call(ada, "PATCH", f"/api/rooms/{names[0]}", {"name": names[1]})
    await server.call(ada, "PATCH", f"/api/rooms/{names[1]}", {"kind": "private"})
    for name in names:
        none = await _answered(server, eve, "Nowhere", "GET", "", None)
        assert await _answered(server, eve, name, "GET", "", None) == none
    async with join(server, eve) as client:
        assert (await client.enter(names[0]))["role"] == "owner"  # the name is free
    async with join(server, ada) as client:
        assert (await client.enter(names[1]))["kind"] == "private"
