"""One room: who is present, and the entries on their way to them.

A member present is in one of three states: *live* (gets each batch as it is delivered), *catching up* (what comes
live is held while it reads the log), or *behind* (its transport is full, or it was told of a gap: it gets nothing
until it catches up). No I/O and no clock here; the hub turns the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from hubbub import frames
from hubbub.events import Presence, encode, room_prefix
from hubbub.outgoing import Outgoing, Reader, Ways
from hubbub.passes import SLICE, Batch, Passes, Slice, slices

if TYPE_CHECKING:
    from hubbub.log.transaction import Entry

PRESENT_SHOWN: Final = 500  # names in `entered`; beyond it only the count is told


class Echo:
    """The answer to a reader's request: an entry's frame with the request's `ref` in it, in place of the common one."""

    __slots__ = ("entry", "frame", "seq")

    def __init__(self, entry: Entry, frame: bytes) -> None:
        self.entry = entry
        self.seq = entry.seq
        self.frame = frame


class Room:
    """One room's members present and the entries on their way to them.

    Delivery is in the order of the log, each entry once; see docs/design.md, "The path of a message".
    """

    __slots__ = (
        "_ahead",
        "_basic",
        "_behind",
        "_came",
        "_catching_up",
        "_counts",
        "_delivered",
        "_leaving",
        "_live",
        "_outgoing",
        "_passes",
        "_slices",
        "_ways",
        "_went",
        "archived",
        "head",
        "id",
        "key",
        "kind",
        "name",
        "topic",
    )

    def __init__(
        self,
        id_: int,
        name: str,
        key: str,
        kind: str,
        topic: str,
        *,
        archived: bool,
        outgoing: Outgoing | None = None,
    ) -> None:
        self.id = id_
        self.name = name
        self.key = key
        self.kind = kind
        self.topic = topic
        self.archived = archived
        self.head = 0  # the last entry known here: delivered, or read from the log; 0: none yet
        self._delivered = 0
        self._outgoing = outgoing or Outgoing()
        self._live: dict[Reader, None] = {}
        self._basic: dict[Reader, None] = {}
        self._ways: Ways | None = None  # to those live, once found; the hot path touches nothing else of them
        self._slices: list[Slice] | None = None  # the same for a large room
        self._passes: Passes | None = None  # of a room that was large at some time
        self._catching_up: dict[Reader, list[Entry | Echo]] = {}
        self._behind: dict[Reader, int] = {}  # the first entry missed, or 0: none so far
        # Readers who have read further than was delivered: an entry is on disk a moment before the loop delivers it.
        self._ahead: dict[Reader, int] = {}
        self._counts: dict[str, int] = {}  # connections present, by user name
        self._leaving: dict[str, float] = {}  # gone, and not yet said: when it will be
        self._came: dict[str, None] = {}
        self._went: dict[str, None] = {}

    # --- who hears

    def hold(self, reader: Reader) -> None:
        """Let `reader` catch up: what comes live from here on is held for it."""
        self.dismiss(reader)
        self._catching_up[reader] = []

    def release(self, reader: Reader, after: int) -> bytes:
        """`reader` has read the log up to `after`: live from here on. Returns the frames held that come next.

        And those that answer what it asked for, though it has read of them by now: only they say which request it was.
        """
        held = self._catching_up.pop(reader, [])
        if reader.full:
            self._finish_passes()  # it has read what others are still to get
        self._go_live(reader)
        self.head = max(self.head, after)
        if reader.full and after > self._delivered:
            self._ahead[reader] = after
        return b"".join([entry.frame for entry in held if entry.seq > after or isinstance(entry, Echo)])

    def fall_behind(self, reader: Reader) -> None:
        """`reader` is live and can't keep up: it gets nothing until it has drained and catches up."""
        if reader in self._live or reader in self._basic:
            self._no_longer_live(reader)
            self._behind[reader] = self._not_passed_yet

    def leave_behind(self, reader: Reader, first: int) -> bytes:
        """`reader` was catching up and has not got all there is: it is missing the entries from `first` on.

        Returns the frames held that answer what it asked for, as far as it has read.
        """
        held = self._catching_up.pop(reader, [])
        self._behind[reader] = first
        return b"".join([entry.frame for entry in held if entry.seq < first and isinstance(entry, Echo)])

    def missed(self, reader: Reader) -> int | None:
        """The first entry that a reader left behind has missed; None if it has missed nothing: it is live again."""
        first = self._behind.get(reader)
        if first == 0:
            del self._behind[reader]
            self._go_live(reader)
            return None
        return first

    def dismiss(self, reader: Reader) -> None:
        """`reader` hears this room no more."""
        self._no_longer_live(reader)
        self._catching_up.pop(reader, None)
        self._behind.pop(reader, None)
        self._ahead.pop(reader, None)

    def rerouted(self) -> None:
        """Some reader's `socket` is another than before."""
        self._ways = self._slices = None
        if self._passes is not None:
            self._passes.rerouted()

    def _go_live(self, reader: Reader) -> None:
        (self._live if reader.full else self._basic)[reader] = None
        self._ways = self._slices = None

    def _no_longer_live(self, reader: Reader) -> None:
        self._live.pop(reader, None)
        self._basic.pop(reader, None)
        self._ways = self._slices = None
        if self._passes is not None and self._passes.under_way:
            self._passes.gone(reader)

    def hears(self, reader: Reader) -> bool:
        """Whether `reader` gets entries from here: now, or held, or by catching up."""
        return (
            reader in self._live
            or reader in self._basic
            or reader in self._catching_up
            or reader in self._behind
        )

    @property
    def readers(self) -> list[Reader]:
        """Every connection in the room."""
        return [*self._live, *self._basic, *self._catching_up, *self._behind]

    @property
    def empty(self) -> bool:
        """Nobody is here, and nothing is left to be said of those who were."""
        return not (self._counts or self._leaving or self._came or self._went)

    # --- delivery

    def deliver(self, entries: Sequence[Entry], echoes: Mapping[Reader, list[Echo]] | None = None) -> int:
        """Write `entries`, already on disk, to everyone present. Never waits. Returns the number of deliveries."""
        joined = entries[0].frame if len(entries) == 1 else b"".join([entry.frame for entry in entries])
        apart = self._apart(entries, echoes or {}) if echoes or self._ahead else {}
        live, basic = len(self._live), list(self._basic)
        messages = [entry.frame for entry in entries if entry.type == "new_message"] if basic else []
        self._note(entries, echoes)
        if messages:
            self._outgoing.add(Ways(basic), b"".join(messages))
        self._write(Batch(entries[0].seq, joined, apart))
        return live * len(entries) + len(basic) * len(messages)

    def broadcast(self, frame: bytes, sender: Reader | None = None, *, missable: bool = True) -> None:
        """Write a frame that is in no log to everyone live in the full profile but `sender`.

        If it is not `missable`, those who are behind are told of a gap, so that they enter again.
        """
        if not missable:
            for reader, first in self._behind.items():
                self._behind[reader] = first or self.head + 1
        self._write(
            Batch(self.head, frame, {sender: b""} if sender is not None and sender in self._live else {})
        )

    def _write(self, batch: Batch) -> None:
        """Write `batch` to everyone live: now, or, where they are many, to a slice of them after the other."""
        apart, outgoing = batch.apart, self._outgoing
        if len(self._live) > SLICE or (self._passes is not None and self._passes.under_way):
            self._pass(batch)
        else:
            ways = (
                Ways([reader for reader in self._live if reader not in apart]) if apart else self._to_live()
            )
            outgoing.add(ways, batch.joined)
            for reader, frame in apart.items():
                if frame:
                    outgoing.add_one(reader, frame)
        outgoing.send()

    @property
    def _not_passed_yet(self) -> int:
        """The first entry that some reader of a large room may not have had yet; 0: there is none."""
        return self._passes.first if self._passes is not None and self._passes.under_way else 0

    def _pass(self, batch: Batch) -> None:
        if self._passes is None:
            self._passes = Passes(self._outgoing)
        self._passes.add(batch)
        if not self._passes.in_turn:
            self._passes.in_turn = True
            self._outgoing.in_turns(self._step)

    def _step(self) -> bool:
        """Write to the next slice. Whether there is another."""
        passes = self._passes
        if passes is None:
            return False
        if passes.under_way:
            if self._slices is None:
                self._slices = slices(self._live)
            passes.step(self._slices)
        passes.in_turn = passes.under_way
        return passes.in_turn

    def _finish_passes(self) -> None:
        while self._passes is not None and self._passes.under_way:
            self._step()

    def _to_live(self) -> Ways:
        if self._ways is None:
            self._ways = Ways(self._live)
        return self._ways

    def _apart(self, entries: Sequence[Entry], echoes: Mapping[Reader, list[Echo]]) -> dict[Reader, bytes]:
        """What is written to those live who don't get the common bytes: they asked, or have read of it already."""
        first = entries[0].seq
        readers = [*echoes, *(reader for reader, read in self._ahead.items() if read >= first)]
        return {
            reader: b"".join([frame.frame for frame in self._own(reader, entries, echoes)])
            for reader in readers
            if reader in self._live
        }

    def _own(
        self, reader: Reader, entries: Sequence[Entry], echoes: Mapping[Reader, list[Echo]]
    ) -> list[Entry | Echo]:
        """`entries` as `reader` is to get them: what it asked for with its answer, others that it has read left out."""
        own = {answer.seq: answer for answer in echoes.get(reader, ())}
        read = self._ahead.get(reader, 0)
        return [own.get(entry.seq, entry) for entry in entries if entry.seq > read or entry.seq in own]

    def _note(self, entries: Sequence[Entry], echoes: Mapping[Reader, list[Echo]] | None) -> None:
        """Hold `entries` for those who catch up, and note who misses them."""
        last = entries[-1].seq
        for reader, held in self._catching_up.items():
            held.extend(self._own(reader, entries, echoes) if echoes else entries)
        for reader, missed in self._behind.items():
            if missed == 0:
                first = max(entries[0].seq, self._ahead.get(reader, 0) + 1)
                self._behind[reader] = first if first <= last else 0
        if self._ahead:
            self._ahead = {reader: read for reader, read in self._ahead.items() if read > last}
        self._delivered = last
        self.head = max(self.head, last)

    # --- who is here

    def come(self, name: str) -> bool:
        """A connection of user `name` is here. Whether there is something to say."""
        self._counts[name] = self._counts.get(name, 0) + 1
        if self._counts[name] > 1 or self._leaving.pop(name, None) is not None:
            return False
        self._went.pop(name, None)
        # Said even if the going was not: one who entered in between was told of nobody of this name.
        self._came[name] = None
        return True

    def go(self, name: str, gone_at: float) -> bool:
        """A connection of user `name` is gone. Whether it was the last: then say so at `gone_at`, unless one comes."""
        count = self._counts.get(name, 0) - 1
        if count > 0:
            self._counts[name] = count
            return False
        self._counts.pop(name, None)
        self._leaving[name] = gone_at
        return True

    def gone(self, name: str, now: float) -> bool:
        """Whether user `name`, who went some time ago, is gone by `now` and it is to be said."""
        gone_at = self._leaving.get(name)
        if gone_at is None or gone_at > now:
            return False
        del self._leaving[name]
        self._came.pop(name, None)
        self._went[name] = None
        return True

    def presence(self) -> bytes | None:
        """The frame that tells who came and went since the last one, or None."""
        if not (self._came or self._went):
            return None
        news = Presence(self.name, list(self._came), list(self._went))
        self._came.clear()
        self._went.clear()
        return frames.text(encode("presence", news))

    def present(self) -> list[str]:
        """The names of users here, the first `PRESENT_SHOWN` of them."""
        names: Iterable[str] = self._counts if not self._leaving else [*self._counts, *self._leaving]
        return [name for _, name in zip(range(PRESENT_SHOWN), names, strict=False)]

    @property
    def present_count(self) -> int:
        """How many users are here."""
        return len(self._counts) + len(self._leaving)

    @property
    def prefix(self) -> bytes:
        """How every entry's payload begins."""
        return room_prefix(self.name)
