"""Links that let somebody make an account, or set a new password. Functions of a database connection.

A link's secret is shown once; only its hash is kept. Times are milliseconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, delete, select, update

from hubbub.accounts import people, roles
from hubbub.accounts.people import Person
from hubbub.accounts.secret import digest, new_secret
from hubbub.errors import LINK_EXPIRED, NOT_FOUND, Refused
from hubbub.log.schema import invitations, users
from hubbub.tickets import Identity

JOIN: Final = "join"
RESET: Final = "reset"
HOUR: Final = 3_600_000
RESET_HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link on record. `created_by` is a name; None: made on the command line. `of` is whose password it sets."""

    id: int
    purpose: str
    role: str
    uses_left: int
    created_at: int
    expires_at: int
    created_by: str | None = None
    of: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A link that was just made: the only time that its secret is known."""

    invitation: Invitation
    secret: str


def invite(
    connection: Connection,
    *,
    role: str = "member",
    uses: int = 1,
    hours: float = 24,
    actor: Identity | None,
    now: int,
) -> Link:
    """Make a link by which `uses` people can make an account of `role` in the next `hours`."""
    roles.may_give(actor, role)
    return _make(
        connection, actor, now, purpose=JOIN, role=role, uses_left=uses, expires_at=now + int(hours * HOUR)
    )


def invite_reset(connection: Connection, name: str, *, actor: Identity | None, now: int) -> Link:
    """Make a link by which the person called `name` can set a new password, once, within a day."""
    person = people.find(connection, name)
    roles.may_manage(actor, person.role)
    return _make(
        connection,
        actor,
        now,
        purpose=RESET,
        user_id=person.id,
        role=person.role,
        uses_left=1,
        expires_at=now + RESET_HOURS * HOUR,
    )


def look_up(connection: Connection, secret: str, purpose: str, now: int) -> Invitation:
    """The link with this secret, if it can be used at `now`; else `Refused` (410), whatever the reason."""
    usable = (
        invitations.c.hash == digest(secret),
        invitations.c.purpose == purpose,
        invitations.c.uses_left > 0,
        invitations.c.expires_at > now,
    )
    row = connection.execute(_invitations().where(*usable)).one_or_none()
    if row is None or not _still_backed(connection, row.id):
        raise Refused(LINK_EXPIRED)
    return _invitation(row)


def accept(
    connection: Connection, secret: str, name: str, *, display_name: str, password: str, now: int
) -> Person:
    """Make the account that the link promises; `password` is a hash. A use is taken only if the account is made."""
    invitation = look_up(connection, secret, JOIN, now)
    _take_one_use(connection, invitation.id)
    return people.add(
        connection, name, role=invitation.role, display_name=display_name, password=password, now=now
    )


def accept_reset(connection: Connection, secret: str, *, password: str, now: int) -> Person:
    """Set the password (a hash) of the person that the link is for, end their sessions and their other links."""
    invitation = look_up(connection, secret, RESET, now)
    _take_one_use(connection, invitation.id)
    assert invitation.of is not None
    person = people.find(connection, invitation.of)
    people.set_password(connection, person.id, password)
    void_resets(connection, person.id)
    return person


def void_resets(connection: Connection, user_id: int) -> None:
    """Void the links by which this person's password could be set."""
    connection.execute(
        delete(invitations).where(invitations.c.user_id == user_id, invitations.c.purpose == RESET)
    )


def listed(connection: Connection, now: int) -> list[Invitation]:
    """The links to join that can still be used, the newest first."""
    query = _invitations().where(
        invitations.c.purpose == JOIN, invitations.c.uses_left > 0, invitations.c.expires_at > now
    )
    return [_invitation(row) for row in connection.execute(query.order_by(invitations.c.id.desc()))]


def withdraw(connection: Connection, invitation_id: int, *, actor: Identity | None) -> None:
    """Void a link. `Refused` if there is none of this number, or it gives a role above the actor's."""
    role = connection.scalar(select(invitations.c.role).where(invitations.c.id == invitation_id))
    if role is None:
        raise Refused(NOT_FOUND, "There is no such invitation.")
    roles.may_manage(actor, role)
    connection.execute(delete(invitations).where(invitations.c.id == invitation_id))


def sweep(connection: Connection, now: int) -> None:
    """Drop links that have expired or are used up."""
    connection.execute(
        delete(invitations).where((invitations.c.expires_at <= now) | (invitations.c.uses_left <= 0))
    )


def _make(connection: Connection, actor: Identity | None, now: int, **values: Any) -> Link:
    secret = new_secret()
    inserted = connection.execute(
        invitations.insert().values(
            hash=digest(secret), created_by=actor.user_id if actor else None, created_at=now, **values
        )
    ).inserted_primary_key
    assert inserted is not None
    row = connection.execute(_invitations().where(invitations.c.id == inserted[0])).one()
    return Link(_invitation(row), secret)


def _take_one_use(connection: Connection, invitation_id: int) -> None:
    # The condition is part of the change, so that no two can take the last use, in whichever database.
    taken = connection.execute(
        update(invitations)
        .where(invitations.c.id == invitation_id, invitations.c.uses_left > 0)
        .values(uses_left=invitations.c.uses_left - 1)
    ).rowcount
    if not taken:
        raise Refused(LINK_EXPIRED)


def _still_backed(connection: Connection, invitation_id: int) -> bool:
    """Whether who made the link may still give what it gives, and whom it is for may still get in."""
    row = connection.execute(
        select(invitations.c.role, invitations.c.user_id, invitations.c.created_by).where(
            invitations.c.id == invitation_id
        )
    ).one()
    if row.user_id is not None:
        holder = connection.execute(
            select(users.c.role, users.c.disabled_at).where(users.c.id == row.user_id)
        ).one()
        if holder.disabled_at is not None or holder.role != row.role:
            return False
    if row.created_by is None:
        return True
    maker = connection.execute(
        select(users.c.role, users.c.disabled_at).where(users.c.id == row.created_by)
    ).one()
    return maker.disabled_at is None and roles.stands_above(maker.role, row.role)


_maker = users.alias("maker")
_holder = users.alias("holder")


def _invitations() -> Select[*tuple[Any, ...]]:
    return (
        select(
            invitations.c.id,
            invitations.c.purpose,
            invitations.c.role,
            invitations.c.uses_left,
            invitations.c.created_at,
            invitations.c.expires_at,
            _maker.c.name.label("created_by"),
            _holder.c.name.label("of"),
        )
        .outerjoin(_maker, _maker.c.id == invitations.c.created_by)
        .outerjoin(_holder, _holder.c.id == invitations.c.user_id)
    )


def _invitation(row: Row[*tuple[Any, ...]]) -> Invitation:
    return Invitation(**row._mapping)
