"""What `make bench` measures, and what it must reach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from hubbub.bench.load import Result
from hubbub.bench.options import BenchOptions


class Against(Enum):
    """What a goal's figure is compared with."""

    FLOOR = "the floor's"
    PEERS = "the best peer's"
    ITSELF = "itself"


@dataclass(frozen=True)
class Figure:
    """One figure of a result, with its unit and how it is written."""

    name: str
    unit: str
    form: str
    of: Callable[[Result], float | None]


@dataclass(frozen=True)
class Goal:
    """A figure and its limit: a multiple of the floor's or the best peer's in the same run, or a value in its unit.

    `in_memory` is of Hubbub with its log in memory.
    """

    figure: Figure
    limit: float
    against: Against
    at_least: bool = False
    in_memory: bool = False

    @property
    def name(self) -> str:
        """What it is a goal for."""
        return f"{self.figure.name}, log in memory" if self.in_memory else self.figure.name

    def is_met_by(self, value: float) -> bool:
        """Whether `value`, a ratio or a figure, keeps the limit."""
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        unit = self.figure.unit if self.against is Against.ITSELF else "×"
        return f"{sign} {self.limit:,g} {unit}".rstrip()


@dataclass(frozen=True)
class Workload:
    """Some clients and what they do. `title` and `why` are for a reader who knows nothing of it.

    `peers` is whether others than the floor and Hubbub are measured too, `in_memory` whether Hubbub is once more, with its log in
    memory. `seconds` and `rounds` stand here where they have to be others than everywhere, `accounts` where connections share them.
    """

    letter: str
    title: str
    why: str
    options: BenchOptions
    goals: tuple[Goal, ...] = ()
    peers: bool = False
    in_memory: bool = False
    seconds: float | None = None
    rounds: int | None = None
    accounts: int | None = None


DELIVERIES: Final = Figure("deliveries", "/s", ",.0f", lambda result: result.deliveries_per_second)
ACKNOWLEDGED: Final = Figure(
    "acknowledged messages", "/s", ",.0f", lambda result: result.acknowledged_per_second
)
P50: Final = Figure("latency p50", "ms", ",.2f", lambda result: result.latency.percentile(50) / 1000)
P99: Final = Figure("latency p99", "ms", ",.2f", lambda result: result.latency.percentile(99) / 1000)
P999: Final = Figure("latency p99.9", "ms", ",.2f", lambda result: result.latency.percentile(99.9) / 1000)
CPU: Final = Figure("CPU a delivery", "µs", ",.2f", lambda result: result.cpu_us_per_delivery)
CPU_MESSAGE: Final = Figure("CPU a message", "µs", ",.0f", lambda result: result.cpu_us_per_message)
CPU_CONNECT: Final = Figure("CPU a connection", "µs", ",.0f", lambda result: result.cpu_us_per_connect)
MEMORY: Final = Figure("memory a connection", "KiB", ",.1f", lambda result: result.kib_per_connection)
SHARE: Final = Figure(
    "share of a core",
    "%",
    ",.1f",
    lambda result: None if result.server_cores is None else result.server_cores * 100,
)
GENERATOR: Final = Figure("generator", "cores", ".2f", lambda result: result.generator_cores)
OTHERS: Final = Figure("others on the machine", "cores", ".2f", lambda result: result.other_cores)

FIGURES: Final = (
    DELIVERIES,
    ACKNOWLEDGED,
    P50,
    P99,
    P999,
    CPU,
    CPU_MESSAGE,
    CPU_CONNECT,
    MEMORY,
    SHARE,
    GENERATOR,
    OTHERS,
)

PEAK: Final = "C"
LATENCY: Final = "L"
"""Its rate is found in the same run, from `PEAK`."""

WORKLOADS: Final = (
    Workload(
        "A",
        "100 connections in one room, one message in flight",
        "quiet: each message is committed alone, then sent to 100",
        BenchOptions(connections=100),
        (Goal(CPU, 1.7, Against.FLOOR), Goal(CPU, 1.2, Against.FLOOR, in_memory=True)),
        peers=True,
        in_memory=True,
    ),
    Workload(
        "B",
        "1,000 connections in one room, one message in flight",
        "one message to many: almost all of it is the kernel's part",
        BenchOptions(connections=1000),
        (Goal(CPU, 1.15, Against.FLOOR),),
        peers=True,
    ),
    Workload(
        "C",
        "1,000 connections in 100 rooms, one message in flight a room",
        "many rooms of 10: the cost of a message has few deliveries to share it",
        BenchOptions(connections=1000, rooms=100),
        (Goal(CPU, 1.5, Against.FLOOR),),
        peers=True,
    ),
    Workload(
        "D",
        "1,000 connections in one room, 20 senders with 5 messages in flight each",
        "busy: what joining finished frames into one write a member gives",
        BenchOptions(connections=1000, senders=20, window=5),
        (Goal(DELIVERIES, 20, Against.FLOOR, at_least=True),),
        peers=True,
    ),
    Workload(
        "E",
        "10,000 connections in 1,000 rooms, 2,000 messages a second in all",
        "many people, each message at its time whether or not the server keeps up",
        BenchOptions(connections=10_000, rooms=1000, rate=2000),
        (Goal(P99, 20, Against.ITSELF),),
        rounds=1,
    ),
    # A little above the goal, so that a message at the edge of the measured time does not decide.
    Workload(
        "F",
        "200 connections in 100 rooms of two, both send, 10,500 messages a second in all",
        "writing: conversations of two, where every message must be on disk and few deliveries come of it",
        BenchOptions(connections=200, rooms=100, senders=2, rate=10_500),
        (Goal(ACKNOWLEDGED, 10_000, Against.ITSELF, at_least=True), Goal(P99, 100, Against.ITSELF)),
    ),
    Workload(
        "G",
        "200 connections in 100 rooms of two, both send, two messages in flight each",
        "the same rooms as fast as they go, to see how far F is from the end",
        BenchOptions(connections=200, rooms=100, senders=2, window=2),
        (Goal(ACKNOWLEDGED, 25_000, Against.ITSELF, at_least=True),),
    ),
    Workload(
        "H",
        "10 connections in one room, all send, one message in flight each",
        "ten people who each wait for their message before they write the next: what a commit takes, and how many share one",
        BenchOptions(connections=10, senders=10),
        (Goal(ACKNOWLEDGED, 5000, Against.ITSELF, at_least=True),),
    ),
    # Longer than two of Hubbub's heartbeats, which are 9 s apart. The message a second is there for the generator to check something.
    Workload(
        "I",
        "10,000 connections in 1,000 rooms, idle but for heartbeats and one message a second in all",
        "most people, most of the time: what keeping them connected takes",
        BenchOptions(connections=10_000, rooms=1000, rate=1),
        (Goal(MEMORY, 10, Against.ITSELF), Goal(SHARE, 3, Against.ITSELF)),
        seconds=20.0,
        rounds=1,
    ),
    Workload(
        "L",
        "1,000 connections in 100 rooms, at half of the rate that is Hubbub's most in C",
        "latency at a load that is neither idle nor too much; who can't do so much is not measured",
        BenchOptions(connections=1000, rooms=100, rate=1000),
        (Goal(P99, 1, Against.PEERS),),
        peers=True,
        in_memory=True,
    ),
)
