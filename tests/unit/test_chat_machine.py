"""Rooms, logs, read marks and membership against a simple model: any order of what people do, by hypothesis."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from hubbub.errors import Refused
from hubbub.events import ENTRY_EVENTS
from tests.chat_world import ChatWorld, Someone, a_chat

T = TypeVar("T")
PEOPLE = ("ada", "bob", "cleo")
person = st.sampled_from(PEOPLE)
number = st.integers(min_value=1, max_value=9)


@dataclass(eq=False)
class ModelRoom:
    """What a room should be like."""

    name: str
    kind: str
    head: int
    members: dict[str, str]  # name to role
    read: dict[str, int]
    archived: bool = False
    texts: dict[int, tuple[str, str]] = field(
        default_factory=dict
    )  # of messages that are there: author and text
    reactions: dict[int, set[str]] = field(default_factory=dict)  # who reacted
    hearers: dict[int, set[str]] = field(default_factory=dict)  # who may have heard the entry of a number

    def visible_to(self, name: str) -> bool:
        return self.kind == "public" or name in self.members

    def appended(self, before: set[str]) -> None:
        self.head += 1
        self.hearers[self.head] = before | set(self.members)


class ChatMachine(RuleBasedStateMachine):
    """People do things one after another; after each, everything is compared."""

    rooms: Bundle[ModelRoom] = Bundle("rooms")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.chat = a_chat(Path(), database="sqlite://")
        self.world: ChatWorld = self.run(self.chat.__aenter__())
        self.there: dict[str, Someone] = {name: self.run(self.world.come(name)) for name in PEOPLE}
        self.looked_at = dict.fromkeys(PEOPLE, 0)
        self.made: list[ModelRoom] = []
        self.ids = itertools.count(1)

    def teardown(self) -> None:
        self.run(self.chat.__aexit__(None, None, None))
        self.runner.close()

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(doing)

    def tries(self, doing: Coroutine[Any, Any, object]) -> str:
        """Do it; the code of the refusal, or nothing."""
        try:
            self.run(doing)
        except Refused as refused:
            return refused.refusal.code
        return ""

    # --- rooms

    @rule(target=rooms, who=person, kind=st.sampled_from(("public", "private")))
    def make(self, who: str, kind: str) -> ModelRoom:
        name = f"room {next(self.ids)}"
        self.run(self.world.rooms.make(self.there[who].identity, name, kind))
        head = len(self.run(self.world.log(name)))
        room = ModelRoom(name, kind, head, {who: "owner"}, {who: head})
        room.hearers = {seq: {who} for seq in range(1, head + 1)}
        self.made.append(room)
        return room

    @initialize(target=rooms, kind=st.sampled_from(("public", "private")))
    def begin(self, kind: str) -> Any:
        """One room in which everybody is, and something was said."""
        room: Any = self.make("ada", kind)
        for who in ("bob", "cleo"):
            self.invite(room, "ada", who)
        for who in PEOPLE:
            self.send(room, who, again=False)
        return room

    @rule(room=rooms, who=person)
    def enter(self, room: ModelRoom, who: str) -> None:
        if not room.visible_to(who):  # entering would make another of that name
            return
        answer = self.run(self.there[who].asks("enter", room=room.name))
        if who not in room.members and room.archived:
            assert answer["payload"]["code"] == "room_archived"
            return
        self._joined(room, who)
        payload = answer["payload"]
        assert (answer["type"], payload["head"], payload["read"]) == ("entered", room.head, room.read[who])
        shown = {
            each["seq"]: (each["from"], each["message"])
            for each in payload["messages"]
            if not each.get("deleted")
        }
        assert shown == room.texts
        reacted = {each["seq"]: set(each.get("reactions", {}).get("👍", ())) for each in payload["messages"]}
        assert {seq: names for seq, names in reacted.items() if names} == {
            seq: names for seq, names in room.reactions.items() if names
        }

    def _joined(self, room: ModelRoom, who: str) -> None:
        if who not in room.members:
            before = set(room.members)
            room.members[who] = "member"
            room.appended(before)
            room.read[who] = room.head

    @rule(room=rooms, by=person, who=person)
    def invite(self, room: ModelRoom, by: str, who: str) -> None:
        code = self.tries(self.world.rooms.invite(self.there[by].identity, room.name, who))
        if not room.visible_to(by):
            assert code == "no_such_room"
        elif by not in room.members:
            assert code == "forbidden"
        elif room.archived:
            assert code == "room_archived"
        else:
            assert code == ""
            self._joined(room, who)

    @rule(room=rooms, who=person)
    def leave(self, room: ModelRoom, who: str) -> None:
        code = self.tries(self.world.rooms.leave(self.there[who].identity, room.name))
        if who in room.members:
            assert code == ""
            self._left(room, who)
        else:
            assert code == ("forbidden" if room.visible_to(who) else "no_such_room")

    @rule(room=rooms, by=person, who=person)
    def remove(self, room: ModelRoom, by: str, who: str) -> None:
        code = self.tries(self.world.rooms.remove(self.there[by].identity, room.name, who))
        if not self._in_charge(room, by, code):
            return
        if who in room.members:
            assert code == ""
            self._left(room, who)
        else:
            assert code == "no_such_user"

    def _left(self, room: ModelRoom, who: str) -> None:
        before = set(room.members)
        del room.members[who], room.read[who]
        room.appended(before)

    def _in_charge(self, room: ModelRoom, by: str, code: str) -> bool:
        if not room.visible_to(by):
            assert code == "no_such_room"
        elif room.members.get(by) != "owner":
            assert code == "forbidden"
        else:
            return True
        return False

    @rule(room=rooms, by=person)
    def rename(self, room: ModelRoom, by: str) -> None:
        name = f"room {next(self.ids)}"
        code = self.tries(self.world.rooms.change(self.there[by].identity, room.name, new_name=name))
        if self._in_charge(room, by, code):
            assert code == ""
            room.name = name
            room.appended(set())

    @rule(room=rooms, by=person, archived=st.booleans())
    def archive(self, room: ModelRoom, by: str, archived: bool) -> None:
        code = self.tries(self.world.rooms.change(self.there[by].identity, room.name, archived=archived))
        if self._in_charge(room, by, code):
            assert code == ""
            if archived != room.archived:
                room.archived = archived
                room.appended(set())

    @rule(room=rooms, by=person, kind=st.sampled_from(("public", "private")))
    def hide_or_show(self, room: ModelRoom, by: str, kind: str) -> None:
        code = self.tries(self.world.rooms.change(self.there[by].identity, room.name, kind=kind))
        if self._in_charge(room, by, code):
            assert code == ""
            if kind != room.kind:
                room.kind = kind
                room.appended(set())

    # --- what is said

    def _asks(self, room: ModelRoom, who: str, type_: str, **payload: Any) -> str | None:
        """Ask, in the room; the refusal's code, "" if an entry was made, or None for one who can't be in the room."""
        if who not in room.members:
            return None
        if room.name not in self.there[who].client.rooms:
            self.enter(room, who)
        answer = self.run(self.there[who].asks(type_, room=room.name, **payload))
        return str(answer["payload"]["code"]) if answer["type"] == "error" else ""

    @rule(room=rooms, who=person, again=st.booleans())
    def send(self, room: ModelRoom, who: str, again: bool) -> None:
        id_ = f"id-{next(self.ids)}"
        code = self._asks(room, who, "send_message", id=id_, message=f"said {id_}")
        if code is None:
            return
        assert code == ("room_archived" if room.archived else "")
        if code:
            return
        room.appended(set())
        room.texts[room.head] = (who, f"said {id_}")
        if again:
            said = self.run(self.there[who].sends(room.name, "otherwise", id_))
            assert (said["seq"], said["message"]) == (room.head, f"said {id_}")

    @rule(room=rooms, who=person, seq=number)
    def edit(self, room: ModelRoom, who: str, seq: int) -> None:
        text = f"edited {next(self.ids)}"
        code = self._asks(room, who, "edit_message", seq=seq, message=text)
        if self._of_message(room, seq, code) and room.texts[seq][0] == who:
            assert code == ""
            room.texts[seq] = (who, text)
            room.appended(set())
        else:
            assert code != ""

    @rule(room=rooms, who=person, seq=number)
    def delete(self, room: ModelRoom, who: str, seq: int) -> None:
        code = self._asks(room, who, "delete_message", seq=seq)
        may = self._of_message(room, seq, code) and (
            room.texts[seq][0] == who or room.members[who] == "owner"
        )
        assert (code == "") == may
        if may:
            del room.texts[seq]
            room.reactions.pop(seq, None)
            room.appended(set())

    @rule(room=rooms, who=person, seq=number, remove=st.booleans())
    def react(self, room: ModelRoom, who: str, seq: int, remove: bool) -> None:
        there = who in room.reactions.get(seq, ())
        code = self._asks(room, who, "react", seq=seq, emoji="👍", remove=remove)
        if not self._of_message(room, seq, code):
            assert code != ""
        elif there == remove:
            assert code == ""
            (room.reactions[seq].remove if remove else room.reactions.setdefault(seq, set()).add)(who)
            room.appended(set())
        else:
            assert code == "conflict"

    def _of_message(self, room: ModelRoom, seq: int, code: str | None) -> bool:
        if code is None:
            return False
        if room.archived:
            assert code == "room_archived"
            return False
        if seq not in room.texts:
            assert code == "no_such_message"
            return False
        return True

    @rule(room=rooms, who=person, seq=number)
    def mark_read(self, room: ModelRoom, who: str, seq: int) -> None:
        answer = self.run(self.there[who].asks("mark_read", room=room.name, seq=seq))
        if who not in room.members:
            assert answer["type"] == "error"
            return
        room.read[who] = max(room.read[who], min(seq, room.head))
        payload = answer["payload"]
        assert (payload["seq"], payload.get("unread", 0)) == (room.read[who], room.head - room.read[who])

    @rule(room=rooms, who=person, after=number)
    def resume(self, room: ModelRoom, who: str, after: int) -> None:
        if who not in room.members or after > room.head:
            return
        again = self.run(self.world.come(who))
        entered = self.run(again.enters(room.name, after=after, epoch=self._epoch(room, who)))
        again.goes()
        assert [entry["payload"]["seq"] for entry in entered["entries"]] == [*range(after + 1, room.head + 1)]

    def _epoch(self, room: ModelRoom, who: str) -> str:
        return str(self.run(self.there[who].enters(room.name))["epoch"])

    # --- what holds after each step

    @invariant()
    def numbers_have_no_hole(self) -> None:
        for room in self.made:
            log = self.run(self.world.log(room.name))
            assert [entry["payload"]["seq"] for entry in log] == [*range(1, room.head + 1)]

    @invariant()
    def unread_is_head_minus_read(self) -> None:
        for name in PEOPLE:
            again = self.world.connect(name)
            welcome = self.run(again.hears("welcome"))["payload"]
            again.goes()
            found = {each["room"]: each for each in welcome["rooms"] if each["room"] != "general"}
            assert found.keys() == {room.name for room in self.made if name in room.members}
            for room in self.made:
                if name in room.members:
                    each = found[room.name]
                    assert (each["head"], each["read"]) == (room.head, room.read[name])
                    assert each["unread"] == each["head"] - each["read"]

    @invariant()
    def only_who_may_see_a_room_finds_it(self) -> None:
        for room, name in itertools.product(self.made, PEOPLE):
            found = self.run(self.world.rooms.find(self.there[name].identity, room.name))
            assert (found is not None) == room.visible_to(name)

    @invariant()
    def only_members_heard(self) -> None:
        by_name = {room.name: room for room in self.made}
        for name, someone in self.there.items():
            events = someone.transport.events
            for event in events[self.looked_at[name] :]:
                room = by_name.get(event["payload"].get("room"))
                if event["type"] in ENTRY_EVENTS and room is not None:
                    assert name in room.hearers[event["payload"]["seq"]], (name, event)
            self.looked_at[name] = len(events)


ChatMachine.TestCase.settings = settings(max_examples=30, stateful_step_count=40)
TestChat = pytest.mark.timeout(300)(ChatMachine.TestCase)
