"""Passwords: hashed with Argon2id, off the event loop, as many at once as there are cores.

Parameters after OWASP ASVS 5.0, appendix C: 19 MiB, two passes, one lane.
"""

from __future__ import annotations

import asyncio
import os
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple, TypeVar, TypeVarTuple

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hubbub import names
from hubbub.errors import BAD_PASSWORD, OVERLOADED, Refused

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

LONGEST_BYTES: Final = 1024
# Of a random password that nobody knows; a name that nobody has is checked against it, so that it takes as long.
NOBODYS: Final = (
    "$argon2id$v=19$m=19456,t=2,p=1$Z2+DtTskuJOsIhxWrh1YLw$N7W6GrZ1G3L6/2fPL8YdAFlDPzn8izTxyw012DrgKHM"
)
# Twenty milliseconds each: past it the last in the queue would wait for ten seconds.
_WAITING_PER_THREAD: Final = 512

_hasher: Final = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)


class Verdict(NamedTuple):
    """Whether a password is right, and its hash anew if the one on record has old parameters."""

    right: bool
    rehashed: str | None = None


def checked(password: str, least_characters: int, name: str = "") -> str:
    """`password` as it may be set by the person called `name`, or `Refused`."""
    if len(password) < least_characters:
        raise Refused(
            BAD_PASSWORD, f"A password has at least {least_characters} characters.", field="password"
        )
    if _bytes(password) is None:
        raise Refused(
            BAD_PASSWORD, f"A password has at most {LONGEST_BYTES} bytes of valid text.", field="password"
        )
    if name and names.key_of(password) == names.key_of(name):
        raise Refused(BAD_PASSWORD, "A password is not the name itself.", field="password")
    return password


def hashed(password: str) -> str:
    """The Argon2id hash of `password`, which `checked` let pass. Takes about 20 ms of a core."""
    raw = _bytes(password)
    if raw is None:
        raise Refused(BAD_PASSWORD, field="password")
    return _hasher.hash(raw)


def verified(password: str, kept: str | None) -> Verdict:
    """Whether `password` is the one of the hash `kept`. Runs the hasher once, also when there is none to match."""
    raw = _bytes(password)
    if kept is None or raw is None:
        _matches(NOBODYS, raw or b"")
        return Verdict(False)
    right = _matches(kept, raw)
    outdated = right and _hasher.check_needs_rehash(kept)
    return Verdict(right, _hasher.hash(raw) if outdated else None)


class Hashers:
    """The threads that hash: as many as cores. When too many passwords wait for them, `Refused` (overloaded)."""

    def __init__(self, threads: int | None = None) -> None:
        self._threads = threads or _cores()
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="hubbub-hash")
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """See `hashed`."""
        return await self._run(hashed, password)

    async def verify(self, password: str, kept: str | None) -> Verdict:
        """See `verified`."""
        return await self._run(verified, password, kept)

    def close(self) -> None:
        """End the threads; what waits is dropped."""
        self._pool.shutdown(cancel_futures=True)

    async def _run(self, job: Callable[[*Arguments], T], *arguments: *Arguments) -> T:
        if self._waiting >= self._threads * _WAITING_PER_THREAD:
            raise Refused(OVERLOADED, retry_after_seconds=10.0)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, job, *arguments)
        finally:
            self._waiting -= 1


def _matches(kept: str, raw: bytes) -> bool:
    try:
        return _hasher.verify(kept, raw)
    except (VerificationError, InvalidHashError):
        return False


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _bytes(password: str) -> bytes | None:
    """The bytes that are hashed (NFC: the same on every keyboard, RFC 8265), or None if they can't be a password."""
    try:
        raw = unicodedata.normalize("NFC", password).encode()
    except UnicodeEncodeError:
        return None
    return raw if len(raw) <= LONGEST_BYTES else None
