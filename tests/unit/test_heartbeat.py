"""Pings and silence, with the time turned by hand."""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.connection import Client
from hubbub.errors import HEARTBEAT_LOST, CloseReason
from hubbub.heartbeat import Heartbeat

PING, PONG = 9.0, 10.0


class Beating:
    """A client as far as the heartbeat looks at it; its own transport too."""

    def __init__(self, now: Times) -> None:
        self.heard = True
        self.closed = False
        self.paused = False
        self.transport = self
        self._now = now
        self.pings: list[float] = []
        self.ended: list[tuple[float, CloseReason | str]] = []

    def ping(self) -> None:
        self.pings.append(self._now.seconds)

    def close(self, reason: CloseReason) -> None:
        self.ended.append((self._now.seconds, reason))

    def abort(self) -> None:
        self.ended.append((self._now.seconds, "aborted"))
        self.closed = True

    def end(self) -> float | None:
        """When it was closed, for want of an answer."""
        if not self.ended:
            return None
        (at, reason), (aborted_at, aborted) = self.ended
        assert (reason, aborted, at) == (HEARTBEAT_LOST, "aborted", aborted_at)
        return at


class Times:
    """A heartbeat and its time."""

    def __init__(self, ping: float = PING, pong: float = PONG) -> None:
        self.seconds = 100.0
        self.heart = Heartbeat(ping, pong)
        self.clients: list[Beating] = []

    def client(self) -> Beating:
        made = Beating(self)
        self.clients.append(made)
        self.heart.add(cast(Client, made))
        return made

    def let(self, seconds: float) -> None:
        """Let time pass, tick by tick."""
        for _ in range(round(seconds / self.heart.tick_seconds)):
            self.seconds += self.heart.tick_seconds
            self.heart.tick(self.seconds)

    @property
    def tick(self) -> float:
        return self.heart.tick_seconds


def test_each_client_is_pinged_once_an_interval_and_first_after_a_whole_one() -> None:
    times = Times()
    times.let(PING / 3)
    ada = times.client()
    came = times.seconds
    for _ in range(5):
        times.let(PING)
        ada.heard = True
    assert len(ada.pings) == 5
    for number, at in enumerate(ada.pings, 1):
        assert abs(at - came - number * PING) <= times.tick * 1.01


def test_those_who_come_together_are_pinged_together_and_others_at_other_times() -> None:
    times = Times()
    spread = []
    for _ in range(8):
        spread.append(times.client())
        times.let(1.0)
    times.let(PING * 2)
    assert len({client.pings[0] for client in spread}) == 8


def test_one_who_says_nothing_after_a_ping_is_closed_when_the_time_to_answer_is_over() -> None:
    times = Times()
    ada, bob = times.client(), times.client()
    times.let(PING)
    bob.heard = True
    times.let(PONG - 2 * times.tick)
    assert (ada.end(), bob.end()) == (None, None)
    bob.heard = True
    times.let(3 * times.tick)
    assert bob.end() is None
    assert PONG <= (ada.end() or 0) - ada.pings[0] <= PONG + 1.01 * times.tick


def test_any_frame_saves_it() -> None:
    times = Times()
    ada = times.client()
    times.let(PING)
    times.let(PONG - 2 * times.tick)
    ada.heard = True
    times.let(PONG)
    assert ada.end() is None


def test_an_answer_to_the_last_ping_counts_though_the_next_ping_was_sent_since() -> None:
    """With 9 s between pings and 10 s to answer, the answers of one ping overlap with the next."""
    times = Times()
    ada = times.client()
    times.let(PING)
    times.let(0.5)
    ada.heard = True
    times.let(PONG)
    assert len(ada.pings) == 2
    assert ada.end() is None
    times.let(PONG - 1.0)
    assert abs((ada.end() or 0) - ada.pings[1] - PONG) <= 1.01 * times.tick


@given(delays=st.lists(st.floats(0.0, PONG - 0.5), min_size=8, max_size=8))
def test_one_who_always_answers_in_time_is_never_closed(delays: list[float]) -> None:
    times = Times()
    ada = times.client()
    answers: list[float] = []
    for _ in range(round(8 * PING / times.tick)):
        seen = len(ada.pings)
        times.let(times.tick)
        if len(ada.pings) > seen:
            answers.append(ada.pings[-1] + delays[seen % 8])
        if any(at <= times.seconds for at in answers):
            ada.heard = True
            answers = [at for at in answers if at > times.seconds]
    assert len(ada.pings) >= 7
    assert ada.end() is None


@given(silent_from=st.floats(0.0, 3 * PING))
def test_one_who_falls_silent_is_closed_within_the_two_times_together(silent_from: float) -> None:
    times = Times()
    ada = times.client()
    begin = times.seconds
    while ada.end() is None:
        if times.seconds - begin <= silent_from:
            ada.heard = True
        times.let(times.tick)
        assert times.seconds - begin <= silent_from + PING + PONG + 4 * times.tick


def test_one_that_is_not_read_from_is_neither_pinged_nor_closed() -> None:
    times = Times()
    ada = times.client()
    times.let(PING)
    ada.paused = True
    times.let(5 * PING)
    assert (len(ada.pings), ada.end()) == (1, None)


def test_one_that_was_not_read_from_is_asked_anew_and_has_all_the_time_to_answer() -> None:
    times = Times()
    ada = times.client()
    times.let(PING)
    ada.paused = True
    times.let(2 * PING)
    ada.paused = False
    times.let(PING)
    assert (len(ada.pings), ada.end()) == (2, None)
    times.let(PONG + times.tick)
    assert (ada.end() or 0) - ada.pings[1] >= PONG


def test_one_that_has_gone_is_neither_pinged_nor_closed() -> None:
    times = Times()
    ada, bob = times.client(), times.client()
    times.let(PING)
    ada.closed = True
    times.heart.discard(cast(Client, ada))
    times.heart.discard(cast(Client, ada))
    times.let(4 * PING)
    assert (len(ada.pings), ada.ended) == (1, [])
    assert bob.end() is not None


@pytest.mark.parametrize("ping", [0.05, 0.3, 9.0, 45.0, 600.0, 86_400.0])
def test_it_ticks_often_enough_for_all_that_hangs_on_its_timer(ping: float) -> None:
    times = Times(ping=ping)
    ada = times.client()
    assert min(0.02, ping) <= times.tick <= 0.5
    times.let(ping - 2 * times.tick)
    assert ada.pings == []
    times.let(3 * times.tick)
    assert len(ada.pings) == 1


def test_a_thousand_clients_in_a_fast_heartbeat_are_all_asked() -> None:
    times = Times(ping=0.05, pong=0.05)
    for _ in range(1_000):
        times.client()
    times.let(0.05)
    assert all(len(client.pings) == 1 for client in times.clients)
    times.let(0.15)
    assert all(client.end() for client in times.clients)
