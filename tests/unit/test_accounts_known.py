"""The memory of who is behind which secret."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from hubbub.accounts.known import Found, Known
from hubbub.errors import UNAVAILABLE, Refused
from hubbub.tickets import Identity

pytestmark = pytest.mark.asyncio


class Records:
    """A database that answers when it is told to, and counts."""

    def __init__(self, *digests: str) -> None:
        self.there = set(digests)
        self.reads: list[list[str]] = []
        self.answer_now = asyncio.Event()
        self.answer_now.set()
        self.asked = asyncio.Event()

    async def read(self, digests: Sequence[str]) -> Mapping[str, Found]:
        """Those of the digests that are there now; the answer may take its time."""
        self.reads.append(list(digests))
        found = {digest: Found(identity(digest)) for digest in digests if digest in self.there}
        self.asked.set()
        await self.answer_now.wait()
        return found


def identity(digest: str) -> Identity:
    """Who is behind this digest."""
    return Identity(int(digest), f"user{digest}", "", "member", token_id=int(digest))


async def test_what_was_found_is_not_read_again() -> None:
    records = Records("1")
    known = Known(records.read)
    for _ in range(3):
        found = await known.find("1")
        assert found is not None
        assert found.identity == identity("1")
    assert records.reads == [["1"]]


async def test_what_is_not_there_is_nobody_and_is_looked_for_again() -> None:
    records = Records()
    known = Known(records.read)
    assert await known.find("1") is None
    records.there.add("1")
    assert await known.find("1") is not None


async def test_ten_thousand_who_come_at_once_are_a_few_queries() -> None:
    digests = [str(number) for number in range(10_000)]
    records = Records(*digests)
    known = Known(records.read)
    found = await asyncio.gather(*(known.find(digest) for digest in digests))
    assert [entry and entry.identity.user_id for entry in found] == list(range(10_000))
    assert len(records.reads) <= 10_000 / 500 + 1
    assert await known.find("77") is found[77]


async def test_the_memory_is_bounded_and_the_oldest_goes() -> None:
    records = Records("1", "2", "3")
    known = Known(records.read, bound=2)
    for digest in ("1", "2", "3"):
        await known.find(digest)
    assert len(known) == 2
    await known.find("3")
    assert len(records.reads) == 3
    await known.find("1")
    assert len(records.reads) == 4


async def test_who_is_gone_is_forgotten_and_the_others_are_not() -> None:
    records = Records("1", "2")
    known = Known(records.read)
    await known.find("1")
    await known.find("2")
    records.there.remove("1")
    known.forget(lambda who: who.user_id == 1)
    assert await known.find("1") is None
    assert await known.find("2") is not None
    assert records.reads == [["1"], ["2"], ["1"]]


async def test_a_token_revoked_while_it_is_being_read_lets_nobody_in() -> None:
    records = Records("1")
    known = Known(records.read)
    records.answer_now.clear()
    asking = asyncio.create_task(known.find("1"))
    await records.asked.wait()
    records.there.remove("1")
    known.forget(lambda who: who.user_id == 1)
    records.answer_now.set()
    assert await asking is None
    assert len(known) == 0


async def test_when_reading_fails_all_who_wait_are_told_and_the_next_may_try() -> None:
    fails = True

    async def read(digests: Sequence[str]) -> Mapping[str, Found]:
        if fails:
            raise Refused(UNAVAILABLE)
        return {digest: Found(identity(digest)) for digest in digests}

    known = Known(read)
    told = await asyncio.gather(known.find("1"), known.find("1"), known.find("2"), return_exceptions=True)
    assert [isinstance(error, Refused) for error in told] == [True] * 3
    fails = False
    assert await known.find("1") is not None


async def test_one_who_stops_waiting_does_not_stop_the_others() -> None:
    records = Records("1")
    known = Known(records.read)
    records.answer_now.clear()
    leaving, staying = (asyncio.create_task(known.find("1")) for _ in range(2))
    await records.asked.wait()
    leaving.cancel()
    records.answer_now.set()
    found = await staying
    assert found is not None
    assert found.identity == identity("1")
