"""A large room is written to in slices, with turns for others between them; each reader gets everything once, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hubbub import passes
from hubbub.events import NewMessage, encode
from hubbub.log.transaction import Entry
from hubbub.outgoing import Outgoing
from hubbub.room import Echo, Room
from tests.unit.test_room import Ear

SLICE = 3


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Three readers make a room large."""
    with monkeypatch.context() as patched:
        for module in ("hubbub.passes", "hubbub.room"):
            patched.setattr(f"{module}.SLICE", SLICE)
        yield


class Turns:
    """The event loop, turned by hand."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def later(self, run: Callable[[], None]) -> None:
        self.waiting.append(run)

    def turn(self) -> None:
        waiting, self.waiting = self.waiting, []
        for run in waiting:
            run()


def entry(seq: int) -> Entry:
    payload = NewMessage(
        "general", seq, id=f"i{seq}", from_="ada", message=f"m{seq}", sent="now", reply_to=None
    )
    return Entry(
        1,
        seq,
        "new_message",
        1,
        encode("new_message", payload)[len(b'{"type":"new_message","payload":') : -1],
    )


def large_room(count: int) -> tuple[Room, Turns, list[Ear]]:
    turns = Turns()
    room = Room(1, "general", "general", "public", "", archived=False, outgoing=Outgoing(None, turns.later))
    ears = [Ear(f"ear {number}") for number in range(count)]
    for ear in ears:
        room.hold(ear)
        room.release(ear, 0)
    return room, turns, ears


def numbers(ear: Ear) -> list[int]:
    return [event["payload"]["seq"] for event in ear.heard if event["type"] == "new_message"]


def test_others_have_their_turn_between_two_slices() -> None:
    room, turns, ears = large_room(8)
    room.deliver([entry(1)])
    assert [len(ear.frames) for ear in ears] == [1, 1, 1, 0, 0, 0, 0, 0]
    turns.turn()
    assert [len(ear.frames) for ear in ears] == [1, 1, 1, 1, 1, 1, 0, 0]
    turns.turn()
    assert [numbers(ear) for ear in ears] == [[1]] * 8
    assert turns.waiting == []


def test_what_comes_meanwhile_is_one_write_in_the_next_pass() -> None:
    room, turns, ears = large_room(8)
    for seq in range(1, 5):
        room.deliver([entry(seq)])
    while turns.waiting:
        turns.turn()
    assert [numbers(ear) for ear in ears] == [[1, 2, 3, 4]] * 8
    assert [len(ear.frames) for ear in ears] == [2] * 8


def test_one_who_leaves_gets_nothing_more_and_one_who_comes_only_what_it_has_not_read() -> None:
    room, turns, ears = large_room(8)
    room.deliver([entry(1)])
    room.dismiss(ears[7])
    late = Ear("late")
    room.hold(late)
    room.deliver([entry(2)])
    held = room.release(late, 1)
    assert held == entry(2).frame
    room.deliver([entry(3)])
    while turns.waiting:
        turns.turn()
    assert numbers(ears[7]) == []
    assert numbers(late) == [3]
    assert [numbers(ear) for ear in ears[:7]] == [[1, 2, 3]] * 7


def test_one_who_falls_behind_is_told_from_the_first_that_it_may_have_missed() -> None:
    room, turns, ears = large_room(8)
    room.deliver([entry(1)])
    room.fall_behind(ears[7])
    room.fall_behind(ears[0])
    while turns.waiting:
        turns.turn()
    assert numbers(ears[7]) == []
    assert (room.missed(ears[7]), room.missed(ears[0])) == (1, 1)


def test_an_answer_comes_in_the_place_of_the_entry() -> None:
    room, turns, ears = large_room(8)
    first, second = entry(1), entry(2)
    room.deliver([first])
    room.deliver([second], {ears[0]: [Echo(second, b"\x81\x02{}")]})
    while turns.waiting:
        turns.turn()
    assert b"".join(ears[0].frames) == first.frame + b"\x81\x02{}"
    assert numbers(ears[1]) == [1, 2]


def test_what_is_typed_goes_to_all_but_who_types() -> None:
    room, turns, ears = large_room(8)
    room.broadcast(b"\x81\x02{}", ears[5])
    while turns.waiting:
        turns.turn()
    assert [len(ear.frames) for ear in ears] == [1, 1, 1, 1, 1, 0, 1, 1]


def test_the_end_waits_for_all_slices() -> None:
    turns = Turns()
    outgoing = Outgoing(None, turns.later)
    room = Room(1, "general", "general", "public", "", archived=False, outgoing=outgoing)
    ears = [Ear(f"ear {number}") for number in range(8)]
    for ear in ears:
        room.hold(ear)
        room.release(ear, 0)
    room.deliver([entry(1)])
    room.deliver([entry(2)])
    outgoing.finish()
    assert [numbers(ear) for ear in ears] == [[1, 2]] * 8


class LargeRoom(RuleBasedStateMachine):
    """Readers come and go while entries are delivered: nobody live misses one, gets one twice or out of order."""

    @initialize()
    def open(self) -> None:
        self.patch = pytest.MonkeyPatch()
        for module in ("hubbub.passes", "hubbub.room"):
            self.patch.setattr(f"{module}.SLICE", SLICE)
        self.room, self.turns, ears = large_room(5)
        self.seq = 0
        self.began: dict[Ear, int] = dict.fromkeys(
            ears, 0
        )  # live readers, and what they had read when they came
        self.catching_up: dict[Ear, int] = {}
        self.behind: dict[Ear, int] = {}  # what they have had

    @rule(count=st.integers(1, 3))
    def deliver(self, count: int) -> None:
        entries = [entry(self.seq + 1 + number) for number in range(count)]
        self.seq += count
        self.room.deliver(entries)

    @rule()
    def turn(self) -> None:
        self.turns.turn()

    @rule()
    def come(self) -> None:
        ear = Ear("late")
        self.room.hold(ear)
        self.catching_up[ear] = self.seq

    @precondition(lambda self: self.catching_up)
    @rule(data=st.data())
    def arrive(self, data: st.DataObject) -> None:
        ear = data.draw(st.sampled_from(list(self.catching_up)))
        read = self.catching_up.pop(ear)
        held = self.room.release(ear, read)
        if held:
            ear.frames.append(held)
        self.began[ear] = read

    @precondition(lambda self: self.began)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        ear = data.draw(st.sampled_from(list(self.began)))
        del self.began[ear]
        self.room.dismiss(ear)

    @precondition(lambda self: self.began)
    @rule(data=st.data())
    def fall_behind(self, data: st.DataObject) -> None:
        ear = data.draw(st.sampled_from(list(self.began)))
        self.behind[ear] = self.began.pop(ear) + len(numbers(ear))
        self.room.fall_behind(ear)

    @precondition(lambda self: self.behind)
    @rule(data=st.data())
    def drain(self, data: st.DataObject) -> None:
        ear = data.draw(st.sampled_from(list(self.behind)))
        had = self.behind.pop(ear)
        missed = self.room.missed(ear)
        assert numbers(ear)[-1:] in ([], [had])
        if missed is None:
            assert had == self.seq
            self.began[ear] = had - len(numbers(ear))
        else:
            assert missed <= had + 1
            self.room.hold(ear)
            self.catching_up[ear] = self.seq
            ear.frames.clear()

    @invariant()
    def in_order(self) -> None:
        for ear, began in getattr(self, "began", {}).items():
            assert numbers(ear) == list(range(began + 1, began + 1 + len(numbers(ear))))

    def teardown(self) -> None:
        if hasattr(self, "room"):
            while self.turns.waiting:
                self.turns.turn()
            for ear, began in self.began.items():
                assert numbers(ear) == list(range(began + 1, self.seq + 1))
            self.patch.undo()


LargeRoom.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
TestLargeRoom = LargeRoom.TestCase
assert passes.SLICE > SLICE
