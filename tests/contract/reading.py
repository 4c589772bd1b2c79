"""What any log promises to those who read it: pages, marks, and rooms that may be seen."""

from __future__ import annotations

import asyncio
import itertools
from functools import partial
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, update

from hubbub.log import queries
from hubbub.log.queries import PAGE_BYTES, LogItem, Mark, Page
from hubbub.log.schema import entries, members, mentions, room_aliases, rooms, users
from hubbub.log.store import Store
from tests.contract.changes import Join, Say
from tests.contract.log import ROOM, Written
from tests.fakes import FakeClock

NUMBERS: Final = st.integers(0, 50)


def seqs(items: list[LogItem]) -> list[int]:
    """Their numbers."""
    return [item.seq for item in items]


async def write(store: Store, room_id: int, kinds: list[bool], text: str = "hi") -> None:
    """Write a room's log: True is a message, False is another entry."""
    written = Written(store, FakeClock())
    changes = [Say(room_id, text) if is_message else Join(room_id, "bob") for is_message in kinds]
    await written.write(*changes)


def put(store: Store, *statements: Any) -> None:
    """Execute these in one transaction."""

    def execute(connection: Connection) -> None:
        for statement in statements:
            connection.execute(statement)

    store.write_now(execute)


class PagesContract:
    """Pages of history, and what came after a number."""

    def test_pages_of_messages_are_those_of_a_simple_model(self, store: Store) -> None:
        room_ids = itertools.count(1)

        @given(kinds=st.lists(st.booleans(), max_size=40), data=st.data())
        def hold(kinds: list[bool], data: st.DataObject) -> None:
            room_id = next(room_ids)
            asyncio.run(write(store, room_id, kinds))
            there = [seq for seq, is_message in enumerate(kinds, 1) if is_message]
            for _ in range(3):
                limit = data.draw(st.integers(1, 12))
                place = data.draw(st.sampled_from(["", "before", "after", "around"]))
                number = data.draw(NUMBERS)
                where: dict[str, Any] = {place: number} if place else {}
                page = store.read_now(partial(queries.messages, room_id=room_id, limit=limit, **where))
                assert (seqs(page.items), page.more, page.head) == (
                    *model_page(there, limit, place, number),
                    len(kinds),
                )

        hold()

    def test_pages_of_entries_are_those_of_a_simple_model_and_lead_to_the_end(self, store: Store) -> None:
        room_ids = itertools.count(1)

        @given(kinds=st.lists(st.booleans(), max_size=40), after=NUMBERS, limit=st.integers(1, 12))
        def hold(kinds: list[bool], after: int, limit: int) -> None:
            room_id = next(room_ids)
            asyncio.run(write(store, room_id, kinds))
            found: list[int] = []
            at, more = after, True
            while more:
                page = store.read_now(partial(queries.entries_after, room_id=room_id, after=at, limit=limit))
                assert len(page.items) <= limit
                assert page.head == len(kinds)
                found += seqs(page.items)
                at, more = (found[-1] if found else after), page.more
            assert found == list(range(after + 1, len(kinds) + 1))

        hold()

    @pytest.mark.asyncio
    async def test_rooms_do_not_mix(self, store: Store) -> None:
        await write(store, 1, [True, False, True])
        await write(store, 2, [True])
        page = await store.read(lambda c: queries.messages(c, 2, 50))
        assert (page.head, seqs(page.items)) == (1, [1])
        assert await store.read(lambda c: queries.messages(c, 3, 50)) == Page(0, [], more=False)
        assert await store.read(lambda c: queries.entries_after(c, 3, 0, 50)) == Page(0, [], more=False)

    @pytest.mark.asyncio
    @pytest.mark.parametrize("text", ["x" * 9_000, "é" * 9_000, "🎉" * 9_000], ids=["ascii", "two", "four"])
    async def test_a_page_is_bounded_in_bytes_and_says_that_there_is_more(
        self, store: Store, text: str
    ) -> None:
        await write(store, ROOM, [True] * 200, text)
        for page, expected in (
            (await store.read(lambda c: queries.messages(c, ROOM, 200)), "the last"),
            (await store.read(lambda c: queries.messages(c, ROOM, 200, before=150)), "the last before"),
            (await store.read(lambda c: queries.messages(c, ROOM, 200, after=20)), "the first after"),
            (await store.read(lambda c: queries.messages(c, ROOM, 200, around=100)), "around"),
            (await store.read(lambda c: queries.entries_after(c, ROOM, 20, 500)), "the first after"),
        ):
            found = seqs(page.items)
            size = sum(len(item.body.encode()) for item in page.items)
            assert found == list(range(found[0], found[-1] + 1))
            assert PAGE_BYTES // 4 < size <= PAGE_BYTES
            assert page.more
            assert {
                "the last": found[-1] == 200,
                "the last before": found[-1] == 149,
                "the first after": found[0] == 21,
                "around": found[0] < 100 < found[-1],
            }[expected]

    @pytest.mark.asyncio
    async def test_one_that_is_larger_than_a_page_is_a_page(self, store: Store) -> None:
        await write(store, ROOM, [True] * 3, "x" * (PAGE_BYTES + 1))
        assert seqs((await store.read(lambda c: queries.messages(c, ROOM, 50))).items) == [3]
        page = await store.read(lambda c: queries.entries_after(c, ROOM, 0, 50))
        assert (seqs(page.items), page.more) == ([1], True)

    @pytest.mark.asyncio
    async def test_a_page_shows_a_message_as_it_is_now_and_a_replay_as_it_was(self, store: Store) -> None:
        await write(store, ROOM, [True, True])
        now = '{"seq":1,"id":"","from":"ada","message":"new","sent":"x"}'
        put(store, update(entries).where(entries.c.seq == 1).values(now=now))
        page = await store.read(lambda c: queries.messages(c, ROOM, 50))
        assert [msgspec.json.decode(item.body)["message"] for item in page.items] == ["new", "hi"]
        replay = await store.read(lambda c: queries.entries_after(c, ROOM, 0, 50))
        assert [msgspec.json.decode(item.body)["message"] for item in replay.items] == ["hi", "hi"]


def model_page(there: list[int], limit: int, place: str, number: int) -> tuple[list[int], bool]:
    """The page and whether there is more, by the plainest means."""
    if place == "before":
        found = [seq for seq in there if seq < number]
        return found[-limit:], len(found) > limit
    if place == "after":
        found = [seq for seq in there if seq > number]
        return found[:limit], len(found) > limit
    if place == "around":
        earlier = [seq for seq in there if seq <= number]
        later = [seq for seq in there if seq > number]
        half = limit // 2
        shown = earlier[-(limit - half) :] + later[:half]
        return shown, len(earlier) > limit - half or len(later) > half
    return there[-limit:], len(there) > limit


class MarksContract:
    """How far somebody has read, and what they may see."""

    @pytest.fixture
    def people(self, store: Store) -> None:
        """ada (1), bob (2) and carol (3), with rooms: lobby (1, public), attic (2, private), cellar (3, private)."""
        put(
            store,
            insert(users).values(
                [
                    {"id": number, "name": name, "key": name, "role": "member", "created_at": 0}
                    for number, name in enumerate(("ada", "bob", "carol"), 1)
                ]
            ),
            insert(rooms).values(
                [
                    {"id": 1, "name": "lobby", "key": "lobby", "kind": "public", "created_at": 0},
                    {"id": 2, "name": "attic", "key": "attic", "kind": "private", "created_at": 0},
                    {"id": 3, "name": "Cellar", "key": "cellar", "kind": "private", "created_at": 0},
                ]
            ),
            insert(members).values(
                [
                    {"room_id": 1, "user_id": 1, "role": "owner", "read": 2},
                    {"room_id": 2, "user_id": 1, "role": "member", "read": 0},
                    {"room_id": 2, "user_id": 2, "role": "member", "read": 0},
                ]
            ),
            insert(room_aliases).values(
                [
                    {"key": "hall", "room_id": 1},
                    {"key": "loft", "room_id": 2},
                    {"key": "cellar", "room_id": 1},
                ]
            ),
        )

    @pytest.mark.asyncio
    @pytest.mark.usefixtures("people")
    async def test_a_mark_counts_what_came_since_and_the_mentions_of_one_among_it(self, store: Store) -> None:
        await write(store, 1, [True] * 9)
        rows = [(1, 2), (1, 3), (0, 5), (2, 6), (1, 7), (1, 9)]  # user (0: all), number
        put(
            store,
            insert(mentions).values([{"user_id": user, "room_id": 1, "seq": seq} for user, seq in rows]),
            update(entries).where(entries.c.seq.in_((7,))).values(user_id=2),
            update(entries).where(entries.c.seq != 7).values(user_id=3),
        )
        assert store.read_now(lambda c: queries.mark(c, 1, 1)) == Mark(head=9, read=2, mentions=4)
        assert store.read_now(lambda c: queries.mark(c, 2, 1)) is None
        put(store, update(entries).where(entries.c.seq == 5).values(user_id=1))
        own_call = store.read_now(lambda c: queries.mark(c, 1, 1))
        assert own_call == Mark(head=9, read=2, mentions=3)
        found = store.read_now(lambda c: queries.rooms_of_member(c, 1))
        assert [(row.name, row.member_role, mark) for row, mark in found] == [
            ("attic", "member", Mark(head=0, read=0, mentions=0)),
            ("lobby", "owner", own_call),
        ]

    @pytest.mark.usefixtures("people")
    def test_a_room_is_found_by_its_name_now_or_before_by_those_who_may_see_it(self, store: Store) -> None:
        def found(user_id: int, key: str) -> str | None:
            row = store.read_now(lambda c: queries.visible_room(c, user_id, key))
            return row.name if row else None

        everything = ("lobby", "attic", "cellar", "hall", "loft", "nowhere")
        assert {key: found(1, key) for key in everything} == {
            "lobby": "lobby", "attic": "attic", "cellar": "lobby", "hall": "lobby", "loft": "attic", "nowhere": None,
        }  # fmt: skip
        assert {key: found(3, key) for key in everything} == {
            "lobby": "lobby", "attic": None, "cellar": "lobby", "hall": "lobby", "loft": None, "nowhere": None,
        }  # fmt: skip

    @pytest.mark.usefixtures("people")
    def test_lists_of_rooms_hold_those_that_one_may_see(self, store: Store) -> None:
        def names(user_id: int) -> list[tuple[str, str | None]]:
            return [
                (row.name, row.member_role)
                for row in store.read_now(lambda c: queries.visible_rooms(c, user_id))
            ]

        assert names(1) == [("attic", "member"), ("lobby", "owner")]
        assert names(3) == [("lobby", None)]
        assert store.read_now(queries.any_room)

    @pytest.mark.usefixtures("people")
    def test_members_are_listed_by_name(self, store: Store) -> None:
        assert store.read_now(lambda c: queries.member_names(c, 2)) == [
            ("ada", "", "member"),
            ("bob", "", "member"),
        ]
        assert store.read_now(lambda c: queries.direct_members(c, [2, 3])) == {2: ["ada", "bob"], 3: []}
