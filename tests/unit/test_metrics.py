"""What is counted, as Prometheus reads it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from hubbub.http.metrics import metrics_routes
from tests.chat_world import ChatWorld, a_chat

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[ChatWorld]:
    async with a_chat(tmp_path) as world:
        yield world


async def figures(world: ChatWorld) -> dict[str, float]:
    """Every sample of the answer, by name and labels."""
    transport = httpx.ASGITransport(Starlette(routes=metrics_routes(world.hub)))
    async with httpx.AsyncClient(transport=transport, base_url="http://chat.test") as client:
        answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return {
        sample.name + "".join(f"[{value}]" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_the_figures_are_those_of_what_happened(world: ChatWorld) -> None:
    before = await figures(world)
    ada, bob = await world.come("ada", "tea"), await world.come("bob", "tea")
    basic = await world.come_basic("carol")
    await ada.sends("tea", "one", "1")
    await ada.sends("tea", "one again", "1")
    await bob.is_refused("enter", room="a/b")
    await bob.is_refused("nonsense")
    bob.client.fall_behind(0.0)
    await world.settled()
    now = await figures(world)
    unsteady = ("process_", "python_", "hubbub_commit_s", "hubbub_last_c", "hubbub_lag", "hubbub_loop_d")
    changed = {
        name: now[name] - before.get(name, 0)
        for name in now
        if now[name] != before.get(name, 0) and not name.startswith(unsteady)
    }
    assert changed == {
        "hubbub_connections": 3,
        "hubbub_users": 3,
        "hubbub_rooms": 2,
        "hubbub_readers_behind": 1,
        "hubbub_connects_total": 3,
        "hubbub_enters_total": 2,
        "hubbub_events_total": 6,
        "hubbub_deliveries_total": 3,  # bob's joining to ada, and the message to both
        "hubbub_fell_behind_total": 1,
        "hubbub_entries_total": 5,
        "hubbub_batches_total": 5,
        "hubbub_refusals_total[bad_name]": 1,
        "hubbub_refusals_total[unknown_type]": 1,
    }
    assert now["hubbub_commit_seconds_total"] > before["hubbub_commit_seconds_total"]
    assert {"hubbub_last_commit_seconds", "hubbub_lag_seconds", "hubbub_loop_delay_seconds"} <= now.keys()
    assert basic.transport.is_open()
    assert now["hubbub_pending_changes"] == now["hubbub_failed_batches_total"] == 0
    assert now["process_resident_memory_bytes"] > 0


async def test_two_hubs_in_one_process_are_counted_apart(world: ChatWorld, tmp_path: Path) -> None:
    async with a_chat(tmp_path / "other") as other:
        await other.come("ada")
        assert (await figures(world))["hubbub_connections"] == 0
        assert (await figures(other))["hubbub_connections"] == 1
