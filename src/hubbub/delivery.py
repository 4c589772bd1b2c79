"""From a batch on disk to its readers: who gets which frames, and who is answered apart.

A sender hears its entry with the others of its room; if it asked with a `ref`, the entry's frame carries it back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from hubbub import frames
from hubbub.connection import Client
from hubbub.errors import Refused
from hubbub.events import wrap
from hubbub.log.transaction import Change, Entry, Transaction
from hubbub.outgoing import Reader
from hubbub.room import Echo, Room


class ClientChange(Change):
    """A change that a client asked for: it gets the entry as its answer, or the refusal."""

    __slots__ = ("origin", "ref")

    def __init__(self, origin: Client | None, ref: str | int | None) -> None:
        super().__init__()
        self.origin = origin
        self.ref = ref

    def refused(self, error: Refused) -> None:
        """Tell the client; on the event loop."""
        if self.origin is not None:
            self.origin.refuse(error, self.ref)


class AwaitedChange(Change):
    """A change that somebody waits for."""

    __slots__ = ("change", "done")

    def __init__(self, change: Change, done: asyncio.Future[None]) -> None:
        super().__init__()
        self.change = change
        self.done = done

    def apply(self, tx: Transaction) -> None:
        """Apply the change within."""
        self.change.entries = self.entries
        self.change.error = None
        self.change.apply(tx)

    def finished(self) -> None:
        """Finish the change within, and wake the one who waits."""
        self.change.error = self.error
        try:
            self.change.finished()
        finally:  # it is on disk, whatever went wrong with the news of it
            self._wake()

    def _wake(self) -> None:
        if self.done.done():
            return
        if self.error is not None:
            self.done.set_exception(self.error)
        else:
            self.done.set_result(None)


class Answer:
    """An entry for the one who asked, outside of its room's frames."""

    __slots__ = ("client", "frame")

    def __init__(self, client: Client, frame: bytes) -> None:
        self.client = client
        self.frame = frame


class Sorted:
    """A batch, sorted: new entries by room in order, the answers within rooms, and those apart."""

    __slots__ = ("answers", "by_room", "echoes")

    def __init__(self, batch: Sequence[Change], rooms: Mapping[int, Room]) -> None:
        self.by_room: dict[int, list[Entry]] = {}
        self.echoes: dict[int, dict[Reader, list[Echo]]] = {}
        self.answers: list[Answer] = []
        for change in batch:
            for entry in change.entries:
                if not entry.repeat:
                    self.by_room.setdefault(entry.room_id, []).append(entry)
            if change.entries and isinstance(change, ClientChange):
                self._answer(change, change.entries[-1], rooms)

    def _answer(self, change: ClientChange, entry: Entry, rooms: Mapping[int, Room]) -> None:
        client = change.origin
        if client is None or client.closing:
            return
        room = rooms.get(entry.room_id)
        if entry.repeat or room is None or not room.hears(client):
            if client.full or entry.repeat:
                self.answers.append(Answer(client, _frame(entry, change.ref)))
        elif change.ref is not None and client.full:
            echoes = self.echoes.setdefault(entry.room_id, {})
            echoes.setdefault(client, []).append(Echo(entry, _frame(entry, change.ref)))


def _frame(entry: Entry, ref: str | int | None) -> bytes:
    return entry.frame if ref is None else frames.text(wrap(entry.type, entry.payload, ref))
