"""A client's copy of a room, kept as the protocol says: no hole, no repeat."""

from __future__ import annotations

from typing import Any, Final

from tests.support.client import Client, Event

ENTRIES: Final = (
    *("new_message", "message_edited", "message_deleted", "reacted"),
    *("member_joined", "member_left", "room_changed"),
)


class Copy:
    """What one client holds of one room's log. It outlives the client's connections."""

    def __init__(self, room: str) -> None:
        self.room = room
        self.epoch: str | None = None
        self.entries: list[dict[str, Any]] = []

    @property
    def head(self) -> int:
        """The number of the last entry held; 0 at first."""
        return int(self.entries[-1]["seq"]) if self.entries else 0

    def hears(self, event: Event) -> None:
        """Take an event in. A number that is not the next one is a hole or a repeat."""
        if event.type == "entered" and event["room"] == self.room:
            assert not event.payload.get("reset"), "the numbers held are of another log"
            self.epoch = event["epoch"]
            for entry in event.payload.get("entries", []):
                self._add(entry["type"], entry["payload"])
        elif event.type in ENTRIES and event["room"] == self.room:
            self._add(event.type, event.payload)

    def _add(self, type_: str, payload: dict[str, Any]) -> None:
        assert payload["seq"] == self.head + 1, f"{payload['seq']} came after {self.head} in {self.room}"
        entry = {"type": type_, **payload}
        del entry["room"]
        self.entries.append(entry)
        if type_ == "message_deleted":
            self._erase(entry["target"])

    def _erase(self, target: int) -> None:
        """A deleted message's text goes, and that of its edits."""
        for entry in self.entries:
            edited = entry["type"] == "message_edited" and entry["target"] == target
            if edited or entry["seq"] == target:
                entry["message"] = ""

    async def catch_up(self, client: Client) -> None:
        """Enter, or enter again, and go on until nothing is missing."""
        more = True
        while more:
            entered = await client.enter(self.room, after=self.head, epoch=self.epoch)
            more = entered["more"]
