"""`GET /api/rooms/{room}/messages`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.chat_api import Api, an_api, refusal

pytestmark = pytest.mark.asyncio
URL = "/api/rooms/general/messages"


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with an_api(tmp_path) as api:
        yield api


@pytest_asyncio.fixture
async def filled(api: Api) -> Api:
    """With 120 messages in `general`, numbered from 3."""
    ada = await api.world.come("ada", "general")
    for number in range(3, 123):
        ada.says("send_message", number, room="general", message=f"text {number}", id=str(number))
    await ada.hears(ref=122)
    return api


def numbers(body: dict[str, Any]) -> list[int]:
    return [message["seq"] for message in body["messages"]]


@pytest.mark.parametrize(
    ("query", "first", "last", "more"),
    [
        ("", 73, 122, True),
        ("?limit=1", 122, 122, True),
        ("?limit=200", 3, 122, False),
        ("?limit=120", 3, 122, False),
        ("?before=123", 73, 122, True),
        ("?before=50", 3, 49, False),
        ("?before=54&limit=50", 4, 53, True),
        ("?after=0", 3, 52, True),
        ("?after=100&limit=200", 101, 122, False),
        ("?around=60&limit=5", 58, 62, True),
        ("?around=3&limit=200", 3, 103, True),
        ("?around=122&limit=200", 23, 122, True),
        ("?before=9007199254740991", 73, 122, True),
    ],
)
async def test_pages_of_history_are_found_by_number(
    filled: Api, query: str, first: int, last: int, more: bool
) -> None:
    answer = await filled.user("bob").get(URL + query)
    body = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert (numbers(body), body["more"]) == (list(range(first, last + 1)), more)
    assert (body["room"], body["head"]) == ("general", 122)


@pytest.mark.parametrize(
    ("query", "empty"), [("?before=3", True), ("?after=122", True), ("?after=9999", True)]
)
async def test_where_there_is_nothing_the_page_is_empty(filled: Api, query: str, empty: bool) -> None:
    body = (await filled.user("bob").get(URL + query)).json()
    assert body == {"room": "general", "head": 122, "more": False, "messages": []}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?limit=0", "limit"),
        ("?limit=201", "limit"),
        ("?limit=x", "limit"),
        ("?limit=", "limit"),
        ("?limit=-1", "limit"),
        ("?limit=1.5", "limit"),
        ("?limit=%D9%A3", "limit"),
        ("?before=x", "before"),
        ("?after=-1", "after"),
        ("?around=9007199254740992", "around"),
        ("?around=1e3", "around"),
        ("?before=" + "9" * 5_000, "before"),
        ("?before=1&after=2", "before"),
    ],
)
async def test_a_query_that_says_nothing_sensible_is_refused_and_the_field_is_named(
    api: Api, query: str, field: str
) -> None:
    assert refusal(await api.user("ada").get(URL + query)) == (400, "bad_payload", field)


async def test_a_message_is_shown_as_it_is_now_in_one_answer(api: Api) -> None:
    ada, bob = await api.world.come("ada", "general"), await api.world.come("bob", "general")
    first = await ada.sends("general", 'a "quoted" text é 🎉 \\ \u2028', "1")
    gone = await ada.sends("general", "secret", "2")
    await bob.asks("react", room="general", seq=first["seq"], emoji="🎉")
    await ada.asks("edit_message", room="general", seq=first["seq"], message="new")
    await ada.asks("delete_message", room="general", seq=gone["seq"])
    answer = await api.user("carol").get(URL)
    assert "secret" not in answer.text
    shown, deleted = answer.json()["messages"]
    assert {name: shown[name] for name in ("room", "message", "reactions", "edits", "id")} == {
        "room": "general",
        "message": "new",
        "reactions": {"🎉": ["bob"]},
        "edits": [gone["seq"] + 2],
        "id": "1",
    }
    assert (deleted["message"], deleted["deleted"]) == ("", True)


async def test_an_old_name_leads_to_the_history_under_the_new_one(api: Api) -> None:
    ada = await api.world.come("ada", "tea")
    await ada.sends("tea", "hello")
    await api.world.rooms.change(ada.identity, "tea", new_name="coffee")
    body = (await api.user("ada").get("/api/rooms/tea/messages")).json()
    assert (body["room"], [message["room"] for message in body["messages"]]) == ("coffee", ["coffee"])


async def test_reading_history_makes_nobody_a_member(api: Api) -> None:
    await api.user("ada").post("/api/rooms", json={"name": "tea"})
    bob = api.user("bob")
    assert (await bob.get("/api/rooms/tea/messages")).status_code == 200
    assert (await bob.get("/api/rooms/tea")).json()["member"] is False
    assert [entry["type"] for entry in await api.world.log("tea")] == ["room_changed", "member_joined"]
