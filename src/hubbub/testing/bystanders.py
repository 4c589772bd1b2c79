"""Two people who talk while a server is hurt, and whom nobody may disturb."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

WAIT_SECONDS = 20.0
ROOM = "a quiet corner"


class Disturbed(Exception):
    """A bystander noticed something. The text says what."""


class Bystanders:
    """Two connections in a room of their own, open from the first to the last."""

    def __init__(self, port: int, tokens: Sequence[str]) -> None:
        self.heard = 0
        self._url = f"ws://127.0.0.1:{port}/ws"
        self._tokens = tokens
        self._sockets: list[ClientConnection] = []
        self._numbers = itertools.count(1)
        self._talking = asyncio.Lock()

    async def __aenter__(self) -> Self:
        for token in self._tokens:
            socket = await connect(
                self._url,
                subprotocols=[Subprotocol("hubbub.v1")],
                additional_headers={"Authorization": f"Bearer {token}"},
                proxy=None,
            )
            self._sockets.append(socket)
            await socket.send(json.dumps({"type": "enter", "payload": {"room": ROOM}}))
            await _until(socket, "entered")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for socket in self._sockets:
            await socket.close()

    async def talk(self) -> None:
        """The one says something, and both hear it, next after what was said before. Raises `Disturbed`."""
        async with self._talking:
            number = next(self._numbers)
            payload = {"room": ROOM, "id": f"b{number}", "message": f"Message {number}"}
            try:
                await self._sockets[0].send(json.dumps({"type": "send_message", "payload": payload}))
                said = [await _until(socket, "new_message") for socket in self._sockets]
            except (WebSocketException, TimeoutError) as error:
                raise Disturbed(f"bystanders could not talk: {error!r}") from None
            if any(each["message"] != payload["message"] for each in said):
                raise Disturbed(f"bystanders heard {said} for message {number}")
            self.heard += 1


async def _until(socket: ClientConnection, type_: str) -> dict[str, Any]:
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            event = json.loads(await socket.recv())
            if event["type"] == "error":
                raise Disturbed(f"a bystander was refused: {event}")
            if event["type"] == type_:
                return dict(event["payload"])
