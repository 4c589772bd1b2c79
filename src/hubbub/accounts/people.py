"""People: who has an account, what they are called, what they may do. Functions of a database connection.

`actor` is who does it; None is the command line, which may do everything that leaves an owner in place.
Times are milliseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, or_, select, update
from sqlalchemy.exc import IntegrityError

from hubbub import names
from hubbub.accounts import roles, sessions
from hubbub.accounts.revision import count_up
from hubbub.errors import CONFLICT, NAME_TAKEN, NO_SUCH_USER, Refused
from hubbub.log.schema import users
from hubbub.tickets import Identity

LONGEST_PAGE: Final = 1_000
_RESERVED: Final = frozenset(
    {"here", "hubbub", "system"}
)  # @here is everyone; the others could pass for the server


@dataclass(frozen=True, slots=True)
class Person:
    """An account, without its password."""

    id: int
    name: str
    display_name: str
    role: str
    created_at: int
    disabled_at: int | None
    has_password: bool

    @property
    def disabled(self) -> bool:
        """Whether this person may not get in."""
        return self.disabled_at is not None


def add(
    connection: Connection,
    name: str,
    *,
    role: str = "member",
    display_name: str = "",
    password: str | None = None,
    actor: Identity | None = None,
    now: int,
) -> Person:
    """Make an account; `password` is a hash. `Refused` for a bad name, a taken one, or a role above the actor's."""
    roles.may_give(actor, role)
    kept, key = checked_name(name)
    if taken(connection, [key]):
        raise name_taken(kept)
    row = {
        "name": kept,
        "key": key,
        "display_name": names.display_name(display_name),
        "role": role,
        "password": password,
        "created_at": now,
    }
    try:
        connection.execute(users.insert().values(row))
    except IntegrityError:  # another process was quicker
        raise name_taken(kept) from None
    return find(connection, kept)


def checked_name(name: str) -> tuple[str, str]:
    """`name` as it is kept, and the key by which it is unique; `Refused` for one that nobody can have."""
    kept = names.user_name(name)
    key = names.key_of(kept)
    if key in _RESERVED:
        raise Refused(NAME_TAKEN, f"The name {kept} is reserved.", field="name")
    return kept, key


def taken(connection: Connection, keys: Sequence[str]) -> set[str]:
    """Those of `keys` that somebody has."""
    found: set[str] = set()
    for start in range(0, len(keys), 2_000):
        chunk = keys[start : start + 2_000]
        found.update(connection.scalars(select(users.c.key).where(users.c.key.in_(chunk))))
    return found


def find(connection: Connection, name: str) -> Person:
    """The person called `name` in any spelling that is the same name, or `Refused`."""
    row = connection.execute(_people().where(users.c.key == names.key_of(name))).one_or_none()
    if row is None:
        raise Refused(NO_SUCH_USER, f"There is nobody called {name[: names.USER_NAME_LENGTH]!r}.")
    return _person(row)


def anyone(connection: Connection) -> bool:
    """Whether there is any account at all."""
    return connection.scalar(select(users.c.id).limit(1)) is not None


def listed(
    connection: Connection, *, like: str = "", after: str = "", limit: int | None = None
) -> list[Person]:
    """People in order of their names, from the one after `after`.

    With `like`: those whose name begins with it, or whose display name holds it.
    """
    query = _people().order_by(users.c.key).limit(limit)
    if like:
        query = query.where(_likes(like))
    if after:
        query = query.where(users.c.key > names.key_of(after))
    return [_person(row) for row in connection.execute(query)]


def known(connection: Connection, like: str, limit: int) -> list[Person]:
    """Those who can be talked to, in order of their names: for completing a mention."""
    query = _people().where(users.c.disabled_at.is_(None))
    if like:
        query = query.where(_likes(like))
    return [_person(row) for row in connection.execute(query.order_by(users.c.key).limit(limit))]


def named(connection: Connection, wanted: Sequence[str]) -> list[Person]:
    """Those of these names who are there, disabled or not, in order of their names."""
    query = _people().where(users.c.key.in_({names.key_of(name) for name in wanted})).order_by(users.c.key)
    return [_person(row) for row in connection.execute(query)]


def preferences(connection: Connection, user_id: int) -> str:
    """What clients keep for a user: a JSON object."""
    return connection.scalar(select(users.c.preferences).where(users.c.id == user_id)) or "{}"


def set_preferences(connection: Connection, user_id: int, preferences: str) -> None:
    """Keep a JSON object for a user, in place of the one before."""
    connection.execute(update(users).where(users.c.id == user_id).values(preferences=preferences))


def disable(connection: Connection, name: str, *, actor: Identity | None = None, now: int) -> Person:
    """Keep this person out from now on, and end their sessions. The last owner can't be kept out."""
    person = _managed(connection, name, actor)
    if person.disabled:
        return person
    _leave_an_owner(connection, person)
    connection.execute(update(users).where(users.c.id == person.id).values(disabled_at=now))
    sessions.end_all(connection, person.id)
    count_up(connection)
    return find(connection, name)


def enable(connection: Connection, name: str, *, actor: Identity | None = None) -> Person:
    """Let this person in again. They log in anew; their bearer tokens hold again."""
    person = _managed(connection, name, actor)
    connection.execute(update(users).where(users.c.id == person.id).values(disabled_at=None))
    return find(connection, name)


def set_role(connection: Connection, name: str, role: str, *, actor: Identity | None = None) -> Person:
    """Give another role. Counts as an end of what is open, which was opened in the old role."""
    roles.may_give(actor, role)
    person = _managed(connection, name, actor)
    if person.role == role:
        return person
    if role != "owner":
        _leave_an_owner(connection, person)
    connection.execute(update(users).where(users.c.id == person.id).values(role=role))
    count_up(connection)
    return find(connection, name)


def set_password(
    connection: Connection, user_id: int, password: str, *, keep_session: int | None = None
) -> list[int]:
    """Set a new password (a hash) and end all of the user's sessions but `keep_session`; the numbers of the ended."""
    connection.execute(update(users).where(users.c.id == user_id).values(password=password))
    return sessions.end_all(connection, user_id, keep=keep_session)


def rehash_password(connection: Connection, user_id: int, old: str, new: str) -> None:
    """Keep the same password with newer parameters, unless it was changed meanwhile."""
    connection.execute(
        update(users).where(users.c.id == user_id, users.c.password == old).values(password=new)
    )


def set_display_name(connection: Connection, user_id: int, display_name: str) -> str:
    """Set the name that is shown; the name as it is kept."""
    kept = names.display_name(display_name)
    connection.execute(update(users).where(users.c.id == user_id).values(display_name=kept))
    return kept


def name_taken(name: str) -> Refused:
    """The refusal of a name that somebody has."""
    return Refused(NAME_TAKEN, f"The name {name} is taken.", field="name")


def _people() -> Select[*tuple[Any, ...]]:
    return select(
        users.c.id,
        users.c.name,
        users.c.display_name,
        users.c.role,
        users.c.created_at,
        users.c.disabled_at,
        users.c.password.is_not(None).label("has_password"),
    )


def _person(row: Row[*tuple[Any, ...]]) -> Person:
    return Person(**row._mapping)


def _likes(like: str) -> ColumnElement[bool]:
    return or_(
        users.c.key.startswith(names.key_of(like), autoescape=True),
        users.c.display_name.icontains(like, autoescape=True),
    )


def _managed(connection: Connection, name: str, actor: Identity | None) -> Person:
    person = find(connection, name)
    roles.may_manage(actor, person.role)
    return person


def _leave_an_owner(connection: Connection, person: Person) -> None:
    if person.role != "owner" or person.disabled:
        return
    others = select(users.c.id).where(
        users.c.role == "owner", users.c.disabled_at.is_(None), users.c.id != person.id
    )
    if connection.execute(others.limit(1).with_for_update()).first() is None:
        raise Refused(CONFLICT, "This is the last owner. Make somebody else an owner first.")
