"""A bounded memory of who is behind which secret, in front of the database.

After a restart thousands come back at once. While one query runs, those who come meanwhile wait for the next one
together, so that they cost a few queries and not one each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from hubbub.tickets import Identity

_BATCH: Final = 500
BOUND: Final = 16_384


@dataclass(slots=True)
class Found:
    """Who a secret lets in, until when (milliseconds since 1970; None: no end), and when it was last noted as used."""

    identity: Identity
    expires_at: int | None = None
    seen_at: int = 0


_Answer = asyncio.Future[tuple[int, Found | None]]  # with the generation in which it is true


class Known:
    """Who is behind the hash of a secret. For the event loop's thread.

    What `find` gives was true after the last `forget`: an answer read before is read again. The caller uses it
    before it awaits anything else.
    """

    def __init__(
        self, read: Callable[[Sequence[str]], Awaitable[Mapping[str, Found]]], bound: int = BOUND
    ) -> None:
        self._read = read
        self._bound = bound
        self._found: dict[str, Found] = {}
        self._wanted: dict[str, _Answer] = {}
        self._reading: asyncio.Task[None] | None = None
        self._generation = 0

    def __len__(self) -> int:
        return len(self._found)

    async def find(self, digest: str) -> Found | None:
        """Who is behind the secret of this hash; None if nobody is. Raises what the reading raises."""
        found = self._found.get(digest)
        while found is None:
            generation, answer = await asyncio.shield(self._want(digest))
            if generation == self._generation:
                return answer
            found = self._found.get(digest)
        return found

    def forget(self, gone: Callable[[Identity], bool] = lambda _identity: True) -> None:
        """Somebody's way in has ended: forget those who are `gone`, and whatever is being read at this moment."""
        self._generation += 1
        for digest in [digest for digest, found in self._found.items() if gone(found.identity)]:
            del self._found[digest]

    def drop(self, digest: str) -> None:
        """Forget the secret of this hash, which has expired."""
        self._found.pop(digest, None)

    def close(self) -> None:
        """Stop reading; whoever waits is cancelled."""
        if self._reading is not None:
            self._reading.cancel()
        for waiting in self._wanted.values():
            waiting.cancel()
        self._wanted.clear()

    def _want(self, digest: str) -> _Answer:
        answer = self._wanted.get(digest)
        if answer is None:
            loop = asyncio.get_running_loop()
            answer = self._wanted[digest] = loop.create_future()
            if self._reading is None:
                self._reading = loop.create_task(self._read_wanted())
        return answer

    async def _read_wanted(self) -> None:
        try:
            while self._wanted:
                await self._read_batch(list(islice(self._wanted, _BATCH)))
        finally:
            self._reading = None

    async def _read_batch(self, digests: Sequence[str]) -> None:
        generation = self._generation
        try:
            found = await self._read(digests)
        except Exception as error:  # noqa: BLE001 - each who waits gets it
            for digest in digests:
                _fail(self._wanted.pop(digest), error)
            return
        if generation != self._generation:
            return  # what was read may be over already: the digests are still wanted, and read again
        for digest in digests:
            self._keep(digest, found.get(digest))
            answer = self._wanted.pop(digest)
            if not answer.done():
                answer.set_result((generation, found.get(digest)))

    def _keep(self, digest: str, found: Found | None) -> None:
        if found is None:
            return
        if len(self._found) >= self._bound:
            del self._found[next(iter(self._found))]  # the oldest
        self._found[digest] = found


def _fail(answer: _Answer, error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
        answer.exception()  # nobody may be waiting any more: then it is no news
