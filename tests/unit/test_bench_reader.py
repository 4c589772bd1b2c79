"""The checker of the load generator: what is sound passes, and each fault that is put into a stream is found."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.bench import wire
from hubbub.bench.findings import Fault
from tests.support.bench import PING, World, entered, event, message, messages


def pieces(stream: bytes, cuts: list[int]) -> list[bytes]:
    """`stream`, cut at these places."""
    places = sorted({cut % (len(stream) + 1) for cut in cuts} | {0, len(stream)})
    return [stream[a:b] for a, b in itertools.pairwise(places)]


CUTS = st.lists(st.integers(min_value=0, max_value=100_000), max_size=12)


@given(st.lists(CUTS, min_size=3, max_size=3), st.randoms(use_true_random=False))
def test_a_sound_stream_passes_however_it_is_cut_and_whoever_is_first(
    cuts: list[list[int]], order: random.Random
) -> None:
    world = World(readers=3)
    stream = b"".join(messages(1, 20))
    waiting = {reader: pieces(stream, cuts[reader]) for reader in range(3)}
    while waiting:
        reader = order.choice(sorted(waiting))
        world.give(reader, waiting[reader].pop(0))
        if not waiting[reader]:
            del waiting[reader]
    assert world.end() == {}
    assert (world.tally.deliveries, world.tally.latency.total) == (60, 60)
    assert [reader.next for reader in world.readers] == [21, 21, 21]


@given(st.lists(CUTS, min_size=2, max_size=2), st.integers(min_value=0, max_value=10))
def test_events_that_are_not_of_the_log_may_come_anywhere_between_frames(
    cuts: list[list[int]], at: int
) -> None:
    world = World()
    own = [
        event("presence", room="bench-0", came=["bob"], went=[]),
        PING,
        event("read", room="bench-0", seq=3),
    ]
    log = messages(1, 10)
    world.give(0, *pieces(b"".join(log), cuts[0]))
    world.give(1, *pieces(b"".join([*log[:at], *own, *log[at:]]), cuts[1]))
    assert world.end() == {}
    assert world.tally.deliveries == 20
    assert world.sent[1].pongs == [b"hi"]


@given(st.data(), st.booleans(), CUTS)
def test_a_lost_entry_is_found_in_whoever_lost_it(data: st.DataObject, leads: bool, cuts: list[int]) -> None:
    lost = data.draw(st.integers(min_value=1, max_value=10))
    world = World()
    whole = messages(1, 10)
    broken = [frame for seq, frame in enumerate(whole, start=1) if seq != lost]
    given_to = [broken, whole] if leads else [whole, broken]
    world.give(0, *pieces(b"".join(given_to[0]), cuts))
    world.give(1, *pieces(b"".join(given_to[1]), cuts))
    assert world.end() == {Fault.LOSS: 1}
    words = world.tally.findings.words[Fault.LOSS]
    assert words == [
        f"connection {0 if leads else 1} in room bench-0: 1 entries never came, the first is {lost}"
    ]


@given(st.integers(min_value=1, max_value=10), st.integers(min_value=0, max_value=9), st.booleans())
def test_a_repeated_entry_is_found(repeated: int, later: int, leads: bool) -> None:
    world = World()
    whole = messages(1, 10)
    broken = list(whole)
    broken.insert(max(repeated, later), whole[repeated - 1])
    for reader, frames in enumerate([broken, whole] if leads else [whole, broken]):
        world.give(reader, b"".join(frames))
    assert world.end() == {Fault.REPEAT: 1}


@given(st.integers(min_value=0, max_value=8), st.booleans())
def test_two_entries_that_change_places_are_found(first: int, leads: bool) -> None:
    world = World()
    whole = messages(1, 10)
    broken = list(whole)
    broken[first], broken[first + 1] = broken[first + 1], broken[first]
    for reader, frames in enumerate([broken, whole] if leads else [whole, broken]):
        world.give(reader, b"".join(frames))
    assert world.end() == {Fault.DISORDER: 1}


def test_an_entry_that_is_not_the_same_for_two_readers_is_found() -> None:
    world = World()
    world.give(0, message(1), message(2), message(3))
    world.give(1, message(1), message(2, stamp_ns=501), message(3))
    assert world.end() == {Fault.DIFFERENCE: 1}
    assert world.tally.deliveries == 6


def test_a_message_of_another_room_is_found() -> None:
    world = World()
    world.give_all(message(1))
    world.give(1, message(7, room="secret"))
    assert world.end() == {Fault.STRAY: 1}


def test_the_end_that_one_reader_never_got_is_lost() -> None:
    world = World()
    world.give(0, *messages(1, 5))
    world.give(1, *messages(1, 3))
    assert world.end() == {Fault.LOSS: 2}


def test_the_end_that_only_another_process_saw_is_lost() -> None:
    world = World()
    world.give_all(*messages(1, 5))
    assert not world.readers[0].has_all_up_to(6)
    assert world.end(head=6) == {Fault.LOSS: 2}


def test_a_room_with_a_past_is_followed_from_the_head_that_was_told() -> None:
    world = World(head=40)
    world.give_all(message(40), *messages(41, 45))
    assert world.end() == {Fault.REPEAT: 2}
    assert world.tally.deliveries == 10


def test_a_reader_that_entered_when_the_others_lagged_is_checked_by_itself() -> None:
    world = World(readers=1)
    world.add_reader(head=3)
    world.give(1, *messages(4, 6))
    world.give(0, *messages(1, 6))
    world.give_all(*messages(7, 8))
    assert world.end() == {}
    assert world.tally.deliveries == 3 + 6 + 4


def test_an_entry_from_before_the_room_was_entered_counts_for_nothing() -> None:
    world = World(readers=1)
    world.add_reader(head=None)
    world.give(1, message(1), entered(2), message(3))
    world.give(0, *messages(1, 3))
    assert world.end() == {}
    assert world.tally.deliveries == 4


@given(CUTS, st.integers(min_value=0, max_value=500))
def test_a_reader_that_is_too_far_behind_for_the_log_is_still_checked(cuts: list[int], read: int) -> None:
    world = World(window_bytes=1000)
    stream = b"".join(messages(1, 40))
    world.give(0, b"".join(messages(1, 5)))
    world.give(1, stream[:read])
    world.give(0, b"".join(messages(6, 40)))
    world.give(1, *pieces(stream[read:], cuts))
    world.give_all(message(41))
    assert world.end() == {}
    assert world.tally.deliveries == 82


def test_a_reader_told_of_a_gap_asks_for_what_it_missed_and_nothing_is_lost() -> None:
    world = World()
    world.give(0, *messages(1, 9))
    world.give(1, message(1), event("gap", room="bench-0", **{"from": 2, "to": 6}))
    assert world.sent[1].texts == [
        {"type": "enter", "payload": {"room": "bench-0", "after": 1, "epoch": "e"}}
    ]
    entries = [{"type": "new_message", "payload": {"room": "bench-0", "seq": seq}} for seq in range(2, 7)]
    world.give(
        1, event("entered", room="bench-0", head=6, epoch="e", more=False, entries=entries), *messages(7, 9)
    )
    assert world.end() == {}
    assert (world.tally.gaps, world.tally.missed_in_gaps) == (1, 5)


def test_what_does_not_fit_into_one_answer_is_asked_for_again() -> None:
    world = World(readers=1)
    world.give(0, message(1), event("gap", room="bench-0", **{"from": 2, "to": 6}))
    entries = [{"type": "new_message", "payload": {"room": "bench-0", "seq": seq}} for seq in (2, 3)]
    world.give(0, event("entered", room="bench-0", head=6, epoch="e", more=True, entries=entries))
    assert world.sent[0].texts[-1] == {
        "type": "enter",
        "payload": {"room": "bench-0", "after": 3, "epoch": "e"},
    }


def test_a_close_by_the_server_is_a_fault_with_its_code_and_reason() -> None:
    world = World()
    world.give_all(message(1))
    world.give(1, b"\x88\x06\x03\xf4late")
    assert world.end() == {Fault.CLOSED: 1}
    assert world.tally.findings.words[Fault.CLOSED] == ["connection 1 in room bench-0: code 1012 late"]


@pytest.mark.parametrize(
    "stream",
    [
        b"\x81\x83\x00\x00\x00\x00abc",
        b"\x01\x02{}",
        b"\xc1\x02{}",
        b"\x82\x01x",
        b"\x81\x04nope",
        b"\x81\x02\xff\xff",
    ],
    ids=["masked", "fragmented", "reserved bit", "binary", "not JSON", "not UTF-8"],
)
def test_bytes_that_are_no_frames_of_events_are_refused(stream: bytes) -> None:
    with pytest.raises(wire.WireError):
        World().give(0, stream)


@given(st.integers(min_value=0, max_value=70_000))
def test_frames_of_every_length_are_found_again(length: int) -> None:
    frame = wire.server_frame(b"x" * length)
    found = wire.frame_at(frame + b"\x81", 0)
    assert found is not None
    assert (frame[found.payload : found.end], found.end) == (b"x" * length, len(frame))
    assert wire.frame_at(frame[:-1], 0) is None or length == 0


def test_latency_counts_from_the_time_that_was_meant_for_each_delivery() -> None:
    world = World()
    world.give_all(message(1, stamp_ns=1_000_000), now_ns=3_000_000)
    world.give_all(message(2, stamp_ns=2_000_000), now_ns=6_000_000)
    world.end()
    assert world.tally.latency.percentile(50) in range(2000, 2017)
    assert world.tally.latency.largest == 4000


def test_what_was_meant_to_be_sent_in_time_counts_however_late_it_comes() -> None:
    world = World(readers=1)
    world.tally.measure(1_000_000, 2_000_000)
    world.give(0, message(1, stamp_ns=900_000), now_ns=1_500_000)
    world.give(0, message(2, stamp_ns=1_900_000), now_ns=9_900_000)
    world.end()
    assert (world.tally.deliveries_in_time, world.tally.latency.total, world.tally.latency.largest) == (
        1,
        1,
        8000,
    )
