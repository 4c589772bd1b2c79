"""The command `hubbub torture`: options in, a line a round and an exit status out."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Final

from hubbub.torture.plan import FAULTS
from hubbub.torture.run import TortureOptions, TortureResult, torture
from hubbub.torture.server import TortureError

KEPT: Final = 0
BROKEN: Final = 1
UNUSABLE: Final = 2
_MOST_SHOWN: Final = 20


def run_torture(
    *,
    seed: int | None,
    rounds: int,
    seconds: float,
    clients: int,
    rooms: int,
    faults: str,
    keep: Path | None,
) -> int:
    """0: every promise was kept; 1: one was broken, or the server did not come back; 2: options that can't be used."""
    chosen = [fault.strip() for fault in faults.split(",") if fault.strip()] or list(FAULTS)
    wrong = _wrong(rounds, seconds, clients, rooms, chosen)
    if wrong:
        _say(wrong)
        return UNUSABLE
    options = TortureOptions(
        seed=random.SystemRandom().randrange(2**32) if seed is None else seed,
        rounds=rounds,
        seconds=seconds,
        clients=clients,
        rooms=rooms,
        faults=chosen,
        keep=keep,
    )
    _say(f"seed {options.seed}")
    try:
        result = torture(options, _say)
    except TortureError as error:
        _say(f"{error} (seed {options.seed})")
        return BROKEN
    except KeyboardInterrupt:
        _say(f"stopped before it was done (seed {options.seed})")
        return BROKEN
    print(_report(result))
    return BROKEN if result.broken else KEPT


def _wrong(rounds: int, seconds: float, clients: int, rooms: int, faults: list[str]) -> str | None:
    unknown = [fault for fault in faults if fault not in FAULTS]
    if unknown:
        return f"There is no fault {unknown[0]!r}. Known: {', '.join(FAULTS)}."
    if rounds < 1 or clients < 2 or rooms < 1 or not 0 < seconds <= 3600:
        return "Give at least 1 round, 2 clients and 1 room, and up to 3,600 seconds a round."
    return None


def _report(result: TortureResult) -> str:
    lines = [
        f"seed          {result.seed}",
        f"rounds        {result.rounds}",
        f"faults        {', '.join(f'{name} {count}' for name, count in sorted(result.faults.items())) or 'none'}",
        f"entries       {result.entries}",
        f"acknowledged  {result.acknowledged}",
        f"sent again    {result.sent_again}",
        f"connections   {result.connections}",
        f"server starts {result.starts}",
    ]
    if not result.broken:
        return "\n".join([*lines, "every promise was kept"])
    shown = [f"  {broken}" for broken in result.broken[:_MOST_SHOWN]]
    return "\n".join([*lines, f"{len(result.broken)} broken:", *shown])


def _say(line: str) -> None:
    print(f"hubbub torture: {line}", file=sys.stderr, flush=True)
