"""Who may open a WebSocket: the path, the origin, the ticket or token, and how many at once. No I/O but look-ups.

A ticket serves once. It, or a bearer token, is all that is believed about who somebody is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import unquote_plus

from hubbub.chat.entering import greet
from hubbub.connection import Client, Transport
from hubbub.errors import FOREIGN_ORIGIN, NOT_FOUND, OVERLOADED, RATE_LIMITED, UNAUTHORIZED, Refused
from hubbub.events import SUBPROTOCOL, TICKET_PREFIX
from hubbub.hub import Hub
from hubbub.origin import Proxies, Values, client_address, limit_key, origin_allowed, own_scheme
from hubbub.settings import Settings
from hubbub.tickets import Identity, Tickets

PATH: Final = "/ws"


@dataclass(frozen=True, slots=True)
class Knock:
    """A request to open a WebSocket, as far as the door looks at it."""

    target: str  # path and query
    values: Values  # all values of a header, by lower-case name
    peer: str
    tls: bool

    @property
    def protocols(self) -> list[str]:
        """The subprotocols that the client offers."""
        return [part.strip() for value in self.values("sec-websocket-protocol") for part in value.split(",")]


class Note(Protocol):
    """Where a refusal that matters is noted; see `accounts.audit_gathering.Audit.note`."""

    def __call__(self, kind: str, *, address: str) -> None:
        """Note it, and return at once."""


def _unnoted(kind: str, *, address: str) -> None:
    """Nobody keeps an audit log."""


class Door:
    """Lets connections in, and counts those of each address."""

    def __init__(
        self,
        settings: Settings,
        hub: Hub,
        tickets: Tickets,
        by_token: Callable[[str], Awaitable[Identity | None]],
        note: Note = _unnoted,
    ) -> None:
        self._note = note
        self.hub = hub
        self.settings = settings
        self._tickets = tickets
        self._by_token = by_token
        self._proxies = Proxies(settings.trust_proxy)
        self._addresses: Counter[str] = Counter()

    def look(self, knock: Knock) -> str:
        """Check all but who it is. Returns the address that counts; to be given to `left` once it is gone."""
        path = knock.target.partition("?")[0]
        if path != PATH:
            raise Refused(NOT_FOUND)
        self._check_accepting()
        scheme = own_scheme(knock.values, knock.peer, self._proxies, tls=knock.tls)
        # A client that is no browser names no origin: it has a ticket or a token, which no foreign page can get.
        if not origin_allowed(knock.values, scheme, self.settings.allow_origin):
            self._note("foreign_origin", address=self._address_of(knock))
            raise Refused(FOREIGN_ORIGIN)
        address = limit_key(self._address_of(knock))
        limit = self.settings.limit_address
        if limit and self._addresses[address] >= limit:
            raise Refused(RATE_LIMITED, "Too many connections from your address.", retry_after_seconds=10.0)
        return address

    def identify(self, knock: Knock) -> Identity | Awaitable[Identity | None] | None:
        """Who it is: by ticket at once, by bearer token after a look-up, or None."""
        for protocol in knock.protocols:
            if protocol.startswith(TICKET_PREFIX):
                return self._by_ticket(protocol.removeprefix(TICKET_PREFIX), knock)
        ticket = _in_query(knock.target, "otp")
        if ticket is not None:
            return self._by_ticket(ticket, knock)
        scheme, _, token = next(iter(knock.values("authorization")), "").partition(" ")
        return self._by_bearer(token.strip(), knock) if scheme.lower() == "bearer" else None

    def _by_ticket(self, ticket: str, knock: Knock) -> Identity | None:
        identity = self._tickets.take(ticket)
        if identity is None:
            self._note("bad_ticket", address=self._address_of(knock))
        return identity

    async def _by_bearer(self, token: str, knock: Knock) -> Identity | None:
        identity = await self._by_token(token)
        if identity is None:
            self._note("bad_token", address=self._address_of(knock))
        return identity

    def _address_of(self, knock: Knock) -> str:
        return client_address(knock.values, knock.peer, self._proxies)

    def admit(self, identity: Identity | None) -> Identity:
        """Check how many connections a user has; `Refused` (unauthorized) for nobody."""
        if identity is None:
            raise Refused(UNAUTHORIZED, "Come with a fresh ticket, or a bearer token.")
        self._check_accepting()  # again: who it is may have taken a while to find
        limit = self.settings.limit_connections
        if limit and self.hub.connections_of(identity.user_id) >= limit:
            raise Refused(RATE_LIMITED, "You have too many connections open.", retry_after_seconds=10.0)
        return identity

    def _check_accepting(self) -> None:
        if not self.hub.accepting:
            raise Refused(OVERLOADED, "The server is going down. Come back soon.", retry_after_seconds=1.0)

    def enter(self, identity: Identity, transport: Transport, *, full: bool) -> Client:
        """A new client of the hub, which is greeted."""
        client = self.hub.connected(identity, transport, full=full)
        client.begin(greet(client))
        return client

    def came(self, address: str) -> None:
        """One more connection of `address`."""
        self._addresses[address] += 1

    def left(self, address: str) -> None:
        """One less."""
        self._addresses[address] -= 1
        if self._addresses[address] <= 0:
            del self._addresses[address]


def _in_query(target: str, name: str) -> str | None:
    """The first value of a field in the query of `target`, as often as any field may stand there."""
    for field in target.partition("?")[2].split("&"):
        found, _, value = field.partition("=")
        if found == name:
            return unquote_plus(value)
    return None


def full_profile(protocols: list[str]) -> bool:
    """Whether the client speaks the full profile."""
    return SUBPROTOCOL in protocols
