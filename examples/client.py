"""A client that misses nothing and says nothing twice.

`python client.py ws://localhost:8082/ws general` says each line of its input and shows what is said, with a bearer
token in TOKEN.
"""

import asyncio
import contextlib
import json
import os
import random
import re
import secrets
import sys
import time
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

Event = dict[str, Any]


class RoomCopy:
    """One room as we hold it, and what we said that is not on the server's disk yet. It does no I/O itself."""

    def __init__(self, room: str, show: Callable[[str, Event], None]) -> None:
        self.room, self.show = room, show
        self.user, self.live = "", False
        self.held: Event = {}  # `after`, the number of the last entry that we hold, and the `epoch` it belongs to
        self.outbox: dict[str, str] = {}  # messages, by our own id

    def say(self, message: str) -> list[Event]:
        """Say something: now, or once we are in the room again."""
        id_ = f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(8)}"
        self.outbox[id_] = message
        return [self._message(id_)] if self.live else []

    def take(self, type_: str, payload: Event) -> list[Event]:
        """Take an event from the server. Returns what to send."""
        if type_ == "welcome":
            self.user = payload["user"]
            return [self._enter()]
        if type_ == "gap":
            return [self._enter()]
        if type_ == "entered":
            return self._entered(payload)
        if type_ == "error":
            return self._refused(payload)
        # Entries have a number; of a type that we don't know, too.
        return self._entry(type_, payload) if "seq" in payload and type_ != "read" else []

    def lost(self) -> None:
        """The connection is gone."""
        self.live = False

    def _enter(self) -> Event:
        self.live = False
        return {"type": "enter", "payload": {"room": self.room, **self.held}}

    def _message(self, id_: str) -> Event:
        return {
            "type": "send_message",
            "payload": {"room": self.room, "id": id_, "message": self.outbox[id_]},
        }

    def _entered(self, payload: Event) -> list[Event]:
        self.room = payload["room"]
        if "messages" in payload:  # the first time, or what we held was of another log
            self.held = {"after": payload["head"], "epoch": payload["epoch"]}
            for message in payload["messages"]:
                self._acknowledge(message)
            self.show("messages", payload)
        for entry in payload.get("entries", []):
            self._entry(entry["type"], entry["payload"])
        if payload["more"]:
            return [self._enter()]
        self.live = True
        return [self._message(id_) for id_ in self.outbox]

    def _entry(self, type_: str, payload: Event) -> list[Event]:
        if type_ == "new_message":
            self._acknowledge(payload)
        if payload["seq"] <= self.held["after"]:
            return []  # we have it
        if payload["seq"] > self.held["after"] + 1:
            return [self._enter()]  # something is missing
        self.held["after"] = payload["seq"]
        self.room = payload["room"]  # it may have been renamed
        self.show(type_, payload)
        return []

    def _acknowledge(self, message: Event) -> None:
        if message["from"] == self.user:
            self.outbox.pop(message["id"], None)

    def _refused(self, payload: Event) -> list[Event]:
        id_ = payload.get("id", "")
        if payload["retry"]:
            return [self._message(id_)] if id_ in self.outbox else [self._enter()]
        self.outbox.pop(id_, None)
        self.show("error", payload)
        return []


async def keep(room: RoomCopy, url: str, token: str, lines: asyncio.Queue[str]) -> None:
    """Stay connected, until the session ends."""
    header = {"Authorization": f"Bearer {token}"}
    async for socket in connect(url, subprotocols=[Subprotocol("hubbub.v1")], additional_headers=header):
        saying = asyncio.create_task(say(room, socket, lines))
        try:
            async for frame in socket:
                event = json.loads(frame)
                for answer in room.take(event["type"], event["payload"]):
                    await asyncio.sleep(event["payload"].get("retry_after", 0))
                    await socket.send(json.dumps(answer))
        except ConnectionClosed as closed:
            code, reason = (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")
            if 4400 <= code < 4500:
                raise  # don't come back by yourself
            told = re.search(r"retry after ([\d.]+)", reason)
            await asyncio.sleep(float(told[1]) if told else random.random())
        finally:
            room.lost()
            saying.cancel()


async def say(room: RoomCopy, socket: ClientConnection, lines: asyncio.Queue[str]) -> None:
    """Say each line. What does not get through stays in the outbox."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            for event in room.say(await lines.get()):
                await socket.send(json.dumps(event))


async def main() -> None:
    room = RoomCopy(sys.argv[2], lambda type_, payload: print(type_, json.dumps(payload), flush=True))
    lines: asyncio.Queue[str] = asyncio.Queue()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(keep(room, sys.argv[1], os.environ["TOKEN"], lines))
        while line := await asyncio.to_thread(sys.stdin.readline):
            lines.put_nowait(line.rstrip("\n"))


if __name__ == "__main__":
    asyncio.run(main())
