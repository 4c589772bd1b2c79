"""People and their roles, on a database, as the command line and the server both use them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from hubbub.accounts import bearer, people, roles, sessions
from hubbub.accounts.people import Person
from hubbub.accounts.revision import revision, revoked
from hubbub.accounts.secret import digest
from hubbub.accounts.sessions import Seen, Visit
from hubbub.errors import (
    BAD_NAME,
    BAD_PAYLOAD,
    CONFLICT,
    FORBIDDEN,
    NAME_TAKEN,
    NO_SUCH_USER,
    Refusal,
    Refused,
)
from hubbub.log.schema import users
from hubbub.log.store import open_store
from hubbub.tickets import Identity

NOW = 1_800_000_000_000
LATER = NOW + 1_000


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    store = open_store(f"sqlite:///{tmp_path / 'hubbub.db'}")
    with store.writing.begin() as open_connection:
        yield open_connection
    store.close()


def identity(person: Person) -> Identity:
    """Them, as an actor."""
    return Identity(person.id, person.name, person.display_name, person.role)


def refused_with(refusal: Refusal) -> pytest.RaisesExc[Refused]:
    """A block that must be refused for this reason."""
    return pytest.RaisesExc(Refused, check=lambda error: error.refusal is refusal)


def session(connection: Connection, person: Person, cookie: str, expires_at: int = NOW + 60_000) -> Identity:
    """A session of theirs."""
    number = sessions.create(
        connection, person.id, digest(cookie), Visit("192.0.2.1", "Browser"), now=NOW, expires_at=expires_at
    )
    return Identity(person.id, person.name, "", person.role, session_id=number)


def test_a_person_is_found_by_any_spelling_of_the_name(connection: Connection) -> None:
    ada = people.add(connection, "Ada", display_name=" Ada  Lovelace ", now=NOW)
    assert ada == Person(ada.id, "Ada", "Ada Lovelace", "member", NOW, None, has_password=False)
    for spelling in ("Ada", "ada", "ADA", "Ａｄａ"):
        assert people.find(connection, spelling) == ada


def test_two_names_that_look_the_same_are_one_account(connection: Connection) -> None:
    people.add(connection, "Straße", now=NOW)
    for twin in ("straße", "STRASSE", "ｓtraße"):
        with refused_with(NAME_TAKEN):
            people.add(connection, twin, now=NOW)


@pytest.mark.parametrize("name", ["here", "Hubbub", "SYSTEM"])
def test_names_that_could_pass_for_the_server_are_reserved(connection: Connection, name: str) -> None:
    with refused_with(NAME_TAKEN):
        people.add(connection, name, now=NOW)


def test_bad_names_and_roles_are_refused(connection: Connection) -> None:
    with refused_with(BAD_NAME):
        people.add(connection, "a b", now=NOW)
    with refused_with(BAD_PAYLOAD):
        people.add(connection, "ada", role="king", now=NOW)
    with refused_with(NO_SUCH_USER):
        people.find(connection, "ada")


@pytest.mark.parametrize(
    ("actor", "role", "may"),
    [
        ("owner", "owner", True),
        ("owner", "bot", True),
        ("admin", "owner", False),
        ("admin", "admin", True),
        ("admin", "member", True),
        ("member", "member", False),
        ("member", "bot", False),
        ("bot", "bot", False),
    ],
)
def test_only_administrators_give_roles_and_none_above_their_own(actor: str, role: str, may: bool) -> None:
    who = Identity(1, "x", "", actor)
    for rule in (roles.may_give, roles.may_manage):
        if may:
            rule(who, role)
        else:
            with refused_with(FORBIDDEN):
                rule(who, role)
    assert roles.stands_above(actor, role) is may


def test_an_admin_can_neither_disable_nor_demote_an_owner(connection: Connection) -> None:
    people.add(connection, "olga", role="owner", now=NOW)
    people.add(connection, "otto", role="owner", now=NOW)
    admin = identity(people.add(connection, "adam", role="admin", now=NOW))
    acts: tuple[Callable[[], object], ...] = (
        lambda: people.disable(connection, "olga", actor=admin, now=NOW),
        lambda: people.set_role(connection, "olga", "member", actor=admin),
        lambda: people.enable(connection, "olga", actor=admin),
        lambda: people.set_role(connection, "adam", "owner", actor=admin),
    )
    for act in acts:
        with refused_with(FORBIDDEN):
            act()


def test_the_last_owner_can_be_neither_disabled_nor_demoted_even_from_the_command_line(
    connection: Connection,
) -> None:
    people.add(connection, "olga", role="owner", now=NOW)
    people.add(connection, "otto", role="owner", now=NOW)
    people.disable(connection, "otto", now=NOW)
    acts: tuple[Callable[[], object], ...] = (
        lambda: people.disable(connection, "olga", now=NOW),
        lambda: people.set_role(connection, "olga", "admin"),
    )
    for act in acts:
        with refused_with(CONFLICT):
            act()
    people.enable(connection, "otto")
    assert people.set_role(connection, "olga", "admin").role == "admin"


def test_disabling_ends_sessions_for_good_and_tokens_until_enabled(connection: Connection) -> None:
    ada = people.add(connection, "ada", now=NOW)
    session(connection, ada, "cookie")
    token = bearer.create(connection, ada.id, now=NOW)
    people.disable(connection, "ada", now=NOW)
    assert sessions.find(connection, [digest("cookie")], LATER) == {}
    assert bearer.find(connection, [digest(token)]) == {}
    people.enable(connection, "ada")
    assert sessions.find(connection, [digest("cookie")], LATER) == {}
    assert bearer.find(connection, [digest(token)])[digest(token)].identity.user_id == ada.id


def test_whatever_ends_a_way_in_counts_up_and_what_does_not_does_not(connection: Connection) -> None:
    ada = people.add(connection, "ada", role="owner", now=NOW)
    bob = people.add(connection, "bob", now=NOW)
    first, _second = session(connection, ada, "a"), session(connection, ada, "b")
    bearer.create(connection, bob.id, now=NOW)
    steps: list[tuple[str, int]] = []

    def step(name: str) -> None:
        steps.append((name, revision(connection)))

    step("at first")
    people.set_display_name(connection, ada.id, "Ada")
    sessions.note_seen(connection, [Seen(first.session_id or 0, LATER, "x")])
    step("nothing ended")
    sessions.end(connection, ada.id, first.session_id or 0)
    step("a session")
    people.set_password(connection, ada.id, "hash")
    step("all sessions, by a new password")
    people.set_role(connection, "bob", "admin")
    step("a role")
    people.set_role(connection, "bob", "admin")
    step("the same role again")
    bearer.revoke(connection, bob.id)
    step("a token")
    people.disable(connection, "bob", now=NOW)
    step("a user")
    assert [number for _, number in steps] == [0, 0, 1, 2, 3, 3, 4, 5], steps


def test_the_revoked_are_those_disabled_changed_ended_or_expired(connection: Connection) -> None:
    ada = people.add(connection, "ada", role="owner", now=NOW)
    kept = session(connection, ada, "kept")
    ended = session(connection, ada, "ended")
    expired = session(connection, ada, "expired", expires_at=NOW + 10)
    bot = people.add(connection, "bot", role="bot", now=NOW)
    token = bearer.create(connection, bot.id, now=NOW)
    by_token = bearer.find(connection, [digest(token)])[digest(token)].identity
    demoted = identity(people.add(connection, "demi", role="admin", now=NOW))
    disabled = identity(people.add(connection, "dis", now=NOW))
    nobody = Identity(999, "nobody", "", "member")
    everyone = [kept, ended, expired, by_token, demoted, disabled, nobody]
    assert revoked(connection, everyone, NOW) == [nobody]
    sessions.end(connection, ada.id, ended.session_id or 0)
    people.set_role(connection, "demi", "member")
    people.disable(connection, "dis", now=NOW)
    assert revoked(connection, everyone, LATER) == [ended, expired, demoted, disabled, nobody]
    bearer.revoke(connection, bot.id)
    assert revoked(connection, [kept, by_token], LATER) == [by_token]


def test_ten_thousand_identities_are_a_few_queries(connection: Connection) -> None:
    identities = [Identity(number, "x", "", "member", session_id=number) for number in range(10_000)]
    queries: list[str] = []

    class Counting:
        def execute(self, *arguments: object) -> object:
            queries.append("one")
            return connection.execute(*arguments)  # type: ignore[call-overload]

    assert len(revoked(Counting(), identities, NOW)) == 10_000  # type: ignore[arg-type]
    assert len(queries) <= 10


def test_nobody_ends_the_session_of_another(connection: Connection) -> None:
    ada = people.add(connection, "ada", now=NOW)
    bob = people.add(connection, "bob", now=NOW)
    hers = session(connection, ada, "a")
    assert not sessions.end(connection, bob.id, hers.session_id or 0)
    assert sessions.end(connection, ada.id, hers.session_id or 0)


def test_sessions_expire_and_are_swept_with_their_numbers(connection: Connection) -> None:
    ada = people.add(connection, "ada", now=NOW)
    old = session(connection, ada, "old", expires_at=NOW + 10)
    new = session(connection, ada, "new")
    assert set(sessions.find(connection, [digest("old"), digest("new")], NOW + 10)) == {digest("new")}
    assert sessions.sweep(connection, NOW + 10) == [(old.session_id, ada.id)]
    assert [one.id for one in sessions.listed(connection, ada.id, NOW)] == [new.session_id]


def test_no_secret_is_in_the_database_as_it_is(connection: Connection) -> None:
    ada = people.add(connection, "ada", now=NOW)
    session(connection, ada, "the-cookie")
    token = bearer.create(connection, ada.id, label="ci", now=NOW)
    everything = [
        str(row)
        for table in ("users", "sessions", "tokens", "invitations", "meta")
        for row in connection.exec_driver_sql(f"SELECT * FROM {table}")
    ]
    assert not any(secret in text for text in everything for secret in ("the-cookie", token, token[4:]))
    assert token.startswith("hub_")
    assert [one.label for one in bearer.listed(connection, ada.id)] == ["ci"]


def _shown(found: list[Person]) -> list[tuple[str, str]]:
    return [(person.name, person.display_name) for person in found]


def test_people_are_listed_in_pages_by_name_and_found_by_either_name(connection: Connection) -> None:
    for name, shown in (("Cid", ""), ("ada", "Lovelace"), ("Bob", "Ada's friend"), ("x_y", ""), ("xay", "")):
        people.add(connection, name, display_name=shown, now=NOW)
    assert [one.name for one in people.listed(connection)] == ["ada", "Bob", "Cid", "x_y", "xay"]
    assert [one.name for one in people.listed(connection, after="BOB", limit=2)] == ["Cid", "x_y"]
    assert _shown(people.known(connection, "ADA", 10)) == [("ada", "Lovelace"), ("Bob", "Ada's friend")]
    assert _shown(people.known(connection, "x_", 10)) == [("x_y", "")]
    people.disable(connection, "ada", now=NOW)
    assert _shown(people.known(connection, "ada", 10)) == [("Bob", "Ada's friend")]


def test_an_error_of_the_database_says_nothing_of_what_was_to_be_written(connection: Connection) -> None:
    ada = people.add(connection, "ada", now=NOW)
    with pytest.raises(IntegrityError) as error:
        connection.execute(
            users.insert().values(id=ada.id, name="eve", key="ada", role="the-secret", created_at=NOW)
        )
    assert "the-secret" not in str(error.value)
