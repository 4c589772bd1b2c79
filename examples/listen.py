"""Show what happens in a room from now on, and miss nothing.

python listen.py ws://localhost:8082/ws general, with a bearer token in TOKEN
"""

import asyncio
import json
import os
import random
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol


async def listen(url: str, token: str, room: str) -> None:
    held: dict[
        str, object
    ] = {}  # `after`, the number of the last entry that we hold, and the `epoch` it belongs to
    header = {"Authorization": f"Bearer {token}"}
    async for socket in connect(url, subprotocols=[Subprotocol("hubbub.v1")], additional_headers=header):
        try:
            async for frame in socket:
                event = json.loads(frame)
                type_, payload = event["type"], event["payload"]
                for entry in [event] if type_ != "entered" else payload.get("entries", []):
                    if "seq" in entry["payload"] and entry["type"] != "read":
                        held["after"] = entry["payload"]["seq"]
                        print(entry["type"], json.dumps(entry["payload"]), flush=True)
                if type_ == "entered" and "messages" in payload:  # the first time, or it is another log
                    held = {"after": payload["head"], "epoch": payload["epoch"]}
                if type_ in ("welcome", "gap") or (type_ == "entered" and payload["more"]):
                    await socket.send(json.dumps({"type": "enter", "payload": {"room": room, **held}}))
        except ConnectionClosed as closed:
            if closed.rcvd and 4400 <= closed.rcvd.code < 4500:
                raise  # don't come back by yourself
            await asyncio.sleep(random.random())  # not all at once


if __name__ == "__main__":
    asyncio.run(listen(sys.argv[1], os.environ["TOKEN"], sys.argv[2]))
