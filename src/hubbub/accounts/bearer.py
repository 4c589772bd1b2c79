"""Bearer tokens: a program's way in. Functions of a database connection. Only hashes are kept; none expires."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from hubbub.accounts.known import Found
from hubbub.accounts.revision import count_up
from hubbub.accounts.secret import BEARER_PREFIX, digest, new_secret
from hubbub.log.schema import tokens, users
from hubbub.tickets import Identity

_LABEL_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token on record."""

    id: int
    label: str
    created_at: int


def create(connection: Connection, user_id: int, *, label: str = "", now: int) -> str:
    """A new token for this user. It is shown once and can't be found again."""
    token = new_secret(BEARER_PREFIX)
    connection.execute(
        tokens.insert().values(
            user_id=user_id, hash=digest(token), label=label[:_LABEL_LENGTH], created_at=now
        )
    )
    return token


def find(connection: Connection, digests: Sequence[str]) -> dict[str, Found]:
    """Who is behind each of these hashes, for those that let somebody in."""
    query = (
        select(
            tokens.c.hash,
            tokens.c.id,
            users.c.id.label("user_id"),
            users.c.name,
            users.c.display_name,
            users.c.role,
        )
        .join(users, users.c.id == tokens.c.user_id)
        .where(tokens.c.hash.in_(digests), users.c.disabled_at.is_(None))
    )
    return {
        row.hash: Found(Identity(row.user_id, row.name, row.display_name, row.role, token_id=row.id))
        for row in connection.execute(query)
    }


def listed(connection: Connection, user_id: int) -> list[Token]:
    """A user's tokens, the oldest first."""
    query = select(tokens.c.id, tokens.c.label, tokens.c.created_at).where(tokens.c.user_id == user_id)
    return [Token(**row._mapping) for row in connection.execute(query.order_by(tokens.c.id))]


def revoke(connection: Connection, user_id: int, token_id: int | None = None) -> list[int]:
    """Revoke one token of this user, or all of them; the numbers of those that are gone."""
    ending = delete(tokens).where(tokens.c.user_id == user_id)
    if token_id is not None:
        ending = ending.where(tokens.c.id == token_id)
    gone = list(connection.scalars(ending.returning(tokens.c.id)))
    if gone:
        count_up(connection)
    return gone
