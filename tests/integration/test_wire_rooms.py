"""Rooms: made, renamed, archived, joined, left, and who is in charge of them. Each change is an entry of the log."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.support.client import Client, RefusedByServer, connected, join
from tests.support.fixtures import StartServer
from tests.support.server import Person, Server

pytestmark = pytest.mark.asyncio


async def _make(server: Server, owner: Person, **more: str) -> str:
    name = server.room()
    await server.call(owner, "POST", "/api/rooms", {"name": name, **more})
    return name


async def _refused(server: Server, person: Person, method: str, path: str, body: object = None) -> str:
    """The code with which a request is refused."""
    answer = await server.request(method, path, person, body)
    assert answer.is_error, answer.text
    return str(answer.json()["code"])


async def _code(client: Client, type_: str, **payload: object) -> str:
    with pytest.raises(RefusedByServer) as refused:
        await client.ask(type_, **payload)
    return refused.value.code


def _changes(server: Server, room: str) -> list[dict[str, Any]]:
    """The room's entries without their numbers."""
    return [{name: value for name, value in entry.items() if name != "seq"} for entry in server.entries(room)]


async def test_general_is_there_from_the_start(server: Server) -> None:
    async with join(server, server.person()) as client:
        assert client.welcome["rooms"] == []
        entered = await client.enter("general")
    assert (entered["room"], entered["kind"], entered["role"]) == ("general", "public", "member")
    assert _changes(server, "general")[0] == {"type": "room_changed", "made": True, "kind": "public"}


async def test_entering_a_public_room_makes_one_a_member_once(server: Server) -> None:
    ada, bob = server.people(2)
    room = await _make(server, ada)
    async with join(server, ada) as a, join(server, bob) as b, join(server, bob) as also_b:
        await a.enter(room)
        await asyncio.gather(b.enter(room), also_b.enter(room))
        joined = await a.until("member_joined")
        assert joined.payload == {"room": room, "seq": 3, "user": bob.name}
        await b.ask("exit", room=room)
        await b.enter(room)
    assert _changes(server, room) == [
        {"type": "room_changed", "by": ada.name, "made": True, "kind": "public"},
        {"type": "member_joined", "user": ada.name},
        {"type": "member_joined", "user": bob.name},
    ]


async def test_entering_a_room_of_no_name_makes_a_public_one_that_is_ones_own(server: Server) -> None:
    room = server.room()
    async with join(server, server.person()) as client:
        entered = await client.enter(room)
    assert (entered["kind"], entered["role"], entered["head"]) == ("public", "owner", 2)


async def test_of_many_who_make_a_room_at_once_one_makes_it_and_all_are_in(server: Server) -> None:
    people = server.people(8)
    room = server.room()
    clients = [await connected(server, person) for person in people]
    entered = await asyncio.gather(*(client.enter(room) for client in clients))
    assert sorted(event["role"] for event in entered) == 7 * ["member"] + ["owner"]
    for client in clients:
        await client.close()
    made = [entry for entry in server.entries(room) if entry["type"] == "room_changed"]
    joined = [entry["user"] for entry in server.entries(room) if entry["type"] == "member_joined"]
    assert (len(made), sorted(joined)) == (1, sorted(person.name for person in people))


async def test_where_only_administrators_make_rooms_nobody_else_does(start_server: StartServer) -> None:
    server = start_server(make_rooms="admins")
    ada, olga = server.person(), await server.log_in("olga")
    room = server.room()
    assert await _refused(server, ada, "POST", "/api/rooms", {"name": room}) == "forbidden"
    async with join(server, ada) as a, join(server, olga) as o:
        assert await _code(a, "enter", room=room) == "no_such_room"
        await o.enter(room)
        assert (await a.enter(room))["role"] == "member"


async def test_names_that_look_alike_are_one_room(server: Server) -> None:
    ada, bob = server.people(2)
    room = await _make(server, ada, topic="straße")
    number = room.split()[1]
    async with join(server, bob) as b:
        for called in (room.upper(), room.title(), f"ｒｏｏｍ {number}"):
            assert (await b.enter(called))["room"] == room
        await b.say(room.upper(), "by another name")
    assert await _refused(server, bob, "POST", "/api/rooms", {"name": room.upper()}) == "name_taken"


async def test_a_renamed_room_goes_on_and_old_links_lead_on(server: Server) -> None:
    ada, bob, cleo = server.people(3)
    old, new = await _make(server, ada), server.room()
    async with join(server, ada) as a, join(server, bob) as b, join(server, cleo) as c:
        await a.enter(old)
        await b.enter(old)
        renamed = await server.call(ada, "PATCH", f"/api/rooms/{old}", {"name": new})
        assert renamed["room"] == new
        told = await b.until("room_changed")
        assert told.payload == {"room": new, "seq": 4, "by": ada.name, "was": old}
        # Under both names, for those who were in and for those who come.
        assert (await b.say(old, "by the old name"))["room"] == new
        assert (await b.say(new, "by the new name"))["room"] == new
        assert [(await a.until("new_message"))["room"] for _ in range(2)] == [new, new]
        assert (await c.enter(old))["room"] == new
        assert (await c.say(old, "found it"))["room"] == new
        history = await server.call(cleo, "GET", f"/api/rooms/{old}/messages")
        assert {message["room"] for message in history["messages"]} == {new}
        assert (await server.call(cleo, "GET", f"/api/rooms/{old}"))["room"] == new
    async with join(server, bob) as b:
        assert [known["room"] for known in b.welcome["rooms"]] == [new]


async def test_a_room_keeps_all_its_old_names(server: Server) -> None:
    ada = server.person()
    names = [await _make(server, ada), *(server.room() for _ in range(4))]
    for before, after in itertools.pairwise(names):
        await server.call(ada, "PATCH", f"/api/rooms/{before}", {"name": after})
    async with join(server, ada) as client:
        assert {(await client.enter(name))["room"] for name in names} == {names[-1]}
        back = await server.call(ada, "PATCH", f"/api/rooms/{names[2]}", {"name": names[0]})
        assert back["room"] == names[0]
        assert (await client.say(names[3], "hi"))["room"] == names[0]


async def test_a_name_that_is_free_again_leads_everyone_to_its_new_room(server: Server) -> None:
    ada, bob, cleo = server.people(3)
    name, elsewhere = await _make(server, ada), server.room()
    async with join(server, ada) as a, join(server, bob) as b, join(server, cleo) as c:
        await a.enter(name)
        await b.enter(name)
        await server.call(ada, "PATCH", f"/api/rooms/{name}", {"name": elsewhere})
        await c.enter(name)  # the old name leads on: cleo is in the renamed room
        await server.call(cleo, "POST", "/api/rooms", {"name": name})  # takes the free name
        assert (await c.enter(name))["role"] == "owner"
        # Bob is in the old room and enters the new one of that name: what he says there is for the new one.
        assert (await b.enter(name))["role"] == "member"
        said = await b.say(name, "for the new room")
        assert (said["room"], said["seq"]) == (name, 4)
        assert (await c.until("new_message", message="for the new room"))["room"] == name
        assert await a.unread("new_message") == []
        assert (await b.say(elsewhere, "for the old one"))["room"] == elsewhere
        await a.until("new_message", message="for the old one")


async def test_a_taken_name_is_refused(server: Server) -> None:
    ada, bob = server.people(2)
    first, second = await _make(server, ada), await _make(server, bob)
    taken = {"name": first.upper()}
    assert await _refused(server, bob, "PATCH", f"/api/rooms/{second}", taken) == "name_taken"
    assert await _refused(server, bob, "POST", "/api/rooms", taken) == "name_taken"
    assert [entry["type"] for entry in server.entries(second)] == ["room_changed", "member_joined"]


async def test_any_member_sets_the_topic_and_only_those_in_charge_the_rest(server: Server) -> None:
    owner, member, outsider = server.people(3)
    olga = await server.log_in("olga")
    room = await _make(server, owner)
    path = f"/api/rooms/{room}"
    await server.call(member, "POST", f"{path}/join")
    async with join(server, owner) as a:
        await a.enter(room)
        changed = await server.call(member, "PATCH", path, {"topic": "  tea   time "})
        assert changed["topic"] == "tea time"
        told = await a.until("room_changed")
        assert told.payload == {"room": room, "seq": 4, "by": member.name, "topic": "tea time"}
        assert (await a.enter(room))["topic"] == "tea time"
    for change in ({"name": server.room()}, {"archived": True}, {"kind": "private"}):
        for person in (member, outsider):
            assert await _refused(server, person, "PATCH", path, change) == "forbidden"
    assert await _refused(server, outsider, "PATCH", path, {"topic": "mine"}) == "forbidden"
    # An administrator need not be a member of what they put in order; but they must see it afterwards.
    assert await _refused(server, olga, "PATCH", path, {"kind": "private"}) == "forbidden"
    assert (await server.call(olga, "PATCH", path, {"archived": True}))["archived"] is True
    assert _changes(server, room)[-1] == {"type": "room_changed", "by": "olga", "archived": True}


async def test_an_archived_room_can_be_read_and_no_more(server: Server) -> None:
    owner, member, outsider = server.people(3)
    room = await _make(server, owner)
    async with join(server, owner) as a, join(server, member) as b, join(server, outsider) as c:
        await a.enter(room)
        await b.enter(room)
        seq = (await b.say(room, "before"))["seq"]
        await server.call(owner, "PATCH", f"/api/rooms/{room}", {"archived": True})
        await b.until("room_changed", archived=True)
        for type_, more in (
            ("send_message", {"id": "late", "message": "after"}),
            ("edit_message", {"seq": seq, "message": "x"}),
            ("delete_message", {"seq": seq}),
            ("react", {"seq": seq, "emoji": "x"}),
        ):
            assert await _code(b, type_, room=room, **more) == "room_archived", type_
        entered = await b.enter(room)
        assert (entered["archived"], [message["message"] for message in entered["messages"]]) == (
            True,
            ["before"],
        )
        assert await _code(c, "enter", room=room) == "room_archived"
        invited = {"user": outsider.name}
        assert await _refused(server, owner, "POST", f"/api/rooms/{room}/members", invited) == "room_archived"
        await server.call(owner, "PATCH", f"/api/rooms/{room}", {"archived": False})
        assert (await b.say(room, "open again"))["message"] == "open again"
        await c.enter(room)


async def test_who_leaves_is_a_member_no_more_and_may_come_back(server: Server) -> None:
    ada, bob = server.people(2)
    room = await _make(server, ada)
    path = f"/api/rooms/{room}"
    async with join(server, ada) as a, join(server, bob) as b, join(server, bob) as also_b:
        for client in (a, b, also_b):
            await client.enter(room)
        await server.call(bob, "POST", f"{path}/leave")
        for client in (b, also_b):
            assert (await client.until("exited")).payload == {"room": room}
        assert (await a.until("member_left")).payload == {"room": room, "seq": 4, "user": bob.name}
        await a.say(room, "he is gone")
        assert await b.unread("new_message") + await also_b.unread("new_message") == []
        assert await _code(b, "send_message", room=room, id="x", message="x") == "not_entered"
        assert await _refused(server, bob, "POST", f"{path}/leave") == "forbidden"
        assert [
            member["name"] for member in (await server.call(ada, "GET", f"{path}/members"))["members"]
        ] == [ada.name]
        await b.enter(room)
        assert (await b.say(room, "back"))["seq"] == 7


async def test_a_removed_member_hears_nothing_more_from_the_room(server: Server) -> None:
    ada, bob, cleo = server.people(3)
    room = await _make(server, ada, kind="private")
    path = f"/api/rooms/{room}/members"
    for person in (bob, cleo):
        await server.call(ada, "POST", path, {"user": person.name})
    async with join(server, ada) as a, join(server, bob) as b, join(server, cleo) as c:
        for client in (a, b, c):
            await client.enter(room)
        seq = (await b.say(room, "hi"))["seq"]
        assert await _refused(server, bob, "DELETE", f"{path}/{cleo.name}") == "forbidden"
        await server.call(ada, "DELETE", f"{path}/{bob.name}")
        left = await b.until("member_left")
        assert (left["user"], left["by"]) == (bob.name, ada.name)
        assert (await b.until("exited")).payload == {"room": room}
        await a.say(room, f"@{bob.name} @here")
        await c.send("typing", room=room)
        await c.until("new_message", message=f"@{bob.name} @here")
        heard = [event for event in await b.unread() if event.payload.get("room") == room]
        assert [
            event.type for event in heard if event["seq" if "seq" in event.payload else "room"] == seq
        ] == []
        assert [event.type for event in heard if event.type in ("new_message", "typing", "room_head")] == []
        for type_, more in (
            ("enter", {"after": 0}),
            ("send_message", {"id": "late", "message": "x"}),
            ("edit_message", {"seq": seq, "message": "x"}),
            ("delete_message", {"seq": seq}),
            ("react", {"seq": seq, "emoji": "x"}),
            ("mark_read", {"seq": seq}),
        ):
            if type_ != "enter":
                assert await _code(b, type_, room=room, **more) == "no_such_room", type_
        assert await _refused(server, bob, "GET", f"/api/rooms/{room}/messages") == "no_such_room"
    async with join(server, bob) as b:
        assert b.welcome["rooms"] == []


async def test_nothing_said_after_a_removal_reaches_the_one_removed(start_server: StartServer) -> None:
    server = start_server(limit_messages=0)
    ada, bob = server.people(2)
    room = await _make(server, ada)
    path = f"/api/rooms/{room}/members"
    async with join(server, ada) as a, join(server, bob) as b:
        await a.enter(room)
        for round_ in range(20):
            await b.enter(room)
            removal = asyncio.create_task(server.call(ada, "DELETE", f"{path}/{bob.name}"))
            number = 0
            while not removal.done():
                number += 1
                await a.send("send_message", room=room, id=f"{round_}.{number}", message="secret")
                await asyncio.sleep(0)
            await removal
            await b.until("exited")
            await a.say(room, "secret")
        await b.fence()
        left, heard = 0, []
        for event in b.heard:
            if event.type == "member_left":
                left = event["seq"]
            elif event.type == "entered":
                left = 0
            elif event.type == "new_message" and left:
                heard.append(event["seq"])
        assert heard == []


async def test_an_invited_user_hears_of_it_and_can_enter(server: Server) -> None:
    ada, bob = server.people(2)
    room = await _make(server, ada, kind="private")
    async with join(server, ada) as a, join(server, bob) as b:
        await a.enter(room)
        await server.call(ada, "POST", f"/api/rooms/{room}/members", {"user": bob.name.upper()})
        assert (await b.until("room_head")).payload == {"room": room, "head": 3, "mentions": 0}
        joined = await a.until("member_joined")
        assert joined.payload == {"room": room, "seq": 3, "user": bob.name, "by": ada.name}
        assert (await b.enter(room))["kind"] == "private"
        assert (await b.say(room, "thank you"))["seq"] == 4
    again = {"user": bob.name}
    await server.call(ada, "POST", f"/api/rooms/{room}/members", again)
    assert len(server.entries(room)) == 4
    nobody = {"user": "nobody"}
    assert await _refused(server, ada, "POST", f"/api/rooms/{room}/members", nobody) == "no_such_user"


async def test_an_owner_makes_another_who_is_in_charge_from_then_on(server: Server) -> None:
    ada, bob, cleo = server.people(3)
    room = await _make(server, ada)
    path = f"/api/rooms/{room}/members"
    async with join(server, ada) as a, join(server, bob) as b, join(server, cleo) as c:
        for client in (a, b, c):
            await client.enter(room)
        owner = {"role": "owner"}
        assert await _refused(server, bob, "PATCH", f"{path}/{bob.name}", owner) == "forbidden"
        await server.call(ada, "PATCH", f"{path}/{bob.name}", owner)
        told = await c.until("room_changed")
        expected = {"room": room, "seq": 5, "by": ada.name, "member": bob.name, "role": "owner"}
        assert told.payload == expected
        assert (await b.enter(room))["role"] == "owner"
        said = await c.say(room, "hi")
        await b.ask("delete_message", room=room, seq=said["seq"])
        await server.call(bob, "DELETE", f"{path}/{cleo.name}")
        await server.call(bob, "PATCH", f"{path}/{ada.name}", {"role": "member"})
        assert await _refused(server, ada, "PATCH", f"{path}/{bob.name}", {"role": "member"}) == "forbidden"
    roles = (await server.call(ada, "GET", path))["members"]
    assert {member["name"]: member["role"] for member in roles} == {ada.name: "member", bob.name: "owner"}
    assert await _refused(server, bob, "PATCH", f"{path}/{ada.name}", {"role": "king"}) == "bad_payload"
    assert await _refused(server, bob, "PATCH", f"{path}/{cleo.name}", owner) == "no_such_user"


async def test_a_public_room_made_private_is_gone_for_those_who_do_not_belong_to_it(server: Server) -> None:
    ada, bob, cleo = server.people(3)
    room = await _make(server, ada)
    path = f"/api/rooms/{room}"
    await server.call(bob, "POST", f"{path}/join")
    assert (await server.call(cleo, "GET", path))["member"] is False
    assert (await server.call(ada, "PATCH", path, {"kind": "private"}))["kind"] == "private"
    assert await _refused(server, cleo, "GET", path) == "no_such_room"
    assert (await server.call(bob, "GET", path))["kind"] == "private"
    await server.call(ada, "PATCH", path, {"kind": "public"})
    assert (await server.call(cleo, "POST", f"{path}/join"))["member"] is True


async def test_there_is_one_direct_room_for_each_set_of_people(server: Server) -> None:
    ada, bob, cleo = sorted(server.people(3), key=lambda person: person.name)
    name = f"@{ada.name},{bob.name}"
    both = await asyncio.gather(
        server.call(ada, "POST", "/api/direct", {"users": [bob.name]}),
        server.call(bob, "POST", "/api/direct", {"users": [ada.name.upper(), bob.name, ada.name]}),
    )
    assert [found["room"] for found in both] == [name, name]
    async with join(server, ada) as a, join(server, bob) as b, join(server, cleo) as c:
        assert (await a.enter(f"@{bob.name}"))["room"] == name
        assert (await b.enter(f"@{ada.name}"))["kind"] == "direct"
        assert (await b.enter(f"@{bob.name.upper()},{ada.name}"))["room"] == name
        await a.say(name, "just us")
        await b.until("new_message", message="just us")
        assert await c.unread() == []
        # For cleo the same words mean another room: hers with the two.
        three = await c.enter(name)
        assert (three["room"], three["head"]) == (f"@{ada.name},{bob.name},{cleo.name}", 4)
        assert three["messages"] == []
    async with join(server, ada) as a:
        rooms = {known["room"]: known["members"] for known in a.welcome["rooms"]}
    people = [ada.name, bob.name, cleo.name]
    assert rooms == {name: people[:2], f"{name},{cleo.name}": people}
    made = [entry for entry in server.entries(name) if entry["type"] == "room_changed"]
    assert len(made) == 1


async def test_a_direct_room_stays_as_it_is(server: Server) -> None:
    ada, bob, cleo = server.people(3)
    room = (await server.call(ada, "POST", "/api/direct", {"users": [bob.name]}))["room"]
    path = f"/api/rooms/{room}"
    for method, where, body in (
        ("PATCH", path, {"name": server.room()}),
        ("PATCH", path, {"topic": "x"}),
        ("PATCH", path, {"kind": "public"}),
        ("POST", f"{path}/members", {"user": cleo.name}),
        ("DELETE", f"{path}/members/{bob.name}", None),
        ("PATCH", f"{path}/members/{bob.name}", {"role": "owner"}),
        ("POST", f"{path}/leave", None),
    ):
        assert await _refused(server, ada, method, where, body) == "forbidden", (method, where)


async def test_a_direct_room_needs_other_people_who_are_there(server: Server) -> None:
    ada, *others = server.people(13)
    for users, code in (
        ([], "conflict"),
        ([ada.name], "conflict"),
        (["nobody"], "no_such_user"),
        ([person.name for person in others], "conflict"),
    ):
        assert await _refused(server, ada, "POST", "/api/direct", {"users": users}) == code
    async with join(server, ada) as a:
        assert await _code(a, "enter", room="@nobody") == "no_such_user"
        assert await _code(a, "enter", room="@") == "conflict"
    twelve = await server.call(ada, "POST", "/api/direct", {"users": [person.name for person in others[:11]]})
    assert twelve["room"].count(",") == 11


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        " room",
        "a/b",
        "a\\b",
        "a?b",
        "#a",
        "@a",
        "＠a",
        "a,b",
        "a~b",
        "..",
        "a\u200bb",
        "a\u202eb",
        "a\0b",
        "x" * 65,
    ],
)
async def test_a_name_that_no_room_may_have_is_refused(server: Server, name: str) -> None:
    answer = await server.request("POST", "/api/rooms", server.person(), {"name": name})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_name")


async def test_many_connections_of_a_few_people_enter_a_new_room_at_once(start_server: StartServer) -> None:
    server = start_server(limit_rooms=0)
    people = server.people(8)
    async with AsyncExitStack() as there:
        clients = [
            await there.enter_async_context(join(server, person)) for _ in range(8) for person in people
        ]
        for _ in range(15):
            room = server.room()
            await asyncio.gather(*[client.enter(room) for client in clients])
