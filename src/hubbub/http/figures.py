"""`GET /api/server`: what an administrator wants to see of a server."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from pathlib import Path
from typing import Final

from sqlalchemy.engine import make_url
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hubbub.clock import Clock, rfc3339
from hubbub.errors import FORBIDDEN, Refused
from hubbub.figures import Rate
from hubbub.http.answers import answer
from hubbub.http.who import context_of, identity_of
from hubbub.hub import Hub
from hubbub.log import queries
from hubbub.log.queries import Totals
from hubbub.log.store import in_memory
from hubbub.settings import Settings

_TOTALS_SECONDS: Final = 10.0  # how old the counts of what is in the database may be


class ServerFigures:
    """The figures of one server. `note` is to be called every now and then."""

    def __init__(self, hub: Hub, settings: Settings, clock: Clock) -> None:
        self._hub = hub
        self._clock = clock
        self._database = _file(settings)
        self._started = clock.now()
        self._rate = Rate()
        self._totals: Totals | None = None
        self._counted_at = 0.0
        self._counting = asyncio.Lock()

    def note(self) -> None:
        """Remember how much was written by now."""
        self._rate.note(self._clock.monotonic(), self._hub.writer.figures.entries)

    async def shown(self, version: str) -> dict[str, object]:
        """The figures, as they are sent."""
        hub, written = self._hub, self._hub.writer.figures
        totals = await self._counted()
        size, free = await asyncio.to_thread(self._bytes)
        return {
            "version": version,
            "started": rfc3339(self._started),
            "connections": len(hub.clients),
            "users_online": len(hub.membership.users),
            "users": totals.users,
            "rooms": {
                **{kind: totals.rooms.get(kind, 0) for kind in ("public", "private", "direct")},
                "archived": totals.archived,
            },
            "entries": totals.entries,
            "messages": totals.messages,
            "database_bytes": size,
            "disk_free_bytes": free,
            "lag_seconds": written.last_lag_seconds,
            "commit_seconds": written.last_commit_seconds,
            "entries_per_second": round(self._rate.per_second, 2),
        }

    async def _counted(self) -> Totals:
        async with self._counting:
            now = self._clock.monotonic()
            if self._totals is None or now - self._counted_at >= _TOTALS_SECONDS:
                self._totals = await self._hub.store.read(queries.totals)
                self._counted_at = now
            return self._totals

    def _bytes(self) -> tuple[int | None, int | None]:
        """The size of the database with its log, and what is free on its disk."""
        if self._database is None:
            return None, None
        size, free = None, None
        with contextlib.suppress(OSError):
            log = self._database.with_name(self._database.name + "-wal")
            size = self._database.stat().st_size + (log.stat().st_size if log.exists() else 0)
            free = shutil.disk_usage(self._database.parent).free
        return size, free


def figure_routes(figures: ServerFigures) -> list[BaseRoute]:
    """`/api/server`."""

    async def server(request: Request) -> Response:
        identity = await identity_of(request)
        if not identity.administers:
            raise Refused(FORBIDDEN, "Only an administrator can do this.")
        return answer(await figures.shown(context_of(request).version))

    return [Route("/api/server", server, methods=["GET"])]


def _file(settings: Settings) -> Path | None:
    url = make_url(settings.database_url)
    if url.get_backend_name() != "sqlite" or in_memory(url) or not url.database:
        return None
    return Path(url.database)
