"""A number that counts up whenever somebody's way in ends, so that other processes notice and look again."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

from sqlalchemy import BigInteger, Connection, Row, Select, Text, cast, select, update

from hubbub.log.schema import meta, sessions, tokens, users
from hubbub.tickets import Identity

_KEY: Final = "accounts_revision"
_CHUNK: Final = 2_000  # ids in one query; SQLite allows 32,766 variables, PostgreSQL 65,535


def revision(connection: Connection) -> int:
    """The number now; 0 in a new database."""
    return int(connection.scalar(select(meta.c.value).where(meta.c.key == _KEY)) or 0)


def count_up(connection: Connection) -> None:
    """Tell other processes that somebody's way in has ended: in the transaction that ends it."""
    counted = connection.execute(
        update(meta).where(meta.c.key == _KEY).values(value=cast(cast(meta.c.value, BigInteger) + 1, Text))
    )
    if not counted.rowcount:
        connection.execute(meta.insert().values(key=_KEY, value="1"))


def revoked(connection: Connection, identities: Iterable[Identity], now: int) -> list[Identity]:
    """Those of `identities` who may not be in any more at `now` (milliseconds since 1970).

    Their user is disabled or of another role, or their session or token is gone or expired. A few queries for
    thousands of identities.
    """
    given = list(identities)
    roles: dict[int, str] = {
        row.id: row.role
        for row in _rows(
            connection,
            select(users.c.id, users.c.role).where(users.c.disabled_at.is_(None)),
            {identity.user_id for identity in given},
        )
    }
    live_sessions = _ids(
        connection,
        select(sessions.c.id).where(sessions.c.expires_at > now),
        {identity.session_id for identity in given if identity.session_id is not None},
    )
    live_tokens = _ids(
        connection,
        select(tokens.c.id),
        {identity.token_id for identity in given if identity.token_id is not None},
    )
    return [
        identity
        for identity in given
        if roles.get(identity.user_id) != identity.role
        or (identity.session_id is not None and identity.session_id not in live_sessions)
        or (identity.token_id is not None and identity.token_id not in live_tokens)
    ]


def _ids(connection: Connection, query: Select[tuple[int]], ids: set[int]) -> set[int]:
    return {row.id for row in _rows(connection, query, ids)}


def _rows(
    connection: Connection, query: Select[*tuple[object, ...]], ids: set[int]
) -> Iterable[Row[*tuple[object, ...]]]:
    """Rows of `query` whose first column is among `ids`."""
    column = query.selected_columns[0]
    remaining = iter(sorted(ids))
    while chunk := list(islice(remaining, _CHUNK)):
        yield from connection.execute(query.where(column.in_(chunk)))
