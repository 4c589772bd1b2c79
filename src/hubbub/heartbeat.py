"""Pings: one timer for all connections. A connection from which nothing has come since its ping is closed.

Connections are spread over as many slots as there are ticks between two pings, so that each tick pings a few.
Any frame counts as life, not only a pong (RFC 6455 §5.5.2).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from hubbub.connection import Client
from hubbub.errors import HEARTBEAT_LOST

_TICKS: Final = 90  # between two pings: with the usual 9 s between them, a tick is 0.1 s
_SHORTEST_TICK_SECONDS: Final = 0.02


class Heartbeat:
    """Who is to be pinged when. `tick` is to be called every `tick_seconds`."""

    def __init__(self, ping_seconds: float, pong_seconds: float) -> None:
        ticks = max(1, min(_TICKS, int(ping_seconds / _SHORTEST_TICK_SECONDS)))
        self.tick_seconds = ping_seconds / ticks
        self._pong_seconds = pong_seconds
        self._slots: list[set[Client]] = [set() for _ in range(ticks)]
        self._slot_of: dict[Client, set[Client]] = {}
        self._turn = 0
        self._asked: deque[tuple[float, Client]] = deque()  # pinged, in order, with the time of the ping

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

    def tick(self, now: float) -> None:
        """At monotonic time `now`: end those who did not answer, ping those whose turn it is."""
        for client in self._silent(now):
            client.close(HEARTBEAT_LOST)
            client.transport.abort()
        slot = self._slots[self._turn]
        self._turn = (self._turn + 1) % len(self._slots)
        for client in slot:
            if client.behind_since is None:  # else it is not read from, and has its own time limit
                client.heard = False
                client.transport.ping()
                self._asked.append((now, client))

    def _silent(self, now: float) -> Iterable[Client]:
        silent = []
        while self._asked and self._asked[0][0] + self._pong_seconds <= now:
            _, client = self._asked.popleft()
            if not client.heard and not client.closed and client.behind_since is None:
                silent.append(client)
        return silent
