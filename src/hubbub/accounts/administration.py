"""What administrators do to other people's accounts. Each call checks that they may."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from hubbub.accounts import audit, invitations, people
from hubbub.accounts.audit_gathering import Audit
from hubbub.accounts.identities import Ended, Identities
from hubbub.accounts.invitations import Invitation, Link
from hubbub.accounts.people import Person
from hubbub.errors import FORBIDDEN, Refused
from hubbub.log.store import Store
from hubbub.tickets import Identity


@dataclass(frozen=True, slots=True)
class Change:
    """What an administrator changes about somebody; None: nothing."""

    role: str | None = None
    disabled: bool | None = None


class Administration:
    """For owners and admins. `actor` is who asks; anybody else is `Refused` (403)."""

    def __init__(self, store: Store, identities: Identities, log: Audit) -> None:
        self._store = store
        self._audit = log
        self._identities = identities

    async def people(self, actor: Identity, *, like: str = "", after: str = "", limit: int) -> list[Person]:
        """Accounts in order of their names, after the name `after`."""
        _administers(actor)
        return await self._store.read(lambda c: people.listed(c, like=like, after=after, limit=limit))

    async def change(self, actor: Identity, name: str, change: Change) -> Person:
        """Change role, or keep out or let in, in one step. What was open ends at once."""
        _administers(actor)
        now = self._identities.now()
        stamp = self._audit.stamp()

        def apply(connection: Connection) -> tuple[Person, Person]:
            before = after = people.find(connection, name)
            if change.role is not None:
                after = people.set_role(connection, name, change.role, actor=actor)
            if change.disabled is True:
                after = people.disable(connection, name, actor=actor, now=now)
            if change.disabled is False:
                after = people.enable(connection, name, actor=actor)
            for kind, detail in changes(before, after):
                audit.record(connection, stamp, kind, who=actor.name, about=after.name, detail=detail)
            return before, after

        before, after = await self._identities.write(apply)
        if (after.role, after.disabled) != (before.role, before.disabled):
            self._identities.end(Ended(after.id))
        return after

    async def invite_reset(self, actor: Identity, name: str) -> Link:
        """A link by which the person called `name` sets a new password, once."""
        _administers(actor)
        now = self._identities.now()
        stamp = self._audit.stamp()

        def make(connection: Connection) -> Link:
            link = invitations.invite_reset(connection, name, actor=actor, now=now)
            audit.record(
                connection, stamp, "reset_link_made", who=actor.name, about=link.invitation.of or name
            )
            return link

        return await self._identities.write(make)

    async def invite(self, actor: Identity, *, role: str, uses: int, hours: float) -> Link:
        """A link by which `uses` people make themselves an account in the next `hours`."""
        _administers(actor)
        now = self._identities.now()
        stamp = self._audit.stamp()

        def make(connection: Connection) -> Link:
            link = invitations.invite(connection, role=role, uses=uses, hours=hours, actor=actor, now=now)
            detail = f"number {link.invitation.id}, {role}, {uses} uses, {hours:g} hours"
            audit.record(connection, stamp, "invitation_made", who=actor.name, detail=detail)
            return link

        return await self._identities.write(make)

    async def invitations(self, actor: Identity) -> list[Invitation]:
        """The links to join that can still be used."""
        _administers(actor)
        now = self._identities.now()
        return await self._store.read(lambda c: invitations.listed(c, now))

    async def withdraw(self, actor: Identity, invitation_id: int) -> None:
        """Void a link."""
        _administers(actor)
        stamp = self._audit.stamp()

        def withdraw(connection: Connection) -> None:
            invitations.withdraw(connection, invitation_id, actor=actor)
            audit.record(
                connection, stamp, "invitation_withdrawn", who=actor.name, detail=f"number {invitation_id}"
            )

        await self._identities.write(withdraw)

    async def entries(
        self, actor: Identity, *, before: int | None, kind: str | None, limit: int
    ) -> list[audit.Entry]:
        """The audit log, the newest first, from the entry before the number `before`."""
        _administers(actor)
        return await self._audit.listed(before=before, kind=kind, limit=limit)


def changes(before: Person, after: Person) -> Iterator[tuple[str, str]]:
    """The kind and the detail of each entry about what has changed of a person's rights."""
    if after.role != before.role:
        yield "role", f"{before.role} to {after.role}"
    if after.disabled != before.disabled:
        yield "disabled" if after.disabled else "enabled", ""


def _administers(actor: Identity) -> None:
    if not actor.administers:
        raise Refused(FORBIDDEN, "Only an administrator can do this.")
