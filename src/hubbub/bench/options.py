"""What may be asked of the load generator, and what of it makes sense."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from hubbub.bench.wire import STAMP_CHARACTERS

LARGEST_MESSAGE: Final = 10_000


class BadOptionError(Exception):
    """An option that cannot be used. The text says which, why, and what would do."""


@dataclass(frozen=True)
class BenchOptions:
    """What to measure.

    `url` is a server's ``ws://host:port/ws``; without one the bench starts a server of its own, with data
    of its own, and ends it. `senders` are in each room. With a `rate` (messages a second, of all senders together)
    messages are sent at fixed times, answered or not (an open loop); without one each sender keeps `window`
    messages in flight (a closed loop). `messages`, if given, is how many are sent in all, instead of for how many `seconds`;
    there is then no warm-up. `processes` of 0 means as many as suit this machine.
    """

    url: str | None = None
    connections: int = 100
    rooms: int = 1
    senders: int = 1
    window: int = 1
    rate: float = 0.0
    seconds: float = 10.0
    warmup: float = 2.0
    messages: int | None = None
    size: int = 64
    tokens: Path | None = None
    server_pid: int | None = None
    slow: int = 0
    processes: int = 0
    json: bool = False


def check(options: BenchOptions) -> None:
    """Raise `BadOptionError` for the first option that cannot be used."""
    _check_url(options)
    for name, least in (
        ("connections", 1),
        ("rooms", 1),
        ("senders", 1),
        ("window", 1),
        ("slow", 0),
        ("processes", 0),
    ):
        if getattr(options, name) < least:
            raise BadOptionError(f"--{name} {getattr(options, name)}: at least {least} is needed")
    if not STAMP_CHARACTERS <= options.size <= LARGEST_MESSAGE:
        raise BadOptionError(
            f"--size {options.size}: a message has {STAMP_CHARACTERS} to {LARGEST_MESSAGE} characters"
        )
    if not 0 <= options.rate < math.inf:
        raise BadOptionError(f"--rate {options.rate:g}: give messages a second, or 0 for a closed loop")
    if not 0 < options.seconds < math.inf:
        raise BadOptionError(f"--seconds {options.seconds:g}: give a time above 0 s")
    if not 0 <= options.warmup < math.inf:
        raise BadOptionError(f"--warmup {options.warmup:g}: give a time, 0 s at least")
    _check_shares(options)
    if options.server_pid is not None and not Path(f"/proc/{options.server_pid}/stat").exists():
        raise BadOptionError(f"--server-pid {options.server_pid}: no such process on this machine")


def read_tokens(path: Path) -> list[str]:
    """The bearer tokens of a file with lines ``name,token``. Raises `BadOptionError`."""
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadOptionError(
            f"--tokens {path}: {getattr(error, 'strerror', None) or 'not a text file'}"
        ) from error
    tokens = []
    for number, line in enumerate(lines, start=1):
        name, comma, token = line.strip().rpartition(",")
        if not line.strip() or (number == 1 and line.strip() == "name,token"):
            continue
        if not comma or not name or not token.strip().isascii() or not token.strip():
            raise BadOptionError(f"--tokens {path}: line {number} is not name,token")
        tokens.append(token.strip())
    if not tokens:
        raise BadOptionError(
            f"--tokens {path}: no line name,token in it; `hubbub user import` writes such a file"
        )
    return tokens


def _check_url(options: BenchOptions) -> None:
    if options.url is None:
        for name in ("tokens", "server_pid"):
            if getattr(options, name) is not None:
                raise BadOptionError(
                    f"--{name.replace('_', '-')} goes with --url; the bench's own server needs none"
                )
        return
    try:
        parts = urlsplit(options.url)
        usable = parts.scheme in ("ws", "wss") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise BadOptionError(f"--url {options.url}: not a WebSocket address such as ws://127.0.0.1:8082/ws")


def _check_shares(options: BenchOptions) -> None:
    readers = options.connections - options.slow
    speakers = options.rooms * options.senders
    if options.connections < options.rooms:
        raise BadOptionError(
            f"--rooms {options.rooms}: more rooms than the {options.connections} connections"
        )
    if readers < speakers:
        raise BadOptionError(
            f"--senders {options.senders}: {speakers} connections that read are needed for so many in each room, "
            f"there are {readers}"
        )
    if options.messages is not None and options.messages < speakers:
        raise BadOptionError(
            f"--messages {options.messages}: at least one for each of the {speakers} senders"
        )
    if options.messages is not None and options.rate:
        raise BadOptionError("--messages goes without --rate: it is for a closed loop")
    if options.processes > options.connections:
        raise BadOptionError(
            f"--processes {options.processes}: more than the {options.connections} connections"
        )
