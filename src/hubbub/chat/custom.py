"""Entries of an application's own: kept, numbered, delivered and replayed like those of the chat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from hubbub.connection import Client
from hubbub.delivery import ClientChange
from hubbub.errors import ROOM_ARCHIVED, Refused
from hubbub.events import SERVER_EVENTS, Payload
from hubbub.log.transaction import Entry, Transaction
from hubbub.room import Room

_OURS: Final = frozenset({"room", "seq", "from", "sent"})


class CustomEntry(ClientChange):
    """An entry whose type and payload are the application's."""

    __slots__ = ("_payload", "id", "room", "seq", "type")

    def __init__(
        self, client: Client, room: Room, type_: str, payload: Mapping[str, object] | Payload, id_: str | None
    ) -> None:
        super().__init__(client, None)
        fields = payload if isinstance(payload, Mapping) else msgspec.to_builtins(payload)
        if type_ in SERVER_EVENTS:
            raise ValueError(f"{type_!r} is an event of the chat: give yours another name.")
        self.room = room
        self.type = type_
        self.id = id_
        self.seq = 0
        self._payload = {name: value for name, value in fields.items() if name not in _OURS}

    def apply(self, tx: Transaction) -> None:
        assert self.origin is not None
        identity, room = self.origin.identity, self.room
        if repeat := tx.repeated(room.id, room.name, identity.user_id, self.id):
            self.entries.append(repeat)
            self.seq = repeat.seq
            return
        tx.check_not_left(room.id, identity.user_id)
        if tx.is_archived(room.id, room.archived):
            raise Refused(ROOM_ARCHIVED)
        self.seq = tx.head(room.id) + 1
        name = tx.name(room.id, room.name)
        ours = {"room": name, "seq": self.seq, "from": identity.name, "sent": tx.sent}
        encoded = msgspec.json.encode(ours | self._payload)
        entry = Entry(room.id, self.seq, self.type, identity.user_id, encoded)
        tx.append_entry(self, entry, name, self.id)
