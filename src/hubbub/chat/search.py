"""Searching the messages that somebody may see."""

from __future__ import annotations

import asyncio

from sqlalchemy import Connection, select

from hubbub.chat.question import Asked, Question, understood
from hubbub.chat.rooms import Rooms
from hubbub.errors import BAD_PAYLOAD, RATE_LIMITED, Refused
from hubbub.hub import Hub
from hubbub.limits import RateLimit
from hubbub.log import searching
from hubbub.log.schema import users
from hubbub.log.searching import Found, Wanted
from hubbub.names import key_of
from hubbub.tickets import Identity


class Search:
    """Search on one server."""

    def __init__(self, hub: Hub, rooms: Rooms) -> None:
        self._hub = hub
        self._rooms = rooms
        per_second = hub.settings.limit_searches
        self._searches = RateLimit(per_second, int(per_second * 4))
        # One at a time: however much is searched, a reader of the database is free for those who enter rooms.
        self._turn = asyncio.Semaphore(1)

    async def find(self, identity: Identity, asked: Asked, limit: int, below: int | None) -> Found:
        """Up to `limit` results, the newest first; `below` goes on after an answer before. `Refused` for what can't be.

        What was on disk when it was asked is found.
        """
        question = understood(asked)
        try:
            self._searches.take(identity.user_id, self._hub.clock.monotonic())
        except Refused as refused:
            raise Refused(
                RATE_LIMITED,
                "You search very often. Wait a moment.",
                retry_after_seconds=refused.retry_after_seconds,
            ) from None
        room_ids = [await self._room_id(identity, name) for name in question.rooms] or None

        def read(connection: Connection) -> Found:
            wanted = Wanted(
                question.words,
                _user_ids(connection, question),
                tuple(room_ids) if room_ids is not None else None,
                question.since_ms,
                question.until_ms,
            )
            return searching.search(connection, identity.user_id, wanted, limit, below=below)

        async with self._turn:
            await self._hub.indexing.caught_up()
            return await self._hub.store.read(read)

    async def _room_id(self, identity: Identity, name: str) -> int:
        row = await self._rooms.find(identity, name)
        if row is None:
            raise Refused(BAD_PAYLOAD, f"There is no room {_shown(name)}.", field="in")
        return row.id


def _user_ids(connection: Connection, question: Question) -> tuple[int, ...] | None:
    if not question.people:
        return None
    by_key = {key_of(name): name for name in question.people}
    rows = connection.execute(select(users.c.key, users.c.id).where(users.c.key.in_(by_key))).all()
    found = {row.key: row.id for row in rows}
    for key, name in by_key.items():
        if key not in found:
            raise Refused(BAD_PAYLOAD, f"There is nobody called {_shown(name)}.", field="from")
    return tuple(found.values())


def _shown(name: str) -> str:
    return name if len(name) <= 64 else f"{name[:64]}…"
