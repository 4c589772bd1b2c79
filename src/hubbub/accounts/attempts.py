"""Attempts at a password: only wrong ones count, and guesses side by side can't outrun the count."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from hubbub.clock import Clock
from hubbub.errors import WRONG_PASSWORD, Refused
from hubbub.limits import RateLimit


@dataclass(slots=True)
class _UnderWay:
    """Attempts for one key of which it isn't known yet whether they are right, and those that wait for them."""

    count: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


class Attempts:
    """At most so many wrong attempts for a key; `Refused` (rate limited) past it, whatever the password.

    An attempt takes its place in the bucket before it is known to be wrong, and gives it back if it wasn't. If the
    bucket is empty only because of attempts under way, the next waits for one of these: so a hundred people who
    log in at once behind one address are all let in.
    """

    def __init__(self, clock: Clock, a_minute: float) -> None:
        self._clock = clock
        self._limit = RateLimit(a_minute / 60, int(a_minute))
        self._under_way: dict[object, _UnderWay] = {}

    @asynccontextmanager
    async def one(self, key: object) -> AsyncIterator[None]:
        """One attempt for `key`. It was wrong if it ends with the refusal WRONG_PASSWORD, or is cut off."""
        await self._begin(key)
        wrong = True
        try:
            yield
            wrong = False
        except Refused as refused:
            wrong = refused.refusal is WRONG_PASSWORD
            raise
        finally:
            self._end(key, wrong=wrong)

    async def _begin(self, key: object) -> None:
        while True:
            try:
                self._limit.take(key, self._clock.monotonic())
                break
            except Refused:
                others = self._under_way.get(key)
                if others is None:
                    raise
                turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                others.waiting.append(turn)
                await turn
        self._under_way.setdefault(key, _UnderWay()).count += 1

    def _end(self, key: object, *, wrong: bool) -> None:
        under_way = self._under_way[key]
        under_way.count -= 1
        if not wrong:
            self._limit.give_back(key)
            self._wake(under_way, 1)
        if not under_way.count:
            del self._under_way[key]
            self._wake(under_way, len(under_way.waiting))

    @staticmethod
    def _wake(under_way: _UnderWay, how_many: int) -> None:
        while how_many and under_way.waiting:
            turn = under_way.waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                how_many -= 1
