"""Who is it? Cookies and bearer tokens looked up quickly, and ways in that end noticed, wherever they were ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from sqlalchemy import Connection

from hubbub.accounts import bearer, invitations, revision, sessions
from hubbub.accounts.known import Found, Known
from hubbub.accounts.secret import BEARER_PREFIX, digest
from hubbub.accounts.sessions import Seen, Visit
from hubbub.clock import Clock
from hubbub.errors import Refused
from hubbub.log.store import Store
from hubbub.tickets import Identity

T = TypeVar("T")

SEEN_EVERY: Final = 60_000  # milliseconds between two notes that a session is in use
SWEEP_SECONDS: Final = 60.0
# What another process ended lets nobody in for longer than this, even if nobody calls `tend`.
STALE_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Ended:
    """A way in has ended: one session, one token, or with neither, all of the user's."""

    user_id: int
    session_id: int | None = None
    token_id: int | None = None


class Identities:
    """Who is behind a cookie or a token, and who is no more. For the event loop's thread.

    An answer holds until the caller awaits something: issue the ticket or register the socket before that.
    """

    def __init__(self, store: Store, clock: Clock, ticket_seconds: float) -> None:
        self._store = store
        self._clock = clock
        self._ticket_seconds = ticket_seconds
        self._sessions = Known(lambda digests: store.read(lambda c: sessions.find(c, digests, self.now())))
        self._tokens = Known(lambda digests: store.read(lambda c: bearer.find(c, digests)))
        self._seen: dict[int, Seen] = {}
        self._listeners: list[Callable[[Ended], None]] = []
        self._revision: int | None = None
        self._checked_at = float("-inf")
        self._look_until = float("-inf")
        self._noticing: asyncio.Task[None] | None = None
        self._sweep_at = clock.monotonic()

    def now(self) -> int:
        """Milliseconds since 1970."""
        return int(self._clock.now() * 1000)

    async def by_cookie(self, cookie: str, visit: Visit | None = None) -> Identity | None:
        """Whose session's cookie this is, and note that it was used; None if it lets nobody in (any more)."""
        key = digest(cookie)
        found = await self._find(self._sessions, key)
        if found is None:
            return None
        now = self.now()
        if found.expires_at is not None and found.expires_at <= now:
            self._sessions.drop(key)
            return None
        if now - found.seen_at >= SEEN_EVERY and found.identity.session_id is not None:
            found.seen_at = now
            address = visit.address if visit else ""
            self._seen[found.identity.session_id] = Seen(found.identity.session_id, now, address)
        return found.identity

    async def by_token(self, token: str) -> Identity | None:
        """Whose bearer token this is; None if it lets nobody in (any more)."""
        if not token.startswith(BEARER_PREFIX):
            return None
        found = await self._find(self._tokens, digest(token))
        return found.identity if found else None

    async def write(self, change: Callable[[Connection], T]) -> T:
        """Make a change that may end ways in, which the caller then tells with `end`: it is no news to `tend`."""

        def counted(connection: Connection) -> tuple[T, int, int]:
            before = revision.revision(connection)
            result = change(connection)
            return result, before, revision.revision(connection)

        result, before, after = await self._store.write(counted)
        if before == self._revision:
            self._revision = after
        return result

    def on_ended(self, listener: Callable[[Ended], None]) -> None:
        """Call `listener` at once whenever a way in ends."""
        self._listeners.append(listener)

    def end(self, ended: Ended) -> None:
        """A way in has ended, as the database has it already: forget it, and tell."""
        self._forget(ended)
        for listener in self._listeners:
            listener(ended)

    def forget_user(self, user_id: int) -> None:
        """Something about this user has changed: look them up anew."""
        self._forget(Ended(user_id))

    async def tend(self, live: Callable[[], Iterable[Identity]]) -> None:
        """To be called every second, so that nobody stays in whose way in has ended.

        Notices what other processes ended and what has expired, and tells the listeners of those of `live()` whose
        way in that was. Does nothing while the database does not answer.
        """
        try:
            await self._sweep()
            await self._noticed()
            if self._clock.monotonic() < self._look_until:
                await self._look_at(list(live()))
        except Refused:
            return

    def close(self) -> None:
        """Stop looking."""
        if self._noticing is not None:
            self._noticing.cancel()
        self._sessions.close()
        self._tokens.close()

    async def _find(self, known: Known, key: str) -> Found | None:
        if self._clock.monotonic() - self._checked_at > STALE_SECONDS:
            await self._noticed()
        return await known.find(key)

    async def _noticed(self) -> None:
        """Notice; thousands who come at once wait for one reading."""
        if self._noticing is None:
            self._noticing = asyncio.create_task(self._notice())
            self._noticing.add_done_callback(self._forget_noticing)
        await asyncio.shield(self._noticing)

    def _forget_noticing(self, done: asyncio.Task[None]) -> None:
        self._noticing = None
        if not done.cancelled():
            done.exception()  # whoever waits gets it; if nobody does, it is no news

    async def _notice(self) -> None:
        """Read whether any way in was ended elsewhere since the last time."""
        asked_at = self._clock.monotonic()
        now = await self._store.read(revision.revision)
        self._checked_at = max(self._checked_at, asked_at)
        if self._revision is not None and now > self._revision:
            self._sessions.forget()
            self._tokens.forget()
            # A ticket given out before may still open a socket: look again until it is too old.
            self._look_until = self._clock.monotonic() + self._ticket_seconds + 2 * STALE_SECONDS
        self._revision = max(now, self._revision or 0)

    async def _look_at(self, live: list[Identity]) -> None:
        now = self.now()
        for gone in await self._store.read(lambda connection: revision.revoked(connection, live, now)):
            if gone.session_id is None and gone.token_id is None:
                self.end(Ended(gone.user_id))
            else:
                self.end(Ended(gone.user_id, gone.session_id, gone.token_id))

    async def _sweep(self) -> None:
        if self._clock.monotonic() < self._sweep_at:
            return
        self._sweep_at = self._clock.monotonic() + SWEEP_SECONDS
        seen, self._seen = list(self._seen.values()), {}
        now = self.now()
        expired = await self.write(lambda connection: _write_down(connection, seen, now))
        for session_id, user_id in expired:
            self.end(Ended(user_id, session_id))

    def _forget(self, ended: Ended) -> None:
        def gone(identity: Identity) -> bool:
            if ended.session_id is None and ended.token_id is None:
                return identity.user_id == ended.user_id
            if ended.session_id is not None:
                return identity.session_id == ended.session_id
            return identity.token_id == ended.token_id

        self._sessions.forget(gone)
        self._tokens.forget(gone)


def _write_down(connection: Connection, seen: list[Seen], now: int) -> list[tuple[int, int]]:
    sessions.note_seen(connection, seen)
    invitations.sweep(connection, now)
    return sessions.sweep(connection, now)
