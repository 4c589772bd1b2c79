"""A speaker of the load generator: it keeps its window full, and misses nothing that it said."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hubbub.bench.findings import Fault
from tests.support.bench import RUN, World, event, message


def said(world: World) -> list[object]:
    """Who sent the messages that reader 0 sent, and their numbers, out of their ids."""
    payloads = [text["payload"] for text in world.sent[0].texts]
    return [payload["id"].split("-", 2)[2] for payload in payloads if isinstance(payload, dict)]


def test_a_closed_loop_keeps_its_window_full() -> None:
    world = World()
    world.speaker(0, window=3).start(None)
    assert said(world) == ["0-1", "0-2", "0-3"]
    world.give_all(message(1), message(2))
    assert said(world) == [f"0-{number}" for number in range(1, 6)]


def test_a_loop_of_so_many_messages_ends_after_them() -> None:
    world = World()
    speaker = world.speaker(0)
    speaker.start(2)
    world.give_all(message(1))
    world.give_all(message(2))
    assert (len(said(world)), speaker.in_flight, speaker.remaining) == (2, 0, 0)
    assert world.end() == {}
    assert world.tally.acknowledged == 2


def test_only_the_speakers_own_connection_acknowledges() -> None:
    world = World()
    speaker = world.speaker(0)
    speaker.start(5)
    world.give(1, message(1))
    assert speaker.in_flight == 1
    world.give(0, message(1))
    assert (speaker.in_flight, world.tally.acknowledged, len(said(world))) == (1, 1, 2)


def test_a_message_that_never_comes_back_is_lost() -> None:
    world = World()
    world.speaker(0, window=2).start(2)
    world.give_all(message(1))
    assert world.end() == {Fault.LOSS: 1}


def test_a_message_that_comes_back_under_two_numbers_is_a_repeat() -> None:
    world = World()
    world.speaker(0, window=2).start(2)
    world.give_all(message(1, number=1), message(2, number=1), message(3, number=2))
    assert world.end() == {Fault.REPEAT: 1}


def test_messages_that_the_server_put_in_another_order_are_found() -> None:
    world = World()
    world.speaker(0, window=2).start(2)
    world.give_all(message(1, number=2), message(2, number=1))
    assert world.end() == {Fault.DISORDER: 1}


def test_a_refused_message_is_a_fault_and_is_waited_for_no_longer() -> None:
    world = World()
    speaker = world.speaker(0, window=2)
    speaker.start(3)
    world.give(0, event("error", code="rate_limited", message="Slow down.", retry=True, id=f"{RUN}-0-0-1"))
    assert (speaker.in_flight, len(said(world))) == (2, 3)
    world.give_all(message(1, number=2), message(2, number=3))
    assert world.end() == {Fault.REFUSED: 1}
    assert world.tally.findings.words[Fault.REFUSED] == ["connection 0: message 1: rate_limited: Slow down."]


@given(st.permutations(range(1, 8)), st.sets(st.integers(min_value=1, max_value=7)))
def test_in_flight_is_what_was_said_less_what_came_back_or_was_refused(
    order: list[int], refused: set[int]
) -> None:
    world = World()
    speaker = world.speaker(0, window=7)
    speaker.start(7)
    for done, number in enumerate(order, start=1):
        if number in refused:
            speaker.refused(number, "no")
        else:
            speaker.heard(number, 1000)
        assert speaker.in_flight == 7 - done


def test_an_open_loop_is_stamped_with_the_time_that_was_meant() -> None:
    world = World()
    world.speaker(0, window=0).say(0xABCDEF)
    payload = world.sent[0].texts[0]["payload"]
    assert isinstance(payload, dict)
    assert payload["message"] == "~T0000000000abcdef" + "x" * 46
    assert len(payload["message"]) == 64
