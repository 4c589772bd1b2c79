"""Pings: one timer for all connections. A connection from which nothing has come since its ping is closed.

Connections are spread over as many slots as there are ticks between two pings, so that each tick pings a few.
Any frame counts as life, not only a pong (RFC 6455 §5.5.2).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from typing import Final

from hubbub.connection import Client
from hubbub.errors import HEARTBEAT_LOST

_TICKS: Final = 90  # between two pings: with the usual 9 s between them, a tick is 0.1 s
_SHORTEST_TICK_SECONDS: Final = 0.02
_LONGEST_TICK_SECONDS: Final = 0.5  # other things hang on the same timer


class Heartbeat:
    """Who is to be pinged when. `tick` is to be called every `tick_seconds`."""

    def __init__(self, ping_seconds: float, pong_seconds: float) -> None:
        most, least = ping_seconds / _SHORTEST_TICK_SECONDS, ping_seconds / _LONGEST_TICK_SECONDS
        ticks = max(1, math.ceil(least), min(_TICKS, int(most)))
        self.tick_seconds = ping_seconds / ticks
        self._pong_seconds = pong_seconds
        self._slots: list[set[Client]] = [set() for _ in range(ticks)]
        self._slot_of: dict[Client, set[Client]] = {}
        self._turn = 0
        self._asked: deque[tuple[float, Client]] = deque()  # pinged, in order, with the time of the ping
        self._asked_at: dict[Client, float] = {}  # of the first ping since the client was heard

    def add(self, client: Client) -> None:
        """Ping `client` from now on; first after a whole interval."""
        slot = self._slots[self._turn - 1]
        slot.add(client)
        self._slot_of[client] = slot

    def discard(self, client: Client) -> None:
        """Ping `client` no more."""
        slot = self._slot_of.pop(client, None)
        if slot is not None:
            slot.discard(client)
            self._asked_at.pop(client, None)

    def tick(self, now: float) -> None:
        """At monotonic time `now`: end those who did not answer, ping those whose turn it is."""
        for client in self._silent(now):
            client.close(HEARTBEAT_LOST)
            client.transport.abort()
        slot = self._slots[self._turn]
        self._turn = (self._turn + 1) % len(self._slots)
        for client in slot:
            if not client.paused:  # else its answer would not be read
                self._ask(client, now)

    def _ask(self, client: Client, now: float) -> None:
        # The time to answer may be longer than that between pings: one who has not been heard since the last ping
        # is asked again, and its time runs on.
        if client.heard or client not in self._asked_at:
            client.heard = False
            self._asked_at[client] = now
            self._asked.append((now, client))
        client.transport.ping()

    def _silent(self, now: float) -> Iterable[Client]:
        silent = []
        while self._asked and self._asked[0][0] + self._pong_seconds <= now:
            asked_at, client = self._asked.popleft()
            if self._asked_at.get(client) != asked_at:
                continue  # it was heard, and asked again later; or it is gone
            del self._asked_at[client]
            if not client.heard and not client.closed and not client.paused:
                silent.append(client)
        return silent
