"""Talking: messages, and what becomes of them."""

from __future__ import annotations

import asyncio
import json
import secrets
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from hubbub.chat.reading import ReadUpTo
from hubbub.chat.speaking import MOST_EMOJI, Send
from hubbub.events import SendMessage
from hubbub.log import queries
from tests.chat_world import ChatWorld, Someone, a_chat


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[ChatWorld]:
    async with a_chat(tmp_path) as world:
        yield world


async def history(world: ChatWorld, room: str = "general") -> list[dict[str, Any]]:
    """The room's messages as they are now, without the room."""
    room_id = await world.room_id(room)
    page = await world.query(lambda c: queries.messages(c, room_id, 200))
    return [json.loads(item.body) for item in page.items]


async def fresh(world: ChatWorld, name: str, room: str = "general") -> list[dict[str, Any]]:
    """What one who enters now is shown."""
    someone = await world.come(name)
    return list((await someone.enters(room))["messages"])


# --- sending


@pytest.mark.asyncio
async def test_a_message_comes_back_numbered_to_its_sender_and_goes_to_the_others_as_it_is(
    world: ChatWorld,
) -> None:
    ada, bob = await world.come("ada", "general"), await world.come("bob", "general")
    head = (await ada.enters("general"))["head"]
    await world.settled()
    bob.rest()
    sent = await ada.sends("general", "hello", "id-1")
    assert sent == {
        "room": "general",
        "seq": head + 1,
        "id": "id-1",
        "from": "ada",
        "message": "hello",
        "sent": "2027-01-15T08:00:00.000Z",
    }
    assert bob.rest() == [{"type": "new_message", "payload": sent}]


@pytest.mark.asyncio
async def test_a_message_sent_again_comes_back_to_its_sender_alone_and_changes_nothing(
    world: ChatWorld,
) -> None:
    ada, bob = await world.come("ada", "general"), await world.come("bob", "general")
    first = await ada.sends("general", "hello", "id-1")
    await world.settled()
    bob.rest()
    assert await ada.sends("general", "something else", "id-1") == first
    await world.settled()
    assert bob.rest() == []
    assert [message["message"] for message in await history(world)] == ["hello"]


@pytest.mark.asyncio
async def test_both_profiles_hear_the_same_bytes(world: ChatWorld) -> None:
    ada, bob, basic = (
        await world.come("ada", "general"),
        await world.come("bob", "general"),
        await world.come_basic("carol"),
    )
    await world.settled()
    written = len(bob.transport.writes)
    await ada.sends("general", "hello")
    await world.settled()
    assert bob.transport.writes[written:] == basic.transport.writes


@pytest.mark.asyncio
async def test_one_not_in_the_room_may_speak_as_a_member_and_is_answered(world: ChatWorld) -> None:
    ada, bob = await world.come("ada", "general"), await world.come("bob", "general")
    await ada.asks("exit", room="general")
    sent = await ada.sends("general", "from outside")
    assert (await bob.hears("new_message"))["payload"] == sent
    stranger = await world.come("carol")
    error = await stranger.is_refused("send_message", room="general", message="hi", id="x")
    assert (error["code"], error["room"], error["id"]) == ("not_entered", "general", "x")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("payload", "code", "field"),
    [
        ({"message": "", "id": "a", "room": "general"}, "empty_message", "message"),
        ({"message": " \n\t\u3000", "id": "a", "room": "general"}, "empty_message", "message"),
        ({"message": "x" * 10_001, "id": "a", "room": "general"}, "message_too_long", "message"),
        ({"message": "a\0b", "id": "a", "room": "general"}, "bad_text", "message"),
        ({"message": "hi", "room": "general"}, "bad_payload", "id"),
        ({"message": "hi", "id": "a"}, "bad_payload", "room"),
        ({"message": "hi", "id": "a", "room": "nowhere"}, "no_such_room", None),
        ({"message": "hi", "id": "a", "room": "general", "reply_to": 99}, "no_such_message", "reply_to"),
        ({"message": "hi", "id": "a", "room": "general", "reply_to": 1}, "no_such_message", "reply_to"),
    ],
)
async def test_what_cannot_be_said_is_refused_and_leaves_no_trace(
    world: ChatWorld, payload: dict[str, Any], code: str, field: str | None
) -> None:
    ada = await world.come("ada", "general")
    before = await world.log("general")
    error = await ada.is_refused("send_message", **payload)
    assert (error["code"], error.get("field"), error.get("id")) == (code, field, payload.get("id"))
    assert await world.log("general") == before


@pytest.mark.asyncio
async def test_the_longest_message_goes_through_whatever_its_script(world: ChatWorld) -> None:
    ada = await world.come("ada", "general")
    for text in ("x" * 10_000, "🎉" * 10_000, "\u202e \u200b zero width"):
        assert (await ada.sends("general", text))["message"] == text
    assert len(await history(world)) == 3


@pytest.mark.asyncio
async def test_a_reply_names_the_message_that_it_answers(world: ChatWorld) -> None:
    ada = await world.come("ada", "general")
    first = await ada.sends("general", "tea?")
    assert (await ada.sends("general", "yes", reply_to=first["seq"]))["reply_to"] == first["seq"]


@pytest.mark.asyncio
async def test_who_is_too_fast_is_refused_with_the_time_to_wait_and_then_it_works(tmp_path: Path) -> None:
    async with a_chat(tmp_path, limit_messages=2.0, limit_messages_burst=2) as world:
        ada, bob = await world.come("ada", "general"), await world.come("bob", "general")
        await ada.sends("general", "one")
        await ada.sends("general", "two")
        error = await ada.is_refused("send_message", room="general", message="three", id="3")
        assert (error["code"], error["retry"], error["retry_after"]) == ("rate_limited", True, 0.5)
        await bob.sends("general", "not me")
        world.clock.advance(error["retry_after"])
        await ada.sends("general", "three", "3")


# --- changing what was said


@pytest.mark.asyncio
async def test_history_shows_a_message_as_it_is_now_and_a_replay_each_entry_as_it_came(
    world: ChatWorld,
) -> None:
    ada, bob = await world.come("ada", "general"), await world.come("bob", "general")
    sent = await ada.sends("general", "helo", "m")
    seq = sent["seq"]
    world.clock.advance(1)
    edit = (await ada.asks("edit_message", room="general", seq=seq, message="hello"))["payload"]
    react = (await bob.asks("react", room="general", seq=seq, emoji="🎉"))["payload"]
    again = (await ada.asks("edit_message", room="general", seq=seq, message="hello!"))["payload"]
    assert edit == {
        "room": "general",
        "seq": seq + 1,
        "target": seq,
        "from": "ada",
        "message": "hello",
        "edited": "2027-01-15T08:00:01.000Z",
    }
    (shown,) = await fresh(world, "carol")
    assert shown == sent | {
        "message": "hello!",
        "edited": "2027-01-15T08:00:01.000Z",
        "edits": [edit["seq"], again["seq"]],
        "reactions": {"🎉": ["bob"]},
    }
    dave = await world.come("dave")
    replay = (await dave.enters("general", after=seq - 1))["entries"]
    assert replay[:4] == [
        {"type": "new_message", "payload": sent},
        {"type": "message_edited", "payload": edit},
        {"type": "reacted", "payload": react},
        {"type": "message_edited", "payload": again},
    ]


@pytest.mark.asyncio
async def test_a_deleted_message_is_gone_from_every_table_and_its_place_stays(
    world: ChatWorld, tmp_path: Path
) -> None:
    ada, bob = await world.come("ada", "general"), await world.come("bob", "general")
    sent = await ada.sends("general", "first-secret @bob", "m")
    seq = sent["seq"]
    await ada.asks("edit_message", room="general", seq=seq, message="second-secret")
    await ada.asks("edit_message", room="general", seq=seq, message="third-secret")
    await bob.asks("react", room="general", seq=seq, emoji="🎉")
    kept = await ada.sends("general", "not a word of it")
    deleted = (await ada.asks("delete_message", room="general", seq=seq))["payload"]
    assert deleted == {"room": "general", "seq": kept["seq"] + 1, "target": seq, "from": "ada"}
    assert await in_the_tables(tmp_path, "secret") == []
    shown = await history(world)
    assert [(message["seq"], message["message"], message.get("deleted")) for message in shown] == [
        (seq, "", True),
        (kept["seq"], "not a word of it", None),
    ]
    assert "reactions" not in shown[0]
    carol = await world.come("carol")
    assert "secret" not in json.dumps(await carol.enters("general", after=0))


async def in_the_tables(folder: Path, text: str) -> list[str]:
    """The tables in any field of which `text` is."""
    connection = sqlite3.connect(folder / "hubbub.db")
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    rows = {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}
    connection.close()
    return [name for name in names if text in repr(rows[name])]


@pytest.mark.asyncio
async def test_a_deleted_message_is_gone_from_the_bytes_of_the_file(tmp_path: Path) -> None:
    """Else a backup, or whoever finds the disk, could read it in a page that is no longer used."""
    async with a_chat(tmp_path) as world:
        ada = await world.come("ada", "general")
        for number in range(40):
            await ada.sends("general", f"unrelated {number} " * 30)
        short = (await ada.sends("general", "short-secret"))["seq"]
        long = (await ada.sends("general", "long-secret " * 800))["seq"]
        await ada.asks("edit_message", room="general", seq=short, message="short-secret again " * 300)
        await ada.asks("delete_message", room="general", seq=short)
        await ada.asks("delete_message", room="general", seq=long)
    files = read_all(tmp_path)
    assert b"unrelated 7" in files["hubbub.db"]
    assert [name for name, content in files.items() if b"-secret" in content] == []


def read_all(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.asyncio
async def test_what_was_deleted_can_be_changed_no_more(world: ChatWorld) -> None:
    ada = await world.come("ada", "general")
    seq = (await ada.sends("general", "oops"))["seq"]
    await ada.asks("delete_message", room="general", seq=seq)
    for type_, more in (
        ("edit_message", {"message": "x"}),
        ("delete_message", {}),
        ("react", {"emoji": "🎉"}),
    ):
        error = await ada.is_refused(type_, room="general", seq=seq, **more)
        assert (error["code"], error["field"]) == ("no_such_message", "seq")
    error = await ada.is_refused("send_message", room="general", message="re", id="r", reply_to=seq)
    assert error["code"] == "no_such_message"


@pytest.mark.asyncio
async def test_a_message_that_speaks_of_deletion_is_not_deleted(world: ChatWorld) -> None:
    ada = await world.come("ada", "general")
    for text in ('"deleted":true', '{"deleted":true}', '\\"deleted\\":true'):
        seq = (await ada.sends("general", text))["seq"]
        answer = await ada.asks("edit_message", room="general", seq=seq, message=text + "!")
        assert answer["type"] == "message_edited"
        assert (await ada.asks("react", room="general", seq=seq, emoji="deleted"))["type"] == "reacted"
        assert (await ada.asks("edit_message", room="general", seq=seq, message=text))["type"] != "error"


@pytest.mark.asyncio
async def test_only_the_author_edits_and_the_author_or_those_in_charge_delete(world: ChatWorld) -> None:
    owner = await world.come("owner")
    await owner.enters("team")
    ada, bob = await world.come("ada", "team"), await world.come("bob", "team")
    admin = await world.come("root", "team", role="admin")
    seqs = [(await ada.sends("team", f"text {number}"))["seq"] for number in range(3)]
    for someone in (bob, owner, admin):
        error = await someone.is_refused("edit_message", room="team", seq=seqs[0], message="x")
        assert error["code"] == "forbidden"
    assert (await bob.is_refused("delete_message", room="team", seq=seqs[0]))["code"] == "forbidden"
    for someone, seq in zip((ada, owner, admin), seqs, strict=True):
        answer = await someone.asks("delete_message", room="team", seq=seq)
        assert (answer["type"], answer["payload"]["from"]) == ("message_deleted", someone.name)


@pytest.mark.asyncio
async def test_a_reaction_is_added_once_and_taken_back_once(world: ChatWorld) -> None:
    ada, bob = await world.come("ada", "general"), await world.come("bob", "general")
    seq = (await ada.sends("general", "hi"))["seq"]

    async def react(someone: Someone, emoji: str, *, remove: bool = False) -> str:
        answer = await someone.asks("react", room="general", seq=seq, emoji=emoji, remove=remove)
        return str(answer["payload"].get("code", answer["type"]))

    assert await react(ada, "🎉") == "reacted"
    assert await react(bob, "🎉") == "reacted"
    assert await react(ada, "🎉") == "conflict"
    assert await react(ada, "👍", remove=True) == "conflict"
    assert await react(bob, "👍") == "reacted"
    assert await react(ada, "🎉", remove=True) == "reacted"
    assert await react(bob, " ") == "bad_payload"
    assert [message["reactions"] for message in await history(world)] == [{"🎉": ["bob"], "👍": ["bob"]}]
    assert await react(bob, "🎉", remove=True) == "reacted"
    assert await react(bob, "👍", remove=True) == "reacted"
    assert ["reactions" in message for message in await history(world)] == [False]


@pytest.mark.asyncio
async def test_a_message_holds_only_so_many_different_emoji(world: ChatWorld) -> None:
    ada = await world.come("ada", "general")
    seq = (await ada.sends("general", "hi"))["seq"]
    for number in range(MOST_EMOJI):
        assert (await ada.asks("react", room="general", seq=seq, emoji=f"e{number}"))["type"] == "reacted"
    assert (await ada.is_refused("react", room="general", seq=seq, emoji="more"))["code"] == "conflict"


@pytest.mark.asyncio
async def test_an_edit_sent_again_with_its_id_is_one_edit(world: ChatWorld) -> None:
    ada, bob = await world.come("ada", "general"), await world.come("bob", "general")
    seq = (await ada.sends("general", "helo", "m"))["seq"]
    edits = [
        (await ada.asks("edit_message", room="general", seq=seq, message=text, id="e"))["payload"]
        for text in ("hello", "other")
    ]
    assert edits[0] == edits[1]
    await world.settled()
    assert [event["type"] for event in bob.rest()].count("message_edited") == 1
    assert [message["message"] for message in await history(world)] == ["hello"]


@pytest.mark.asyncio
async def test_changes_of_one_message_in_one_batch_each_see_the_one_before(world: ChatWorld) -> None:
    ada, bob, carol = [await world.come(name, "general") for name in ("ada", "bob", "carol")]
    seq = (await ada.sends("general", "hi"))["seq"]
    for someone in (ada, bob, carol):
        someone.says("react", someone.name, room="general", seq=seq, emoji="🎉")
    ada.says("edit_message", "edit", room="general", seq=seq, message="one")
    ada.says("edit_message", "again", room="general", seq=seq, message="two")
    await ada.hears(ref="again")
    (message,) = await history(world)
    assert (message["reactions"], message["message"]) == ({"🎉": ["ada", "bob", "carol"]}, "two")
    assert len(message["edits"]) == 2


@pytest.mark.asyncio
async def test_what_is_no_message_or_not_there_cannot_be_changed(world: ChatWorld) -> None:
    ada = await world.come("ada", "general")
    for seq in (0, 1, 99, 2**53 - 1):
        error = await ada.is_refused("edit_message", room="general", seq=seq, message="x")
        assert (error["code"], error["field"], error["room"]) == ("no_such_message", "seq", "general")


# --- mentions, unread


@pytest.mark.asyncio
async def test_mentions_are_counted_for_those_they_mention_and_end_with_reading(world: ChatWorld) -> None:
    ada = await world.come("ada", "general")
    bob = await world.come("bob", "general")
    await world.come("carol", "general")
    await bob.asks("exit", room="general")
    texts = ["@bob hi", "@BOB, @carol!", "@here", "mail@bob.org", "@bobby", "@nobody", "(@bob)", "@ada"]
    last = 0
    for text in texts:
        last = (await ada.sends("general", text))["seq"]
    await world.settled()
    heads = [event["payload"] for event in bob.rest() if event["type"] == "room_head"]
    assert heads[-1] == {"room": "general", "head": last, "mentions": 4}
    assert await mentions_by_the_log(world, "bob") == 4
    assert await mentions_by_the_log(world, "carol") == 2
    assert await mentions_by_the_log(world, "ada") == 0
    assert world.hub.membership.of(ada.client).marks[ada.client.rooms["general"].id].mentions == 0
    read = (await bob.asks("mark_read", room="general", seq=last - 7))["payload"]
    assert read == {"room": "general", "seq": last - 7, "unread": 7, "mentions": 3}


async def mentions_by_the_log(world: ChatWorld, name: str) -> int:
    """What somebody who connects now is told."""
    someone = world.connect(name)
    welcome = await someone.hears("welcome")
    someone.goes()
    return int(next(room["mentions"] for room in welcome["payload"]["rooms"] if room["room"] == "general"))


@pytest.mark.asyncio
async def test_a_mention_in_the_same_batch_as_reading_is_not_lost(world: ChatWorld) -> None:
    ada, bob = await world.come("ada", "general"), await world.come("bob", "general")
    await ada.sends("general", "@bob one")
    await bob.asks("exit", room="general")
    head = (await ada.sends("general", "@bob two"))["seq"]
    bob.rest()
    room = ada.client.rooms["general"]

    def send(id_: str) -> None:
        request = SendMessage(f"@bob {id_}", "general", id_)
        world.hub.submit(Send(ada.client, room, request))

    send("a")
    world.hub.submit(ReadUpTo(bob.client, room, head + 1, None))
    send("b")
    send("c")
    await world.settled()
    heads = [event["payload"] for event in bob.rest() if event["type"] == "room_head"]
    assert heads[-1] == {"room": "general", "head": head + 3, "mentions": 2}
    assert await mentions_by_the_log(world, "bob") == 2


@pytest.mark.asyncio
async def test_reading_is_told_to_all_of_ones_connections_and_to_nobody_else(world: ChatWorld) -> None:
    ada, phone, bob = (
        await world.come("ada", "general"),
        await world.come("ada"),
        await world.come("bob", "general"),
    )
    seq = (await bob.sends("general", "hi"))["seq"]
    await world.settled()
    phone.rest()
    bob.rest()
    answer = await ada.asks("mark_read", room="general", seq=seq)
    assert answer["payload"] == {"room": "general", "seq": seq}
    heard = await phone.hears("read")
    assert (heard["payload"], "ref" in heard) == (answer["payload"], False)
    await world.settled()
    assert bob.rest() == []


def test_reading_never_goes_backwards_and_never_past_the_head(tmp_path: Path) -> None:
    async def body(reads: list[int]) -> None:
        async with a_chat(tmp_path / secrets.token_hex(4)) as world:
            ada, bob = await world.come("ada", "general"), await world.come("bob", "general")
            head = 0
            for number in range(10):
                head = (await bob.sends("general", str(number)))["seq"]
            read = (await ada.enters("general"))["read"]
            for seq in reads:
                answer = (await ada.asks("mark_read", room="general", seq=seq))["payload"]
                read = max(read, min(seq, head))
                assert (answer["seq"], answer.get("unread", 0)) == (read, head - read)
            assert (await ada.enters("general"))["read"] == read

    @settings(max_examples=15)
    @given(st.lists(st.integers(0, 16) | st.just(2**53 - 1), min_size=1, max_size=8))
    def hold(reads: list[int]) -> None:
        asyncio.run(body(reads))

    hold()
