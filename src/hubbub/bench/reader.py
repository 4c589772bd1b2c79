"""What one connection receives, checked: every entry of its room, once, in order, with the bytes all others get.

No socket and no clock is used here: bytes and times come in as arguments, and what is to be sent goes to the
`Answers` that the reader was given.
"""

from __future__ import annotations

from typing import Final, Protocol

import msgspec

from hubbub.bench import wire
from hubbub.bench.dialect import HUBBUB, Dialect
from hubbub.bench.findings import Fault
from hubbub.bench.roomlog import RoomLog
from hubbub.bench.speaker import Speaker
from hubbub.bench.tally import Tally

NOWHERE: Final = -1

_REMEMBERED_HOLES: Final = 100_000


class Answers(Protocol):
    """What a reader sends: requests of its own, and pongs."""

    def send(self, payload: bytes) -> None:
        """Send a text."""

    def pong(self, payload: bytes) -> None:
        """Answer a ping."""


class Reader:
    """One connection's place in its room's log.

    It is either at a place in the `RoomLog`, where comparing bytes is enough (`place`, which may lie within an entry), or
    nowhere in it: not yet entered, ahead of all others, too far behind, or with part of a frame that is not in the log.
    Then frames are walked one by one, each entry's number is checked by itself, and the reader finds its place again.
    """

    __slots__ = ("_answers", "_dialect", "_epoch", "_missing", "_next", "_rest", "_stamps", "_tally",
                 "closed", "log", "number", "place", "refusal", "speaker")  # fmt: skip

    def __init__(
        self,
        number: int,
        log: RoomLog,
        tally: Tally,
        stamps: wire.StampReader,
        answers: Answers,
        dialect: Dialect = HUBBUB,
    ) -> None:
        self.number = number
        self.log = log
        self.place = NOWHERE
        self.closed = False
        self.speaker: Speaker | None = None
        self.refusal: str | None = None  # the last one
        self._tally = tally
        self._stamps = stamps
        self._answers = answers
        self._dialect = dialect
        # Of a reader that is nowhere: the number of the entry that must come next (0 before it entered), and the
        # beginning of a frame that is not all there.
        self._next = 0
        self._rest = b""
        self._missing: set[int] = set()
        self._epoch: str | None = None
        log.readers.append(self)

    @property
    def has_entered(self) -> bool:
        """Whether the server said that this connection is in its room."""
        return self.next > 0

    @property
    def next(self) -> int:
        """The number of the entry that must come next; 0 before the room is entered."""
        return self._next if self.place < 0 else self.log.next_at(self.place)

    def enter(self) -> None:
        """The connection is in its room, in which nothing was said yet."""
        self._next = 1
        self.log.begin_at(1)
        self._find_place(b"")

    def has_all_up_to(self, head: int) -> bool:
        """Whether every entry has come up to `head`, and all that others here received; of a closed one, nothing more will."""
        return self.closed or (self.next > max(head, self.log.head) and not self._missing)

    def take(self, chunk: memoryview, now_ns: int) -> None:
        """Bytes arrived at `now_ns` (monotonic). Raises `WireError`."""
        log, place = self.log, self.place
        if place >= 0 and log.data.startswith(chunk, place - log.base):
            self.place = end = place + len(chunk)
            self._count(log.next_at(place), log.next_at(end), now_ns)
        else:
            self._take_otherwise(bytes(chunk), now_ns)
        if self.speaker is not None:
            self.speaker.keep_going(now_ns)

    def take_payload(self, payload: bytes, now_ns: int) -> None:
        """The text of one frame arrived, already parsed. Raises `WireError`."""
        self.take(memoryview(wire.server_frame(payload)), now_ns)

    def leave_before(self, place: int) -> None:
        """See `roomlog.Follower`."""
        if 0 <= self.place < place:
            self._leave_the_log()

    def note_what_is_missing(self, head: int) -> None:
        """At the end: holes that were never filled, and entries up to `head` that others received, are lost."""
        if self.closed:
            return
        lost = len(self._missing) + max(0, max(head, self.log.head) + 1 - self.next)
        if lost:
            first = min(self._missing, default=self.next)
            self.note_fault(Fault.LOSS, f"{lost} entries never came, the first is {first}", lost)

    def note_close(self, why: str) -> None:
        """The connection ended, and the bench did not end it."""
        if not self.closed:
            self.closed = True
            self.note_fault(Fault.CLOSED, why)

    def note_fault(self, fault: Fault, what: str, times: int = 1) -> None:
        """Something is wrong with what this connection received."""
        self._tally.findings.note(fault, f"connection {self.number} in room {self.log.name}: {what}", times)

    # --- bytes that are not simply the log's next ---

    def _leave_the_log(self) -> None:
        """Remember what a place in the log says: the next entry, and how much of it was read already."""
        if self.place >= 0:
            self._next = self.log.next_at(self.place)
            self._rest = self.log.begun_at(self.place)
            self.place = NOWHERE

    def _find_place(self, rest: bytes) -> None:
        place = self.log.place_of(self._next) if self._next else None
        if place is not None and self.log.begins_with(rest, place):
            self.place, self._rest = place + len(rest), b""
        else:
            self._rest = rest

    def _take_otherwise(self, chunk: bytes, now_ns: int) -> None:
        self._leave_the_log()
        chunk = self._rest + chunk
        at = self._take_what_the_log_has(chunk, now_ns)
        while (frame := wire.frame_at(chunk, at)) is not None:
            whole, payload = chunk[at : frame.end], chunk[frame.payload : frame.end]
            at = frame.end
            if frame.opcode == wire.PING:
                self._answers.pong(payload)
            elif frame.opcode == wire.CLOSE:
                code, reason = int.from_bytes(payload[:2], "big"), payload[2:].decode(errors="replace")
                self.note_close(f"code {code} {reason}".rstrip())
            elif frame.opcode == wire.TEXT:
                self._take_event(whole, payload, now_ns)
        self._find_place(chunk[at:])

    def _take_what_the_log_has(self, chunk: bytes, now_ns: int) -> int:
        """Compare `chunk`, which begins with a frame, as far as the log goes. Returns how much of it was whole entries."""
        log = self.log
        place = log.place_of(self._next) if self._next else None
        if place is None:
            return 0
        shared = min(log.end - place, len(chunk))
        if not shared or not log.begins_with(memoryview(chunk)[:shared], place):
            return 0
        first, self._next = self._next, log.next_at(place + shared)
        self._count(first, self._next, now_ns)
        taken = log.place_of(self._next)
        return 0 if taken is None else taken - place

    # --- events ---

    def _take_event(self, frame: bytes, payload: bytes, now_ns: int) -> None:
        if self._next and self.log.frame_of(self._next) == frame:
            self._next += 1
            self._count(self._next - 1, self._next, now_ns)
            return
        answer = self._dialect.answer(payload, self.log.name)
        if answer is not None:
            self._answers.send(answer)
            return
        event = self._dialect.event(payload)
        if event.type in wire.ENTRY_TYPES:
            self._take_entry(self._numbered(event), frame, now_ns)
        elif event.type == "entered":
            self._enter(event.payload, now_ns)
        elif event.type == "gap":
            self._tally.gaps += 1
            self._ask_for_the_rest()
        elif event.type == "error":
            self._take_refusal(event.payload)

    def _numbered(self, event: wire.Event) -> wire.Event:
        """The event with its number in the room's log, as the server gave it, or else as the log itself does."""
        stamp = None if self._dialect.numbers else self._stamps.read(event)
        if stamp is None:
            return event
        seq = self.log.number_of(stamp.speaker, stamp.number)
        return wire.Event(event.type, msgspec.structs.replace(event.payload, seq=seq))

    def _enter(self, entered: wire.Payload, now_ns: int) -> None:
        self._epoch = entered.epoch
        if not self._next or entered.reset:
            self._next = entered.head + 1
            self.log.begin_at(self._next)
            return
        for event in entered.entries or ():
            self._tally.missed_in_gaps += 1
            self._take_entry(event, None, now_ns)
        if entered.more:
            self._ask_for_the_rest()

    def _ask_for_the_rest(self) -> None:
        """The server says that this reader fell behind: enter again, to be sent what it missed."""
        self._answers.send(wire.enter_request(self.log.name, self._next - 1, self._epoch))

    def _take_refusal(self, error: wire.Payload) -> None:
        self.refusal = f"{error.code}: {error.message}"
        number = self._stamps.number_in(error.id)
        if self.speaker is not None and number is not None:
            self.speaker.refused(number, self.refusal)
        else:
            self.note_fault(Fault.REFUSED, self.refusal)

    def _take_entry(self, event: wire.Event, frame: bytes | None, now_ns: int) -> None:
        """Take an entry; `frame` is what it came in, None if it came with others after a gap."""
        seq = event.payload.seq
        if not self._next:
            return  # from before the room was entered: the head that `entered` names includes it
        if event.payload.room is not None and event.payload.room != self.log.name:
            self.note_fault(Fault.STRAY, f"entry {seq} of {event.payload.room}")
        elif seq < self._next:
            self._take_late(seq)
        else:
            self._missing.update(range(self._next, min(seq, self._next + _REMEMBERED_HOLES)))
            self._next = seq + 1
            self._take_next(event, frame, now_ns)

    def _take_next(self, event: wire.Event, frame: bytes | None, now_ns: int) -> None:
        seq = event.payload.seq
        stamp = self._stamps.read(event)
        if frame is not None and seq == self.log.head + 1:
            self.log.append(frame, stamp)
            self._count(seq, seq + 1, now_ns)
            return
        kept = self.log.frame_of(seq)
        if frame is not None and kept is not None and kept != frame:
            self.note_fault(Fault.DIFFERENCE, f"entry {seq} is {frame[:200]!r}, others got {kept[:200]!r}")
        self._tally.arrived_alone(stamp.intended_ns if stamp else 0, now_ns)
        if stamp is not None:
            self._hear(stamp.speaker, stamp.number, now_ns)

    def _take_late(self, seq: int) -> None:
        if seq in self._missing:
            self._missing.remove(seq)
            self.note_fault(Fault.DISORDER, f"entry {seq} came after entry {self._next - 1}")
        else:
            self.note_fault(Fault.REPEAT, f"entry {seq} came again after entry {self._next - 1}")

    # --- counting ---

    def _count(self, first: int, last: int, now_ns: int) -> None:
        """Count the entries from number `first` to before `last`, all of which are in the log."""
        if first == last:
            return
        log = self.log
        self._tally.arrived(log.stamps, first - log.first, last - log.first, now_ns)
        if self.speaker is not None:
            for index in range(first - log.first, last - log.first):
                self._hear(log.speakers[index], log.numbers[index], now_ns)

    def _hear(self, speaker: int, number: int, now_ns: int) -> None:
        if self.speaker is not None and speaker == self.number:
            self.speaker.heard(number, now_ns)
