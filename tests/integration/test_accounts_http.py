"""Getting in and out over HTTP, against the whole application on a database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from argon2 import PasswordHasher

from hubbub.accounts import bearer, people, sessions
from hubbub.errors import Refused
from hubbub.http.health import check
from hubbub.tickets import Identity
from tests.accounts_world import PASSWORD, World, a_world

pytestmark = pytest.mark.asyncio

WRONG = {"code": "wrong_password", "message": "The name or the password is wrong.", "retry": False}


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with a_world(tmp_path) as made:
        yield made


async def try_login(client: httpx.AsyncClient, name: str, password: str = PASSWORD) -> httpx.Response:
    """What the server says to this name and password."""
    return await client.post("/login", json={"username": name, "password": password})


def code(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    return answer.status_code, answer.json()["code"]


def who(world: World, answer: httpx.Response) -> Identity:
    """Whom the ticket in this answer lets in."""
    assert answer.status_code == 200, answer.text
    identity = world.tickets.take(answer.json()["otp"])
    assert identity is not None
    return identity


async def test_login_gives_a_ticket_and_a_cookie_that_scripts_can_not_read(world: World) -> None:
    ada = world.person("Ada")
    answer = await try_login(world.browser(), "ada")
    assert set(answer.json()) == {"otp"}
    identity = who(world, answer)
    assert (identity.user_id, identity.name, identity.role) == (ada.id, "Ada", "member")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("hubbub_session=")
    assert cookie.endswith("; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax")


async def test_the_tutorials_page_sends_its_json_as_text(world: World) -> None:
    world.person("ada")
    body = '{"username":"ada","password":"correct horse"}'
    answer = await world.browser().post(
        "/login", content=body, headers={"content-type": "text/plain;charset=UTF-8"}
    )
    assert answer.status_code == 200


async def test_a_wrong_password_and_a_name_nobody_has_are_answered_alike_after_the_same_work(
    world: World,
) -> None:
    world.person("ada")
    world.person("dis")
    world.store.write_now(lambda c: people.disable(c, "dis", now=world.now))
    world.person("bot", "bot", password=None)
    answers = []
    for name, password in (
        ("ada", "wrong"),
        ("nobody", "wrong"),
        ("dis", PASSWORD),
        ("bot", ""),
        ("a b/\x00", "x"),
    ):
        world.hashers.runs.clear()
        answer = await try_login(world.browser(), name, password)
        headers = {key: value for key, value in answer.headers.items() if key != "date"}
        answers.append((answer.status_code, answer.json(), headers, list(world.hashers.runs)))
    assert answers[0][:2] == (401, WRONG)
    assert answers[0][3] == ["verify"]
    assert answers == [answers[0]] * 5


async def test_ten_wrong_passwords_lock_the_account_for_a_while_and_nobody_elses(world: World) -> None:
    world.person("ada")
    world.person("bob")
    stranger, ada = world.browser("192.0.2.1"), world.browser("192.0.2.2")
    assert [(await try_login(stranger, "ada", "wrong")).status_code for _ in range(11)] == [401] * 10 + [429]
    refused = await try_login(ada, "ADA")
    assert code(refused) == (429, "rate_limited")
    assert refused.headers["retry-after"] == "6"
    assert (await try_login(stranger, "bob")).status_code == 200
    world.clock.advance(6)
    assert (await try_login(ada, "ada")).status_code == 200


async def test_a_name_nobody_has_is_limited_just_the_same(world: World) -> None:
    stranger = world.browser()
    assert [(await try_login(stranger, "nobody")).status_code for _ in range(11)] == [401] * 10 + [429]


async def test_thirty_wrong_passwords_at_any_accounts_lock_the_address_and_no_other(world: World) -> None:
    world.person("ada")
    stranger = world.browser("192.0.2.1")
    for number in range(30):
        assert (await try_login(stranger, f"user{number}", "wrong")).status_code == 401
    assert (await try_login(stranger, "ada")).status_code == 429
    assert (await try_login(world.browser("192.0.2.2"), "ada")).status_code == 200


async def test_a_stranger_who_guesses_does_not_keep_out_who_is_in_already_elsewhere(world: World) -> None:
    world.person("ada")
    ada = world.browser("192.0.2.2")
    assert (await try_login(ada, "ada")).status_code == 200
    stranger = world.browser("192.0.2.1")
    for _ in range(11):
        await try_login(stranger, "ada", "wrong")
    assert (await try_login(world.browser("192.0.2.1"), "ada")).status_code == 429
    assert (await try_login(world.browser("192.0.2.2"), "ada")).status_code == 200


async def test_guesses_side_by_side_are_no_more_than_guesses_in_a_row(world: World) -> None:
    world.person("ada")
    answers = await asyncio.gather(
        *(try_login(world.browser(), "ada", f"wrong{number}") for number in range(25))
    )
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(401), statuses.count(429)) == (10, 15)


async def test_the_right_password_of_a_disabled_account_counts_as_any_wrong_one(world: World) -> None:
    world.person("ada")
    world.store.write_now(lambda c: people.disable(c, "ada", now=world.now))
    assert [(await try_login(world.browser(), "ada")).status_code for _ in range(11)] == [401] * 10 + [429]


async def test_with_the_limit_off_nobody_is_locked(tmp_path: Path) -> None:
    async with a_world(tmp_path, limit_logins=0) as world:
        statuses = [(await try_login(world.browser(), "ada", "wrong")).status_code for _ in range(32)]
        assert statuses == [401] * 32


async def test_the_cookie_gives_tickets_without_a_password_hash(world: World) -> None:
    world.person("ada")
    ada = await world.logged_in("ada")
    world.hashers.runs.clear()
    first, second = await ada.post("/ticket"), await ada.post("/ticket")
    assert who(world, first) == who(world, second)
    assert world.hashers.runs == []


async def test_a_bearer_token_gives_tickets_and_reads_the_interface(world: World) -> None:
    bot = world.person("robot", "bot", password=None)
    program = world.browser(authorization=f"Bearer {world.token(bot)}")
    identity = who(world, await program.post("/ticket"))
    assert (identity.user_id, identity.session_id) == (bot.id, None)
    assert identity.token_id is not None
    assert (await program.get("/api/me")).json() == {"name": "robot", "display_name": "", "role": "bot"}


@pytest.mark.parametrize(
    "authorization", ["Bearer hub_made-up", "Bearer ", "Bearer x", "Basic YTpi", "hub_x"]
)
async def test_without_a_good_cookie_or_token_there_is_no_ticket(world: World, authorization: str) -> None:
    for client in (
        world.browser(),
        world.browser(cookie="hubbub_session=made-up"),
        world.browser(cookie="hubbub_session="),
        world.browser(authorization=authorization),
    ):
        answer = await client.post("/ticket")
        assert code(answer) == (401, "unauthorized")
        assert "www-authenticate" in answer.headers


async def test_tickets_are_limited_per_session(tmp_path: Path) -> None:
    async with a_world(tmp_path, limit_tickets=1.0) as world:
        world.person("ada")
        one, other = await world.logged_in("ada"), await world.logged_in("ada")
        statuses = [(await one.post("/ticket")).status_code for _ in range(11)]
        assert statuses == [200] * 10 + [429]
        assert (await other.post("/ticket")).status_code == 200


async def test_logging_out_ends_the_session_its_sockets_and_its_tickets(world: World) -> None:
    world.person("ada")
    ada, elsewhere = await world.logged_in("ada"), await world.logged_in("ada")
    ticket = (await ada.post("/ticket")).json()["otp"]
    session = who(world, await ada.post("/ticket")).session_id
    cookie = ada.cookies["hubbub_session"]
    answer = await ada.post("/logout")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert world.hub.ended == [("session", session)]
    assert world.tickets.take(ticket) is None
    assert (await world.browser(cookie=f"hubbub_session={cookie}").post("/ticket")).status_code == 401
    assert (await elsewhere.post("/ticket")).status_code == 200
    assert (await ada.post("/logout")).status_code == 204


async def test_logging_in_again_changes_the_cookie_and_keeps_the_session(world: World) -> None:
    world.person("ada")
    ada = await world.logged_in("ada")
    before, session = ada.cookies["hubbub_session"], who(world, await ada.post("/ticket")).session_id
    assert who(world, await try_login(ada, "ada")).session_id == session
    assert ada.cookies["hubbub_session"] != before
    assert (await world.browser(cookie=f"hubbub_session={before}").post("/ticket")).status_code == 401
    assert world.hub.ended == []
    assert len((await ada.get("/api/sessions")).json()["sessions"]) == 1


async def test_when_somebody_else_logs_in_the_session_before_ends(world: World) -> None:
    world.person("ada")
    world.person("bob")
    browser = await world.logged_in("ada")
    before, session = browser.cookies["hubbub_session"], who(world, await browser.post("/ticket")).session_id
    assert (await try_login(browser, "bob")).status_code == 200
    assert world.hub.ended == [("session", session)]
    assert (await world.browser(cookie=f"hubbub_session={before}").post("/ticket")).status_code == 401
    assert (await browser.get("/api/me")).json()["name"] == "bob"


async def test_a_session_lasts_for_its_days_and_no_longer(world: World) -> None:
    world.person("ada")
    ada = await world.logged_in("ada")
    identity = who(world, await ada.post("/ticket"))
    world.clock.advance(30 * 86_400 - 1)
    assert (await ada.post("/ticket")).status_code == 200
    world.clock.advance(1)
    assert (await ada.post("/ticket")).status_code == 401
    await world.tend(identity)
    assert world.hub.ended == [("session", identity.session_id)]


async def test_people_see_their_sessions_and_which_is_this_one(world: World) -> None:
    world.person("ada")
    world.person("bob")
    await world.logged_in("bob")
    phone = await world.logged_in("ada", **{"user-agent": "Phone"})
    world.clock.advance(60)
    desk = await world.logged_in("ada", **{"user-agent": "D" * 500})
    listed = (await desk.get("/api/sessions")).json()["sessions"]
    assert [(one["agent"], one["current"], one["address"]) for one in listed] == [
        ("D" * 200, True, "127.0.0.1"),
        ("Phone", False, "127.0.0.1"),
    ]
    assert listed[1]["created"] == "2027-01-15T08:00:00.000Z"
    assert listed[1]["expires"] == "2027-02-14T08:00:00.000Z"
    assert (await phone.get("/api/sessions")).json()["sessions"][1]["current"]


async def test_when_a_session_was_last_seen_is_written_once_a_minute(world: World) -> None:
    world.person("ada")
    ada = await world.logged_in("ada")
    for _ in range(3):
        world.clock.advance(50)
        await ada.post("/ticket")
        await world.tend()
    world.clock.advance(70)
    await world.tend()
    assert (await ada.get("/api/sessions")).json()["sessions"][0]["seen"] == "2027-01-15T08:01:40.000Z"


async def test_one_ends_a_session_of_ones_own_and_none_of_others(world: World) -> None:
    world.person("ada")
    world.person("bob")
    ada, phone, bob = await world.logged_in("ada"), await world.logged_in("ada"), await world.logged_in("bob")
    lost = who(world, await phone.post("/ticket")).session_id
    for missing in (lost if lost is None else lost + 100, "x", "-1", "9" * 30):
        assert code(await ada.delete(f"/api/sessions/{missing}")) == (404, "not_found")
    assert code(await bob.delete(f"/api/sessions/{lost}")) == (404, "not_found")
    assert (await phone.post("/ticket")).status_code == 200
    assert (await ada.delete(f"/api/sessions/{lost}")).status_code == 204
    assert world.hub.ended == [("session", lost)]
    assert (await phone.post("/ticket")).status_code == 401
    assert (await ada.post("/ticket")).status_code == 200


async def test_one_ends_all_other_sessions_or_all(world: World) -> None:
    world.person("ada")
    browsers = [await world.logged_in("ada") for _ in range(3)]
    ids = [who(world, await browser.post("/ticket")).session_id for browser in browsers]
    assert (await browsers[0].delete("/api/sessions?others=true")).json() == {"ended": 2}
    assert sorted(world.hub.ended) == sorted(("session", number) for number in ids[1:])
    assert [(await browser.post("/ticket")).status_code for browser in browsers] == [200, 401, 401]
    assert (await browsers[0].delete("/api/sessions")).json() == {"ended": 1}
    assert (await browsers[0].post("/ticket")).status_code == 401


async def test_one_changes_ones_display_name(world: World) -> None:
    world.person("ada")
    ada = await world.logged_in("ada")
    assert (await ada.patch("/api/me", json={"display_name": "  Ada  L. "})).json() == {
        "name": "ada",
        "display_name": "Ada L.",
        "role": "member",
    }
    assert (await ada.get("/api/me")).json()["display_name"] == "Ada L."
    refused = await ada.patch("/api/me", json={"display_name": "\u202eadA"})
    assert (code(refused), refused.json()["field"]) == ((400, "bad_name"), "display_name")


async def test_a_new_password_needs_the_current_one_and_ends_all_other_sessions(world: World) -> None:
    world.person("ada")
    ada, elsewhere = await world.logged_in("ada"), await world.logged_in("ada")
    lost = who(world, await elsewhere.post("/ticket")).session_id
    new = "battery staple"
    missing = await ada.patch("/api/me", json={"password": new})
    assert (code(missing), missing.json()["field"]) == ((400, "bad_payload"), "current_password")
    wrong = await ada.patch("/api/me", json={"password": new, "current_password": "wrong"})
    assert (code(wrong), wrong.json()["field"]) == ((401, "wrong_password"), "current_password")
    short = await ada.patch("/api/me", json={"password": "short", "current_password": PASSWORD})
    assert (code(short), short.json()["field"]) == ((400, "bad_password"), "password")
    assert (
        await ada.patch("/api/me", json={"password": new, "current_password": PASSWORD})
    ).status_code == 200
    assert world.hub.ended == [("session", lost)]
    assert (await ada.post("/ticket")).status_code == 200
    assert (await elsewhere.post("/ticket")).status_code == 401
    assert (await try_login(world.browser(), "ada")).status_code == 401
    assert (await try_login(world.browser(), "ada", new)).status_code == 200


async def test_who_stole_a_session_can_not_guess_the_password_for_ever(world: World) -> None:
    world.person("ada")
    thief = await world.logged_in("ada")
    guess = {"password": "mine mine mine", "current_password": "wrong"}
    assert [(await thief.patch("/api/me", json=guess)).status_code for _ in range(11)] == [401] * 10 + [429]


async def test_a_hash_of_old_parameters_is_renewed_at_login(world: World) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    world.store.write_now(lambda c: people.add(c, "ada", password=old, now=world.now))
    for _ in range(2):
        assert (await try_login(world.browser(), "ada")).status_code == 200
    (kept,) = world.store.read_now(lambda c: c.exec_driver_sql("SELECT password FROM users").one())
    assert "m=19456,t=2,p=1" in kept


async def test_a_password_changed_while_it_is_being_checked_lets_nobody_in(world: World) -> None:
    ada = world.person("ada")
    verify = world.hashers.verify

    async def change_meanwhile(password: str, kept: str | None) -> object:
        verdict = await verify(password, kept)
        world.store.write_now(lambda c: people.set_password(c, ada.id, "another hash"))
        return verdict

    world.hashers.verify = change_meanwhile  # type: ignore[assignment,method-assign]
    assert (await try_login(world.browser(), "ada")).status_code == 401


async def test_what_the_command_line_ended_is_noticed_within_seconds(world: World) -> None:
    ada, bob, bot = world.person("ada"), world.person("bob"), world.person("robot", "bot")
    token = world.token(bot)
    browsers = [await world.logged_in("ada"), await world.logged_in("bob")]
    program = world.browser(authorization=f"Bearer {token}")
    live = [who(world, await client.post("/ticket")) for client in (*browsers, program)]
    await world.tend(*live)
    assert world.hub.ended == []
    world.store.write_now(lambda c: people.disable(c, "ada", now=world.now))
    world.store.write_now(lambda c: bearer.revoke(c, bot.id))
    await world.tend(*live)
    assert world.hub.ended == [("session", live[0].session_id), ("token", live[2].token_id)]
    assert [(await client.post("/ticket")).status_code for client in (*browsers, program)] == [401, 200, 401]
    assert ada.id != bob.id


async def test_even_if_nobody_tends_the_accounts_a_revoked_token_is_dead_within_seconds(world: World) -> None:
    bot = world.person("robot", "bot")
    program = world.browser(authorization=f"Bearer {world.token(bot)}")
    assert (await program.post("/ticket")).status_code == 200
    world.store.write_now(lambda c: bearer.revoke(c, bot.id))
    world.clock.advance(2.1)
    assert (await program.post("/ticket")).status_code == 401


async def test_a_ticket_from_before_the_end_that_opens_a_socket_after_it_is_noticed_too(world: World) -> None:
    world.person("ada")
    identity = who(world, await (await world.logged_in("ada")).post("/ticket"))
    await world.tend()
    world.store.write_now(lambda c: people.disable(c, "ada", now=world.now))
    await world.tend()
    assert world.hub.ended == []
    world.clock.advance(world.settings.ticket_seconds)
    await world.tend(identity)
    assert world.hub.ended == [("session", identity.session_id)]


async def test_what_ended_here_is_no_news_a_second_later(world: World) -> None:
    world.person("ada")
    ada, phone = await world.logged_in("ada"), await world.logged_in("ada")
    await world.tend()
    await ada.delete("/api/sessions?others=true")
    await ada.post("/logout")
    assert len(world.hub.ended) == 2

    def live() -> list[Identity]:
        pytest.fail("everybody is looked at for what was told already")

    await world.accounts.tend(live)
    assert (await phone.post("/ticket")).status_code == 401


async def test_when_nothing_has_ended_the_live_are_not_looked_at(world: World) -> None:
    world.person("ada")
    identity = who(world, await (await world.logged_in("ada")).post("/ticket"))
    await world.tend()
    asked: list[str] = []

    def live() -> list[Identity]:
        asked.append("now")
        return [identity]

    for _ in range(100):
        world.clock.advance(1)
        await world.accounts.tend(live)
    assert asked == []


async def test_ten_thousand_programs_that_come_at_once_are_a_few_reads(world: World) -> None:
    bot = world.person("robot", "bot")
    tokens = world.store.write_now(lambda c: [bearer.create(c, bot.id, now=world.now) for _ in range(2_000)])
    reads: list[object] = []
    read = world.store.read

    async def counted(query: object) -> object:
        reads.append(query)
        return await read(query)  # type: ignore[arg-type]

    world.store.read = counted  # type: ignore[method-assign,assignment]
    found = await asyncio.gather(*(world.accounts.by_token(token) for token in tokens))
    assert len({identity.token_id for identity in found if identity}) == 2_000
    again = await asyncio.gather(*(world.accounts.by_token(token) for token in tokens))
    assert again == found
    assert len(reads) < 10


async def test_bodies_that_are_not_what_they_should_be_are_refused_by_name(world: World) -> None:
    cases: list[tuple[bytes, tuple[str, str | None]]] = [
        (b"", ("bad_json", None)),
        (b"{", ("bad_json", None)),
        (b"\xff\xfe", ("bad_json", None)),
        (b'{"username":"\\ud800","password":"x"}', ("bad_json", None)),
        (b'{"username":"\xff","password":"x"}', ("bad_json", None)),
        (b'{"x":' + b"[" * 20_000, ("bad_json", None)),
        (b"[]", ("bad_payload", None)),
        (b"null", ("bad_payload", None)),
        (b"{}", ("bad_payload", "username")),
        (b'{"username":"ada"}', ("bad_payload", "password")),
        (b'{"username":7,"password":"x"}', ("bad_payload", "username")),
        (b'{"username":"ada","password":null}', ("bad_payload", "password")),
    ]
    said = []
    for body, _ in cases:
        answer = await world.browser().post("/login", content=body)
        assert answer.status_code == 400
        said.append((answer.json()["code"], answer.json().get("field")))
    assert said == [expected for _, expected in cases]


async def test_what_nobody_knows_of_is_ignored(world: World) -> None:
    world.person("ada")
    answer = await world.browser().post(
        "/login", json={"username": "ada", "password": PASSWORD, "remember": True}
    )
    assert answer.status_code == 200


async def test_under_tls_the_cookie_is_for_tls_alone(tmp_path: Path) -> None:
    async with a_world(tmp_path, tls_cert=Path("c"), tls_key=Path("k")) as world:
        world.person("ada")
        assert (await try_login(world.browser(), "ada")).headers["set-cookie"].endswith("; Secure")


async def test_behind_a_trusted_proxy_scheme_and_address_are_the_clients(tmp_path: Path) -> None:
    async with a_world(tmp_path, trust_proxy=("10.0.0.1",)) as world:
        world.person("ada")
        forwarded = {"x-forwarded-proto": "https", "x-forwarded-for": "9.9.9.9, 198.51.100.7"}
        through, around = world.browser("10.0.0.1", **forwarded), world.browser("192.0.2.1", **forwarded)
        assert (await try_login(through, "ada")).headers["set-cookie"].endswith("; Secure")
        assert "Secure" not in (await try_login(around, "ada")).headers["set-cookie"]
        listed = world.store.read_now(lambda c: sessions.listed(c, 1, world.now))
        assert sorted(one.address for one in listed) == ["192.0.2.1", "198.51.100.7"]


async def test_the_first_of_two_cookies_counts_and_others_are_no_matter(world: World) -> None:
    world.person("ada")
    cookie = (await world.logged_in("ada")).cookies["hubbub_session"]
    header = f"theme=dark; hubbub_session={cookie}; hubbub_session=other; x"
    assert (await world.browser(cookie=header).post("/ticket")).status_code == 200


async def test_liveness_needs_nothing_and_readiness_needs_the_database(world: World) -> None:
    client = world.browser()
    assert (await client.get("/healthz")).text == "ok\n"
    assert (await client.get("/readyz")).status_code == 200
    world.store.reading.dispose()
    (world.settings.data / "hubbub.db").unlink()
    (world.settings.data / "hubbub.db").mkdir()
    assert code(await client.get("/readyz")) == (503, "unavailable")
    assert (await client.get("/healthz")).status_code == 200


async def test_readiness_does_not_wait_for_a_database_that_says_nothing(world: World) -> None:
    never = asyncio.Event()

    async def silent(_query: object) -> object:
        return await never.wait()

    world.store.read = silent  # type: ignore[method-assign,assignment]
    with pytest.raises(Refused) as refused:
        await check(world.store, 0.01)
    assert refused.value.refusal.status == 503
