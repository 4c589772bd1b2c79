"""The audit log: what leaves an entry, what is in it, who reads it, and that it is no attack by itself."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import Connection, select

from hubbub.accounts import audit, audit_gathering
from hubbub.accounts.audit import CHANGES, KINDS, Stamp, Tally, record
from hubbub.accounts.audit_gathering import CHUNK, MOST_REFUSALS, NAMED_PER_ADDRESS, WINDOW_SECONDS, Audit
from hubbub.errors import UNAVAILABLE, Refused
from hubbub.log import schema
from hubbub.log.store import Store, open_store
from tests.accounts_world import PASSWORD, World, a_world
from tests.fakes import FakeClock

pytestmark = pytest.mark.asyncio

NEW = "another horse"


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as made:
        made.person("ada")
        made.person("olga", "owner")
        yield made


@pytest_asyncio.fixture
async def log(tmp_path: Path) -> AsyncIterator[Audit]:
    store = open_store(f"sqlite:///{tmp_path / 'log.db'}")
    yield Audit(store, FakeClock())
    store.close()


async def entries(world: World, query: str = "") -> list[dict[str, Any]]:
    """The audit log as the owner reads it, but for the entry of the token that she reads it with."""
    person = world.store.read_now(lambda c: _person_id(c, "olga"))
    token = world.store.write_now(lambda c: audit_token(c, person))
    answer = await world.browser(authorization=f"Bearer {token}").get(f"/api/audit{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["entries"]
    return found


def audit_token(connection: Any, user_id: int) -> str:
    from hubbub.accounts import bearer

    return bearer.create(connection, user_id, now=0)


def _person_id(connection: Any, name: str) -> int:
    from hubbub.accounts import people

    return people.find(connection, name).id


def said(entry: dict[str, Any]) -> tuple[str, str | None, str | None, str | None]:
    """What happened, by whom, about whom, from where."""
    return entry["kind"], entry["who"], entry["about"], entry["address"]


# --- refusals


async def _log_in(client: httpx.AsyncClient, name: str, password: str) -> httpx.Response:
    return await client.post("/login", json={"username": name, "password": password})


async def test_a_wrong_password_and_the_lock_after_many_leave_an_entry_each_with_a_count(
    world: World,
) -> None:
    stranger = world.browser("192.0.2.7")
    statuses = [(await _log_in(stranger, "Ada", "wrong guess")).status_code for _ in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    locked, wrong = await entries(world)
    assert said(wrong) == ("wrong_password", None, "ada", "192.0.2.7")
    assert said(locked) == ("locked_out", None, "ada", "192.0.2.7")
    assert (wrong["count"], locked["count"]) == (10, 2)


async def test_what_was_typed_for_a_name_that_nobody_has_is_in_no_entry(world: World) -> None:
    """It may be the password, in the wrong field."""
    await _log_in(world.browser(), "correct horse", "ada")
    (entry,) = await entries(world)
    assert said(entry) == ("wrong_password", None, None, "127.0.0.1")
    assert entry["detail"] == ""


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({"authorization": "Bearer hub_made-up"}, "bad_token"),
        ({"cookie": "hubbub_session=made-up"}, "bad_session"),
        ({"origin": "https://evil.test"}, "foreign_origin"),
        ({"sec-fetch-site": "cross-site"}, "foreign_origin"),
    ],
)
async def test_a_bad_proof_or_a_foreign_page_leaves_an_entry(
    world: World, headers: dict[str, str], kind: str
) -> None:
    assert (await world.browser("192.0.2.8", **headers).post("/ticket")).status_code in (401, 403)
    (entry,) = await entries(world)
    assert said(entry) == (kind, None, None, "192.0.2.8")


async def test_one_who_shows_nothing_at_all_leaves_none(world: World) -> None:
    assert (await world.browser().get("/api/me")).status_code == 401
    assert await entries(world) == []


async def test_who_asks_for_what_is_for_administrators_is_named(world: World) -> None:
    ada = await world.logged_in("ada")
    for path in ("/api/users", "/api/invitations", "/api/audit"):
        assert (await ada.get(path)).status_code == 403
    forbidden, login = await entries(world)
    assert said(forbidden) == ("forbidden", "ada", None, "127.0.0.1")
    assert forbidden["count"] == 3
    assert said(login) == ("login", "ada", "ada", "127.0.0.1")


async def test_a_link_that_can_not_be_used_leaves_an_entry_without_its_secret(world: World) -> None:
    for path in ("/invite", "/setup"):
        body = {"token": "made-up-secret", "username": "eve", "password": PASSWORD}
        assert (await world.browser().post(path, json=body)).status_code == 410
    check = {"token": "made-up-secret", "purpose": "join"}
    assert (await world.browser().post("/api/links/check", json=check)).status_code == 410
    (entry,) = await entries(world)
    assert (entry["kind"], entry["count"]) == ("bad_link", 3)
    assert "made-up" not in repr(entry)


# --- changes of rights


async def test_every_change_of_rights_leaves_an_entry(world: World) -> None:
    olga = await world.logged_in("olga")
    assert (await olga.patch("/api/users/ada", json={"role": "admin"})).status_code == 200
    assert (await olga.patch("/api/users/ada", json={"disabled": True})).status_code == 200
    assert (await olga.patch("/api/users/ada", json={"disabled": False})).status_code == 200
    assert (await olga.patch("/api/users/ada", json={"disabled": False})).status_code == 200  # no change
    made = (await olga.post("/api/invitations", json={"uses": 2})).json()
    joined = {"token": made["link"].rpartition("#")[2], "username": "Bob", "password": PASSWORD}
    assert (await world.browser("192.0.2.9").post("/invite", json=joined)).status_code == 200
    assert (await olga.delete(f"/api/invitations/{made['id']}")).status_code == 204
    link = (await olga.post("/api/users/ada/reset-password")).json()["link"]
    reset = {"token": link.rpartition("#")[2], "password": NEW}
    ada = world.browser()
    assert (await ada.post("/reset", json=reset)).status_code == 200
    change = {"password": PASSWORD, "current_password": NEW}
    assert (await ada.patch("/api/me", json=change)).status_code == 200
    assert (await ada.delete("/api/sessions")).status_code == 200
    assert (await olga.post("/logout")).status_code == 204
    found = [entry for entry in reversed(await entries(world)) if entry["kind"] in CHANGES]
    assert [(*said(entry)[:3], entry["detail"]) for entry in found] == [
        ("role", "olga", "ada", "member to admin"),
        ("disabled", "olga", "ada", ""),
        ("enabled", "olga", "ada", ""),
        ("invitation_made", "olga", None, "number 1, member, 2 uses, 168 hours"),
        ("invitation_used", "Bob", "Bob", "number 1, member, invited by olga"),
        ("invitation_withdrawn", "olga", None, "number 1"),
        ("reset_link_made", "olga", "ada", ""),
        ("password_reset", "ada", "ada", "by a link of olga"),
        ("password_changed", "ada", "ada", ""),
    ]
    assert found[4]["address"] == "192.0.2.9"
    visits = {said(entry)[:2] for entry in await entries(world) if entry["kind"] not in CHANGES}
    assert {("login", "olga"), ("login", "Bob"), ("session_ended", "ada"), ("logout", "olga")} <= visits


async def test_a_change_that_is_refused_leaves_no_entry_of_itself(world: World) -> None:
    olga = await world.logged_in("olga")
    both = {"role": "member", "disabled": True}
    assert (await olga.patch("/api/users/olga", json=both)).status_code == 409
    assert [entry["kind"] for entry in await entries(world)] == ["login"]


async def test_no_secret_is_in_the_table(world: World) -> None:
    olga = await world.logged_in("olga")
    link = (await olga.post("/api/invitations", json={})).json()["link"].rpartition("#")[2]
    reset = (await olga.post("/api/users/ada/reset-password")).json()["link"].rpartition("#")[2]
    await _log_in(world.browser(), "ada", "a wrong secret")
    await world.browser(authorization="Bearer hub_secret").get("/api/me")
    await entries(world)
    kept = repr(world.store.read_now(lambda c: c.execute(select(schema.audit)).all()))
    for secret in (PASSWORD, link, reset, "a wrong secret", "hub_secret", olga.cookies["hubbub_session"]):
        assert secret not in kept


# --- reading


async def test_it_is_read_in_pages_and_by_kind(world: World) -> None:
    for number in range(5):
        world.store.write_now(
            lambda c, at=number: record(c, Stamp(at, ""), "role", about=f"p{at}")  # type: ignore[misc]
        )
    first = await entries(world, "?limit=2")
    assert [entry["about"] for entry in first] == ["p4", "p3"]
    rest = await entries(world, f"?before={first[-1]['id']}")
    assert [entry["about"] for entry in rest] == ["p2", "p1", "p0"]
    assert await entries(world, "?kind=restored") == []


@pytest.mark.parametrize("query", ["?limit=0", "?limit=1001", "?before=x", "?kind=' OR 1=1 --", "?kind="])
async def test_a_question_without_sense_is_refused(world: World, query: str) -> None:
    olga = await world.logged_in("olga")
    answer = await olga.get(f"/api/audit{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_payload")


# --- it is no attack by itself


async def test_nothing_that_breaks_a_line_colours_it_or_turns_it_round_gets_in() -> None:
    hostile = "a\nb\rc\x1b[31md\u2028e\u202ef\x00g\ud800h"
    assert audit.plain(hostile) == "a�b�c�[31md�e�f�g�h"
    assert len(audit.plain("x" * 1_000)) == 64


async def test_a_million_refusals_of_one_address_are_one_entry_and_no_write_meanwhile(log: Audit) -> None:
    for _ in range(1_000):
        log.note("bad_ticket", address="192.0.2.1")
    assert len(log) == 1
    (entry,) = await log.listed(before=None, kind=None, limit=10)
    assert (entry.count, entry.address) == (1_000, "192.0.2.1")
    log.note("bad_ticket", address="192.0.2.1")
    (entry,) = await log.listed(before=None, kind=None, limit=10)
    assert entry.count == 1_001


async def test_one_address_fills_no_more_than_its_share_whomever_it_tries(log: Audit) -> None:
    for number in range(500):
        log.note("wrong_password", about=f"person {number}", address="192.0.2.1")
    found = await log.listed(before=None, kind=None, limit=1_000)
    assert len(found) == NAMED_PER_ADDRESS + 1
    assert sum(entry.count for entry in found) == 500


async def test_the_addresses_of_one_network_of_ipv6_are_counted_together(log: Audit) -> None:
    for number in range(1, 100):
        log.note("bad_token", address=f"2001:db8::{number:x}")
    (entry,) = await log.listed(before=None, kind=None, limit=10)
    assert (entry.count, entry.address) == (99, "2001:db8::1")


async def test_however_many_addresses_there_are_the_memory_is_bounded_and_all_are_counted(log: Audit) -> None:
    for number in range(3 * MOST_REFUSALS):
        log.note("bad_token", address=f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(log) <= MOST_REFUSALS + len(KINDS)
    found = await log.listed(before=None, kind=None, limit=10_000)
    assert sum(entry.count for entry in found) == 3 * MOST_REFUSALS


async def test_after_ten_minutes_the_same_again_is_another_entry(tmp_path: Path) -> None:
    clock, store = FakeClock(), open_store(f"sqlite:///{tmp_path / 'log.db'}")
    log = Audit(store, clock)
    log.note("bad_token", address="192.0.2.1")
    clock.advance(WINDOW_SECONDS)
    log.note("bad_token", address="192.0.2.1")
    found = await log.listed(before=None, kind=None, limit=10)
    assert [entry.count for entry in found] == [1, 1]
    assert found[0].at - found[1].at == WINDOW_SECONDS * 1000
    store.close()


async def test_it_is_written_a_little_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, store = FakeClock(), open_store(f"sqlite:///{tmp_path / 'log.db'}")
    log = Audit(store, clock)
    written: list[int] = []
    begin = audit.begin

    def counted(connection: Connection, tallies: Sequence[Tally]) -> list[int]:
        written.append(len(tallies))
        return begin(connection, tallies)

    monkeypatch.setattr(audit, "begin", counted)
    for number in range(3 * CHUNK):
        log.note("bad_token", address=f"192.0.2.{number}")
    for _ in range(10):
        await log.tend()  # no second has passed since the first
    clock.advance(audit_gathering.FLUSH_SECONDS)
    await log.tend()
    assert written == [CHUNK, CHUNK]
    store.close()


async def test_while_the_database_fails_nothing_is_lost_and_nobody_is_refused_for_it(
    log: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.note("bad_token", address="192.0.2.1")

    async def fails(_self: Store, _change: object) -> None:
        raise Refused(UNAVAILABLE)

    with monkeypatch.context() as patched:
        patched.setattr(Store, "write", fails)
        await log.tend()
        log.note("bad_token", address="192.0.2.1")
    (entry,) = await log.listed(before=None, kind=None, limit=10)
    assert entry.count == 2


async def test_what_is_written_while_the_server_goes_down_is_written_once(
    log: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on, begin = threading.Event(), threading.Event(), audit.begin

    def held(connection: Connection, tallies: Sequence[Tally]) -> list[int]:
        begun.set()
        go_on.wait(30)
        return begin(connection, tallies)

    monkeypatch.setattr(audit, "begin", held)
    log.note("bad_token", address="192.0.2.1")
    tending = asyncio.create_task(log.tend())
    await asyncio.to_thread(begun.wait, 30)
    tending.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await tending
    assert [entry.count for entry in await log.listed(before=None, kind=None, limit=10)] == [1]


async def test_the_newest_are_kept_and_no_flood_of_refusals_pushes_a_change_out(
    log: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "MOST_VISITS", 5)
    monkeypatch.setattr(audit, "MOST_CHANGES", 3)
    for number in range(5):
        await log._store.write(
            lambda c, about=f"p{number}": record(c, Stamp(0, ""), "role", about=about)  # type: ignore[misc]
        )
    for number in range(2 * CHUNK):
        log.note("bad_token", address=f"192.0.2.{number}")
    found = await log.listed(before=None, kind=None, limit=1_000)
    assert [entry.address for entry in found if entry.kind == "bad_token"] == [
        f"192.0.2.{number}" for number in range(2 * CHUNK - 1, 2 * CHUNK - 6, -1)
    ]
    assert [entry.about for entry in found if entry.kind == "role"] == ["p4", "p3", "p2"]
