"""What every HTTP handler works with: one immutable bundle, made by the composition root."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from hubbub.accounts.service import Accounts
from hubbub.clock import Clock
from hubbub.log.store import Store
from hubbub.settings import Settings
from hubbub.tickets import Tickets


class Hub(Protocol):
    """What HTTP asks of the hub: to let go of those whose way in has ended. Each closes sockets with 4401 at once."""

    def end_session(self, session_id: int) -> None:
        """Close the sockets that were opened with this session."""

    def end_user(self, user_id: int) -> None:
        """Close all sockets of this user."""

    def end_token(self, token_id: int) -> None:
        """Close the sockets that were opened with this bearer token."""


@dataclass(frozen=True, slots=True)
class Context:
    """The parts that a handler may use."""

    settings: Settings
    clock: Clock
    store: Store
    accounts: Accounts
    tickets: Tickets
    hub: Hub
    version: str
