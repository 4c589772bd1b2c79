"""Who is connected, what they belong to, and what they have heard of it."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from hubbub.connection import Client
from hubbub.log.queries import Mark as MarkRow
from hubbub.log.queries import RoomRow
from hubbub.log.transaction import Entry
from hubbub.membership import Mark, Membership, User
from hubbub.tickets import Identity

GENERAL, ATTIC = 1, 2


class Connection:
    """A client as far as membership looks at it."""

    def __init__(self, user_id: int) -> None:
        self.identity = Identity(user_id, f"user-{user_id}", "", "member")


def client(user_id: int) -> Client:
    return cast(Client, Connection(user_id))


def row(room_id: int, read: int = 0, mentions: int = 0, head: int = 0) -> tuple[RoomRow, MarkRow]:
    """What the database says of one room."""
    return (
        RoomRow(room_id, f"room-{room_id}", "public", "", False, "member", read),
        MarkRow(head, read, mentions),
    )


def entry(room_id: int, seq: int, mentions: tuple[int, ...] = (), by: int = 9) -> Entry:
    made = Entry(room_id, seq, "new_message", by, b"{}")
    made.mentions = mentions
    return made


def a_member(membership: Membership, user_id: int, *rows: tuple[RoomRow, MarkRow]) -> User:
    user = membership.connected(client(user_id))
    membership.learn(user, rows)
    return user


def test_a_user_is_there_from_the_first_connection_to_the_last() -> None:
    membership = Membership()
    one, two, other = client(1), client(1), client(2)
    user = membership.connected(one)
    assert membership.connected(two) is user
    assert membership.connected(other) is not user
    assert membership.of(one) is membership.of(two) is user
    membership.disconnected(one)
    assert membership.users.keys() == {1, 2}
    membership.disconnected(one)
    membership.disconnected(two)
    assert membership.users.keys() == {2}
    membership.disconnected(two)


def test_a_room_is_watched_while_a_member_of_it_is_connected() -> None:
    membership = Membership()
    one, two = client(1), client(2)
    for who in (one, two):
        membership.learn(membership.connected(who), [row(GENERAL, head=5)])
    assert (membership.heads, len(membership.watchers[GENERAL])) == ({GENERAL: 5}, 2)
    membership.disconnected(one)
    assert membership.heads == {GENERAL: 5}
    membership.disconnected(two)
    assert (membership.heads, membership.watchers) == ({}, {})


def test_what_was_heard_live_counts_more_than_what_the_database_said_before() -> None:
    membership = Membership()
    user = membership.connected(client(1))
    membership.joined(1, GENERAL, Mark("room-1", "member", 7, 0), 7)
    membership.left(1, ATTIC)
    membership.learn(user, [row(GENERAL, read=3, head=3), row(ATTIC, head=4)])
    assert {room_id: mark.read for room_id, mark in user.marks.items()} == {GENERAL: 7}
    assert membership.heads == {GENERAL: 7}


def test_a_room_left_while_a_second_connection_is_greeted_stays_left() -> None:
    """Else one removed from a private room could enter it again."""
    membership = Membership()
    user = a_member(membership, 1, row(GENERAL), row(ATTIC))
    membership.connected(client(1))
    membership.left(1, ATTIC)
    membership.learn(user, [row(GENERAL), row(ATTIC)])
    assert user.marks.keys() == {GENERAL}
    assert ATTIC not in membership.watchers


def test_what_happens_to_somebody_who_is_not_connected_is_of_no_interest() -> None:
    membership = Membership()
    membership.joined(1, GENERAL, Mark("room-1", "member", 0, 0), 3)
    assert membership.left(1, GENERAL) is None
    assert (membership.users, membership.watchers, membership.heads) == ({}, {}, {})


def test_a_new_name_is_known_to_all_who_watch() -> None:
    membership = Membership()
    users = [a_member(membership, user_id, row(GENERAL)) for user_id in (1, 2)]
    membership.renamed(GENERAL, "lobby")
    membership.renamed(ATTIC, "loft")
    assert [user.marks[GENERAL].name for user in users] == ["lobby", "lobby"]


@pytest.mark.parametrize(
    ("mentions", "by", "counts"),
    [
        ((), 9, [0, 0]),
        ((1,), 9, [1, 0]),
        ((1, 2), 9, [1, 1]),
        ((0,), 9, [1, 1]),
        ((0,), 1, [0, 1]),
        ((3,), 9, [0, 0]),
    ],
)
def test_a_mention_counts_for_those_it_is_of(mentions: tuple[int, ...], by: int, counts: list[int]) -> None:
    membership = Membership()
    users = [a_member(membership, user_id, row(GENERAL)) for user_id in (1, 2)]
    membership.heard_of(GENERAL, [entry(GENERAL, 1), entry(GENERAL, 2, mentions, by)])
    assert [user.marks[GENERAL].mentions for user in users] == counts
    assert membership.heads == {GENERAL: 2}


def test_reading_counts_from_the_log_and_what_came_with_it_since() -> None:
    mark = Mark("room-1", "member", 0, 0)
    for seq in (3, 5, 6):
        mark.mentioned(seq, first=3)
    mark.moved(read=4, mentions=1, head=5)
    assert (mark.read, mark.mentions) == (4, 2)
    mark.mentioned(9, first=8)
    mark.moved(read=7, mentions=1, head=9)
    assert (mark.read, mark.mentions) == (7, 1)


def test_of_the_mentions_before_the_last_entries_only_the_number_is_kept() -> None:
    mark = Mark("room-1", "member", 0, 0)
    for seq in range(1, 1_000):
        mark.mentioned(seq, first=seq)
    assert (mark.mentions, len(mark._latest)) == (999, 1)


def test_what_is_heard_while_one_is_greeted_is_known_after_it_and_then_forgotten() -> None:
    membership = Membership()
    user = membership.connected(client(1))
    membership.heard_of(GENERAL, [entry(GENERAL, 5, (1,)), entry(GENERAL, 6)])
    membership.heard_of(GENERAL, [entry(GENERAL, 7, (1,))])
    membership.learn(user, [row(GENERAL, mentions=3, head=5)])
    assert (user.marks[GENERAL].mentions, membership.heads) == (4, {GENERAL: 7})
    assert (membership._heads_meanwhile, membership._mentions_meanwhile) == ({}, {})


class MembershipMachine(RuleBasedStateMachine):
    """Users come, join, leave and go; against the plainest model."""

    USERS, ROOMS = (1, 2, 3), (1, 2)

    def __init__(self) -> None:
        super().__init__()
        self.membership = Membership()
        self.members: set[tuple[int, int]] = set()
        self.open: dict[int, list[Client]] = {user_id: [] for user_id in self.USERS}
        self.greeting: list[tuple[Client, list[Any]]] = []
        self.heads = dict.fromkeys(self.ROOMS, 0)
        self.mentions = {(user_id, room_id): 0 for user_id in self.USERS for room_id in self.ROOMS}

    @rule(user_id=st.sampled_from(USERS))
    def connect(self, user_id: int) -> None:
        made = client(user_id)
        self.membership.connected(made)
        self.open[user_id].append(made)
        rows = [
            row(room_id, head=self.heads[room_id], mentions=self.mentions[user_id, room_id])
            for user, room_id in self.members
            if user == user_id
        ]
        self.greeting.append((made, rows))

    @rule(first=st.booleans())
    def greet(self, first: bool) -> None:
        if self.greeting:
            made, rows = self.greeting.pop(0 if first else -1)
            if made in self.open[made.identity.user_id]:
                self.membership.learn(self.membership.of(made), rows)

    @rule(user_id=st.sampled_from(USERS), data=st.data())
    def disconnect(self, user_id: int, data: st.DataObject) -> None:
        if self.open[user_id]:
            gone = data.draw(st.sampled_from(self.open[user_id]))
            self.open[user_id].remove(gone)
            self.membership.disconnected(gone)

    @rule(user_id=st.sampled_from(USERS), room_id=st.sampled_from(ROOMS))
    def join(self, user_id: int, room_id: int) -> None:
        if (user_id, room_id) not in self.members:
            self.members.add((user_id, room_id))
            self.hear(room_id)
            self.mentions[user_id, room_id] = 0
            self.membership.joined(user_id, room_id, Mark("x", "member", 0, 0), self.heads[room_id])

    @rule(user_id=st.sampled_from(USERS), room_id=st.sampled_from(ROOMS))
    def leave(self, user_id: int, room_id: int) -> None:
        if (user_id, room_id) in self.members:
            self.members.remove((user_id, room_id))
            self.hear(room_id)
            self.membership.left(user_id, room_id)

    @rule(room_id=st.sampled_from(ROOMS))
    def hear(self, room_id: int) -> None:
        self.heads[room_id] += 1
        heard = self.membership.heard_of(room_id, [entry(room_id, self.heads[room_id], (0, 1))])
        assert heard is (room_id in self.membership.watchers)
        for user_id in self.USERS:
            self.mentions[user_id, room_id] += 1

    @invariant()
    def it_knows_what_those_belong_to_who_were_greeted(self) -> None:
        for user_id, clients in self.open.items():
            user = self.membership.users.get(user_id)
            assert (user is not None) is bool(clients)
            if user is not None and user.known:
                belongs = {room for who, room in self.members if who == user_id}
                assert {room: mark.mentions for room, mark in user.marks.items()} == {
                    room: self.mentions[user_id, room] for room in belongs
                }

    @invariant()
    def watchers_and_marks_are_the_same(self) -> None:
        watching = {(user.id, room) for room, users in self.membership.watchers.items() for user in users}
        marked = {(user.id, room) for user in self.membership.users.values() for room in user.marks}
        assert watching == marked
        assert self.membership.heads.keys() == self.membership.watchers.keys()
        assert all(self.membership.heads[room] == self.heads[room] for room in self.membership.heads)


TestMembershipIsWhatHappened = MembershipMachine.TestCase
TestMembershipIsWhatHappened.settings = settings(max_examples=150, stateful_step_count=30)
