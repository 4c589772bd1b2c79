"""Accounts for a running server: getting in, staying in, and what people do about their own account.

Every call is for the event loop's thread and never blocks it. What administrators do is in `administration`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from hubbub import names
from hubbub.accounts import audit, invitations, passwords, people, records, sessions, setup
from hubbub.accounts.administration import Administration
from hubbub.accounts.attempts import Attempts
from hubbub.accounts.audit_gathering import Audit, asked
from hubbub.accounts.identities import Ended, Identities
from hubbub.accounts.invitations import JOIN, RESET, Invitation
from hubbub.accounts.passwords import Hashers, Verdict
from hubbub.accounts.people import Person
from hubbub.accounts.records import Begun, NewSession
from hubbub.accounts.secret import digest, new_secret
from hubbub.accounts.sessions import Session, Visit
from hubbub.clock import Clock
from hubbub.errors import NOT_FOUND, RATE_LIMITED, WRONG_PASSWORD, Refused
from hubbub.limits import RateLimit
from hubbub.log.store import Store
from hubbub.origin import limit_key
from hubbub.settings import Settings
from hubbub.tickets import Identity

__all__ = ["Accounts", "Admission", "Ended", "NewAccount", "Visit"]

_DAY: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Admission:
    """Somebody was let in: who, and the value of the session's new cookie."""

    identity: Identity
    cookie: str


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What somebody who makes an account chose."""

    name: str
    display_name: str
    password: str


class Accounts:
    """People and their ways in."""

    def __init__(
        self, store: Store, settings: Settings, clock: Clock, hashers: Hashers | None = None
    ) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._hashers = hashers or Hashers()
        self._identities = Identities(store, clock, settings.ticket_seconds)
        self._by_account = Attempts(clock, settings.limit_logins)
        self._by_address = Attempts(clock, settings.limit_logins * 3)
        self._tickets = RateLimit(settings.limit_tickets, int(settings.limit_tickets * 10))
        self._setup = setup.Setup()
        self.audit = Audit(store, clock)
        self.administration = Administration(store, self._identities, self.audit)

    # --- who is it; see Identities

    async def by_cookie(self, cookie: str, visit: Visit | None = None) -> Identity | None:
        """Whose session's cookie this is; None if it lets nobody in. Use the answer before awaiting anything."""
        return await self._identities.by_cookie(cookie, visit)

    async def by_token(self, token: str) -> Identity | None:
        """Whose bearer token this is; None if it lets nobody in. Use the answer before awaiting anything."""
        return await self._identities.by_token(token)

    def on_ended(self, listener: Callable[[Ended], None]) -> None:
        """Call `listener` at once whenever a way in ends. `http.app.create_app` registers hub and tickets here."""
        self._identities.on_ended(listener)

    async def tend(self, live: Callable[[], Iterable[Identity]]) -> None:
        """To be called every second, with those who have a socket open; see `Identities.tend`."""
        await self._identities.tend(live)
        await self.audit.tend()

    async def close(self) -> None:
        """End what is under way and the threads, and write the rest of the audit log."""
        with suppress(Refused):
            await self.audit.flush()
        self._identities.close()
        await asyncio.to_thread(self._hashers.close)

    # --- getting in

    async def log_in(self, username: str, password: str, visit: Visit, cookie: str = "") -> Admission:
        """Let somebody in by password, in a browser that had `cookie`.

        `Refused`: wrong_password, the same after the same work for a name that nobody has; rate_limited after too
        many wrong attempts at this account or from this address, whatever the password.
        """
        key = names.key_of(username) if len(username) <= names.USER_NAME_LENGTH else ""
        with _telling_of_locks():
            known, verdict = await self._proven(key, password, visit)
        return await self._admit(
            visit,
            cookie,
            lambda c: _logged_in(c, known, verdict.rehashed),
            proven=verdict.rehashed or known.password,
        )

    async def _proven(self, key: str, password: str, visit: Visit) -> tuple[records.Credentials, Verdict]:
        async with self._by_address.one(limit_key(visit.address)):
            known = await self._store.read(lambda c: records.credentials(c, key, self._identities.now()))
            # What was typed where a name belongs may be a password: only a name that somebody has is noted.
            asked().about = known.name
            async with self._by_account.one(_account_key(key, visit, known.addresses)):
                verdict = await self._hashers.verify(password, known.password)
                if not verdict.right or known.disabled:
                    raise Refused(WRONG_PASSWORD)
        return known, verdict

    def take_ticket(self, identity: Identity) -> None:
        """`Refused` (rate limited) if this session or token asks for tickets too fast."""
        key = identity.session_id if identity.session_id is not None else f"token {identity.token_id}"
        self._tickets.take(key, self._clock.monotonic())

    async def offer_setup(self) -> str | None:
        """The secret of a new set-up link (``/setup#SECRET``) while there is no account, else None."""
        return None if await self._store.read(people.anyone) else self._setup.offer()

    async def set_up(self, secret: str, chosen: NewAccount, visit: Visit, cookie: str = "") -> Admission:
        """Make the first account, an owner's. `Refused` (410) unless `secret` is on offer and nobody was quicker."""
        self._setup.check(secret)
        self._checked(chosen)
        password = await self._hashers.hash(chosen.password)
        stamp = self.audit.stamp()

        def make(connection: Connection) -> Person:
            owner = setup.make_owner(
                connection,
                chosen.name,
                display_name=chosen.display_name,
                password=password,
                now=self._identities.now(),
            )
            audit.record(
                connection, stamp, "account_made", who=owner.name, about=owner.name, detail="owner, by set-up"
            )
            return owner

        admission = await self._admit(visit, cookie, make)
        self._setup.close()
        return admission

    async def join(self, secret: str, chosen: NewAccount, visit: Visit, cookie: str = "") -> Admission:
        """Make an account by an invitation, of which it takes one use. `Refused`: link_expired, name_taken."""
        now = self._identities.now()
        key = self._checked(chosen)

        def check(connection: Connection) -> None:
            invitations.look_up(connection, secret, JOIN, now)
            if people.taken(connection, [key]):
                raise people.name_taken(chosen.name)

        await self._store.read(check)  # first, so that no password is hashed for a link that is void
        password = await self._hashers.hash(chosen.password)

        stamp = self.audit.stamp()

        def make(connection: Connection) -> Person:
            link = invitations.look_up(connection, secret, JOIN, now)
            person = invitations.accept(
                connection, secret, chosen.name, display_name=chosen.display_name, password=password, now=now
            )
            used = f"number {link.id}, {person.role}, invited by {link.created_by or audit.COMMAND_LINE}"
            audit.record(
                connection, stamp, "invitation_used", who=person.name, about=person.name, detail=used
            )
            return person

        return await self._admit(visit, cookie, make)

    async def reset(self, secret: str, password: str, visit: Visit, cookie: str = "") -> Admission:
        """Set a new password by a link, once. Ends all of the person's sessions, and begins one here."""
        now = self._identities.now()
        link = await self._store.read(lambda c: invitations.look_up(c, secret, RESET, now))
        passwords.checked(password, self._settings.password_characters, link.of or "")
        hashed = await self._hashers.hash(password)
        user_id: list[int] = []
        stamp = self.audit.stamp()

        def change(connection: Connection) -> Person:
            person = invitations.accept_reset(connection, secret, password=hashed, now=now)
            user_id.append(person.id)
            audit.record(
                connection,
                stamp,
                "password_reset",
                who=person.name,
                about=person.name,
                detail=f"by a link of {link.created_by or audit.COMMAND_LINE}",
            )
            return person

        admission = await self._admit(visit, cookie, change)
        self._identities.end(Ended(user_id[0]))
        return admission

    async def check_link(self, secret: str, purpose: str) -> Invitation | None:
        """The link with this secret, or None for the set-up link; `Refused` (410) if it can't be used."""
        if purpose == "setup":
            self._setup.check(secret)
            return None
        return await self._store.read(
            lambda c: invitations.look_up(c, secret, purpose, self._identities.now())
        )

    # --- one's own account

    async def log_out(self, identity: Identity) -> None:
        """End the session that `identity` was proven by. Without one, nothing happens."""
        if identity.session_id is not None and await self._end_session(identity, identity.session_id):
            self.audit.note("logout", who=identity.name, about=identity.name)

    async def sessions(self, identity: Identity) -> list[Session]:
        """One's own sessions, the last used first."""
        return await self._store.read(lambda c: sessions.listed(c, identity.user_id, self._identities.now()))

    async def end_session(self, identity: Identity, session_id: int) -> None:
        """End one of one's own sessions. `Refused` (404) if it is nobody's or somebody else's."""
        if not await self._end_session(identity, session_id):
            raise Refused(NOT_FOUND, "You have no such session.")
        self.audit.note("session_ended", who=identity.name, about=identity.name)

    async def end_sessions(self, identity: Identity, *, others_only: bool = False) -> int:
        """End all of one's own sessions, or all but this one; how many."""
        keep = identity.session_id if others_only else None
        ended = await self._identities.write(lambda c: sessions.end_all(c, identity.user_id, keep=keep))
        self._end_each(identity.user_id, ended)
        for _ in ended:
            self.audit.note("session_ended", who=identity.name, about=identity.name)
        return len(ended)

    async def change_display_name(self, identity: Identity, display_name: str) -> str:
        """Set the name that is shown; the name as it is kept."""
        kept = await self._identities.write(
            lambda c: people.set_display_name(c, identity.user_id, display_name)
        )
        self._identities.forget_user(identity.user_id)
        return kept

    async def change_password(self, identity: Identity, current: str, new: str) -> None:
        """Set a new password, proven by the current one, and end all other sessions. Wrong ones count as logins."""
        passwords.checked(new, self._settings.password_characters, identity.name)
        key = names.key_of(identity.name)
        known = await self._store.read(lambda c: records.credentials(c, key, self._identities.now()))
        with _telling_of_locks():
            async with self._by_account.one(("own", identity.user_id)):
                if not (await self._hashers.verify(current, known.password)).right:
                    raise Refused(WRONG_PASSWORD, "The current password is wrong.", field="current_password")
        hashed = await self._hashers.hash(new)
        stamp = self.audit.stamp()

        def change(connection: Connection) -> list[int]:
            audit.record(connection, stamp, "password_changed", who=identity.name, about=identity.name)
            invitations.void_resets(connection, identity.user_id)
            return people.set_password(connection, identity.user_id, hashed, keep_session=identity.session_id)

        self._end_each(identity.user_id, await self._identities.write(change))

    async def people(self, like: str = "", limit: int = 100) -> list[Person]:
        """Those who can be talked to, in order of their names."""
        return await self._store.read(lambda c: people.known(c, like, limit))

    async def named(self, wanted: Sequence[str]) -> list[Person]:
        """Those of these names who are there, disabled or not."""
        return await self._store.read(lambda c: people.named(c, wanted))

    async def preferences(self, identity: Identity) -> str:
        """What clients keep for this user: a JSON object, empty at first."""
        return await self._store.read(lambda c: people.preferences(c, identity.user_id))

    async def set_preferences(self, identity: Identity, preferences: str) -> None:
        """Keep a JSON object for this user."""
        await self._identities.write(lambda c: people.set_preferences(c, identity.user_id, preferences))

    # ---

    def _checked(self, chosen: NewAccount) -> str:
        """The key of the chosen name, or `Refused` for what is wrong with name, display name or password."""
        _, key = people.checked_name(chosen.name)
        names.display_name(chosen.display_name)
        passwords.checked(chosen.password, self._settings.password_characters, chosen.name)
        return key

    async def _admit(
        self,
        visit: Visit,
        cookie: str,
        change: Callable[[Connection], Person | int],
        proven: str | None = None,
    ) -> Admission:
        """Make the change that gives whom to let in, and begin their session in the same transaction."""
        new_cookie = new_secret()
        now = self._identities.now()
        new = NewSession(digest(new_cookie), visit, now, now + self._settings.session_days * _DAY)
        before = digest(cookie) if cookie else ""

        def begin(connection: Connection) -> Begun:
            who = change(connection)
            user_id = who if isinstance(who, int) else who.id
            return records.begin(connection, user_id, new, before=before, proven=proven)

        begun = await self._identities.write(begin)
        if begun.replaced is not None:
            self._identities.end(Ended(begun.replaced.user_id, begun.replaced.session_id))
        if before:
            self._identities.forget_user(begun.identity.user_id)
        self.audit.note("login", who=begun.identity.name, about=begun.identity.name)
        return Admission(begun.identity, new_cookie)

    async def _end_session(self, identity: Identity, session_id: int) -> bool:
        ended = await self._identities.write(lambda c: sessions.end(c, identity.user_id, session_id))
        if ended:
            self._identities.end(Ended(identity.user_id, session_id))
        return ended

    def _end_each(self, user_id: int, session_ids: Iterable[int]) -> None:
        for session_id in session_ids:
            self._identities.end(Ended(user_id, session_id))


@contextmanager
def _telling_of_locks() -> Iterator[None]:
    """A refusal for too many attempts is no other refusal: whoever writes it down has to know."""
    try:
        yield
    except Refused as refused:
        asked().locked_out = refused.refusal is RATE_LIMITED
        raise


def _logged_in(connection: Connection, known: records.Credentials, rehashed: str | None) -> int:
    if rehashed and known.password:
        people.rehash_password(connection, known.user_id, known.password, rehashed)
    return known.user_id


def _account_key(key: str, visit: Visit, addresses: frozenset[str]) -> object:
    """Whose attempts are counted together: all at this account.

    Those from an address at which its owner is in already are counted apart, so that a stranger's guesses don't keep
    her out.
    """
    here = limit_key(visit.address)
    return (key, here) if here in {limit_key(address) for address in addresses} else key
