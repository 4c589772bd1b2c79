"""One-time tickets."""

from __future__ import annotations

import pytest

from hubbub.tickets import Identity, Tickets
from tests.fakes import FakeClock

ADA = Identity(1, "ada", "Ada", "member", session_id=11)
ADA_ELSEWHERE = Identity(1, "ada", "Ada", "member", session_id=12)
BOT = Identity(2, "bot", "", "bot", token_id=21)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def tickets(clock: FakeClock) -> Tickets:
    return Tickets(clock, life_seconds=5.0)


def test_a_ticket_says_whose_it_is_once(tickets: Tickets) -> None:
    ticket = tickets.issue(ADA)
    assert (tickets.take(ticket), tickets.take(ticket)) == (ADA, None)


def test_a_ticket_lives_for_five_seconds_and_no_longer(tickets: Tickets, clock: FakeClock) -> None:
    first, second = tickets.issue(ADA), tickets.issue(ADA)
    clock.advance(5.0)
    assert tickets.take(first) == ADA
    clock.advance(0.001)
    assert tickets.take(second) is None


def test_the_wall_clock_may_jump_without_ending_a_ticket(tickets: Tickets, clock: FakeClock) -> None:
    ticket = tickets.issue(ADA)
    clock.jump(3_600)
    assert tickets.take(ticket) == ADA


def test_what_was_never_given_out_lets_nobody_in(tickets: Tickets) -> None:
    tickets.issue(ADA)
    assert [tickets.take(guess) for guess in ("", "x", "é", "\x00")] == [None] * 4


def test_tickets_differ_and_are_safe_in_a_url_and_a_subprotocol(tickets: Tickets) -> None:
    given = {tickets.issue(ADA) for _ in range(1_000)}
    assert len(given) == 1_000
    assert all(ticket.replace("-", "").replace("_", "").isalnum() and len(ticket) >= 43 for ticket in given)


def test_no_ticket_can_be_read_from_memory(tickets: Tickets) -> None:
    ticket = tickets.issue(ADA)
    assert ticket not in repr(vars(tickets))


def test_those_too_old_are_swept(tickets: Tickets, clock: FakeClock) -> None:
    for _ in range(100):
        tickets.issue(ADA)
    clock.advance(6.0)
    tickets.issue(ADA)
    assert len(tickets) == 1


def test_the_end_of_a_session_voids_its_tickets_and_no_others(tickets: Tickets) -> None:
    one, two, three = tickets.issue(ADA), tickets.issue(ADA_ELSEWHERE), tickets.issue(BOT)
    tickets.drop(session_id=11)
    assert [tickets.take(ticket) for ticket in (one, two, three)] == [None, ADA_ELSEWHERE, BOT]


def test_the_end_of_a_user_voids_all_of_theirs(tickets: Tickets) -> None:
    one, two, three = tickets.issue(ADA), tickets.issue(ADA_ELSEWHERE), tickets.issue(BOT)
    tickets.drop(user_id=1)
    assert [tickets.take(ticket) for ticket in (one, two, three)] == [None, None, BOT]


@pytest.mark.parametrize(
    ("role", "administers"), [("owner", True), ("admin", True), ("member", False), ("bot", False)]
)
def test_owners_and_admins_administer(role: str, administers: bool) -> None:
    assert Identity(1, "ada", "", role).administers is administers
