"""What a login reads and writes, each in one call to the database."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from hubbub.accounts import sessions
from hubbub.accounts.sessions import Visit
from hubbub.errors import WRONG_PASSWORD, Refused
from hubbub.log.schema import users
from hubbub.tickets import Identity


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a password is checked against. `addresses`: from where the person is logged in already."""

    user_id: int
    password: str | None
    disabled: bool
    addresses: frozenset[str]
    name: str = ""


NOBODY = Credentials(0, None, True, frozenset())


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session to be made: the hash of its cookie, from where, from when and until when."""

    digest: str
    visit: Visit
    now: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class Begun:
    """A session that was made. `replaced`: the one of somebody else that this browser had before."""

    identity: Identity
    replaced: Identity | None = None


def credentials(connection: Connection, key: str, now: int) -> Credentials:
    """What the person with this key logs in with; `NOBODY` if there is none."""
    row = connection.execute(
        select(users.c.id, users.c.name, users.c.password, users.c.disabled_at).where(users.c.key == key)
    ).one_or_none()
    # Asked for nobody too, so that it takes as long.
    known = frozenset(sessions.addresses(connection, row.id if row else NOBODY.user_id, now))
    if row is None:
        return NOBODY
    return Credentials(row.id, row.password, row.disabled_at is not None, known, row.name)


def begin(
    connection: Connection, user_id: int, new: NewSession, *, before: str = "", proven: str | None = None
) -> Begun:
    """Begin a session of this user in a browser that had the cookie of hash `before`.

    The cookie changes in any case: the same person's session goes on under the new one, another's ends.
    `Refused` if the password has changed from the hash `proven`, or the user was disabled, since it was checked.
    """
    row = connection.execute(select(users).where(users.c.id == user_id)).one()
    if row.disabled_at is not None or (proven is not None and row.password != proven):
        raise Refused(WRONG_PASSWORD)
    found = sessions.find(connection, [before], new.now).get(before) if before else None
    replaced = found.identity if found else None
    times = {"now": new.now, "expires_at": new.expires_at}
    if replaced and replaced.session_id and replaced.user_id == user_id:
        session_id = replaced.session_id
        sessions.renew(connection, session_id, new.digest, new.visit, **times)
        replaced = None
    else:
        if replaced and replaced.session_id:
            sessions.end(connection, replaced.user_id, replaced.session_id)
        session_id = sessions.create(connection, user_id, new.digest, new.visit, **times)
    return Begun(Identity(row.id, row.name, row.display_name, row.role, session_id=session_id), replaced)
