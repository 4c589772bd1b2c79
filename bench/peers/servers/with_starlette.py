"""A room chat with Starlette: a send to each member in turn, as FastAPI's page on WebSockets has it; Starlette's own shows no broadcast."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from uuid import uuid4

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket


class ConnectionManager:
    """Who is in which room."""

    def __init__(self) -> None:
        self.heads: Counter[str] = Counter()
        self._members: dict[str, list[WebSocket]] = {}

    def enter(self, room: str, member: WebSocket) -> None:
        """Add a member to a room."""
        self._members.setdefault(room, []).append(member)

    def leave(self, room: str, member: WebSocket) -> None:
        """Remove a member."""
        self._members[room].remove(member)

    async def broadcast(self, room: str, text: str) -> None:
        """Send a text to all members of a room."""
        for member in self._members[room]:
            await member.send_text(text)


manager = ConnectionManager()


async def chat(websocket: WebSocket) -> None:
    """One connection, to its end."""
    await websocket.accept()
    id_, room = str(uuid4()), ""
    try:
        async for text in websocket.iter_text():
            event = json.loads(text)
            payload = event["payload"]
            if event["type"] == "enter":
                room = payload["room"]
                manager.enter(room, websocket)
                entered = {"room": room, "head": manager.heads[room]}
                await websocket.send_json({"type": "entered", "payload": entered})
            else:
                manager.heads[room] += 1
                payload |= {"seq": manager.heads[room], "from": id_, "sent": datetime.now(UTC).isoformat()}
                await manager.broadcast(room, json.dumps({"type": "new_message", "payload": payload}))
    finally:
        if room:
            manager.leave(room, websocket)


app = Starlette(routes=[WebSocketRoute("/ws", chat)])
