"""Rooms: made, entered, left, renamed, hidden; and what happens when several do so at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hubbub.chat.membership_changes import Join, Leave
from hubbub.chat.room_changes import ChangeRoomState
from hubbub.chat.speaking import Send
from hubbub.errors import UNAVAILABLE, Refused
from hubbub.events import SendMessage
from tests.chat_world import ChatWorld, Someone, a_chat

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[ChatWorld]:
    async with a_chat(tmp_path) as world:
        yield world


def between(world: ChatWorld, happens: Callable[[], Awaitable[object]]) -> None:
    """Let something happen once, between the next read of the database and what is made of it."""
    read = world.store.read

    async def slow_read(query: Any) -> Any:
        world.store.read = read  # type: ignore[method-assign]
        found = await read(query)
        await happens()
        return found

    world.store.read = slow_read  # type: ignore[method-assign]


async def refused(call: Awaitable[object]) -> str:
    """The code of the refusal."""
    with pytest.raises(Refused) as caught:
        await call
    return caught.value.refusal.code


def types(someone: Someone) -> list[str]:
    """The types of the events not looked at yet."""
    return [event["type"] for event in someone.rest()]


# --- making and entering


async def test_entering_a_name_of_no_room_makes_a_public_one_with_oneself_in_charge(world: ChatWorld) -> None:
    ada = await world.come("ada")
    entered = await ada.enters("Tea Room")
    assert entered["room"] == "Tea Room"
    assert (entered["kind"], entered["role"], entered["head"], entered["read"]) == ("public", "owner", 2, 2)
    assert (entered["present"], entered["present_count"], entered["messages"]) == (["ada"], 1, [])
    assert await world.log("Tea Room") == [
        {"type": "room_changed", "payload": {"room": "Tea Room", "seq": 1, "by": "ada", "made": True, "kind": "public"}},
        {"type": "member_joined", "payload": {"room": "Tea Room", "seq": 2, "user": "ada"}},
    ]  # fmt: skip


async def test_entering_a_public_room_makes_one_a_member_once(world: ChatWorld) -> None:
    ada, bob = await world.come("ada", "tea"), await world.come("bob")
    for _ in range(2):
        entered = await bob.enters("tea")
        assert (entered["role"], entered["head"], entered["read"]) == ("member", 3, 3)
    assert [entry["type"] for entry in await world.log("tea")].count("member_joined") == 2
    assert (await ada.hears("member_joined"))["payload"] == {"room": "tea", "seq": 3, "user": "bob"}


async def test_a_room_is_the_same_by_any_spelling_that_is_alike(world: ChatWorld) -> None:
    ada = await world.come("ada", "Tea Room")
    for spelling in ("tea room", "TEA ROOM", "\uff34ea Room"):
        assert (await ada.enters(spelling))["room"] == "Tea Room"
    assert ada.client.entered == 1
    await ada.sends("TEA ROOM", "by the name one used")
    await ada.asks("exit", room="tea room")
    assert (ada.client.rooms, ada.client.entered) == ({}, 0)


async def test_two_who_make_a_room_at_once_are_in_one_room(world: ChatWorld) -> None:
    people = [await world.come(name) for name in ("ada", "bob", "carol")]
    rooms = await asyncio.gather(*(someone.enters("tea") for someone in people))
    assert {entered["room"] for entered in rooms} == {"tea"}
    assert sorted(entered["role"] for entered in rooms) == ["member", "member", "owner"]
    assert len({id(someone.client.rooms["tea"]) for someone in people}) == 1


async def test_only_administrators_make_rooms_where_it_is_so_set(tmp_path: Path) -> None:
    async with a_chat(tmp_path, make_rooms="admins") as world:
        ada, root = await world.come("ada"), await world.come("root", role="admin")
        assert (await ada.is_refused("enter", room="tea"))["code"] == "no_such_room"
        assert await refused(world.rooms.make(ada.identity, "tea")) == "forbidden"
        await root.enters("tea")
        assert (await ada.enters("tea"))["role"] == "member"


async def test_one_makes_only_so_many_rooms_an_hour(tmp_path: Path) -> None:
    async with a_chat(tmp_path, limit_rooms=2) as world:
        ada, bob = await world.come("ada", "one", "two"), await world.come("bob")
        error = await ada.is_refused("enter", room="three")
        assert (error["code"], error["retry"], error["retry_after"]) == ("rate_limited", True, 1800.0)
        await bob.enters("three")
        await ada.enters("three")
        world.clock.advance(1800)
        await ada.enters("four")


async def test_entering_is_limited_and_entering_again_counts_too(tmp_path: Path) -> None:
    async with a_chat(tmp_path, limit_enters=1.0) as world:
        ada = await world.come("ada")
        for _ in range(10):
            await ada.enters("general", after=0)
        error = await ada.is_refused("enter", room="general", after=0)
        assert (error["code"], error["retry"], error["room"]) == ("rate_limited", True, "general")
        world.clock.advance(error["retry_after"])
        await ada.enters("general", after=0)


async def test_one_connection_enters_only_so_many_rooms_and_makes_none_beyond(tmp_path: Path) -> None:
    async with a_chat(tmp_path, rooms_per_connection=2) as world:
        ada = await world.come("ada", "one", "two")
        error = await ada.is_refused("enter", room="three")
        assert (error["code"], error["retry"]) == ("too_many_rooms", False)
        assert [row.name for row in await world.rooms.visible(ada.identity)] == ["general", "one", "two"]
        assert (await ada.enters("ONE", after=0))["room"] == "one"
        await ada.asks("exit", room="one")
        await ada.enters("three")
        assert len(world.hub.rooms) == 2


async def test_a_room_that_nobody_is_in_is_not_kept_in_memory(world: ChatWorld) -> None:
    ada, bob = await world.come("ada", "one", "two"), await world.come("bob", "two")
    assert len(world.hub.rooms) == 2
    await ada.asks("exit", room="one")
    await world.settled()
    assert [room.name for room in world.hub.rooms.values()] == ["two"]
    ada.goes()
    bob.goes()
    await world.settled()
    assert (world.hub.rooms, world.hub._rooms_by_key) == ({}, {})


async def test_the_basic_profile_is_in_one_room_and_hears_messages_alone(world: ChatWorld) -> None:
    ada, basic = await world.come("ada", "general", "tea"), await world.come_basic("bob")
    await ada.sends("general", "one")
    basic.says("change_room", name="tea")
    await ada.hears("member_joined", payload={"room": "tea", "seq": 3, "user": "bob"})
    await world.until(lambda: list(basic.client.rooms) == ["tea"])
    await ada.sends("general", "two")
    await ada.sends("tea", "three")
    basic.says("send_message", message="four", **{"from": "mallory"})
    heard = [await basic.hears("new_message") for _ in range(3)]
    assert [(event["payload"]["message"], event["payload"]["from"]) for event in heard] == [
        ("one", "ada"), ("three", "ada"), ("four", "bob"),
    ]  # fmt: skip
    assert {event["type"] for event in basic.transport.events} == {"new_message"}


# --- leaving


async def test_one_who_leaves_is_out_on_every_connection_and_hears_no_more(world: ChatWorld) -> None:
    ada, bob = await world.come("ada", "tea"), await world.come("bob", "tea")
    phone = await world.come("bob")
    await world.rooms.leave(bob.identity, "tea")
    assert (await bob.hears("exited"))["payload"] == {"room": "tea"}
    assert (await phone.hears("exited"))["payload"] == {"room": "tea"}
    assert [entry["type"] for entry in await world.log("tea")][-1] == "member_left"
    await world.settled()
    bob.rest()
    await ada.sends("tea", "gone?")
    await world.settled()
    assert (types(bob), bob.client.rooms) == ([], {})
    assert (await bob.is_refused("send_message", room="tea", message="x", id="x"))["code"] == "not_entered"


async def test_what_was_on_its_way_when_its_sender_left_is_refused(world: ChatWorld) -> None:
    ada, bob = await world.come("ada", "tea"), await world.come("bob", "tea")
    seq = (await bob.sends("tea", "hello"))["seq"]
    row = await world.rooms.of(bob.identity, "tea")
    world.hub.submit(Leave(world.hub, row, "bob", by=None, by_id=bob.identity.user_id))
    bob.says("send_message", "late", room="tea", message="late", id="late")
    bob.says("react", "late too", room="tea", seq=seq, emoji="late")
    refusals: dict[str, str] = {}
    while len(refusals) < 2:
        event = await bob.hears("error")
        refusals[event["ref"]] = event["payload"]["code"]
    assert refusals == {"late": "no_such_room", "late too": "no_such_room"}
    assert "late" not in json.dumps(await world.log("tea"))
    assert "late" not in json.dumps(ada.transport.events)


async def test_leaving_and_speaking_in_one_batch_go_in_their_order(world: ChatWorld) -> None:
    _, bob = await world.come("ada", "tea"), await world.come("bob", "tea")
    row, room = await world.rooms.of(bob.identity, "tea"), bob.client.rooms["tea"]

    def send(text: str) -> Send:
        change = Send(bob.client, room, SendMessage(text, "tea", text))
        world.hub.submit(change)
        return change

    before = send("before")
    world.hub.submit(Leave(world.hub, row, "bob", by=None, by_id=bob.identity.user_id))
    between_ = send("between")
    world.hub.submit(Join(world.hub, row, "bob", by=None, by_id=bob.identity.user_id))
    after = send("after")
    await world.settled()
    assert [change.error and change.error.refusal.code for change in (before, between_, after)] == [
        None, "no_such_room", None,
    ]  # fmt: skip
    said = [entry["payload"].get("message", entry["type"]) for entry in await world.log("tea")]
    assert said[-4:] == ["before", "member_left", "member_joined", "after"]


@pytest.mark.parametrize("in_use", [True, False])
async def test_one_removed_while_it_enters_is_not_in_the_room(world: ChatWorld, in_use: bool) -> None:
    ada, bob = await world.come("ada"), await world.come("bob")
    await world.rooms.make(ada.identity, "attic", "private")
    await world.rooms.invite(ada.identity, "attic", "bob")
    if in_use:
        await ada.enters("attic")
    await world.settled()
    between(world, lambda: world.rooms.remove(ada.identity, "attic", "bob"))
    bob.says("enter", "mine", room="attic")
    await bob.hears("exited")
    answer = await bob.hears(ref="mine")
    assert (answer["type"], answer["payload"]["code"]) == ("error", "no_such_room")
    await world.settled()
    await ada.enters("attic")
    await ada.sends("attic", "secret")
    await world.settled()
    assert bob.client.rooms == {}
    assert not {"entered", "new_message"} & set(types(bob))
    assert (await ada.enters("attic"))["present"] == ["ada"]


async def test_one_removed_while_it_changes_to_the_room_is_not_in_it(world: ChatWorld) -> None:
    ada, basic = await world.come("ada"), await world.come_basic("bob")
    await world.rooms.make(ada.identity, "attic", "private")
    await world.rooms.invite(ada.identity, "attic", "bob")
    await world.settled()
    between(world, lambda: world.rooms.remove(ada.identity, "attic", "bob"))
    basic.says("change_room", name="attic")
    await world.until(lambda: not basic.client.busy)
    await ada.enters("attic")
    await ada.sends("attic", "secret")
    await world.settled()
    assert (basic.client.rooms, basic.transport.events) == ({}, [])


async def test_a_member_of_a_room_in_use_who_was_removed_cannot_enter_it(world: ChatWorld) -> None:
    ada, bob = await world.come("ada"), await world.come("bob")
    await world.rooms.make(ada.identity, "attic", "private")
    await ada.enters("attic")
    await world.rooms.invite(ada.identity, "attic", "bob")
    await bob.enters("attic")
    await world.rooms.remove(ada.identity, "attic", "bob")
    other = await bob.enters("attic")  # his own: for him there is no such room
    assert (other["kind"], other["role"], other["present"]) == ("public", "owner", ["bob"])


# --- names


async def test_old_names_lead_on_after_a_rename_until_another_room_takes_them(world: ChatWorld) -> None:
    ada, bob = await world.come("ada", "tea"), await world.come("bob", "tea")
    await world.rooms.change(ada.identity, "tea", new_name="coffee")
    assert (await bob.hears("room_changed"))["payload"] == {
        "room": "coffee", "seq": 4, "by": "ada", "was": "tea",
    }  # fmt: skip
    assert (await bob.sends("tea", "by the old name"))["room"] == "coffee"
    carol = await world.come("carol")
    assert (await carol.enters("Tea"))["room"] == "coffee"
    await carol.asks("exit", room="tea")
    await world.rooms.make(ada.identity, "tea")
    assert (await carol.enters("tea"))["room"] == "tea"
    assert (await bob.is_refused("send_message", room="tea", message="?", id="q"))["code"] == "not_entered"
    assert (await bob.sends("coffee", "by the new name"))["room"] == "coffee"


async def test_a_name_may_go_there_and_back_and_change_its_case(world: ChatWorld) -> None:
    ada = await world.come("ada", "tea")
    for name in ("coffee", "tea", "TEA", "Tea", "cocoa", "coffee"):
        assert (await world.rooms.change(ada.identity, "tea", new_name=name)).name == name
        assert (await ada.enters("coffee"))["room"] == name
        assert (await ada.sends(name, "here"))["room"] == name


async def test_a_taken_name_is_refused_to_those_who_may_see_who_has_it(world: ChatWorld) -> None:
    ada, bob = await world.come("ada", "tea"), await world.come("bob", "coffee")
    for call in (
        world.rooms.make(bob.identity, "TEA"),
        world.rooms.change(bob.identity, "coffee", new_name="tea"),
        world.rooms.make(ada.identity, "general"),
    ):
        assert await refused(call) == "name_taken"


async def test_a_private_room_gives_its_name_up_and_tells_nobody_but_its_members(world: ChatWorld) -> None:
    ada, bob, mallory = await world.come("ada"), await world.come("bob"), await world.come("mallory")
    await world.rooms.make(ada.identity, "attic", "private", "treasure")
    await world.rooms.invite(ada.identity, "attic", "bob")
    await ada.enters("attic")
    await bob.enters("attic")
    await ada.sends("attic", "secret")
    await world.settled()
    before = len(mallory.transport.events)
    free = await mallory.enters("not taken")
    taken = await mallory.enters("attic")
    names = ("room", "epoch", "id")
    assert {k: v for k, v in free.items() if k not in names} == {
        k: v for k, v in taken.items() if k not in names
    }
    changed = (await bob.hears("room_changed"))["payload"]
    assert changed["was"] == "attic"
    assert changed["room"].startswith("attic~")
    assert "by" not in changed
    assert (await ada.sends(changed["room"], "still here"))["room"] == changed["room"]
    assert (await ada.enters("attic"))["role"] == "member"
    told = json.dumps(mallory.transport.events[before:])
    assert not any(word in told for word in ("secret", "treasure", "attic~", "still here"))


async def test_a_room_that_one_may_not_see_is_in_no_answer(world: ChatWorld) -> None:
    ada, mallory = await world.come("ada"), await world.come("mallory")
    await world.rooms.make(ada.identity, "attic", "private")
    await ada.enters("attic")
    seq = (await ada.sends("attic", "secret"))["seq"]
    for type_, payload in (
        ("send_message", {"message": "x", "id": "x"}),
        ("edit_message", {"seq": seq, "message": "x"}),
        ("delete_message", {"seq": seq}),
        ("react", {"seq": seq, "emoji": "x"}),
        ("mark_read", {"seq": seq}),
    ):
        there = await mallory.is_refused(type_, room="attic", **payload)
        nowhere = await mallory.is_refused(type_, room="nowhere", **payload)
        assert there["code"] == "no_such_room"
        assert there | {"room": ""} == nowhere | {"room": ""}
    for type_ in ("typing", "exit"):
        assert (await mallory.is_refused(type_, room="attic"))["code"] == "not_entered"
    for call in (
        world.rooms.of(mallory.identity, "attic"),
        world.rooms.members(mallory.identity, "attic"),
        world.rooms.leave(mallory.identity, "attic"),
        world.rooms.invite(mallory.identity, "attic", "mallory"),
        world.rooms.change(mallory.identity, "attic", topic="x"),
    ):
        assert await refused(call) == "no_such_room"
    assert [row.name for row in await world.rooms.visible(mallory.identity)] == ["general"]
    again = await world.connect("mallory").hears("welcome")
    assert "attic" not in json.dumps(again)


# --- direct rooms


async def test_a_direct_room_is_one_for_each_set_of_people_however_it_is_called(world: ChatWorld) -> None:
    ada, bob = await world.come("ada"), await world.come("bob")
    await world.come("carol")
    entered = await ada.enters("@bob")
    assert (entered["room"], entered["kind"], entered["role"]) == ("@ada,bob", "direct", "member")
    for someone, name in ((bob, "@ada"), (bob, "@bob,ada"), (ada, "@BOB, ada"), (ada, "@ada,bob")):
        assert (await someone.enters(name))["room"] == "@ada,bob"
    assert (await bob.enters("@carol,ada"))["room"] == "@ada,bob,carol"
    assert (await ada.enters("@bob", after=0))["head"] == 3


async def test_two_who_begin_to_talk_at_once_are_in_one_direct_room(world: ChatWorld) -> None:
    ada, bob = await world.come("ada"), await world.come("bob")
    rooms = await asyncio.gather(ada.enters("@bob"), bob.enters("@ada"))
    assert [entered["room"] for entered in rooms] == ["@ada,bob"] * 2
    assert ada.client.rooms["@ada,bob"] is bob.client.rooms["@ada,bob"]


async def test_a_direct_room_is_seen_by_its_people_alone_and_stays_as_it_is(world: ChatWorld) -> None:
    ada, bob, mallory = await world.come("ada"), await world.come("bob"), await world.come("mallory")
    await ada.enters("@bob")
    await bob.enters("@ada")
    await ada.sends("@bob", "secret")
    assert (await mallory.enters("@ada,bob"))["room"] == "@ada,bob,mallory"
    assert "secret" not in json.dumps(mallory.transport.events)
    for call in (
        world.rooms.leave(ada.identity, "@bob"),
        world.rooms.invite(ada.identity, "@bob", "mallory"),
        world.rooms.remove(ada.identity, "@bob", "bob"),
        world.rooms.change(ada.identity, "@bob", new_name="ours"),
        world.rooms.change(ada.identity, "@bob", topic="ours"),
        world.rooms.set_member_role(ada.identity, "@bob", "bob", "owner"),
    ):
        assert await refused(call) == "forbidden"


@pytest.mark.parametrize(
    ("name", "code"),
    [("@", "conflict"), ("@ada", "conflict"), ("@nobody", "no_such_user"), ("@bob,nobody", "no_such_user")],
)
async def test_a_direct_room_of_nobody_cannot_be(world: ChatWorld, name: str, code: str) -> None:
    ada = await world.come("ada")
    world.person("bob")
    assert (await ada.is_refused("enter", room=name))["code"] == code


async def test_a_direct_room_is_for_twelve_at_most(world: ChatWorld) -> None:
    ada = await world.come("ada")
    names = [f"u{number}" for number in range(12)]
    for name in names:
        world.person(name)
    assert (await ada.is_refused("enter", room="@" + ",".join(names)))["code"] == "conflict"
    assert (await ada.enters("@" + ",".join(names[:11])))["present_count"] == 1


# --- changing rooms


async def test_an_archived_room_can_be_read_and_no_more(world: ChatWorld) -> None:
    ada, bob = await world.come("ada", "tea"), await world.come("bob", "tea")
    seq = (await bob.sends("tea", "hello", "m"))["seq"]
    await world.rooms.change(ada.identity, "tea", archived=True)
    for type_, payload in (
        ("send_message", {"message": "x", "id": "x"}),
        ("edit_message", {"seq": seq, "message": "x"}),
        ("delete_message", {"seq": seq}),
        ("react", {"seq": seq, "emoji": "x"}),
    ):
        assert (await bob.is_refused(type_, room="tea", **payload))["code"] == "room_archived"
    assert (await bob.sends("tea", "again", "m"))["message"] == "hello"  # a repeat is answered all the same
    assert (await bob.enters("tea"))["archived"] is True
    carol = await world.come("carol")
    assert (await carol.is_refused("enter", room="tea"))["code"] == "room_archived"
    assert await refused(world.rooms.invite(ada.identity, "tea", "carol")) == "room_archived"
    await world.rooms.change(ada.identity, "tea", archived=False)
    await carol.enters("tea")
    await bob.sends("tea", "open again")


async def test_what_was_on_its_way_when_its_room_was_archived_is_refused(world: ChatWorld) -> None:
    ada = await world.come("ada", "tea")
    row, room = await world.rooms.of(ada.identity, "tea"), ada.client.rooms["tea"]
    for archived, code in ((True, "room_archived"), (False, None)):
        world.hub.submit(
            ChangeRoomState(
                world.hub, ada.identity, row, new_name=None, topic=None, archived=archived, kind=None
            )
        )
        late = Send(ada.client, room, SendMessage("late", "tea", f"late-{archived}"))
        world.hub.submit(late)
        await world.settled()
        assert (late.error and late.error.refusal.code) == code


async def test_one_who_enters_while_the_room_is_changed_finds_it_as_it_is(world: ChatWorld) -> None:
    ada, bob = await world.come("ada", "tea"), await world.come("bob", "tea")
    await bob.asks("exit", room="tea")
    await ada.asks("exit", room="tea")
    await world.settled()
    assert world.hub.rooms == {}

    async def change() -> None:
        await world.rooms.change(ada.identity, "tea", new_name="coffee", topic="hot", archived=True)

    between(world, change)
    entered = await bob.enters("tea")
    assert (entered["room"], entered["topic"], entered["archived"]) == ("coffee", "hot", True)
    assert (await bob.is_refused("send_message", room="coffee", message="x", id="x"))[
        "code"
    ] == "room_archived"


async def test_a_change_that_changes_nothing_is_no_entry(world: ChatWorld) -> None:
    ada = await world.come("ada", "tea")
    await world.rooms.change(ada.identity, "tea", topic="hot")
    before = await world.log("tea")
    await world.rooms.change(ada.identity, "tea", topic="hot", new_name="tea", archived=False, kind="public")
    await world.rooms.set_member_role(ada.identity, "tea", "ada", "owner")
    assert await world.log("tea") == before


async def test_each_change_is_an_entry_that_says_what_changed_and_by_whom(world: ChatWorld) -> None:
    ada, bob = await world.come("ada", "tea"), await world.come("bob", "tea")
    await world.rooms.change(ada.identity, "tea", topic=" hot  tea ")
    await world.rooms.change(ada.identity, "tea", kind="private")
    await world.rooms.set_member_role(ada.identity, "tea", "bob", "owner")
    await world.rooms.change(bob.identity, "tea", archived=True)
    await world.rooms.remove(bob.identity, "tea", "ada")
    head = [entry["payload"] for entry in await world.log("tea")][3:]
    assert head == [
        {"room": "tea", "seq": 4, "by": "ada", "topic": "hot tea"},
        {"room": "tea", "seq": 5, "by": "ada", "kind": "private"},
        {"room": "tea", "seq": 6, "by": "ada", "member": "bob", "role": "owner"},
        {"room": "tea", "seq": 7, "by": "bob", "archived": True},
        {"room": "tea", "seq": 8, "user": "ada", "by": "bob"},
    ]
    assert (await bob.enters("tea"))["role"] == "owner"


async def test_what_only_those_in_charge_may_do_is_refused_to_others(world: ChatWorld) -> None:
    await world.come("ada", "tea")
    bob, carol = await world.come("bob", "tea"), await world.come("carol")
    for call in (
        world.rooms.change(bob.identity, "tea", new_name="x"),
        world.rooms.change(bob.identity, "tea", archived=True),
        world.rooms.change(bob.identity, "tea", kind="private"),
        world.rooms.remove(bob.identity, "tea", "ada"),
        world.rooms.set_member_role(bob.identity, "tea", "bob", "owner"),
        world.rooms.change(carol.identity, "tea", topic="x"),
        world.rooms.invite(carol.identity, "tea", "carol"),
    ):
        assert await refused(call) == "forbidden"
    await world.rooms.change(bob.identity, "tea", topic="members may")


async def test_a_role_that_there_is_not_and_people_who_are_not_there_are_refused(world: ChatWorld) -> None:
    ada = await world.come("ada", "tea")
    world.person("bob")
    for call, code in (
        (world.rooms.set_member_role(ada.identity, "tea", "ada", "king"), "bad_payload"),
        (world.rooms.set_member_role(ada.identity, "tea", "bob", "owner"), "no_such_user"),
        (world.rooms.remove(ada.identity, "tea", "bob"), "no_such_user"),
        (world.rooms.invite(ada.identity, "tea", "nobody"), "no_such_user"),
        (world.rooms.make(ada.identity, "x", "secret"), "bad_payload"),
        (world.rooms.change(ada.identity, "tea", kind="direct"), "bad_payload"),
        (world.rooms.make(ada.identity, "a/b"), "bad_name"),
    ):
        assert await refused(call) == code


async def test_an_invitation_makes_one_a_member_who_hears_of_it(world: ChatWorld) -> None:
    ada, bob = await world.come("ada"), await world.come("bob")
    await world.rooms.make(ada.identity, "attic", "private")
    await world.rooms.invite(ada.identity, "attic", "BOB")
    await world.rooms.invite(ada.identity, "attic", "bob")
    assert (await bob.hears("room_head"))["payload"] == {"room": "attic", "head": 3, "mentions": 0}
    assert [entry["payload"] for entry in await world.log("attic")][2:] == [
        {"room": "attic", "seq": 3, "user": "bob", "by": "ada"}
    ]
    assert (await bob.enters("attic"))["role"] == "member"


# --- resuming


async def test_one_who_resumes_gets_each_entry_since_as_it_came_live(world: ChatWorld) -> None:
    ada, bob = await world.come("ada", "tea"), await world.come("bob", "tea")
    held = (await ada.sends("tea", "one"))["seq"]
    await world.settled()
    bob.goes()
    await ada.sends("tea", "two")
    await ada.asks("edit_message", room="tea", seq=held, message="uno")
    back = await world.come("bob")
    entered = await back.enters("tea", after=held, epoch=world.hub.epoch)
    assert entered["entries"] == (await world.log("tea"))[held:]
    assert "messages" not in entered
    assert (entered["more"], entered["head"]) == (False, held + 2)
    assert (await back.enters("tea", after=held + 2))["entries"] == []


@pytest.mark.parametrize(
    "numbers", [{"after": 99}, {"after": 1, "epoch": "another"}, {"after": 0, "epoch": ""}]
)
async def test_one_whose_numbers_are_not_of_this_log_starts_anew(
    world: ChatWorld, numbers: dict[str, Any]
) -> None:
    ada = await world.come("ada", "tea")
    await ada.sends("tea", "one")
    entered = await ada.enters("tea", **numbers)
    assert entered["reset"] is True
    assert "entries" not in entered
    assert [message["message"] for message in entered["messages"]] == ["one"]


async def test_a_long_history_is_resumed_in_pages_and_then_live(world: ChatWorld) -> None:
    ada, bob = await world.come("ada", "tea"), await world.come("bob", "tea")
    await world.settled()
    bob.goes()
    for number in range(1_100):
        ada.says("send_message", number, room="tea", message=str(number), id=str(number))
    await ada.hears(ref=1_099)
    back = await world.come("bob")
    held: list[int] = []
    pages = 0
    more = True
    while more:
        entered = await back.enters("tea", after=held[-1] if held else 3)
        held += [entry["payload"]["seq"] for entry in entered["entries"]]
        more, pages = entered["more"], pages + 1
        await ada.sends("tea", f"meanwhile {pages}")
        await world.settled()
        held += [event["payload"]["seq"] for event in back.rest() if event["type"] == "new_message"]
    assert pages == 3
    assert held == list(range(4, len(await world.log("tea")) + 1))


async def test_the_last_fifty_messages_are_shown_and_whether_there_are_earlier_ones(world: ChatWorld) -> None:
    ada = await world.come("ada", "tea")
    for number in range(50):
        await ada.sends("tea", str(number))
    entered = await ada.enters("tea")
    assert ([m["message"] for m in entered["messages"]], "earlier" in entered) == (
        [str(number) for number in range(50)],
        False,
    )
    await ada.sends("tea", "50")
    entered = await ada.enters("tea")
    assert ([m["message"] for m in entered["messages"]], entered["earlier"]) == (
        [str(number) for number in range(1, 51)],
        True,
    )
    await ada.sends("tea", "live")
    assert "live" in json.dumps(ada.transport.events)


async def test_a_read_that_fails_leaves_one_out_of_the_room_with_a_retry(world: ChatWorld) -> None:
    ada, bob = await world.come("ada", "tea"), await world.come("bob", "tea")
    await bob.asks("exit", room="tea")

    async def fail() -> None:
        raise Refused(UNAVAILABLE)

    between(world, fail)
    error = await bob.is_refused("enter", room="tea")
    assert (error["code"], error["retry"], error["room"]) == ("unavailable", True, "tea")
    assert bob.client.rooms == {}
    await world.settled()
    assert (await ada.enters("tea"))["present"] == ["ada"]
    await bob.enters("tea")
