"""A room chat with websockets: its broadcast() to the members of a room, on uvloop, as its pages on broadcasting and performance say."""

# mypy: disable-error-code="import-untyped"

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from datetime import UTC, datetime

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve

members: dict[str, set[ServerConnection]] = defaultdict(set)
heads: Counter[str] = Counter()


async def chat(connection: ServerConnection) -> None:
    """One connection, to its end."""
    room = ""
    try:
        async for text in connection:
            event = json.loads(text)
            payload = event["payload"]
            if event["type"] == "enter":
                room = payload["room"]
                members[room].add(connection)
                entered = {"room": room, "head": heads[room]}
                await connection.send(json.dumps({"type": "entered", "payload": entered}))
            else:
                heads[room] += 1
                payload |= {
                    "seq": heads[room],
                    "from": str(connection.id),
                    "sent": datetime.now(UTC).isoformat(),
                }
                broadcast(members[room], json.dumps({"type": "new_message", "payload": payload}))
    finally:
        members[room].discard(connection)


async def main(port: int) -> None:
    """Serve on this port."""
    async with serve(chat, "127.0.0.1", port) as server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
