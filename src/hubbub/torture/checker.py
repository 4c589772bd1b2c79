"""The promises, looked for in what everyone saw. Pure: records and logs in, broken promises out.

Each function holds one promise of docs/promises.md, by whose name it is called there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from hubbub.torture.record import Entry, Record


@dataclass(frozen=True)
class Evidence:
    """All that is known at the end: each room's log, what the server shows of it, and what the clients saw."""

    logs: Mapping[str, Sequence[Entry]]  # by room, in the order of the log
    records: Sequence[Record]
    shown: Mapping[str, Sequence[Mapping[str, Any]]] = field(
        default_factory=dict
    )  # messages as they are now, by room
    private: frozenset[str] = frozenset()  # rooms that only members may hear


@dataclass(frozen=True)
class Broken:
    """A promise that was not kept."""

    promise: str
    what: str

    def __str__(self) -> str:
        return f"{self.promise}: {self.what}"


def check(evidence: Evidence) -> list[Broken]:
    """Every promise that was broken, with where."""
    return [Broken(name, what) for name, promise in PROMISES.items() for what in promise(evidence)]


def acknowledged_is_kept(evidence: Evidence) -> Iterator[str]:
    """What was acknowledged is in the log, as it was acknowledged."""
    logs = {room: {entry["seq"]: entry for entry in log} for room, log in evidence.logs.items()}
    for record in evidence.records:
        for id_, (room, entry) in record.acknowledged.items():
            kept = logs.get(room, {}).get(entry["seq"])
            if kept is None:
                yield f"{record.name}'s {id_} was acknowledged as {room} {entry['seq']}, and is not in the log"
            elif not _same(kept, entry, _erased(evidence.logs[room])):
                yield f"{record.name}'s {id_} was acknowledged as {entry}, and the log has {kept}"


def nothing_is_there_twice(evidence: Evidence) -> Iterator[str]:
    """One id of one sender is in a room's log once, however often it was sent."""
    for room, log in evidence.logs.items():
        seen: dict[tuple[str, str], int] = {}
        for entry in log:
            if entry["type"] == "new_message":
                first = seen.setdefault((entry["from"], entry["id"]), entry["seq"])
                if first != entry["seq"]:
                    yield f"{entry['from']}'s {entry['id']} is in {room} as {first} and as {entry['seq']}"


def numbers_have_no_hole(evidence: Evidence) -> Iterator[str]:
    """A room's entries are numbered 1, 2, 3 and so on."""
    for room, log in evidence.logs.items():
        for expected, entry in enumerate(log, 1):
            if entry["seq"] != expected:
                yield f"in {room} comes {entry['seq']} where {expected} should"
                break


def every_copy_is_the_log(evidence: Evidence) -> Iterator[str]:
    """Every client that was there to the end holds the room's log, entry for entry: the same order for everyone."""
    for record in evidence.records:
        for room, copy in record.copies.items():
            log = evidence.logs.get(room, ())
            erased = _erased(log)
            for entry in log:
                held = copy.get(entry["seq"])
                if held is not None and not _same(entry, held, erased):
                    yield f"{record.name} holds {held} in {room}, and the log has {entry}"
            beyond = [seq for seq in copy if seq > len(log)]
            if beyond:
                yield f"{record.name} holds {beyond} in {room}, whose log ends at {len(log)}"
            if room not in evidence.private:
                missing = [entry["seq"] for entry in log if entry["seq"] not in copy]
                if missing:
                    yield f"{record.name} has never got {missing[:5]} of {room} ({len(missing)} in all)"


def the_wire_announces_every_hole(evidence: Evidence) -> Iterator[str]:
    """Entries come in order, without a hole that was not announced, on every connection."""
    for record in evidence.records:
        for fault in record.faults:
            yield f"{record.name}: {fault}"


def a_sender_stays_in_order(evidence: Evidence) -> Iterator[str]:
    """What one sender said in one room is in the log in the order in which it was said."""
    for record in evidence.records:
        for room, log in evidence.logs.items():
            place = {
                entry["id"]: entry["seq"]
                for entry in log
                if entry["type"] == "new_message" and entry["from"] == record.name
            }
            # What was refused for now, and what was sent behind it, may have changed places.
            ids = [said.id for said in record.said if said.room == room and said.id not in record.delayed]
            numbers = [place[id_] for id_ in ids if id_ in place]
            for earlier, later in pairwise(numbers):
                if earlier > later:
                    yield f"{record.name} said {room} {later} before {earlier}"


def everything_said_is_settled(evidence: Evidence) -> Iterator[str]:
    """What was said was acknowledged, or refused with a reason, once there was peace."""
    for record in evidence.records:
        for said in record.said:
            if said.id not in record.acknowledged and said.id not in record.refused:
                yield f"{record.name}'s {said.id} in {said.room} was never answered"


def only_members_hear(evidence: Evidence) -> Iterator[str]:
    """An entry of a private room comes live only to those who are members at its number."""
    for record in evidence.records:
        for room in evidence.private:
            log = evidence.logs.get(room, ())
            member, left = _membership(log, record.name)
            for heard in record.heard:
                if heard.room != room:
                    continue
                seq = heard.entry["seq"] if heard.head is None else heard.head
                if seq < len(member) and not member[seq] and seq not in left:
                    way = "live" if heard.head is None else f"by entering at {heard.head}"
                    yield f"{record.name} heard {room} {heard.entry['seq']} {way}, and was no member then"


def reads_never_go_back(evidence: Evidence) -> Iterator[str]:
    """A read mark that was told is never followed by a smaller one."""
    for record in evidence.records:
        for room, reads in record.reads.items():
            for earlier, later in pairwise(reads):
                if later < earlier:
                    yield f"{record.name} had read {room} up to {earlier}, and then up to {later}"


def edits_and_deletions_are_applied(evidence: Evidence) -> Iterator[str]:
    """The messages that the server shows are the log's, with every edit, deletion and reaction worked in."""
    for room, shown in evidence.shown.items():
        wanted = _as_they_are_now(evidence.logs.get(room, ()))
        found = {message["seq"]: message for message in shown}
        for seq in wanted.keys() | found.keys():
            if _gist(found.get(seq)) != wanted.get(seq):
                yield f"{room} {seq} is shown as {_gist(found.get(seq))}, and by the log is {wanted.get(seq)}"


PROMISES: Final[Mapping[str, Callable[[Evidence], Iterator[str]]]] = {
    promise.__name__.replace("_", " "): promise
    for promise in (
        acknowledged_is_kept,
        nothing_is_there_twice,
        numbers_have_no_hole,
        every_copy_is_the_log,
        the_wire_announces_every_hole,
        a_sender_stays_in_order,
        everything_said_is_settled,
        only_members_hear,
        reads_never_go_back,
        edits_and_deletions_are_applied,
    )
}


def _erased(log: Sequence[Entry]) -> set[int]:
    """Numbers of deleted messages: their text, and that of their edits, may be there or be gone."""
    return {entry["target"] for entry in log if entry["type"] == "message_deleted"}


def _same(entry: Entry, other: Entry, erased: set[int]) -> bool:
    if entry["seq"] in erased or (entry["type"] == "message_edited" and entry["target"] in erased):
        return {**entry, "message": ""} == {**other, "message": ""}
    return entry == other


def _membership(log: Sequence[Entry], name: str) -> tuple[list[bool], set[int]]:
    """Whether `name` was a member once entry N was written, for each N from 0; and where it left."""
    member, is_member = [False], False
    left = set()
    for entry in log:
        if entry.get("user") == name and entry["type"] in ("member_joined", "member_left"):
            is_member = entry["type"] == "member_joined"
            if not is_member:
                left.add(entry["seq"])
        member.append(is_member)
    return member, left


def _as_they_are_now(log: Sequence[Entry]) -> dict[int, dict[str, Any]]:
    now: dict[int, dict[str, Any]] = {}
    for entry in log:
        message = now.get(entry.get("target", 0))
        match entry["type"]:
            case "new_message":
                now[entry["seq"]] = {"message": entry["message"], "deleted": False, "reactions": {}}
            case "message_edited" if message is not None and not message["deleted"]:
                message["message"] = entry["message"]
            case "message_deleted" if message is not None:
                message.update(message="", deleted=True, reactions={})
            case "reacted" if message is not None:
                _react(message["reactions"], entry)
    return now


def _react(reactions: dict[str, list[str]], entry: Entry) -> None:
    names = reactions.setdefault(entry["emoji"], [])
    if entry.get("remove"):
        if entry["from"] in names:
            names.remove(entry["from"])
    elif entry["from"] not in names:
        names.append(entry["from"])
    if not names:
        del reactions[entry["emoji"]]


def _gist(message: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if message is None:
        return None
    return {
        "message": message["message"],
        "deleted": message.get("deleted", False),
        "reactions": message.get("reactions", {}),
    }
