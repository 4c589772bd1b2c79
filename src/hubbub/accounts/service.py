"""Accounts for a running server: every call is for the event loop's thread and never blocks it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hubbub.clock import Clock
from hubbub.log.store import Store
from hubbub.settings import Settings
from hubbub.tickets import Identity


@dataclass(frozen=True, slots=True)
class Visit:
    """From where somebody comes: for the limits, and for the list of sessions."""

    address: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Admission:
    """Somebody was let in: who, and the value of the new session's cookie."""

    identity: Identity
    cookie: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A way in has ended: one session, one token, or with neither, all of the user's."""

    user_id: int
    session_id: int | None = None
    token_id: int | None = None


class Accounts:
    """People and their ways in."""

    def __init__(self, store: Store, settings: Settings, clock: Clock) -> None: ...

    # --- who is it: None if it is nobody (any more). Nothing may be awaited between the answer and its use.

    async def by_cookie(self, cookie: str, visit: Visit | None = None) -> Identity | None: ...

    async def by_token(self, token: str) -> Identity | None:
        """Whose bearer token this is. Cached, so that 10,000 connections are not 10,000 reads."""

    # --- the server's part

    async def offer_setup(self) -> str | None:
        """The secret of the set-up link (``/setup#SECRET``) while there is no account, else None."""

    def on_ended(self, listener: Callable[[Ended], None]) -> None:
        """Call `listener` at once whenever a way in ends. `http.app.create_app` registers hub and tickets here."""

    async def tend(self, live: Iterable[Identity]) -> None:
        """Once a second: notice what the command line or another node changed, and what expired, and announce to the
        listeners those of `live` whose way in has ended."""

    async def close(self) -> None:
        """End the threads."""
