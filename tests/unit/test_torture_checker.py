"""The checker finds each broken promise, and finds none where all were kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hubbub.torture.checker import PROMISES, Evidence, check
from hubbub.torture.plan import FAULTS, plan
from hubbub.torture.record import Entry, Heard, Record, Said

ROOM = "general"
SECRET = "board"


def message(seq: int, id_: str, text: str = "hi", from_: str = "ada") -> Entry:
    return {"type": "new_message", "seq": seq, "id": id_, "from": from_, "message": text, "sent": "then"}


def member(seq: int, user: str, *, here: bool = True) -> Entry:
    return {"type": "member_joined" if here else "member_left", "seq": seq, "user": user}


class Story:
    """A run in which every promise was kept, to be spoiled."""

    def __init__(self) -> None:
        self.log = [
            member(1, "ada"),
            message(2, "a.1"),
            message(3, "b.1", from_="bob"),
            {
                "type": "message_edited",
                "seq": 4,
                "target": 2,
                "from": "ada",
                "message": "better",
                "edited": "now",
            },
            {"type": "reacted", "seq": 5, "target": 3, "from": "ada", "emoji": "👍"},
            message(6, "a.2", "oops"),
            {"type": "message_deleted", "seq": 7, "target": 6, "from": "ada"},
            message(8, "a.3", "last"),
        ]
        self.secret = [
            member(1, "ada"),
            member(2, "bob"),
            message(3, "a.9"),
            member(4, "bob", here=False),
            message(5, "a.10"),
        ]
        self.ada = Record("ada")
        self.bob = Record("bob")
        for record in (self.ada, self.bob):
            record.copies[ROOM] = {entry["seq"]: dict(entry) for entry in self.log}
            record.reads[ROOM] = [1, 1, 5]
        self.ada.said = [Said(f"a.{number}", ROOM, "send_message", "") for number in (1, 2, 3)]
        self.ada.acknowledged = {
            "a.1": (ROOM, self.log[1]),
            "a.2": (ROOM, {**self.log[5], "message": ""}),
            "a.3": (ROOM, self.log[7]),
        }
        self.bob.copies[SECRET] = {entry["seq"]: dict(entry) for entry in self.secret[:4]}
        self.bob.heard = [Heard(SECRET, self.secret[2], None), Heard(SECRET, self.secret[0], 3)]
        self.shown: list[dict[str, Any]] = [
            {"seq": 2, "message": "better", "edited": "now"},
            {"seq": 3, "message": "hi", "reactions": {"👍": ["ada"]}},
            {"seq": 6, "message": "", "deleted": True},
            {"seq": 8, "message": "last"},
        ]

    @property
    def evidence(self) -> Evidence:
        return Evidence(
            logs={ROOM: self.log, SECRET: self.secret},
            records=[self.ada, self.bob],
            shown={ROOM: self.shown},
            private=frozenset({SECRET}),
        )


def lose_an_acknowledged_one(story: Story) -> None:
    del story.log[7]
    del story.shown[3]
    for record in (story.ada, story.bob):
        del record.copies[ROOM][8]


def change_an_acknowledged_one(story: Story) -> None:
    story.ada.acknowledged["a.1"] = (ROOM, {**story.log[1], "message": "other words"})


def write_one_twice(story: Story) -> None:
    story.log.append(message(9, "a.3", "last"))
    story.shown.append({"seq": 9, "message": "last"})
    for record in (story.ada, story.bob):
        record.copies[ROOM][9] = story.log[-1]


def skip_a_number(story: Story) -> None:
    story.secret[4] = message(6, "a.10")


def swap_two_for_one_client(story: Story) -> None:
    copy = story.bob.copies[ROOM]
    copy[2], copy[3] = {**copy[3], "seq": 2}, {**copy[2], "seq": 3}


def leave_one_out_for_one_client(story: Story) -> None:
    del story.bob.copies[ROOM][5]


def show_one_that_is_not_in_the_log(story: Story) -> None:
    story.bob.copies[ROOM][9] = message(9, "x")


def jump_on_the_wire(story: Story) -> None:
    story.bob.faults.append("after 3 came 5")


def change_the_order_of_a_sender(story: Story) -> None:
    story.ada.said.reverse()


def never_answer(story: Story) -> None:
    story.ada.said.append(Said("a.4", ROOM, "send_message", ""))


def tell_one_who_was_removed(story: Story) -> None:
    story.bob.heard.append(Heard(SECRET, story.secret[4], None))


def let_one_in_who_was_removed(story: Story) -> None:
    story.bob.heard.append(Heard(SECRET, story.secret[0], 5))


def go_back_in_reading(story: Story) -> None:
    story.bob.reads[ROOM].append(4)


def forget_an_edit(story: Story) -> None:
    story.shown[0]["message"] = "hi"


def show_a_deleted_text(story: Story) -> None:
    story.shown[2] = {"seq": 6, "message": "oops"}


def forget_a_reaction(story: Story) -> None:
    del story.shown[1]["reactions"]


SPOILED: list[tuple[str, Callable[[Story], None]]] = [
    ("acknowledged is kept", lose_an_acknowledged_one),
    ("acknowledged is kept", change_an_acknowledged_one),
    ("nothing is there twice", write_one_twice),
    ("numbers have no hole", skip_a_number),
    ("every copy is the log", swap_two_for_one_client),
    ("every copy is the log", leave_one_out_for_one_client),
    ("every copy is the log", show_one_that_is_not_in_the_log),
    ("the wire announces every hole", jump_on_the_wire),
    ("a sender stays in order", change_the_order_of_a_sender),
    ("everything said is settled", never_answer),
    ("only members hear", tell_one_who_was_removed),
    ("only members hear", let_one_in_who_was_removed),
    ("reads never go back", go_back_in_reading),
    ("edits and deletions are applied", forget_an_edit),
    ("edits and deletions are applied", show_a_deleted_text),
    ("edits and deletions are applied", forget_a_reaction),
]


def test_where_every_promise_was_kept_none_is_called_broken() -> None:
    assert check(Story().evidence) == []


@pytest.mark.parametrize(("promise", "spoil"), SPOILED, ids=[spoil.__name__ for _, spoil in SPOILED])
def test_a_broken_promise_is_found(promise: str, spoil: Callable[[Story], None]) -> None:
    story = Story()
    spoil(story)
    assert {broken.promise for broken in check(story.evidence)} == {promise}


def test_every_promise_is_tried() -> None:
    assert {promise for promise, _ in SPOILED} == set(PROMISES)


def test_what_was_refused_for_now_may_come_later() -> None:
    story = Story()
    change_the_order_of_a_sender(story)
    story.ada.delayed = {"a.1", "a.3"}
    assert check(story.evidence) == []


def test_a_seed_draws_the_same_faults_and_another_seed_others() -> None:
    def drawn(seed: int) -> list[object]:
        return list(plan(seed, rounds=5, seconds=5.0, clients=6))

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_every_fault_is_drawn_some_time_and_only_those_asked_for() -> None:
    def faults(*asked: str) -> set[str]:
        rounds = plan(1, rounds=100, seconds=5.0, clients=6, faults=asked)
        return {step.fault for round_ in rounds for step in round_.steps}

    assert faults(*FAULTS) == set(FAULTS)
    assert faults("cut", "kill") == {"cut", "kill"}
