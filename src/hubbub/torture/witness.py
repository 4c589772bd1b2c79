"""A client that talks at random, comes back whatever happens, and keeps what it heard.

It does what docs/protocol.md tells every client to do: an outbox with ids of its own, resuming by number.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from contextlib import suppress
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from hubbub.torture.record import Entry, Heard, Record, Said

ENTRIES: Final = frozenset(
    {
        *("new_message", "message_edited", "message_deleted", "reacted"),
        *("member_joined", "member_left", "room_changed"),
    }
)
_SILENCE_SECONDS: Final = 4.0  # after which a connection is taken for dead
_UNDER_WAY: Final = 12
_EMOJI: Final = ("👍", "🎉", "👀")


class Witness:
    """One client, over all of its connections."""

    def __init__(self, name: str, token: str, rooms: list[str], seed: str) -> None:
        self.record = Record(name, copies={room: {} for room in rooms})
        self.port = 0  # of its proxy
        self.talking = True
        self.pace_seconds = 0.01
        self._token = token
        self._rooms = rooms
        self._chance = random.Random(seed)  # noqa: S311 - to be repeated
        self._compression = self._chance.choice(("deflate", None))
        self._numbers = itertools.count(1)
        self._open: dict[str, Said] = {}  # not answered yet, in the order in which they were made
        self._epoch = ""  # of the database
        self._epochs: dict[str, str] = {}  # of rooms
        self._entered: set[str] = set()  # on this connection, and live
        self._closed_rooms: set[str] = set()  # to which it does not belong, as far as it knows
        self._asked: dict[str, str] = {}  # what each ref of this connection was for: a room or an id
        self._pausing_until = 0.0
        self._socket: ClientConnection | None = None
        self._running = True

    # --- life

    async def live(self) -> None:
        """Come, talk, and come back, until `leave`."""
        while self._running:
            with suppress(OSError, WebSocketException, TimeoutError):
                await self._session()
            self._socket = None
            if self._running:
                await asyncio.sleep(self._chance.uniform(0.02, 0.3))

    async def leave(self) -> None:
        """Go for good."""
        self._running = False
        if self._socket is not None:
            self._socket.transport.abort()

    def is_settled(self, heads: dict[str, int]) -> bool:
        """Whether everything it said was answered, and it holds each room that it is in up to its head."""
        if self._open or self._socket is None:
            return False
        return all(
            room in self._closed_rooms or (room in self._entered and self._last(room) >= heads[room])
            for room in self._rooms
        )

    def unsettled(self, heads: dict[str, int]) -> str:
        """What it still waits for, in words."""
        behind = {
            room: (self._last(room), heads[room]) for room in self._rooms if self._last(room) < heads[room]
        }
        return f"{self.record.name}: connected {self._socket is not None}, open {list(self._open.values())[:3]}, behind {behind}"

    async def _session(self) -> None:
        self._entered.clear()
        self._asked.clear()
        self._closed_rooms.clear()
        async with asyncio.timeout(_SILENCE_SECONDS * 2):
            socket = await connect(
                f"ws://127.0.0.1:{self.port}/ws",
                additional_headers={"Authorization": f"Bearer {self._token}"},
                subprotocols=[Subprotocol("hubbub.v1")],
                ping_interval=None,
                compression=self._compression,
                max_size=None,
                proxy=None,
            )
        self.record.connections += 1
        try:
            async with asyncio.timeout(_SILENCE_SECONDS):
                welcome = json.loads(await socket.recv())
            if welcome["type"] != "welcome":
                self._fault(f"the first event was {welcome['type']}")
            self._socket = socket
            talker = asyncio.create_task(self._talk(socket))
            try:
                self._epoch = welcome["payload"]["epoch"]
                for room in self._rooms:
                    await self._enter(socket, room)
                await self._listen(socket)
            finally:
                talker.cancel()
                with suppress(asyncio.CancelledError, WebSocketException, OSError):
                    await talker
        finally:
            socket.transport.abort()

    async def _listen(self, socket: ClientConnection) -> None:
        while self._running:
            try:
                async with asyncio.timeout(_SILENCE_SECONDS):
                    raw = await socket.recv()
            except TimeoutError:
                await self._send(socket, "mark_read", "probe", room=self._rooms[0], seq=0)
                async with asyncio.timeout(_SILENCE_SECONDS):
                    raw = await socket.recv()
            event = json.loads(raw)
            await self._hear(socket, event["type"], event["payload"], event.get("ref"))

    # --- talking

    async def _talk(self, socket: ClientConnection) -> None:
        while self._running:
            await asyncio.sleep(self._chance.uniform(0, self.pace_seconds * 2))
            if not self.talking or len(self._open) >= _UNDER_WAY or self._is_pausing():
                continue
            ready = [room for room in self._rooms if room in self._entered]
            if ready:
                await self._say_something(socket, self._chance.choice(ready))

    def _is_pausing(self) -> bool:
        return asyncio.get_running_loop().time() < self._pausing_until

    async def _say_something(self, socket: ClientConnection, room: str) -> None:
        copy = self.record.copies[room]
        mine = [
            seq
            for seq in itertools.islice(reversed(copy), 40)
            if copy[seq]["type"] == "new_message" and copy[seq]["from"] == self.record.name
        ]
        chosen = self._chance.random()
        id_ = f"{self.record.name}.{next(self._numbers)}"
        if chosen < 0.08 and mine:
            said = Said(id_, room, "edit_message", f"{id_}, better", self._chance.choice(mine))
        elif chosen < 0.11 and mine:
            said = Said(id_, room, "delete_message", "", self._chance.choice(mine))
        elif chosen < 0.18 and copy:
            said = Said(id_, room, "react", self._chance.choice(_EMOJI), self._chance.choice(list(copy)))
        elif chosen < 0.26 and copy:
            seq = self._chance.choice(list(copy))
            await self._send(socket, "mark_read", "read", room=room, seq=seq)
            return
        elif chosen < 0.28:
            await self._enter(socket, room)
            return
        else:
            size = self._chance.choice((1, 5, 40, 400, 4000))
            said = Said(id_, room, "send_message", f"{id_} " + "x" * size)
        self.record.said.append(said)
        self._open[id_] = said
        await self._request(socket, said)

    async def _request(self, socket: ClientConnection, said: Said) -> None:
        payload: dict[str, Any] = {"room": said.room, "id": said.id}
        if said.type == "react":
            payload |= {"seq": said.target, "emoji": said.text, "remove": said.id.endswith("3")}
        elif said.type == "delete_message":
            payload |= {"seq": said.target}
        elif said.type == "edit_message":
            payload |= {"seq": said.target, "message": said.text}
        else:
            payload |= {"message": said.text}
        await self._send(socket, said.type, said.id, **payload)

    async def _enter(self, socket: ClientConnection, room: str) -> None:
        # With an epoch, no room is made for one who was removed from that of this name.
        epoch = self._epochs.get(room, self._epoch)
        await self._send(socket, "enter", f"enter {room}", room=room, after=self._last(room), epoch=epoch)

    async def _send(self, socket: ClientConnection, type_: str, why: str, **payload: object) -> None:
        ref = f"{len(self._asked)}"
        self._asked[ref] = why
        await socket.send(json.dumps({"type": type_, "ref": ref, "payload": payload}))

    # --- hearing

    async def _hear(
        self, socket: ClientConnection, type_: str, payload: dict[str, Any], ref: str | None
    ) -> None:
        why = self._asked.get(ref, "") if ref is not None else ""
        if type_ in ENTRIES:
            self._answered(why, type_, payload)
            if self._take_live(type_, payload):
                await self._enter(socket, payload["room"])
        elif type_ == "entered":
            await self._hear_entered(socket, payload)
        elif type_ == "read":
            self._told_read(payload["room"], payload["seq"])
        elif type_ == "gap":
            self._entered.discard(payload["room"])
            await self._enter(socket, payload["room"])
        elif type_ == "exited":
            self._entered.discard(payload["room"])
            self._closed_rooms.add(payload["room"])
            self._give_up(payload["room"], "exited")
        elif type_ == "room_head" and payload["room"] in self._closed_rooms:
            await self._enter(socket, payload["room"])
        elif type_ == "error":
            await self._hear_error(socket, why, payload)

    async def _hear_entered(self, socket: ClientConnection, payload: dict[str, Any]) -> None:
        room = payload["room"]
        if payload.get("reset"):
            self._fault(f"{room} was reset: {payload}")
            return
        self._epochs[room] = payload["epoch"]
        self._closed_rooms.discard(room)
        self._told_read(room, payload["read"])
        for entry in payload.get("entries", ()):
            self._answered("", entry["type"], entry["payload"])
            self._take(room, {"type": entry["type"], **entry["payload"]}, payload["head"])
        if payload["more"]:
            await self._enter(socket, room)
            return
        if room not in self._entered:
            self._entered.add(room)
            for said in [said for said in self._open.values() if said.room == room]:
                self.record.sent_again += 1
                await self._request(socket, said)

    def _take_live(self, type_: str, payload: dict[str, Any]) -> bool:
        """Take an entry in. Whether the room must be entered again."""
        room, seq = payload["room"], payload["seq"]
        if room not in self.record.copies:
            return False
        if room in self._entered and seq > self._last(room) + 1:
            self._fault(f"after {self._last(room)} came {seq} in {room}, with no gap announced")
            return True
        if seq == self._last(room) + 1 and room in self._entered:
            self._take(room, {"type": type_, **payload}, None)
        return False

    def _take(self, room: str, entry: Entry, head: int | None) -> None:
        kept = {name: value for name, value in entry.items() if name != "room"}
        copy, last = self.record.copies[room], self._last(room)
        if entry["seq"] > last + 1:
            self._fault(f"after {last} came {entry['seq']} in {room} while entering")
        self.record.heard.append(Heard(room, kept, head))
        if entry["seq"] > last:
            copy[entry["seq"]] = kept
        elif not _alike(copy[entry["seq"]], kept):
            self._fault(f"{room} {entry['seq']} came twice, as {copy[entry['seq']]} and as {kept}")

    def _answered(self, why: str, type_: str, payload: dict[str, Any]) -> None:
        said = self._open.pop(why, None)
        if said is None and type_ == "new_message" and payload["from"] == self.record.name:
            said = self._open.pop(payload["id"], None)  # it came while resuming, or before its answer
        if said is not None:
            kept = {name: value for name, value in payload.items() if name != "room"}
            self.record.acknowledged[said.id] = (payload["room"], {"type": type_, **kept})

    async def _hear_error(self, socket: ClientConnection, why: str, payload: dict[str, Any]) -> None:
        if why.startswith("enter "):
            room = why.removeprefix("enter ")
            self._entered.discard(room)
            if payload["retry"]:
                await asyncio.sleep(0.1)
                await self._enter(socket, room)
            else:
                self._closed_rooms.add(room)
                self._give_up(room, payload["code"])
            return
        said = self._open.get(why)
        if said is None:
            return
        if payload["retry"]:
            # All of it again, in order, once the server has had its time.
            self.record.delayed.update(said.id for said in self._open.values())
            self._pausing_until = asyncio.get_running_loop().time() + payload.get("retry_after", 0.1)
            await asyncio.sleep(min(payload.get("retry_after", 0.1), 1.0))
            if said.id in self._open:
                await self._request(socket, said)
        elif payload["code"] == "not_entered" and said.room not in self._closed_rooms:
            self._entered.discard(said.room)
            await self._enter(socket, said.room)
        else:
            del self._open[why]
            self.record.refused[said.id] = payload["code"]

    def _give_up(self, room: str, code: str) -> None:
        for id_ in [said.id for said in self._open.values() if said.room == room]:
            del self._open[id_]
            self.record.refused[id_] = code

    def _told_read(self, room: str, seq: int) -> None:
        self.record.reads.setdefault(room, []).append(seq)

    def _last(self, room: str) -> int:
        copy = self.record.copies[room]
        return next(reversed(copy)) if copy else 0

    def _fault(self, what: str) -> None:
        self.record.faults.append(f"connection {self.record.connections}: {what}")


def _alike(entry: Entry, other: Entry) -> bool:
    """The same, but for a text that a deletion has erased since."""
    return {**entry, "message": ""} == {**other, "message": ""}
