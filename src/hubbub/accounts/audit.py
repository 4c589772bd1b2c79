"""The audit log: who changed whose rights, and what was refused to whom. Functions of a database connection.

A change of rights is written in the transaction that makes it. Refusals and logins, which anybody can cause at will,
are gathered first: see `audit_gathering`. No secret is ever in an entry, and nothing that could break a line.
Times are milliseconds since 1970.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, bindparam, delete, select, update

from hubbub.errors import BAD_PAYLOAD, Refused
from hubbub.log.schema import audit

# Of each of the two: whatever strangers do, it pushes no change of rights out.
MOST_CHANGES: Final = 100_000
MOST_VISITS: Final = 100_000
COMMAND_LINE: Final = "command line"  # what stands for the address of who is at the machine itself

# What anybody can cause, as often as they like.
VISITS: Final = frozenset(
    {
        "login",
        "logout",
        "session_ended",
        "wrong_password",
        "locked_out",
        "bad_ticket",
        "bad_token",
        "bad_session",
        "bad_link",
        "foreign_origin",
        "forbidden",
    }
)
CHANGES: Final = frozenset(
    {
        "account_made",
        "role",
        "disabled",
        "enabled",
        "password_changed",
        "password_reset",
        "reset_link_made",
        "token_made",
        "token_revoked",
        "invitation_made",
        "invitation_used",
        "invitation_withdrawn",
        "restored",
    }
)
KINDS: Final = VISITS | CHANGES
_NAME_LENGTH: Final = 64
_DETAIL_LENGTH: Final = 200


class Stamp(NamedTuple):
    """When something happened, and from where."""

    at: int
    address: str


@dataclass(frozen=True, slots=True)
class Tally:
    """What happened `count` times, alike, from `at` to `until`."""

    at: int
    until: int
    kind: str
    who: str
    about: str
    address: str
    count: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, as it is read. `who` did it (empty: not known), `about` whom; both are names."""

    id: int
    at: int
    until: int
    kind: str
    who: str
    about: str
    address: str
    detail: str
    count: int


def record(
    connection: Connection, stamp: Stamp, kind: str, *, who: str = "", about: str = "", detail: str = ""
) -> None:
    """Write down a change of rights, in the transaction that makes it."""
    assert kind in CHANGES, kind
    connection.execute(
        audit.insert().values(
            at=stamp.at,
            until=stamp.at,
            kind=kind,
            visit=False,
            who=plain(who),
            about=plain(about),
            address=plain(stamp.address),
            detail=plain(detail, _DETAIL_LENGTH),
            count=1,
        )
    )
    trim(connection, visit=False, most=MOST_CHANGES)


def begin(connection: Connection, tallies: Sequence[Tally]) -> list[int]:
    """Write down what was gathered; the number of each entry."""
    numbers: list[int] = []
    for tally in tallies:
        key = connection.execute(
            audit.insert().values(asdict(tally) | {"visit": True, "detail": ""})
        ).inserted_primary_key
        assert key is not None
        numbers.append(int(key[0]))
    if numbers:
        trim(connection, visit=True, most=MOST_VISITS)
    return numbers


def count_on(connection: Connection, counts: Sequence[tuple[int, int, int]]) -> None:
    """It happened again: for entries by number, until when, and how often by now."""
    if counts:
        connection.execute(
            update(audit)
            .where(audit.c.id == bindparam("of"))
            .values(until=bindparam("last"), count=bindparam("times")),
            [{"of": number, "last": until, "times": count} for number, until, count in counts],
        )


def listed(
    connection: Connection, *, before: int | None = None, kind: str | None = None, limit: int
) -> list[Entry]:
    """Entries, the newest first, from the one before the number `before`. `Refused` for a kind that there is not."""
    columns = [column for column in audit.c if column is not audit.c.visit]
    query = select(*columns).order_by(audit.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(audit.c.id < before)
    if kind is not None:
        if kind not in KINDS:
            raise Refused(BAD_PAYLOAD, f"A kind is one of {', '.join(sorted(KINDS))}.", field="kind")
        query = query.where(audit.c.kind == kind)
    return [Entry(**row._mapping) for row in connection.execute(query)]


def trim(connection: Connection, *, visit: bool, most: int) -> None:
    """Keep the newest `most` entries of a sort."""
    oldest_kept: Any = (
        select(audit.c.id)
        .where(audit.c.visit == visit)
        .order_by(audit.c.id.desc())
        .offset(most)
        .limit(1)
        .scalar_subquery()
    )
    connection.execute(delete(audit).where(audit.c.visit == visit, audit.c.id <= oldest_kept))


def plain(text: str, length: int = _NAME_LENGTH) -> str:
    """`text` without what could break a line, colour a terminal or turn the direction of writing, and not too long."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(character) in _HARMFUL else character
        for character in text[:length]
    )


# Controls, format characters (also those of direction), halves of characters, and ends of lines and paragraphs.
_HARMFUL: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
