"""Whether the process lives, whether it can do its work, and whether a proxy lets the WebSocket through."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from hubbub.accounts.revision import revision
from hubbub.errors import UNAVAILABLE, UPGRADE_REQUIRED, Refused
from hubbub.http.answers import refusal
from hubbub.http.who import context_of
from hubbub.log.store import Store

READY_SECONDS: Final = 2.0


async def alive(_request: Request) -> Response:
    """GET /healthz: the process answers."""
    return PlainTextResponse("ok\n")


async def ready(request: Request) -> Response:
    """GET /readyz: the database answers too."""
    await check(context_of(request).store, READY_SECONDS)
    return PlainTextResponse("ok\n")


async def no_upgrade(_request: Request) -> Response:
    """GET /ws without an upgrade: what answers for the WebSocket is not here, but in `hubbub.transport`."""
    response = refusal(Refused(UPGRADE_REQUIRED))
    response.headers["upgrade"] = "websocket"
    return response


async def check(store: Store, seconds: float) -> None:
    """`Refused` (503) unless the database answers within `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            await store.read(revision)
    except TimeoutError:
        raise Refused(UNAVAILABLE, "The database does not answer.", retry_after_seconds=seconds) from None


ROUTES: Final = (
    Route("/healthz", alive, methods=["GET"]),
    Route("/readyz", ready, methods=["GET"]),
    Route("/ws", no_upgrade, methods=["GET"]),
)
