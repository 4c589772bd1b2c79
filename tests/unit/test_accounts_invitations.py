"""Links that let somebody make an account or set a password."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hubbub.accounts import invitations, people, setup
from hubbub.accounts.invitations import HOUR, JOIN, RESET
from hubbub.accounts.people import Person
from hubbub.accounts.setup import Setup
from hubbub.errors import FORBIDDEN, LINK_EXPIRED, NAME_TAKEN, NOT_FOUND, Refusal, Refused
from hubbub.log.store import Store, open_store
from hubbub.tickets import Identity

NOW = 1_800_000_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'hubbub.db'}")
    yield opened
    opened.close()


@pytest.fixture
def admin(store: Store) -> Identity:
    return identity(add(store, "adam", "admin"))


def add(store: Store, name: str, role: str = "member") -> Person:
    """An account."""
    return store.write_now(lambda c: people.add(c, name, role=role, now=NOW))


def identity(person: Person) -> Identity:
    """Them, as an actor."""
    return Identity(person.id, person.name, "", person.role)


def invite(store: Store, actor: Identity | None, uses: int = 1, role: str = "member") -> str:
    """The secret of a new link."""
    return store.write_now(
        lambda c: invitations.invite(c, role=role, uses=uses, hours=1, actor=actor, now=NOW)
    ).secret


def accept(store: Store, secret: str, name: str, now: int = NOW) -> Person | Refusal:
    """Who was made, or why not."""
    try:
        return store.write_now(
            lambda c: invitations.accept(c, secret, name, display_name="", password="hash", now=now)
        )
    except Refused as refused:
        return refused.refusal


def uses_left(store: Store) -> list[int]:
    """Of the links that can be used."""
    return [one.uses_left for one in store.read_now(lambda c: invitations.listed(c, NOW))]


def test_an_invitation_makes_as_many_accounts_as_it_has_uses(store: Store, admin: Identity) -> None:
    secret = invite(store, admin, uses=2)
    made = [accept(store, secret, name) for name in ("ada", "bob", "cid")]
    assert [one.role if isinstance(one, Person) else one for one in made] == [
        "member",
        "member",
        LINK_EXPIRED,
    ]


def test_a_use_is_taken_only_if_the_account_is_made(store: Store, admin: Identity) -> None:
    secret = invite(store, admin)
    assert accept(store, secret, "Adam") is NAME_TAKEN
    assert uses_left(store) == [1]
    assert isinstance(accept(store, secret, "ada"), Person)


def race(folder: Path, attempt: Callable[[Store, str], str]) -> list[str]:
    """What each of eight processes is told that all make the attempt at the same time."""
    results: list[str] = []
    start = threading.Barrier(8)

    def run(name: str) -> None:
        own = open_store(f"sqlite:///{folder / 'hubbub.db'}")
        start.wait()
        results.append(attempt(own, name))
        own.close()

    racers = [threading.Thread(target=run, args=(f"racer{number}",)) for number in range(8)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    return sorted(results)


def test_of_many_who_race_for_the_last_use_one_wins(store: Store, admin: Identity, tmp_path: Path) -> None:
    secret = invite(store, admin)

    def attempt(own: Store, name: str) -> str:
        made = accept(own, secret, name)
        return made.role if isinstance(made, Person) else made.code

    assert race(tmp_path, attempt) == ["link_expired"] * 7 + ["member"]


def test_an_invitation_ends_with_its_hour(store: Store, admin: Identity) -> None:
    secret = invite(store, admin)
    assert accept(store, secret, "ada", NOW + HOUR) is LINK_EXPIRED
    assert isinstance(accept(store, secret, "ada", NOW + HOUR - 1), Person)


def test_a_made_up_link_and_one_of_the_other_kind_are_refused_alike(store: Store, admin: Identity) -> None:
    add(store, "ada")
    reset = store.write_now(lambda c: invitations.invite_reset(c, "ada", actor=admin, now=NOW)).secret
    assert accept(store, "made up", "bob") is LINK_EXPIRED
    assert accept(store, reset, "bob") is LINK_EXPIRED
    assert accept(store, "x" * 10_000, "bob") is LINK_EXPIRED


def test_nobody_invites_above_their_own_role(store: Store, admin: Identity) -> None:
    with pytest.raises(Refused) as refused:
        invite(store, admin, role="owner")
    assert refused.value.refusal is FORBIDDEN
    made = accept(store, invite(store, admin, role="admin"), "anna")
    assert isinstance(made, Person)
    assert made.role == "admin"


def test_an_invitation_is_void_once_its_maker_may_not_make_it_any_more(store: Store, admin: Identity) -> None:
    as_admin, as_member = invite(store, admin, role="admin"), invite(store, admin)
    store.write_now(lambda c: people.set_role(c, "adam", "member"))
    assert accept(store, as_admin, "eve") is LINK_EXPIRED
    store.write_now(lambda c: people.set_role(c, "adam", "admin"))
    store.write_now(lambda c: people.disable(c, "adam", now=NOW))
    assert accept(store, as_member, "eve") is LINK_EXPIRED


def test_a_link_of_the_command_line_needs_nobody_behind_it(store: Store) -> None:
    assert isinstance(accept(store, invite(store, None, role="owner"), "olga"), Person)


def test_a_withdrawn_invitation_is_void(store: Store, admin: Identity) -> None:
    secret = invite(store, admin)
    number = store.read_now(lambda c: invitations.look_up(c, secret, JOIN, NOW)).id
    store.write_now(lambda c: invitations.withdraw(c, number, actor=admin))
    assert accept(store, secret, "ada") is LINK_EXPIRED
    with pytest.raises(Refused) as refused:
        store.write_now(lambda c: invitations.withdraw(c, number, actor=admin))
    assert refused.value.refusal is NOT_FOUND


def test_an_admin_can_not_withdraw_what_invites_an_owner(store: Store, admin: Identity) -> None:
    secret = invite(store, None, role="owner")
    number = store.read_now(lambda c: invitations.look_up(c, secret, JOIN, NOW)).id
    with pytest.raises(Refused) as refused:
        store.write_now(lambda c: invitations.withdraw(c, number, actor=admin))
    assert refused.value.refusal is FORBIDDEN


def test_a_reset_link_sets_the_password_once_and_voids_its_siblings(store: Store, admin: Identity) -> None:
    ada = add(store, "ada")
    first, second = (
        store.write_now(lambda c: invitations.invite_reset(c, "ada", actor=admin, now=NOW)).secret
        for _ in range(2)
    )
    person = store.write_now(lambda c: invitations.accept_reset(c, first, password="new hash", now=NOW))
    assert person.id == ada.id
    assert store.read_now(lambda c: people.find(c, "ada")).has_password
    for secret in (first, second):
        with pytest.raises(Refused) as refused:
            store.read_now(lambda c, secret=secret: invitations.look_up(c, secret, RESET, NOW))  # type: ignore[misc]
        assert refused.value.refusal is LINK_EXPIRED


def test_an_admin_can_not_take_over_somebody_who_rose_above_them(store: Store, admin: Identity) -> None:
    add(store, "ada")
    secret = store.write_now(lambda c: invitations.invite_reset(c, "ada", actor=admin, now=NOW)).secret
    store.write_now(lambda c: people.set_role(c, "ada", "owner"))
    for attempt in (
        lambda: store.read_now(lambda c: invitations.look_up(c, secret, RESET, NOW)),
        lambda: store.write_now(lambda c: invitations.invite_reset(c, "ada", actor=admin, now=NOW)),
    ):
        with pytest.raises(Refused) as refused:
            attempt()
        assert refused.value.refusal in (LINK_EXPIRED, FORBIDDEN)


def test_the_set_up_secret_fits_once_and_no_other_does() -> None:
    offered = Setup()
    with pytest.raises(Refused):
        offered.check("")
    before, secret = offered.offer(), offered.offer()
    offered.check(secret)
    for wrong in (before, "", secret + "x", secret[:-1], "é"):
        with pytest.raises(Refused):
            offered.check(wrong)
    assert secret not in repr(vars(offered))
    offered.close()
    with pytest.raises(Refused):
        offered.check(secret)


def test_the_first_account_is_an_owners_and_there_is_only_one_first(store: Store, tmp_path: Path) -> None:
    def attempt(own: Store, name: str) -> str:
        try:
            person = own.write_now(
                lambda c: setup.make_owner(c, name, display_name="", password="hash", now=NOW)
            )
        except Refused as refused:
            return refused.refusal.code
        return person.role

    assert race(tmp_path, attempt) == ["link_expired"] * 7 + ["owner"]
