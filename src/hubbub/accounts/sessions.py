"""Sessions: a browser's way in, behind a cookie. Functions of a database connection.

Only the hash of a cookie's value is kept. Times are milliseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, select, update

from hubbub.accounts.known import Found
from hubbub.accounts.revision import count_up
from hubbub.log.schema import sessions, users
from hubbub.tickets import Identity

_AGENT_LENGTH = 200
_ADDRESS_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Visit:
    """From where somebody comes: for the limits, and for the list of sessions."""

    address: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """One browser in which somebody is logged in."""

    id: int
    created_at: int
    seen_at: int
    expires_at: int
    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A session was used at `at`, from `address`."""

    session_id: int
    at: int
    address: str


def create(
    connection: Connection, user_id: int, digest: str, visit: Visit, *, now: int, expires_at: int
) -> int:
    """Begin a session; its number."""
    row = _from(visit) | {
        "user_id": user_id,
        "hash": digest,
        "created_at": now,
        "seen_at": now,
        "expires_at": expires_at,
    }
    inserted = connection.execute(sessions.insert().values(row)).inserted_primary_key
    assert inserted is not None
    return int(inserted[0])


def renew(
    connection: Connection, session_id: int, digest: str, visit: Visit, *, now: int, expires_at: int
) -> None:
    """Begin a session anew under another cookie: the old cookie is worth nothing any more."""
    values = _from(visit) | {"hash": digest, "created_at": now, "seen_at": now, "expires_at": expires_at}
    connection.execute(update(sessions).where(sessions.c.id == session_id).values(values))
    count_up(connection)


def find(connection: Connection, digests: Sequence[str], now: int) -> dict[str, Found]:
    """Who is behind each of these hashes, for those that let somebody in at `now`."""
    query = (
        select(
            sessions.c.hash,
            sessions.c.id,
            sessions.c.seen_at,
            sessions.c.expires_at,
            users.c.id.label("user_id"),
            users.c.name,
            users.c.display_name,
            users.c.role,
        )
        .join(users, users.c.id == sessions.c.user_id)
        .where(sessions.c.hash.in_(digests), sessions.c.expires_at > now, users.c.disabled_at.is_(None))
    )
    return {
        row.hash: Found(
            Identity(row.user_id, row.name, row.display_name, row.role, session_id=row.id),
            expires_at=row.expires_at,
            seen_at=row.seen_at,
        )
        for row in connection.execute(query)
    }


def listed(connection: Connection, user_id: int, now: int) -> list[Session]:
    """A user's sessions, the one last used first."""
    query = (
        select(
            sessions.c.id,
            sessions.c.created_at,
            sessions.c.seen_at,
            sessions.c.expires_at,
            sessions.c.address,
            sessions.c.agent,
        )
        .where(sessions.c.user_id == user_id, sessions.c.expires_at > now)
        .order_by(sessions.c.seen_at.desc(), sessions.c.id.desc())
    )
    return [Session(**row._mapping) for row in connection.execute(query)]


def addresses(connection: Connection, user_id: int, now: int) -> set[str]:
    """From where a user is logged in."""
    query = select(sessions.c.address).where(sessions.c.user_id == user_id, sessions.c.expires_at > now)
    return set(connection.scalars(query))


def end(connection: Connection, user_id: int, session_id: int) -> bool:
    """End a session of this user; False if they have none of this number."""
    ended = connection.execute(
        delete(sessions).where(sessions.c.id == session_id, sessions.c.user_id == user_id)
    ).rowcount
    if ended:
        count_up(connection)
    return bool(ended)


def end_all(connection: Connection, user_id: int, *, keep: int | None = None) -> list[int]:
    """End all sessions of a user, but for the one numbered `keep`; their numbers."""
    ending = delete(sessions).where(sessions.c.user_id == user_id)
    if keep is not None:
        ending = ending.where(sessions.c.id != keep)
    ended = list(connection.scalars(ending.returning(sessions.c.id)))
    if ended:
        count_up(connection)
    return ended


def note_seen(connection: Connection, seen: Iterable[Seen]) -> None:
    """Keep when and from where sessions were last used."""
    rows = [{"of": one.session_id, "at": one.at, "by": one.address[:_ADDRESS_LENGTH]} for one in seen]
    if rows:
        connection.execute(
            update(sessions)
            .where(sessions.c.id == bindparam("of"))
            .values(seen_at=bindparam("at"), address=bindparam("by")),
            rows,
        )


def sweep(connection: Connection, now: int) -> list[tuple[int, int]]:
    """Drop the sessions that have expired; the number of each, and of its user."""
    gone = connection.execute(
        delete(sessions).where(sessions.c.expires_at <= now).returning(sessions.c.id, sessions.c.user_id)
    )
    ended = [(row.id, row.user_id) for row in gone]
    if ended:
        count_up(connection)
    return ended


def _from(visit: Visit) -> dict[str, str | int]:
    return {"address": visit.address[:_ADDRESS_LENGTH], "agent": visit.agent[:_AGENT_LENGTH]}
