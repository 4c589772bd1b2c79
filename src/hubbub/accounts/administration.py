"""What administrators do to other people's accounts. Each call checks that they may."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from hubbub.accounts import invitations, people
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

    def __init__(self, store: Store, identities: Identities) -> None:
        self._store = store
        self._identities = identities

    async def people(self, actor: Identity, *, like: str = "", after: str = "", limit: int) -> list[Person]:
        """Accounts in order of their names, after the name `after`."""
        _administers(actor)
        return await self._store.read(lambda c: people.listed(c, like=like, after=after, limit=limit))

    async def change(self, actor: Identity, name: str, change: Change) -> Person:
        """Change role, or keep out or let in, in one step. What was open ends at once."""
        _administers(actor)
        now = self._identities.now()

        def apply(connection: Connection) -> tuple[Person, Person]:
            before = after = people.find(connection, name)
            if change.role is not None:
                after = people.set_role(connection, name, change.role, actor=actor)
            if change.disabled is True:
                after = people.disable(connection, name, actor=actor, now=now)
            if change.disabled is False:
                after = people.enable(connection, name, actor=actor)
            return before, after

        before, after = await self._identities.write(apply)
        if (after.role, after.disabled) != (before.role, before.disabled):
            self._identities.end(Ended(after.id))
        return after

    async def invite_reset(self, actor: Identity, name: str) -> Link:
        """A link by which the person called `name` sets a new password, once."""
        _administers(actor)
        now = self._identities.now()
        return await self._identities.write(lambda c: invitations.invite_reset(c, name, actor=actor, now=now))

    async def invite(self, actor: Identity, *, role: str, uses: int, hours: float) -> Link:
        """A link by which `uses` people make themselves an account in the next `hours`."""
        _administers(actor)
        now = self._identities.now()
        return await self._identities.write(
            lambda c: invitations.invite(c, role=role, uses=uses, hours=hours, actor=actor, now=now)
        )

    async def invitations(self, actor: Identity) -> list[Invitation]:
        """The links to join that can still be used."""
        _administers(actor)
        now = self._identities.now()
        return await self._store.read(lambda c: invitations.listed(c, now))

    async def withdraw(self, actor: Identity, invitation_id: int) -> None:
        """Void a link."""
        _administers(actor)
        await self._identities.write(lambda c: invitations.withdraw(c, invitation_id, actor=actor))


def _administers(actor: Identity) -> None:
    if not actor.administers:
        raise Refused(FORBIDDEN, "Only an administrator can do this.")
