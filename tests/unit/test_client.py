"""One client: its events in order, whatever its handlers do and however slowly it reads."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hubbub.connection import Client
from hubbub.errors import CONFLICT, INTERNAL_CLOSE, POLICY, RATE_LIMITED, UNAVAILABLE, Refused
from hubbub.events import Payload
from hubbub.hub import Hub
from tests.chat_world import ChatWorld, Someone, a_chat
from tests.fakes import FakeTransport

pytestmark = pytest.mark.asyncio


class Note(Payload, frozen=True):
    """What a test sends."""

    word: str
    room: str | None = None
    id: str | None = None


class Desk:
    """Handlers that note what they are given, and wait until they are let go."""

    def __init__(self, hub: Hub) -> None:
        self.noted: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}
        hub.add_handler("note", Note, self.note)
        hub.add_handler("wait", Note, self.wait)
        hub.add_handler("crash", Note, self.crash)
        hub.add_handler("crash_later", Note, self.crash_later)
        hub.add_handler("refuse", Note, self.refuse)
        hub.add_handler("refuse_later", Note, self.refuse_later)

    def gate(self, word: str) -> asyncio.Event:
        return self.gates.setdefault(word, asyncio.Event())

    def note(self, client: Client, note: Note) -> None:
        self.noted.append(note.word)
        client.reply("noted", {"word": note.word})

    async def wait(self, client: Client, note: Note) -> None:
        self.noted.append(f"{note.word} begins")
        await self.gate(note.word).wait()
        self.noted.append(f"{note.word} ends")

    def crash(self, client: Client, note: Note) -> None:
        raise RuntimeError(note.word)

    async def crash_later(self, client: Client, note: Note) -> None:
        await asyncio.sleep(0)
        raise RuntimeError(note.word)

    def refuse(self, client: Client, note: Note) -> None:
        raise Refused(CONFLICT, "Not so.", field="word")

    async def refuse_later(self, client: Client, note: Note) -> None:
        await asyncio.sleep(0)
        raise Refused(RATE_LIMITED, retry_after_seconds=1.23456)


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[ChatWorld]:
    hub = Hub()
    desk = Desk(hub)
    async with a_chat(tmp_path, hub) as world:
        world.desk = desk  # type: ignore[attr-defined]
        yield world


@pytest.fixture
def desk(world: ChatWorld) -> Desk:
    found: Desk = world.desk  # type: ignore[attr-defined]
    return found


# --- order


async def test_events_are_handled_in_order_even_when_a_handler_waits(world: ChatWorld, desk: Desk) -> None:
    ada = await world.come("ada")
    ada.says("wait", word="a")
    ada.says("note", word="b")
    ada.says("wait", word="c")
    ada.says("note", word="d")
    await world.settled()
    assert desk.noted == ["a begins"]
    desk.gate("a").set()
    await ada.hears("noted")
    desk.gate("c").set()
    await ada.hears("noted")
    assert desk.noted == ["a begins", "a ends", "b", "c begins", "c ends", "d"]


async def test_one_client_that_waits_holds_up_no_other(world: ChatWorld, desk: Desk) -> None:
    ada, other = await world.come("ada"), await world.come("ada")
    ada.says("wait", word="a")
    assert (await other.asks("note", word="b"))["payload"] == {"word": "b"}


async def test_nothing_is_handled_before_the_welcome(world: ChatWorld, desk: Desk) -> None:
    ada = world.connect("ada")
    ada.says("note", word="early")
    await ada.hears("noted")
    assert [event["type"] for event in ada.transport.events] == ["welcome", "noted"]


async def test_each_answer_carries_its_own_ref_though_others_came_meanwhile(world: ChatWorld) -> None:
    ada = await world.come("ada", "general")
    for number in range(5):
        ada.says("mark_read", number, room="general", seq=1)
        ada.says("note", f"note-{number}", word=str(number))
    heard: list[str | int] = []
    while len(heard) < 10:
        event = await ada.hears()
        if "ref" in event:
            heard.append(event["ref"])
    assert sorted(ref for ref in heard if isinstance(ref, int)) == [0, 1, 2, 3, 4]
    assert [ref for ref in heard if isinstance(ref, str)] == [f"note-{number}" for number in range(5)]


# --- the inbox


async def test_one_whose_events_pile_up_is_read_from_no_more_until_they_are_handled(
    world: ChatWorld, desk: Desk
) -> None:
    ada = await world.come("ada")
    ada.says("wait", word="a")
    for number in range(63):
        ada.says("note", word=str(number))
    assert ada.transport.is_read()
    ada.says("note", word="63")
    assert not ada.transport.is_read()
    assert ada.client.paused
    for number in range(64, 100):  # of bytes that had come in already
        ada.says("note", word=str(number))
    desk.gate("a").set()
    await ada.transport.until(ada.transport.is_read)
    assert desk.noted == ["a begins", "a ends", *map(str, range(100))]
    assert not ada.client.paused


# --- what goes wrong


@pytest.mark.parametrize("type_", ["crash", "crash_later"])
async def test_a_crash_in_a_handler_is_told_to_its_client_alone_and_the_connection_goes_on(
    world: ChatWorld, type_: str
) -> None:
    ada, bob = await world.come("ada", "general"), await world.come("bob", "general")
    await world.settled()
    bob.rest()
    error = await ada.is_refused(type_, word="secret")
    assert error == {
        "code": "internal",
        "message": "Something went wrong on the server. It has been logged.",
        "retry": False,
    }
    assert (await ada.asks("note", word="b"))["payload"] == {"word": "b"}
    await world.settled()
    assert bob.rest() == []
    assert ada.transport.is_open()


@pytest.mark.parametrize("type_", ["refuse", "refuse_later"])
async def test_a_refusal_says_which_request_it_is_of(world: ChatWorld, type_: str) -> None:
    ada = await world.come("ada")
    error = await ada.is_refused(type_, word="x", room="general", id="id-1")
    assert (error["room"], error["id"]) == ("general", "id-1")
    if type_ == "refuse":
        assert (error["code"], error["message"], error["field"]) == ("conflict", "Not so.", "word")
    else:
        assert (error["code"], error["retry"], error["retry_after"]) == ("rate_limited", True, 1.235)


async def test_refusals_are_counted_by_code(world: ChatWorld) -> None:
    ada = await world.come("ada")
    await ada.is_refused("refuse", word="x")
    await ada.is_refused("no_such_type")
    ada.client.receive("nonsense")
    assert world.hub.figures.refusals == {"conflict": 1, "unknown_type": 1, "bad_json": 1}


async def test_what_cannot_be_read_is_refused_and_the_connection_stays(world: ChatWorld) -> None:
    ada = await world.come("ada")
    for text in ("", "nonsense", "[]", "{}", '{"type":"note"}', '{"type":"note","payload":{"word":7}}'):
        ada.client.receive(text)
    codes = [(await ada.hears("error"))["payload"]["code"] for _ in range(6)]
    assert codes == ["bad_json", "bad_json", "bad_event", "bad_event", "bad_payload", "bad_payload"]
    assert (await ada.asks("note", word="b"))["payload"] == {"word": "b"}


async def test_one_who_goes_on_sending_what_cannot_be_read_is_closed_after_a_thousand(
    world: ChatWorld,
) -> None:
    ada, bob = await world.come("ada"), await world.come("bob")
    for _ in range(1_000):
        ada.client.receive("x")
    assert ada.transport.is_open()
    ada.client.receive("x")
    assert ada.transport.closed == POLICY
    written = len(ada.transport.events)
    ada.client.receive("x")
    assert len(ada.transport.events) == written
    assert bob.transport.is_open()


async def test_refused_frames_now_and_then_close_nobody(world: ChatWorld) -> None:
    ada = await world.come("ada")
    for _ in range(3_000):
        ada.client.receive("x")
        world.clock.advance(0.02)
    assert ada.transport.is_open()


async def test_the_basic_profile_hears_of_no_error_and_may_go_on(world: ChatWorld) -> None:
    ada = await world.come_basic("ada")
    for text in ("x", "{}", json.dumps({"type": "note", "payload": {"word": "a"}})):
        ada.client.receive(text)
    ada.says("send_message", message="", **{"from": "ada"})
    ada.says("send_message", message="hello", **{"from": "mallory"})
    heard = await ada.hears("new_message")
    assert (heard["payload"]["message"], heard["payload"]["from"]) == ("hello", "ada")
    assert [event["type"] for event in ada.transport.events] == ["new_message"]


# --- the end


async def test_after_a_close_nothing_is_handled_and_nothing_is_written(world: ChatWorld, desk: Desk) -> None:
    ada, bob = await world.come("ada", "general"), await world.come("bob", "general")
    ada.says("wait", word="a")
    ada.says("note", word="b")
    ada.client.close(POLICY)
    ada.says("note", word="c")
    desk.gate("a").set()
    await bob.sends("general", "hello")
    ada.client.close(INTERNAL_CLOSE)
    await world.settled()
    assert "b" not in desk.noted
    assert "c" not in desk.noted
    assert ada.transport.closed == POLICY


async def test_one_closed_while_it_enters_is_in_no_room(world: ChatWorld) -> None:
    ada, bob = await world.come("ada"), await world.come("bob", "general")
    ada.says("enter", room="general")
    ada.client.close(POLICY)
    await world.settled()
    assert ada.client.rooms == {}
    assert [reader.name for room in world.hub.rooms.values() for reader in room.readers] == ["bob"]
    assert [event["type"] for event in bob.rest() if event["type"] == "presence"] == []


async def test_one_closed_while_it_makes_a_room_leaves_no_room_in_use(world: ChatWorld) -> None:
    ada, basic = await world.come("ada"), await world.come_basic("bob")
    ada.says("enter", room="one")
    basic.says("change_room", name="two")
    ada.client.close(POLICY)
    basic.client.close(POLICY)
    await world.settled()
    await world.settled()
    assert world.hub.rooms == {}


async def test_a_lost_connection_ends_its_handler(world: ChatWorld, desk: Desk) -> None:
    ada, bob = await world.come("ada"), await world.come("bob")
    ada.says("wait", word="a")
    await world.settled()
    ada.goes()
    await world.settled()
    desk.gate("a").set()
    await bob.asks("note", word="b")
    assert desk.noted == ["a begins", "b"]
    assert world.hub.clients == {bob.client}


@pytest.mark.parametrize("full", [True, False])
async def test_a_connection_lost_at_once_leaves_nothing_and_complains_of_nothing(
    world: ChatWorld, full: bool, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    ada = world.connect("ada", full=full)
    ada.goes()
    ada.goes()
    bob = await world.come("bob")
    for event in (
        {"type": "enter", "payload": {"room": "new"}},
        {"type": "edit_message", "payload": {"room": "general", "seq": 1, "message": "x"}},
        {"type": "mark_read", "payload": {"room": "general", "seq": 1}},
    ):
        carol = await world.come("carol")
        carol.client.receive(json.dumps(event))
        carol.goes()
    await world.settled()
    assert world.hub.clients == {bob.client}
    assert world.hub.membership.users.keys() == {bob.identity.user_id}
    assert world.hub.rooms == {}
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("full", "error"),
    [
        (True, Refused(CONFLICT)),
        (True, Refused(UNAVAILABLE)),
        (True, RuntimeError("broken")),
        (False, Refused(UNAVAILABLE)),
        (False, RuntimeError("broken")),
    ],
)
async def test_one_who_cannot_be_greeted_is_closed_and_may_come_again(
    world: ChatWorld, full: bool, error: Exception
) -> None:
    async def greeting() -> None:
        await asyncio.sleep(0)
        raise error

    transport = FakeTransport()
    client = world.hub.connected(world.person("ada"), transport, full=full)
    client.begin(greeting())
    await transport.until(lambda: transport.closed)
    assert (transport.closed, transport.events) == (INTERNAL_CLOSE, [])


async def test_a_basic_client_that_may_not_enter_general_may_change_to_another_room(world: ChatWorld) -> None:
    owner = await world.come("owner", "general", role="owner")
    await world.rooms.change(owner.identity, "general", archived=True)
    ada = world.connect("ada", full=False)
    ada.says("change_room", name="other")
    ada.says("send_message", message="hello")
    await ada.hears("new_message")
    assert list(ada.client.rooms) == ["other"]


# --- reading slowly


def fill(someone: Someone, world: ChatWorld) -> None:
    """Let someone's transport be full."""
    someone.client.fall_behind(world.clock.monotonic())


async def test_one_whose_buffer_is_full_is_not_read_from_and_hears_nothing_until_it_has_drained(
    world: ChatWorld,
) -> None:
    ada, bob = await world.come("ada", "general"), await world.come("bob", "general")
    await world.settled()
    ada.rest()
    fill(ada, world)
    fill(ada, world)
    assert (ada.transport.reading, ada.client in world.hub.behind) == (False, True)
    first = (await bob.sends("general", "one"))["seq"]
    last = (await bob.sends("general", "two"))["seq"]
    assert ada.rest() == []
    ada.client.caught_up()
    assert ada.rest() == [{"type": "gap", "payload": {"room": "general", "from": first, "to": last}}]
    assert (ada.transport.reading, ada.client in world.hub.behind) == (True, False)
    assert world.hub.figures.fell_behind == 1
    entered = await ada.enters("general", after=first - 1)
    assert [entry["payload"]["seq"] for entry in entered["entries"]] == [first, last]


async def test_one_who_drained_and_missed_nothing_hears_no_gap(world: ChatWorld) -> None:
    ada, bob = await world.come("ada", "general"), await world.come("bob", "general")
    await world.settled()
    fill(ada, world)
    ada.client.caught_up()
    ada.rest()
    await bob.sends("general", "hello")
    assert [event["type"] for event in ada.rest()] == ["new_message"]


async def test_what_one_sent_before_its_buffer_was_full_waits_until_it_has_drained(
    world: ChatWorld, desk: Desk
) -> None:
    """Else it could ask for page after page that it never reads, and each would be kept for it."""
    ada = await world.come("ada")
    ada.says("wait", word="a")
    ada.says("note", word="b")
    fill(ada, world)
    ada.says("note", word="c")
    desk.gate("a").set()
    await world.settled()
    assert desk.noted == ["a begins", "a ends"]
    ada.client.caught_up()
    await ada.hears(payload={"word": "c"})
    assert desk.noted == ["a begins", "a ends", "b", "c"]
    assert ada.transport.is_read()


async def test_what_comes_while_the_buffer_is_full_waits_too(world: ChatWorld, desk: Desk) -> None:
    ada = await world.come("ada")
    fill(ada, world)
    for number in range(100):
        ada.says("note", word=str(number))
    await world.settled()
    assert desk.noted == []
    ada.client.caught_up()
    await ada.hears(payload={"word": "99"})
    assert desk.noted == [str(number) for number in range(100)]
    assert ada.transport.is_read()


async def test_a_pipeline_of_requests_is_answered_no_further_than_the_buffer_reaches(
    world: ChatWorld,
) -> None:
    ada = await world.come("ada", "general")
    await ada.sends("general", "hello")
    ada.rest()
    ada.transport.on_write = lambda: fill(ada, world)
    for number in range(1_000):
        ada.says("enter", number, room="general", after=0)
    await ada.hears("entered", ref=0)
    await world.settled()
    assert ada.rest() == []
    ada.transport.on_write = None
    ada.client.caught_up()
    await ada.hears("entered", ref=999)
    assert ada.transport.is_read()


async def test_one_who_fills_up_as_it_enters_is_not_live(world: ChatWorld) -> None:
    ada, bob = await world.come("ada"), await world.come("bob", "general")
    ada.transport.on_write = lambda: fill(ada, world)
    ada.says("enter", room="general")
    await ada.hears("entered")
    ada.transport.on_write = None
    sent = await bob.sends("general", "hello")
    await world.settled()
    assert ada.rest() == []
    ada.client.caught_up()
    gap = {"room": "general", "from": sent["seq"], "to": sent["seq"]}
    assert ada.rest() == [{"type": "gap", "payload": gap}]


async def test_a_basic_client_that_fills_up_as_it_changes_room_is_not_live(world: ChatWorld) -> None:
    ada, bob = await world.come_basic("ada"), await world.come("bob", "other")
    ada.says("change_room", name="other")
    fill(ada, world)
    await world.settled()
    await bob.sends("other", "one")
    assert ada.rest() == []
    ada.client.caught_up()
    await world.settled()
    await bob.sends("other", "two")
    assert [event["payload"]["message"] for event in ada.rest()] == ["two"]


async def test_one_closed_while_its_buffer_is_full_comes_back_to_nothing(world: ChatWorld) -> None:
    ada = await world.come("ada", "general")
    fill(ada, world)
    ada.goes()
    ada.client.caught_up()
    assert (world.hub.behind, world.hub.clients) == (set(), set())


async def test_one_who_drains_counts_as_alive(world: ChatWorld) -> None:
    ada = await world.come("ada")
    ada.client.heard = False
    fill(ada, world)
    ada.client.caught_up()
    assert ada.client.heard


# --- what the application may do with a client


async def test_an_application_may_tell_and_append_in_rooms_of_the_user(world: ChatWorld) -> None:
    ada, bob = await world.come("ada", "general"), await world.come("bob", "general")
    await world.settled()
    bob.rest()
    await ada.client.tell("general", "poke", {"by": "ada"})
    assert bob.rest() == [{"type": "poke", "payload": {"by": "ada"}}]
    seq = await ada.client.append("general", "poll", {"question": "?", "room": "x", "seq": 99}, id_="p-1")
    again = await ada.client.append("general", "poll", {"question": "other"}, id_="p-1")
    assert seq == again
    (heard,) = bob.rest()
    expected: dict[str, Any] = {"room": "general", "seq": seq, "from": "ada", "question": "?"}
    assert heard["type"] == "poll"
    assert {name: value for name, value in heard["payload"].items() if name != "sent"} == expected
    assert (await world.log("general"))[-1] == heard


async def test_an_application_may_not_pass_an_entry_off_as_the_chats(world: ChatWorld) -> None:
    ada = await world.come("ada", "general")
    with pytest.raises(ValueError, match="new_message"):
        await ada.client.append("general", "new_message", {"message": "forged"})
    with pytest.raises(Refused, match="no_such_room"):
        await ada.client.append("secret", "poll", {})
