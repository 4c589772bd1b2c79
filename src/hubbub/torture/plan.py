"""Which faults happen when: drawn from a seed, so that a run can be made again. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

SERVER_FAULTS: Final = ("kill", "restart", "pause", "lock", "full")
CLIENT_FAULTS: Final = ("cut", "vanish", "hold-up", "hold-down", "drip", "delay")
FAULTS: Final = (*SERVER_FAULTS, *CLIENT_FAULTS)

_LONGEST_SECONDS: Final = {"pause": 1.5, "lock": 2.0, "full": 2.0, "kill": 0.5, "restart": 0.5}
_CLIENT_SECONDS: Final = 3.0


@dataclass(frozen=True)
class Step:
    """One fault: when in its round, to whom, for how long."""

    at_seconds: float
    fault: str
    client: int  # whose connection; of no meaning for a fault of the server
    seconds: float


@dataclass(frozen=True)
class Round:
    """Some seconds in which everyone talks and faults happen; then there is peace, and all is checked."""

    number: int
    seconds: float
    steps: tuple[Step, ...]


def plan(
    seed: int, *, rounds: int, seconds: float, clients: int, faults: Sequence[str] = FAULTS
) -> Iterator[Round]:
    """`rounds` rounds of `seconds` each, the same for the same arguments."""
    for number in range(1, rounds + 1):
        chance = random.Random(f"{seed}:{number}")  # noqa: S311 - to be repeated
        steps = sorted(_steps(chance, seconds, clients, faults), key=lambda step: step.at_seconds)
        yield Round(number, seconds, tuple(steps))


def _steps(chance: random.Random, seconds: float, clients: int, faults: Sequence[str]) -> Iterator[Step]:
    of_server = [fault for fault in SERVER_FAULTS if fault in faults]
    of_clients = [fault for fault in CLIENT_FAULTS if fault in faults]
    if of_server:
        # One after another, in the middle of the talk: two at once would hide each other.
        at = chance.uniform(0.2, 0.5) * seconds
        while at < seconds * 0.9:
            fault = chance.choice(of_server)
            lasting = chance.uniform(0.1, 1.0) * _LONGEST_SECONDS[fault]
            yield Step(at, fault, 0, lasting)
            at += lasting + chance.uniform(0.3, 0.8) * seconds
    if of_clients:
        for _ in range(chance.randint(clients // 2, clients * 2)):
            fault = chance.choice(of_clients)
            yield Step(
                chance.uniform(0, seconds * 0.9),
                fault,
                chance.randrange(clients),
                chance.uniform(0.1, 1.0) * _CLIENT_SECONDS,
            )
