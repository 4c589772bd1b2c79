"""One-time tickets (the tutorial's OTP): each opens one socket, once, within a few seconds.

Only a hash of a ticket is kept, so that nothing in memory or in a log can be used to get in.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import deque
from dataclasses import dataclass

from hubbub.clock import Clock


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is, as proven by a login, a session's cookie or a bearer token."""

    user_id: int
    name: str
    display_name: str
    role: str  # owner, admin, member, bot
    session_id: int | None = None  # the session it was proven by,
    token_id: int | None = None  # or the bearer token

    @property
    def administers(self) -> bool:
        """Whether this person runs the place."""
        return self.role in ("owner", "admin")


class Tickets:
    """Tickets given out and not yet used. All methods are for the event loop's thread; each is atomic."""

    def __init__(self, clock: Clock, life_seconds: float) -> None:
        self._clock = clock
        self._life_seconds = life_seconds
        self._open: dict[bytes, tuple[float, Identity]] = {}
        self._order: deque[tuple[float, bytes]] = deque()

    def issue(self, identity: Identity) -> str:
        """A new ticket for `identity`: 32 bytes of randomness, safe in a URL and in a subprotocol."""
        now = self._clock.monotonic()
        self._sweep(now)
        ticket = secrets.token_urlsafe(32)
        digest = _digest(ticket)
        self._open[digest] = (now + self._life_seconds, identity)
        self._order.append((now + self._life_seconds, digest))
        return ticket

    def take(self, ticket: str) -> Identity | None:
        """Whom `ticket` lets in, and use it up; None if it was never given out, was used, or is too old."""
        now = self._clock.monotonic()
        self._sweep(now)
        found = self._open.pop(_digest(ticket), None)
        return found[1] if found and now <= found[0] else None

    def drop(self, *, user_id: int | None = None, session_id: int | None = None) -> None:
        """Void the open tickets of a user, or of a session that ended."""
        self._open = {
            digest: (until, identity)
            for digest, (until, identity) in self._open.items()
            if not (
                identity.user_id == user_id or (session_id is not None and identity.session_id == session_id)
            )
        }

    def __len__(self) -> int:
        """How many tickets are open."""
        return len(self._open)

    def _sweep(self, now: float) -> None:
        while self._order and self._order[0][0] < now:
            self._open.pop(self._order.popleft()[1], None)


def _digest(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode()).digest()
