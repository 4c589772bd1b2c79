"""A room chat with python-socketio: rooms and emit(), as its page on the server has them."""

# mypy: disable-error-code="import-not-found, import-untyped, misc, untyped-decorator"

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import socketio

sio = socketio.AsyncServer(async_mode="asgi")
app = socketio.ASGIApp(sio)
heads: Counter[str] = Counter()


@sio.event
async def enter(sid: str, data: dict[str, Any]) -> None:
    """Enter a room."""
    room = data["room"]
    await sio.enter_room(sid, room)
    await sio.emit("entered", {"room": room, "head": heads[room]}, to=sid)


@sio.event
async def send_message(sid: str, data: dict[str, Any]) -> None:
    """Say something in a room."""
    room = data["room"]
    heads[room] += 1
    message = data | {"seq": heads[room], "from": sid, "sent": datetime.now(UTC).isoformat()}
    await sio.emit("new_message", message, to=room)
