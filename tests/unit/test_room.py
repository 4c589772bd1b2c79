"""One room: what each reader hears, whatever the others do."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, precondition, rule

from hubbub import frames
from hubbub.events import MemberJoined, NewMessage, encode, wrap
from hubbub.log.transaction import Entry
from hubbub.outgoing import Reader
from hubbub.room import PRESENT_SHOWN, Echo, Room


class Ear:
    """A reader that notes what it hears. `on_write` is called within each write, as a full transport does."""

    def __init__(self, name: str = "ada", *, full: bool = True) -> None:
        self.name = name
        self.full = full
        self.socket: bytes | None = None
        self.inflates = False
        self.frames: list[bytes] = []
        self.on_write: Callable[[], object] | None = None
        self.write: Callable[[bytes], object] = self._write

    def _write(self, data: bytes) -> None:
        self.frames.append(data)
        if self.on_write is not None:
            self.on_write()

    @property
    def heard(self) -> list[dict[str, Any]]:
        """Every event heard."""
        return [json.loads(payload) for data in self.frames for payload in frames.payloads(data)]

    @property
    def numbers(self) -> list[int]:
        """The numbers of the entries heard."""
        return [event["payload"]["seq"] for event in self.heard]


def a_room(head: int = 0) -> Room:
    room = Room(1, "general", "general", "public", "", archived=False)
    if head:
        room.deliver([message(head)])
    return room


def message(seq: int) -> Entry:
    payload = NewMessage("general", seq, id=f"id-{seq}", from_="ada", message="hi", sent="now")
    return Entry(1, seq, "new_message", 1, json_of(payload))


def joined(seq: int) -> Entry:
    return Entry(1, seq, "member_joined", 1, json_of(MemberJoined("general", seq, user="bob")))


def json_of(payload: Any) -> bytes:
    return encode("x", payload)[len(b'{"type":"x","payload":') : -1]


def echo(entry: Entry, ref: str) -> Echo:
    return Echo(entry, frames.text(wrap(entry.type, entry.payload, ref)))


def live(room: Room, reader: Ear, after: int | None = None) -> Ear:
    room.hold(reader)
    assert room.release(reader, room.head if after is None else after) == b""
    return reader


# --- delivery


def test_everyone_live_gets_one_write_of_the_same_bytes() -> None:
    room = a_room()
    ada, bob = live(room, Ear("ada")), live(room, Ear("bob"))
    assert room.deliver([message(1), joined(2), message(3)]) == 6
    assert len(ada.frames) == len(bob.frames) == 1
    assert ada.frames[0] is bob.frames[0]
    assert ada.numbers == [1, 2, 3]
    assert room.head == 3


def test_one_entry_is_written_as_it_was_framed_when_it_was_made() -> None:
    room, entry = a_room(), message(1)
    ada = live(room, Ear())
    room.deliver([entry])
    assert ada.frames[0] is entry.frame


def test_the_basic_profile_hears_messages_and_nothing_else() -> None:
    room = a_room()
    ada, bob = live(room, Ear("ada", full=False)), live(room, Ear("bob"))
    assert room.deliver([joined(1)]) == 1
    assert room.deliver([message(2), joined(3), message(4)]) == 5
    room.broadcast(frames.text(b"{}"))
    assert ada.numbers == [2, 4]
    assert b"".join(ada.frames) == message(2).frame + message(4).frame
    assert len(bob.heard) == 5


def test_the_ref_goes_back_to_the_one_who_asked_and_the_others_get_the_common_bytes() -> None:
    room = a_room()
    ada, bob, carol = (live(room, Ear(name)) for name in ("ada", "bob", "carol"))
    batch = [message(1), message(2), message(3)]
    room.deliver(batch, {ada: [echo(batch[0], "a1"), echo(batch[2], "a2")], bob: [echo(batch[1], "b")]})
    refs = {ear.name: [event.get("ref") for event in ear.heard] for ear in (ada, bob, carol)}
    assert refs == {"ada": ["a1", None, "a2"], "bob": [None, "b", None], "carol": [None, None, None]}
    assert [len(ear.frames) for ear in (ada, bob, carol)] == [1, 1, 1]
    assert [event | {"ref": None} for event in ada.heard] == [event | {"ref": None} for event in carol.heard]
    assert carol.frames == [b"".join(entry.frame for entry in batch)]


def test_one_who_catches_up_hears_what_came_meanwhile_with_its_own_refs_in_it() -> None:
    room, ada = a_room(1), Ear()
    room.hold(ada)
    room.deliver([own := message(2)], {ada: [echo(own, "mine")]})
    ada.write(room.release(ada, 1))
    assert [(event["payload"]["seq"], event["ref"]) for event in ada.heard] == [(2, "mine")]


def test_one_who_has_read_its_own_entry_from_the_log_is_answered_all_the_same() -> None:
    """Only the answer says which request it was: an edit has no id of its own in the log."""
    room, ada, bob = a_room(1), Ear("ada"), Ear("bob")
    for reader in (ada, bob):
        room.hold(reader)
    batch = [message(2), message(3), message(4)]
    room.deliver(batch, {ada: [echo(batch[1], "mine")], bob: [echo(batch[0], "one"), echo(batch[2], "two")]})
    ada.write(room.release(ada, 4))
    bob.write(room.leave_behind(bob, 4))
    assert [(event["payload"]["seq"], event["ref"]) for event in ada.heard] == [(3, "mine")]
    assert [(event["payload"]["seq"], event["ref"]) for event in bob.heard] == [(2, "one")]
    room.hold(bob)
    bob.write(room.release(bob, 5))  # read before its delivery
    room.deliver([last := message(5)], {bob: [echo(last, "three")]})
    assert [event.get("ref") for event in bob.heard] == ["one", "three"]


def test_what_the_reader_read_from_the_log_is_not_told_again() -> None:
    room, ada = a_room(1), Ear()
    room.hold(ada)
    room.deliver([message(2), message(3)])
    room.deliver([message(4)])
    ada.write(room.release(ada, 3))
    room.deliver([message(5)])
    assert ada.numbers == [4, 5]


def test_what_was_read_before_its_delivery_is_not_told_again() -> None:
    """The log is read in a thread: an entry on disk may be read before the loop comes to deliver it."""
    room = a_room(1)
    ada, bob = live(room, Ear("ada"), after=3), live(room, Ear("bob"), after=1)
    room.deliver([message(2)])
    room.deliver([message(3), message(4)])
    room.deliver([message(5)])
    assert ada.numbers == [4, 5]
    assert bob.numbers == [2, 3, 4, 5]


def test_what_was_read_before_its_delivery_is_not_missed_by_one_who_falls_behind() -> None:
    room = a_room(1)
    ada = live(room, Ear("ada"), after=3)
    room.fall_behind(ada)
    room.deliver([message(2), message(3)])
    assert room.missed(ada) is None
    room.fall_behind(ada)
    room.deliver([message(4)])
    assert room.missed(ada) == 4


def test_a_room_whose_head_is_known_from_the_log_alone_delivers_all_that_comes_next() -> None:
    room = a_room()
    ada = live(room, Ear("ada"), after=100)
    room.deliver([message(101)])
    assert ada.numbers == [101]


# --- those who fall behind


def test_a_reader_that_fills_up_within_a_delivery_has_missed_what_came_after_it() -> None:
    room = a_room()
    slow, bob = live(room, Ear("slow")), live(room, Ear("bob"))
    slow.on_write = lambda: room.fall_behind(slow)
    room.deliver([message(1), message(2)])
    room.deliver([message(3)])
    assert slow.numbers == [1, 2]
    assert room.missed(slow) == 3
    assert bob.numbers == [1, 2, 3]


def test_a_reader_that_missed_nothing_is_live_again_without_a_word() -> None:
    room = a_room()
    ada = live(room, Ear())
    room.fall_behind(ada)
    assert room.missed(ada) is None
    room.deliver([message(1)])
    assert ada.numbers == [1]


def test_a_reader_told_of_a_gap_gets_nothing_until_it_has_caught_up() -> None:
    room = a_room()
    ada = live(room, Ear())
    room.fall_behind(ada)
    room.deliver([message(1)])
    assert room.missed(ada) == 1
    room.deliver([message(2)])
    assert (room.missed(ada), ada.frames) == (1, [])
    room.hold(ada)
    room.deliver([message(3)])
    assert room.release(ada, 2) == message(3).frame


def test_a_reader_that_got_a_part_of_the_log_misses_the_rest() -> None:
    room, ada = a_room(9), Ear()
    room.hold(ada)
    room.leave_behind(ada, 6)
    room.deliver([message(10)])
    assert (room.missed(ada), ada.frames, room.hears(ada)) == (6, [], True)


def test_a_reader_behind_is_told_of_a_gap_where_presence_passed_it_by() -> None:
    room = a_room(4)
    ada, bob, carol = live(room, Ear("ada")), live(room, Ear("bob")), live(room, Ear("carol"))
    room.fall_behind(ada)
    room.broadcast(b"\x81\x00", missable=True)
    assert room.missed(ada) is None
    room.fall_behind(ada)
    room.fall_behind(carol)
    room.deliver([message(5)])
    room.broadcast(b"\x81\x00", missable=False)
    assert (room.missed(ada), room.missed(carol)) == (5, 5)
    room.fall_behind(bob)
    room.broadcast(b"\x81\x00", missable=False)
    assert room.missed(bob) == 6


@pytest.mark.parametrize("leave", [Room.dismiss, Room.fall_behind], ids=["leaves", "fills up"])
@pytest.mark.parametrize("full", [True, False], ids=["full", "basic"])
def test_one_who_goes_within_anothers_write_harms_nobody(
    leave: Callable[[Room, Reader], None], full: bool
) -> None:
    room = a_room()
    ears = [live(room, Ear(name, full=full)) for name in ("ada", "bob", "carol", "dave")]
    ada, bob, carol, dave = ears

    def three_go() -> None:
        for ear in (ada, bob, carol):
            leave(room, ear)

    bob.on_write = three_go
    room.deliver([message(1)])
    bob.on_write = None
    room.deliver([message(2)])
    assert dave.numbers == [1, 2]
    for ear in (ada, bob, carol):
        assert ear.numbers == [1]
        assert room.hears(ear) is (leave is Room.fall_behind)
        if leave is Room.fall_behind:
            assert room.missed(ear) == 2


def test_one_who_fills_up_within_an_answer_to_another_misses_nothing_unsaid() -> None:
    room = a_room()
    ada, bob = live(room, Ear("ada")), live(room, Ear("bob"))
    batch = [message(1), message(2)]
    ada.on_write = lambda: room.fall_behind(bob)
    room.deliver(batch, {ada: [echo(batch[0], "a")], bob: [echo(batch[1], "b")]})
    room.deliver([message(3)])
    missed = room.missed(bob)
    assert missed is not None
    assert bob.numbers == list(range(1, missed))


def test_one_who_begins_to_catch_up_within_a_write_hears_that_batch_once() -> None:
    room = a_room()
    ada, bob = live(room, Ear("ada")), live(room, Ear("bob"))
    ada.on_write = lambda: room.hold(bob)
    room.deliver([message(1)])
    ada.on_write = None
    bob.write(room.release(bob, 0))
    assert bob.numbers == [1]


def test_a_frame_that_is_in_no_log_goes_to_everyone_live_but_its_sender() -> None:
    room = a_room()
    ada, bob, away = (live(room, Ear(name)) for name in ("ada", "bob", "away"))
    room.fall_behind(away)
    room.broadcast(frames.text(b'{"type":"typing"}'), ada)
    assert (ada.frames, bob.frames, away.frames) == ([], [frames.text(b'{"type":"typing"}')], [])


def test_nobody_hears_after_leaving_from_any_state() -> None:
    room = a_room(1)
    ears = [Ear(name) for name in ("live", "held", "behind", "told")] + [Ear("basic", full=False)]
    room.hold(ears[1])
    for ear in (ears[0], ears[2], ears[3], ears[4]):
        live(room, ear)
    room.fall_behind(ears[2])
    room.hold(ears[3])
    room.leave_behind(ears[3], 1)
    assert len(room.readers) == 5
    for ear in ears:
        assert room.hears(ear)
        room.dismiss(ear)
        room.dismiss(ear)
    room.deliver([message(2)])
    assert [ear.frames for ear in ears] == [[]] * 5
    assert (room.readers, any(room.hears(ear) for ear in ears)) == ([], False)


class Followed(Ear):
    """A reader with what its client holds: the log from `start` on, if it has told no lie."""

    def __init__(self, name: str, start: int) -> None:
        super().__init__(name)
        self.start = start
        self.held: list[int] = []
        self.page: tuple[list[int], int, bool] | None = None  # numbers, head, whether there is more
        self.state = "catching up"
        self.chokes = False
        self.read_of = 0  # frames looked at
        self.refs: list[str] = []

    @property
    def last(self) -> int:
        return self.held[-1] if self.held else self.start

    def take_in(self) -> None:
        """Look at the frames written since the last time."""
        for data in self.frames[self.read_of :]:
            for payload in frames.payloads(data):
                event = json.loads(payload)
                if event["payload"]["seq"] > self.last or "ref" not in event:  # else it is an answer alone
                    self.held.append(event["payload"]["seq"])
                if "ref" in event:
                    self.refs.append(event["ref"])
        self.read_of = len(self.frames)


class RoomMachine(RuleBasedStateMachine):
    """Readers come, catch up, fall behind, drain and go, while entries are written and delivered.

    The log is ahead of what is delivered, as the writer's thread is ahead of the loop.
    """

    readers: Bundle[Followed] = Bundle("readers")

    def __init__(self) -> None:
        super().__init__()
        self.room = a_room()
        self.log: list[Entry] = []
        self.undelivered: list[list[Entry]] = []
        self.inside: list[Followed] = []
        self.asked: dict[str, Followed] = {}

    @rule(messages=st.lists(st.booleans(), min_size=1, max_size=5))
    def commit(self, messages: list[bool]) -> None:
        first = len(self.log) + 1
        batch = [
            message(seq) if is_message else joined(seq) for seq, is_message in enumerate(messages, first)
        ]
        self.log += batch
        self.undelivered.append(batch)

    @precondition(lambda self: self.undelivered)
    @rule(data=st.data())
    def deliver(self, data: st.DataObject) -> None:
        batch = self.undelivered.pop(0)
        echoes: dict[Reader, list[Echo]] = {}
        for entry in batch:
            asker = data.draw(st.sampled_from([None, *self.inside]))
            if asker is not None:
                ref = f"{asker.name}-{entry.seq}"
                self.asked[ref] = asker
                echoes.setdefault(asker, []).append(echo(entry, ref))
        self.room.deliver(batch, echoes or None)
        for ear in self.inside:
            ear.take_in()

    @rule(target=readers, back=st.integers(0, 8))
    def come(self, back: int) -> Followed:
        ear = Followed(f"r{len(self.inside)}", max(len(self.log) - back, 0))
        ear.on_write = lambda: self._written_to(ear)
        self.inside.append(ear)
        self.room.hold(ear)
        return ear

    def _written_to(self, ear: Followed) -> None:
        assert ear.state == "live"
        if ear.chokes:
            self.room.fall_behind(ear)
            ear.state = "full"

    @rule(ear=readers, most=st.integers(1, 4))
    def read(self, ear: Followed, most: int) -> None:
        if ear.state == "catching up" and ear.page is None:
            after = [entry.seq for entry in self.log[ear.last :]]
            ear.page = (after[:most], len(self.log), len(after) > most)

    @rule(ear=readers)
    def arrive(self, ear: Followed) -> None:
        if ear.page is None:
            return
        (numbers, head, more), ear.page = ear.page, None
        ear.held += numbers
        if more:
            ear.frames.append(self.room.leave_behind(ear, numbers[-1] + 1))
            ear.state = "told"
            ear.take_in()
        else:
            came = self.room.release(ear, head)
            ear.state = "live"
            if came:
                ear.write(came)
                ear.take_in()

    @rule(ear=readers)
    def fill_up(self, ear: Followed) -> None:
        self.room.fall_behind(ear)
        if ear.state == "live":
            ear.state = "full"

    @rule(ear=readers, chokes=st.booleans())
    def choke(self, ear: Followed, chokes: bool) -> None:
        ear.chokes = chokes

    @rule(ear=readers)
    def drain(self, ear: Followed) -> None:
        if ear.state in ("full", "told"):
            first = self.room.missed(ear)
            assert first is None or first == ear.last + 1
            ear.state = "live" if first is None else "told"

    @rule(ear=readers)
    def catch_up(self, ear: Followed) -> None:
        if ear.state in ("live", "told") and ear.page is None:
            self.room.hold(ear)
            ear.state = "catching up"

    @rule(ear=consumes(readers))
    def leave(self, ear: Followed) -> None:
        self.inside.remove(ear)
        self.room.dismiss(ear)
        ear.state = "gone"

    @invariant()
    def nobody_has_a_hole_or_a_repeat(self) -> None:
        for ear in self.inside:
            assert ear.held == list(range(ear.start + 1, ear.last + 1))

    @invariant()
    def those_live_hold_all_that_was_delivered(self) -> None:
        delivered = len(self.log) - sum(len(batch) for batch in self.undelivered)
        for ear in self.inside:
            if ear.state == "live":
                assert ear.last >= delivered

    @invariant()
    def refs_go_to_those_who_asked_alone(self) -> None:
        for ear in self.inside:
            assert all(self.asked[ref] is ear for ref in ear.refs)


TestEveryReaderHoldsTheLog = RoomMachine.TestCase
TestEveryReaderHoldsTheLog.settings = settings(max_examples=150, stateful_step_count=40)


# --- who is here


class PresenceMachine(RuleBasedStateMachine):
    """Connections come and go; what one hears adds up to who is there."""

    NAMES = ("ada", "bob")

    def __init__(self) -> None:
        super().__init__()
        self.room = a_room()
        self.now = 0.0
        self.grace = 5.0
        self.open = dict.fromkeys(self.NAMES, 0)
        self.gone_at: dict[str, float] = {}
        self.listeners: list[tuple[Ear, set[str]]] = []
        self.leavers: list[tuple[float, str]] = []
        self.flickers = 0

    @property
    def there(self) -> set[str]:
        """Those with a connection, or who had one a moment ago."""
        return {name for name, count in self.open.items() if count} | self.gone_at.keys()

    @rule(name=st.sampled_from(NAMES))
    def come(self, name: str) -> None:
        self.room.come(name)
        self.open[name] += 1
        self.gone_at.pop(name, None)

    @rule(name=st.sampled_from(NAMES))
    def go(self, name: str) -> None:
        if self.open[name]:
            last = self.room.go(name, self.now + self.grace)
            self.open[name] -= 1
            assert last is (self.open[name] == 0)
            if last:
                self.gone_at[name] = self.now + self.grace
                self.leavers.append((self.now + self.grace, name))

    @rule(seconds=st.sampled_from([0.5, 3.0, 6.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        due = [name for at, name in self.leavers if at <= self.now]
        self.leavers = [(at, name) for at, name in self.leavers if at > self.now]
        for name in due:
            gone = self.room.gone(name, self.now)
            assert gone is (self.gone_at.get(name, self.now + 1) <= self.now)
            if gone:
                del self.gone_at[name]

    @rule(grace=st.sampled_from([0.0, 5.0]))
    def other_grace(self, grace: float) -> None:
        self.grace = grace

    @rule()
    def listen(self) -> None:
        ear = live(self.room, Ear("listener"))
        self.listeners.append((ear, set(self.room.present())))
        assert set(self.room.present()) == self.there
        assert self.room.present_count == len(self.there)

    @rule()
    def tell(self) -> None:
        frame = self.room.presence()
        if frame is not None:
            self.room.broadcast(frame, missable=False)
        for ear, known in self.listeners:
            for event in ear.heard:
                known |= set(event["payload"]["came"])
                known -= set(event["payload"]["went"])
                assert not set(event["payload"]["came"]) & set(event["payload"]["went"])
            ear.frames.clear()
            assert known == self.there
        assert self.room.presence() is None

    @invariant()
    def it_is_empty_once_there_is_nothing_to_say(self) -> None:
        if self.room.empty:
            assert not self.there


TestWhatOneHearsAddsUpToWhoIsThere = PresenceMachine.TestCase
TestWhatOneHearsAddsUpToWhoIsThere.settings = settings(max_examples=200, stateful_step_count=30)


def test_presence_is_of_users_and_tells_of_the_first_in_and_the_last_out() -> None:
    room = a_room()
    assert [room.come("ada"), room.come("ada"), room.come("bob")] == [True, False, True]
    assert presence_of(room) == {"room": "general", "came": ["ada", "bob"], "went": []}
    assert [room.go("ada", 5.0), room.go("ada", 6.0)] == [False, True]
    assert (room.gone("ada", 5.9), room.presence()) == (False, None)
    assert room.present() == ["bob", "ada"]
    assert room.gone("ada", 6.0)
    assert presence_of(room) == {"room": "general", "came": [], "went": ["ada"]}
    assert (room.present(), room.empty) == (["bob"], False)


def test_a_reload_is_not_a_leaving() -> None:
    room = a_room()
    room.come("ada")
    presence_of(room)
    room.go("ada", 5.0)
    assert not room.come("ada")
    assert (room.gone("ada", 5.0), room.presence()) == (False, None)


def test_a_room_is_empty_once_the_last_one_is_gone_and_it_is_said() -> None:
    room = a_room()
    empty = [room.empty]
    for happens in (
        lambda: room.come("ada"),
        lambda: room.go("ada", 1.0),
        lambda: room.gone("ada", 1.0),
        lambda: presence_of(room),
    ):
        happens()
        empty.append(room.empty)
    assert empty == [True, False, False, False, True]


def test_of_a_crowd_the_first_are_named_and_all_are_counted() -> None:
    room = a_room()
    for number in range(PRESENT_SHOWN + 7):
        room.come(f"user-{number}")
    room.go("user-3", 1.0)
    assert len(room.present()) == PRESENT_SHOWN
    assert room.present_count == PRESENT_SHOWN + 7


def presence_of(room: Room) -> Any:
    frame = room.presence()
    assert frame is not None
    (payload,) = frames.payloads(frame)
    event = json.loads(payload)
    assert event["type"] == "presence"
    return event["payload"]
