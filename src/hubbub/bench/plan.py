"""Who does what: the connections spread over rooms and processes, and what processes tell one another."""

from __future__ import annotations

from typing import Final

import msgspec

from hubbub.bench.findings import Fault
from hubbub.bench.options import BenchOptions

CONNECTIONS_PER_ADDRESS: Final = 20_000
"""A loopback address has some 28,000 ports to each server."""


class Seat(msgspec.Struct, frozen=True):
    """One connection: its number, its room, whether it speaks (as how manyth of all speakers) or never reads."""

    number: int
    room: str
    speaker: int | None = None
    is_slow: bool = False
    token: str | None = None
    source: str | None = None


class Plan(msgspec.Struct, frozen=True):
    """What one process is to do.

    `speakers`, `rate` and `messages` are of the whole run. A rate of 0 is a closed loop; `messages` of None has no end.
    `dialect` is one of `dialect.DIALECTS`.
    """

    run: str
    url: str
    seats: list[Seat]
    speakers: int
    window: int
    rate: float
    size: int
    messages: int | None
    dialect: str = "hubbub"

    def messages_of(self, speaker: int) -> int | None:
        """How many messages the speaker with this number among all speakers sends."""
        if self.messages is None:
            return None
        return self.messages // self.speakers + (speaker < self.messages % self.speakers)


class Ready(msgspec.Struct, frozen=True, tag=True):
    """All connections of a process are in their rooms."""


class Failed(msgspec.Struct, frozen=True, tag=True):
    """A process cannot go on; why, in one line."""

    why: str


class Start(msgspec.Struct, frozen=True):
    """Begin to send at `start_ns`, measure from `begin_ns` to `end_ns`, then stop. Monotonic ns."""

    start_ns: int
    begin_ns: int
    end_ns: int


class Stopped(msgspec.Struct, frozen=True, tag=True):
    """A process sends nothing more and all of its own came back. `heads` are the rooms' last numbers as it saw them."""

    heads: dict[str, int]


class AwaitHeads(msgspec.Struct, frozen=True):
    """Wait until every reader has its room's entry of this number, the last that any process saw."""

    heads: dict[str, int]


class RoomSeen(msgspec.Struct, frozen=True):
    """What a process received of a room: the messages of the run and their digest."""

    messages: int
    digest: int


class Counted(msgspec.Struct, frozen=True, tag=True):
    """What a process counted."""

    deliveries: int
    deliveries_in_time: int
    sent: int
    sent_in_time: int
    acknowledged: int
    acknowledged_in_time: int
    last_acknowledged_ns: int
    other_entries: int
    gaps: int
    missed_in_gaps: int
    latency: dict[int, int]
    latency_largest: int
    late_sends: dict[int, int]
    late_sends_largest: int
    fault_counts: dict[Fault, int]
    fault_words: dict[Fault, list[str]]
    rooms: dict[str, RoomSeen]
    cpu_seconds: float


Answer = Ready | Failed | Stopped | Counted


def seats(options: BenchOptions, tokens: list[str], processes: int, sources: bool) -> list[list[Seat]]:
    """The seats of each process.

    Connection `i` is in room ``i % rooms``; the first ones of each room speak, and the last connections of all never read.
    A room stays in one process, which then parses each message once, unless there are fewer rooms than processes.
    """
    shared: list[list[Seat]] = [[] for _ in range(processes)]
    speakers = options.rooms * options.senders
    for number in range(options.connections):
        room, place = number % options.rooms, number // options.rooms
        seat = Seat(
            number=number,
            room=f"bench-{room}",
            speaker=number if number < speakers else None,
            is_slow=number >= options.connections - options.slow,
            token=tokens[number % len(tokens)] if tokens else None,
            source=f"127.0.0.{1 + number // CONNECTIONS_PER_ADDRESS}" if sources else None,
        )
        shared[(room if options.rooms >= processes else place) % processes].append(seat)
    return shared
