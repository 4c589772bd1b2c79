"""`GET /api/server`, and preferences."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from hubbub.figures import Rate
from tests.chat_api import Api, an_api, refusal

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with an_api(tmp_path) as api:
        yield api


async def test_an_administrator_sees_the_servers_figures(api: Api) -> None:
    owner = api.user("olga", "owner")
    ada = await api.world.come("ada", "general")
    await owner.post("/api/rooms", json={"name": "attic", "kind": "private"})
    await owner.post("/api/rooms", json={"name": "old"})
    await owner.patch("/api/rooms/old", json={"archived": True})
    api.figures.note()
    for text in ("one", "two", "three"):
        await ada.sends("general", text)
    await api.world.hub.indexing.caught_up()
    api.world.clock.advance(10)
    api.figures.note()
    found = (await owner.get("/api/server")).json()
    assert found.pop("database_bytes") > 0
    assert found.pop("disk_free_bytes") > 0
    assert found.pop("lag_seconds") >= 0
    assert found.pop("commit_seconds") > 0
    assert found == {
        "version": "0",
        "started": "2027-01-15T08:00:00.000Z",
        "connections": 1,
        "users_online": 1,
        "users": 2,
        "rooms": {"public": 2, "private": 1, "direct": 0, "archived": 1},
        "entries": 10,
        "messages": 3,
        "entries_per_second": 0.3,
    }


async def test_the_counts_of_the_database_are_counted_anew_after_a_while(api: Api) -> None:
    owner = api.user("olga", "owner")
    assert (await owner.get("/api/server")).json()["users"] == 1
    api.world.person("bob")
    assert (await owner.get("/api/server")).json()["users"] == 1
    api.world.clock.advance(10)
    assert (await owner.get("/api/server")).json()["users"] == 2


@pytest.mark.parametrize("role", ["member", "bot"])
async def test_nobody_else_sees_them(api: Api, role: str) -> None:
    assert refusal(await api.user("ada", role).get("/api/server")) == (403, "forbidden", None)
    assert (await api.client().get("/api/server")).status_code == 401


async def test_a_rate_is_that_of_the_last_minute() -> None:
    rate = Rate()
    assert rate.per_second == 0
    for second in range(301):
        rate.note(float(second), second * (2 if second <= 240 else 5))
    assert rate.per_second == pytest.approx((300 * 5 - 240 * 2) / 60)


async def test_preferences_are_kept_for_each_user(api: Api) -> None:
    ada, bob = api.user("ada"), api.user("bob")
    assert (await ada.get("/api/preferences")).json() == {}
    wanted = {"language": "zh-TW", "quiet": {"from": "22:00", "to": "07:00"}, "sounds": False}
    put = await ada.put("/api/preferences", json=wanted)
    assert (put.status_code, put.json()) == (200, wanted)
    assert (await ada.get("/api/preferences")).json() == wanted
    assert (await bob.get("/api/preferences")).json() == {}
    assert (await api.client().get("/api/preferences")).status_code == 401


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("[]", "bad_payload"),
        ("null", "bad_payload"),
        ("{", "bad_json"),
        ('{"a":"%s"}' % ("x" * 4_096), "bad_payload"),
    ],
)
async def test_preferences_are_a_small_object_or_refused(api: Api, body: str, code: str) -> None:
    ada = api.user("ada")
    assert refusal(await ada.put("/api/preferences", content=body))[:2] == (400, code)
    assert (await ada.get("/api/preferences")).json() == {}
