"""Accounts by link: set-up, invitation, reset; and what administrators do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from hubbub.accounts import people
from hubbub.tickets import Identity
from tests.accounts_world import HOST, PASSWORD, World, a_world

pytestmark = pytest.mark.asyncio
NEW = "battery staple"


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as made:
        yield made


def code(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, answer.json()["code"]


def who(world: World, answer: httpx.Response) -> Identity:
    """Whom the ticket in this answer lets in."""
    assert answer.status_code == 200, answer.text
    identity = world.tickets.take(answer.json()["otp"])
    assert identity is not None
    return identity


def secret_of(link: str, page: str) -> str:
    """The secret in a link to this page."""
    start = f"{HOST}/{page}#"
    assert link.startswith(start)
    return link.removeprefix(start)


async def invite(admin: httpx.AsyncClient, **wanted: object) -> str:
    """The secret of a new invitation."""
    answer = await admin.post("/api/invitations", json=wanted)
    assert answer.status_code == 201, answer.text
    return secret_of(answer.json()["link"], "invite")


async def join(client: httpx.AsyncClient, secret: str, name: str, password: str = PASSWORD) -> httpx.Response:
    """Make an account by invitation."""
    body = {"token": secret, "username": name, "display_name": name.title(), "password": password}
    return await client.post("/invite", json=body)


# --- the set-up link


async def test_the_first_account_is_made_by_the_set_up_link_and_is_in_at_once(world: World) -> None:
    secret = await world.accounts.offer_setup()
    browser = world.browser()
    body = {"token": secret, "username": "Olga", "display_name": "Olga O.", "password": PASSWORD}
    identity = who(world, await browser.post("/setup", json=body))
    assert (identity.name, identity.role) == ("Olga", "owner")
    assert (await browser.get("/api/me")).json() == {
        "name": "Olga",
        "display_name": "Olga O.",
        "role": "owner",
    }
    assert await world.accounts.offer_setup() is None
    assert code(await browser.post("/setup", json=body)) == (410, "link_expired")


async def test_two_who_race_for_the_set_up_link_make_one_owner(world: World) -> None:
    secret = await world.accounts.offer_setup()
    bodies = [{"token": secret, "username": f"racer{number}", "password": PASSWORD} for number in range(4)]
    answers = await asyncio.gather(*(world.browser().post("/setup", json=body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [200, 410, 410, 410]
    assert [one.role for one in world.store.read_now(people.listed)] == ["owner"]


async def test_what_was_filled_in_wrongly_does_not_use_the_set_up_link_up(world: World) -> None:
    secret = await world.accounts.offer_setup()
    for name, password, said in (("a b", PASSWORD, "bad_name"), ("olga", "short", "bad_password")):
        answer = await world.browser().post(
            "/setup", json={"token": secret, "username": name, "password": password}
        )
        assert code(answer) == (400, said)
    answer = await world.browser().post(
        "/setup", json={"token": secret, "username": "olga", "password": PASSWORD}
    )
    assert answer.status_code == 200


async def test_without_the_secret_nobody_sets_up_and_no_password_is_hashed(world: World) -> None:
    await world.accounts.offer_setup()
    answer = await world.browser().post(
        "/setup", json={"token": "x", "username": "eve", "password": PASSWORD}
    )
    assert code(answer) == (410, "link_expired")
    assert world.hashers.runs == []


# --- invitations


async def test_an_invitation_makes_an_account_that_is_in_at_once(world: World) -> None:
    world.person("olga", "owner")
    admin = await world.logged_in("olga")
    secret = await invite(admin, role="admin", uses=1, hours=2)
    checked = await world.browser().post("/api/links/check", json={"token": secret, "purpose": "join"})
    assert checked.json() == {"purpose": "join", "role": "admin", "name": None, "password_characters": 8}
    browser = world.browser()
    identity = who(world, await join(browser, secret, "ada"))
    assert (identity.name, identity.display_name, identity.role) == ("ada", "Ada", "admin")
    assert (await browser.get("/api/me")).status_code == 200
    assert code(await join(world.browser(), secret, "bob")) == (410, "link_expired")
    assert code(
        await world.browser().post("/api/links/check", json={"token": secret, "purpose": "join"})
    ) == (
        410,
        "link_expired",
    )


async def test_a_name_that_is_taken_is_said_before_a_password_is_hashed_and_costs_no_use(
    world: World,
) -> None:
    world.person("olga", "owner")
    secret = await invite(await world.logged_in("olga"))
    world.hashers.runs.clear()
    refused = await join(world.browser(), secret, "OLGA")
    assert (code(refused), refused.json()["field"]) == ((409, "name_taken"), "name")
    assert code(await join(world.browser(), "made up", "ada")) == (410, "link_expired")
    assert world.hashers.runs == []
    assert (await join(world.browser(), secret, "ada")).status_code == 200


async def test_of_many_who_use_the_last_use_at_once_one_is_let_in(world: World) -> None:
    world.person("olga", "owner")
    secret = await invite(await world.logged_in("olga"), uses=2)
    answers = await asyncio.gather(*(join(world.browser(), secret, f"user{number}") for number in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 410, 410, 410, 410]


async def test_invitations_are_listed_without_their_secrets_and_can_be_withdrawn(world: World) -> None:
    world.person("olga", "owner")
    admin = await world.logged_in("olga")
    secret = await invite(admin, uses=3, hours=1)
    listed = await admin.get("/api/invitations")
    assert secret not in listed.text
    (one,) = listed.json()["invitations"]
    number = one.pop("id")
    assert one == {
        "role": "member",
        "uses_left": 3,
        "created": "2027-01-15T08:00:00.000Z",
        "created_by": "olga",
        "expires": "2027-01-15T09:00:00.000Z",
    }
    assert (await admin.delete(f"/api/invitations/{number}")).status_code == 204
    assert code(await admin.delete(f"/api/invitations/{number}")) == (404, "not_found")
    assert code(await join(world.browser(), secret, "ada")) == (410, "link_expired")
    assert (await admin.get("/api/invitations")).json() == {"invitations": []}


@pytest.mark.parametrize(
    "wanted", [{"uses": 0}, {"uses": 10_001}, {"hours": 0}, {"hours": 1e9}, {"role": "king"}]
)
async def test_an_invitation_without_sense_is_refused_and_the_field_named(
    world: World, wanted: dict[str, object]
) -> None:
    world.person("olga", "owner")
    answer = await (await world.logged_in("olga")).post("/api/invitations", json=wanted)
    assert (code(answer), answer.json()["field"]) == ((400, "bad_payload"), next(iter(wanted)))


async def test_expired_links_are_swept(world: World) -> None:
    world.person("olga", "owner")
    await invite(await world.logged_in("olga"), hours=1)
    world.clock.advance(3_601)
    await world.tend()
    count = world.store.read_now(lambda c: c.exec_driver_sql("SELECT count(*) FROM invitations").scalar_one())
    assert count == 0


# --- a new password


async def test_a_reset_link_sets_a_password_once_and_ends_all_that_was_open(world: World) -> None:
    world.person("olga", "owner")
    ada = world.person("ada")
    before = await world.logged_in("ada")
    admin = await world.logged_in("olga")
    made = await admin.post("/api/users/Ada/reset-password")
    secret = secret_of(made.json()["link"], "reset")
    assert made.json()["expires"] == "2027-01-16T08:00:00.000Z"
    assert (await before.post("/ticket")).status_code == 200
    checked = await world.browser().post("/api/links/check", json={"token": secret, "purpose": "reset"})
    assert checked.json()["name"] == "ada"
    short = await world.browser().post("/reset", json={"token": secret, "password": "short"})
    assert code(short) == (400, "bad_password")
    browser = world.browser()
    assert who(world, await browser.post("/reset", json={"token": secret, "password": NEW})).user_id == ada.id
    assert world.hub.ended == [("user", ada.id)]
    assert (await before.post("/ticket")).status_code == 401
    assert (await browser.post("/ticket")).status_code == 200
    assert code(await world.browser().post("/reset", json={"token": secret, "password": NEW})) == (
        410,
        "link_expired",
    )
    login = await world.browser().post("/login", json={"username": "ada", "password": NEW})
    assert login.status_code == 200


async def test_a_reset_link_makes_no_account_and_an_invitation_sets_no_password(world: World) -> None:
    world.person("olga", "owner")
    admin = await world.logged_in("olga")
    reset = secret_of((await admin.post("/api/users/olga/reset-password")).json()["link"], "reset")
    invitation = await invite(admin)
    assert code(await join(world.browser(), reset, "eve")) == (410, "link_expired")
    answer = await world.browser().post("/reset", json={"token": invitation, "password": NEW})
    assert code(answer) == (410, "link_expired")


# --- administrators


async def test_administrators_list_accounts_in_pages(world: World) -> None:
    world.person("olga", "owner")
    for name in ("ada", "bob", "cid"):
        world.person(name, password=None)
    admin = await world.logged_in("olga")
    first = (await admin.get("/api/users?limit=2")).json()
    assert [one["name"] for one in first["users"]] == ["ada", "bob"]
    assert first["more"]
    rest = (await admin.get("/api/users?limit=2&after=bob")).json()
    assert [one["name"] for one in rest["users"]] == ["cid", "olga"]
    assert not rest["more"]
    found = (await admin.get("/api/users?q=OL")).json()["users"]
    assert found == [
        {
            "name": "olga",
            "display_name": "",
            "role": "owner",
            "disabled": False,
            "created": "2027-01-15T08:00:00.000Z",
        }
    ]
    for limit in ("0", "1001", "x", "-1", "1e3"):
        assert code(await admin.get(f"/api/users?limit={limit}")) == (400, "bad_payload")


async def test_disabling_somebody_ends_everything_of_theirs_at_once(world: World) -> None:
    world.person("olga", "owner")
    ada = world.person("ada")
    token = world.token(ada)
    browser, program = await world.logged_in("ada"), world.browser(authorization=f"Bearer {token}")
    tickets = [(await client.post("/ticket")).json()["otp"] for client in (browser, program)]
    admin = await world.logged_in("olga")
    answer = await admin.patch("/api/users/ADA", json={"disabled": True})
    assert answer.json()["disabled"]
    assert world.hub.ended == [("user", ada.id)]
    assert [world.tickets.take(ticket) for ticket in tickets] == [None, None]
    assert [(await client.post("/ticket")).status_code for client in (browser, program)] == [401, 401]
    login = {"username": "ada", "password": PASSWORD}
    assert (await world.browser().post("/login", json=login)).status_code == 401
    assert not (await admin.patch("/api/users/ada", json={"disabled": False})).json()["disabled"]
    assert (await world.browser().post("/login", json=login)).status_code == 200
    assert (await browser.post("/ticket")).status_code == 401
    assert (await program.post("/ticket")).status_code == 200


async def test_a_change_of_role_is_known_at_the_next_request_and_closes_what_was_open(world: World) -> None:
    world.person("olga", "owner")
    ada = world.person("ada")
    browser = await world.logged_in("ada")
    assert (await browser.get("/api/me")).json()["role"] == "member"
    admin = await world.logged_in("olga")
    assert (await admin.patch("/api/users/ada", json={"role": "admin"})).json()["role"] == "admin"
    assert (await browser.get("/api/me")).json()["role"] == "admin"
    assert world.hub.ended == [("user", ada.id)]
    assert (await admin.patch("/api/users/ada", json={"role": "admin"})).status_code == 200
    assert (await admin.patch("/api/users/ada", json={})).status_code == 200
    assert world.hub.ended == [("user", ada.id)]


async def test_nobody_but_administrators_administers(world: World) -> None:
    world.person("olga", "owner")
    for name, role in (("ada", "member"), ("robot", "bot")):
        world.person(name, role)
        client = await world.logged_in(name)
        for method, path, body in (
            ("GET", "/api/users", None),
            ("PATCH", "/api/users/ada", {"role": "owner"}),
            ("PATCH", "/api/users/nobody", {"disabled": True}),
            ("POST", "/api/users/olga/reset-password", None),
            ("POST", "/api/invitations", {}),
            ("GET", "/api/invitations", None),
            ("DELETE", "/api/invitations/1", None),
        ):
            assert code(await client.request(method, path, json=body)) == (403, "forbidden"), (name, path)
            assert (await world.browser().request(method, path, json=body)).status_code == 401, path
    assert [one.role for one in world.store.read_now(people.listed)] == ["member", "owner", "bot"]


async def test_admins_do_not_touch_owners_and_the_last_owner_stays(world: World) -> None:
    world.person("olga", "owner")
    world.person("adam", "admin")
    admin, owner = await world.logged_in("adam"), await world.logged_in("olga")
    for path, body in (
        ("/api/users/olga", {"disabled": True}),
        ("/api/users/olga", {"role": "member"}),
        ("/api/users/adam", {"role": "owner"}),
    ):
        assert code(await admin.patch(path, json=body)) == (403, "forbidden")
    assert code(await admin.post("/api/users/olga/reset-password")) == (403, "forbidden")
    assert code(await admin.post("/api/invitations", json={"role": "owner"})) == (403, "forbidden")
    for body in ({"disabled": True}, {"role": "admin"}):
        assert code(await owner.patch("/api/users/olga", json=body)) == (409, "conflict")
    assert (await owner.patch("/api/users/adam", json={"role": "owner"})).status_code == 200
    assert (
        await owner.patch("/api/users/olga", json={"role": "member", "disabled": True})
    ).status_code == 200


async def test_of_a_change_in_two_parts_both_are_made_or_none(world: World) -> None:
    world.person("olga", "owner")
    world.person("otto", "owner")
    owner = await world.logged_in("olga")
    world.store.write_now(lambda c: people.disable(c, "otto", now=world.now))
    assert code(await owner.patch("/api/users/olga", json={"role": "owner", "disabled": True})) == (
        409,
        "conflict",
    )
    answer = await owner.patch("/api/users/otto", json={"role": "king", "disabled": False})
    assert code(answer) == (400, "bad_payload")
    assert world.store.read_now(lambda c: people.find(c, "otto")).disabled
    assert code(await owner.patch("/api/users/nobody", json={})) == (404, "no_such_user")


async def test_members_find_whom_to_mention(world: World) -> None:
    for name in ("ada", "adam", "bob"):
        world.person(name, password=PASSWORD if name == "bob" else None)
    world.store.write_now(lambda c: people.disable(c, "adam", now=world.now))
    bob = await world.logged_in("bob")
    assert (await bob.get("/api/people?q=ad")).json() == {
        "people": [{"name": "ada", "display_name": "", "role": "member", "disabled": False}],
        "more": False,
    }
    assert (await bob.get("/api/people?limit=1")).json()["more"]
    named = (await bob.get("/api/people?names=ADA,,adam,nobody")).json()
    assert [(one["name"], one["disabled"]) for one in named["people"]] == [("ada", False), ("adam", True)]
    too_many = ",".join(f"n{number}" for number in range(201))
    assert code(await bob.get(f"/api/people?names={too_many}")) == (400, "bad_payload")
    assert (await world.browser().get("/api/people")).status_code == 401
