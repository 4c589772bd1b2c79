"""`GET /api/search`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.chat_api import Api, an_api, refusal
from tests.chat_world import Someone

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with an_api(tmp_path, limit_searches=0.0) as api:
        yield api


@pytest_asyncio.fixture
async def ada(api: Api) -> Someone:
    return await api.world.come("ada", "general")


async def search(user: httpx.AsyncClient, q: str = "", **more: Any) -> dict[str, Any]:
    """The answer to a question that is granted."""
    answer = await user.get("/api/search", params={"q": q, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def texts(user: httpx.AsyncClient, q: str = "", **more: Any) -> list[str]:
    return [result["message"]["message"] for result in (await search(user, q, **more))["results"]]


async def test_a_result_is_the_message_as_it_is_now_with_the_place_of_the_words(
    api: Api, ada: Someone
) -> None:
    sent = await ada.sends("general", "Tea 😀 and\nmore Tea")
    found = await search(api.user("bob"), "TEA more")
    message = {name: sent[name] for name in ("room", "seq", "id", "from", "message", "sent")}
    assert found == {
        "results": [
            {"message": message, "snippet": "Tea 😀 and more Tea", "matches": [[0, 3], [11, 15], [16, 19]]}
        ],
        "more": False,
        "next": None,
    }


@pytest.mark.parametrize(
    ("q", "is_found"),
    [
        ("concatenate", True),
        ("cat", True),
        ("at", True),
        ("c", True),
        ("CAFE", True),
        ("cafés", False),
        ('"quick brown"', True),
        ('"brown quick"', False),
        ("brown quick", True),
        ("天氣", True),
        ("天", True),
        ("天氣很好", True),
        ("好天", False),
        ("天氣 quick", True),
        ("天氣 slow", False),
        ('""quoted""', False),
        ('quo"ted', True),
        ("50%_of*", True),
        ("50_", False),
        ("👍🏽", True),
        ("NEAR", False),
        ("NOT quick", False),
        ("OR", False),
        ("   \u200b  ", False),
    ],
)
async def test_words_parts_of_words_runs_and_chinese_are_found(
    api: Api, ada: Someone, q: str, is_found: bool
) -> None:
    text = 'concatenate the quick brown Café 今天天氣很好 quo"ted 50%_of* 👍🏽'
    await ada.sends("general", text)
    await ada.sends("general", "something else")
    assert await texts(api.user("bob"), q) == ([text] if is_found else [])


async def test_the_newest_comes_first_and_pages_follow_each_other_without_a_hole(
    api: Api, ada: Someone
) -> None:
    for number in range(25):
        api.world.clock.advance(1)
        await ada.sends("general", f"number {number} of many")
    bob = api.user("bob")
    for q in ("number many", "ma", "in:general"):
        pages: list[list[str]] = []
        place: dict[str, Any] = {}
        while True:
            page = await search(bob, q, limit=10, **place)
            pages.append([result["message"]["message"] for result in page["results"]])
            if not page["more"]:
                break
            place = {"next": page["next"]}
        assert [text for page in pages for text in page] == [f"number {n} of many" for n in range(24, -1, -1)]
        assert [len(page) for page in pages][:3] == [10, 10, 5]


async def test_filters_narrow_by_person_room_and_day(api: Api, ada: Someone) -> None:
    bob = await api.world.come("bob", "general", "the lobby")
    await ada.sends("general", "tea by ada")
    await bob.sends("general", "tea by bob")
    await bob.sends("the lobby", "tea in the lobby")
    api.world.clock.advance(86_400)
    await ada.sends("general", "tea tomorrow")
    user = api.user("bob")
    day = "2027-01-16"  # the clock of these tests begins the day before
    assert await texts(user, "tea from:ADA") == ["tea tomorrow", "tea by ada"]
    assert await texts(user, "tea from:bob in:general") == ["tea by bob"]
    assert await texts(user, 'in:"The Lobby"') == ["tea in the lobby"]
    assert await texts(user, f"tea after:{day}") == ["tea tomorrow"]
    assert await texts(user, "tea", before=day, **{"from": "ada"}) == ["tea by ada"]
    assert await texts(user, "tea", after=f"{day}T00:00:00Z", zone=480) == ["tea tomorrow"]
    assert await texts(user, "", **{"in": "the lobby"}) == ["tea in the lobby"]


async def _in_writers_thread(api: Api, work: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def run() -> None:
        try:
            work()
        finally:
            loop.call_soon_threadsafe(done.set_result, None)

    api.world.store.thread.run(run)
    await done


async def test_an_edited_message_is_found_by_its_new_text_only(api: Api, ada: Someone) -> None:
    sent = await ada.sends("general", "green tea")
    user = api.user("bob")
    assert await texts(user, "green") == ["green tea"]
    await ada.asks("edit_message", room="general", seq=sent["seq"], message="black coffee")
    assert await texts(user, "green") == []
    assert await texts(user, "gr") == []
    found = (await search(user, "coffee"))["results"][0]
    assert (found["message"]["message"], found["message"]["edits"]) == ("black coffee", [sent["seq"] + 1])


async def test_a_deleted_message_is_found_no_more_and_nothing_of_it_is_left_in_the_index(
    api: Api, ada: Someone
) -> None:
    sent = await ada.sends("general", "swordfish zqzqz")
    other = await ada.sends("general", "swordfish is a fish")
    user, index = api.user("bob"), api.world.hub.indexing.index
    assert len(await texts(user, "swordfish")) == 2
    assert b"zqz" in _blocks(api)
    await ada.asks("delete_message", room="general", seq=sent["seq"])
    assert await texts(user, "swordfish") == [other["message"]]
    assert await texts(user, "zqzqz") == await texts(user, "zq") == []
    while index.busy:
        await _in_writers_thread(api, index.step)
    assert b"zqz" not in _blocks(api)
    assert await texts(user, "swordfish") == [other["message"]]
    docs = api.world.store.read_now(
        lambda c: c.exec_driver_sql("SELECT text FROM search_docs").scalars().all()
    )
    assert docs == [other["message"]]


def _blocks(api: Api) -> bytes:
    """What lies in the index, as it lies there."""
    return api.world.store.read_now(
        lambda c: b"".join(row[0] for row in c.exec_driver_sql("SELECT block FROM search_index_data"))
    )


async def test_a_private_room_is_searched_by_its_members_alone_and_only_while_they_are(
    api: Api, ada: Someone
) -> None:
    owner, bob, eve = api.user("ada"), api.user("bob"), api.user("eve", "owner")
    await owner.post("/api/rooms", json={"name": "attic", "kind": "private"})
    await owner.post("/api/rooms/attic/members", json={"user": "bob"})
    await ada.enters("attic")
    await ada.sends("attic", "the treasure is below")
    await owner.post("/api/direct", json={"users": ["bob"]})
    await ada.enters("@bob")
    await ada.sends("@ada,bob", "treasure, between us")
    assert await texts(bob, "treasure") == ["treasure, between us", "the treasure is below"]
    assert await texts(bob, "in:@ada tr") == ["treasure, between us"]
    assert await texts(eve, "treasure") == await texts(eve, "tr") == []
    for room in ("attic", "@ada,bob", "nowhere"):
        refused = await eve.get("/api/search", params={"q": f"in:{room}"})
        assert refusal(refused) == (400, "bad_payload", "in")
        assert refused.json()["message"] == f"There is no room {room}."
    assert (await bob.post("/api/rooms/attic/leave")).status_code == 204
    assert await texts(bob, "treasure") == ["treasure, between us"]


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({}, "q"),
        ({"q": ""}, "q"),
        ({"q": '"'}, "q"),
        ({"q": '"""'}, "q"),
        ({"q": "x" * 10_000}, "q"),
        ({"q": "a\0"}, "q"),
        ({"q": "from:nobody"}, "from"),
        ({"q": "tea", "from": "no\0body"}, "from"),
        ({"q": "tea", "in": "nowhere"}, "in"),
        ({"q": "tea", "before": "soon"}, "before"),
        ({"q": "tea", "limit": "0"}, "limit"),
        ({"q": "tea", "limit": "101"}, "limit"),
        ({"q": "tea", "next": "-1"}, "next"),
        ({"q": "tea", "zone": "x"}, "zone"),
        ({"q": "tea", "zone": "900"}, "zone"),
    ],
)
async def test_what_cannot_be_asked_is_refused_in_one_line(
    api: Api, params: dict[str, str], field: str
) -> None:
    answer = await api.user("bob").get("/api/search", params=params)
    assert refusal(answer) == (400, "bad_payload", field)
    assert "\n" not in answer.json()["message"]


@pytest.mark.parametrize(
    "q",
    [
        "'", "*", "a*", "^abc", "abc AND def", "abc NOT def", "NEAR(abc def)", "text:abc", "{text}:abc",
        "-abc", "+abc", "(abc", "abc)", "abc\\", "%", "___", ";DROP TABLE users", "😀", "😀😀😀", "\u202eabc", "ﷺ",
        "a\u0301\u0301\u0301\u0301bc", "\ufdfa" * 100, "x" * 500, "<script>alert(1)</script>", "ß" * 400,
    ],
)  # fmt: skip
async def test_hostile_questions_find_nothing_and_break_nothing(api: Api, ada: Someone, q: str) -> None:
    await ada.sends("general", "all is well here")
    assert await texts(api.user("bob"), q) == []


async def test_nobody_searches_without_being_somebody(api: Api) -> None:
    assert (await api.client().get("/api/search?q=tea")).status_code == 401


async def test_one_who_searches_very_often_is_told_to_wait(tmp_path: Path) -> None:
    async with an_api(tmp_path, limit_searches=0.1) as api:
        bob, eve = api.user("bob"), api.user("eve")
        assert (await bob.get("/api/search?q=tea")).status_code == 200
        refused = await bob.get("/api/search?q=tea")
        assert refusal(refused) == (429, "rate_limited", None)
        assert refused.headers["retry-after"]
        assert (await eve.get("/api/search?q=tea")).status_code == 200
        api.world.clock.advance(10)
        assert (await bob.get("/api/search?q=tea")).status_code == 200


async def test_a_snippet_shows_the_first_place_in_a_long_message(api: Api, ada: Someone) -> None:
    await ada.sends("general", "begin " + "x " * 300 + "needle 😀 needle " + "y " * 300)
    result = (await search(api.user("bob"), "needle"))["results"][0]
    snippet = result["snippet"]
    units = snippet.encode("utf-16-le")
    shown = [units[2 * begin : 2 * end].decode("utf-16-le") for begin, end in result["matches"]]
    assert shown == ["needle", "needle"]
    assert snippet.startswith("…")
    assert snippet.endswith("…")
    assert len(snippet) <= 200
