"""Hubbub within an application: an ASGI application to serve or to mount, and `run` for a server of one's own."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import structlog

from hubbub import logs, server
from hubbub.hub import Hub
from hubbub.settings import load
from hubbub.transport.asgi import Receive, Scope, Send, serve_websocket


def run(hub: Hub, **settings: Any) -> int:
    """Serve `hub`, with the chat, until SIGTERM or Ctrl-C; the exit status.

    `settings` are those of `hubbub.settings.Settings`, over ``HUBBUB_…`` in the environment. Raises `SettingError`
    and `StartError`.
    """
    return server.run(load(os.environ, settings), hub)


class Application:
    """An ASGI application: the chat's pages, its HTTP interface, and the WebSocket at ``/ws``.

    Serve it with any ASGI server, or mount it in your own application and run its `lifespan` there:
    ``Starlette(routes=[Mount("/chat", app)], lifespan=app.lifespan)``. One process serves one database.
    """

    def __init__(self, hub: Hub, **settings: Any) -> None:
        self._hub = hub
        self._settings = load(os.environ, settings)
        self._service: server.Service | None = None

    @contextlib.asynccontextmanager
    async def lifespan(self, _app: object = None) -> AsyncIterator[None]:
        """Work while the block runs."""
        if not structlog.is_configured():
            logs.set_up_own(self._settings, sys.stderr)
        async with server.service(self._settings, self._hub) as self._service:
            try:
                yield
            finally:
                await self._hub.stop(self._settings.restart_spread_seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI call."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if self._service is None:
            raise RuntimeError("Run the application's lifespan first: Starlette(…, lifespan=app.lifespan).")
        if scope["type"] == "websocket":
            await serve_websocket(self._service.door, scope, receive, send)
        else:
            await self._service.app(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            async with self.lifespan():
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except server.StartError as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
        else:
            await send({"type": "lifespan.shutdown.complete"})
