"""What one client did and heard, over all of its connections: plain data for the checker."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Entry = dict[str, Any]  # an entry's payload without `room`, with its `type`


@dataclass(frozen=True, slots=True)
class Said:
    """A request that was made, perhaps several times."""

    id: str
    room: str
    type: str
    text: str
    target: int | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """An entry that came. `head`: of a replay, the room's head by which membership counted; None: it came live."""

    room: str
    entry: Entry
    head: int | None


@dataclass
class Record:
    """What one client knows."""

    name: str
    said: list[Said] = field(default_factory=list)  # in the order in which it was first sent
    acknowledged: dict[str, tuple[str, Entry]] = field(default_factory=dict)  # room and entry, by id
    refused: dict[str, str] = field(default_factory=dict)  # codes, by id
    delayed: set[str] = field(default_factory=set)  # ids refused for now, and sent again later
    copies: dict[str, dict[int, Entry]] = field(default_factory=dict)  # entries by number, by room
    heard: list[Heard] = field(default_factory=list)
    reads: dict[str, list[int]] = field(default_factory=dict)  # read marks as they were told, by room
    faults: list[str] = field(
        default_factory=list
    )  # of the wire itself: a hole, a repeat, an answer that makes no sense

    sent_again: int = 0
    connections: int = 0
