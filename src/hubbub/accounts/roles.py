"""Who stands where: an owner above an admin above a member above a bot, and nobody acts on those above."""

from __future__ import annotations

from typing import Final

from hubbub.errors import BAD_PAYLOAD, FORBIDDEN, Refused
from hubbub.tickets import Identity

ROLES: Final = ("bot", "member", "admin", "owner")  # the lowest first
_ADMINISTER: Final = frozenset({"admin", "owner"})


def known_role(role: str) -> str:
    """`role`, or `Refused` with the list of roles."""
    if role not in ROLES:
        raise Refused(BAD_PAYLOAD, f"A role is one of {', '.join(reversed(ROLES))}.", field="role")
    return role


def stands_above(actor: str, role: str) -> bool:
    """Whether somebody of the role `actor` may give `role`, and act on those who have it.

    Administrators may, up to their own role.
    """
    return actor in _ADMINISTER and ROLES.index(role) <= ROLES.index(actor)


def may_give(actor: Identity | None, role: str) -> None:
    """`Refused` unless `actor` may give `role`. None is the command line, which may."""
    known_role(role)
    if actor is not None and not stands_above(actor.role, role):
        raise Refused(FORBIDDEN, "Only an administrator gives roles, and none above their own.", field="role")


def may_manage(actor: Identity | None, role: str) -> None:
    """`Refused` unless `actor` may act on somebody of `role`. None is the command line, which may."""
    if actor is not None and not stands_above(actor.role, role):
        raise Refused(FORBIDDEN, "Only an administrator can do this, and to nobody above their own role.")
