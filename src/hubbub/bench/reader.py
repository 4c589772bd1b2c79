"""What one connection receives, checked: every entry of its room, once, in order, with the bytes all others get.

No socket and no clock is used here: bytes and times come in as arguments, and what is to be sent goes to the
`Answers` that the reader was given.
"""

from __future__ import annotations

from typing import Final, Protocol

from hubbub.bench import wire
from hubbub.bench.findings import Fault
from hubbub.bench.roomlog import RoomLog
from hubbub.bench.speaker import Speaker
from hubbub.bench.tally import Tally

_NOWHERE: Final = -1
_REMEMBERED_HOLES: Final = 100_000


class Answers(Protocol):
    """What a reader sends: requests of its own, and pongs."""

    def send(self, payload: bytes) -> None:
        """Send a text."""

    def pong(self, payload: bytes) -> None:
        """Answer a ping."""


class Reader:
    """One connection's place in its room's log.

    It is either at a place in the `RoomLog`, where comparing bytes is enough, or nowhere in it (it ran ahead of
    the others, or too far behind), where each entry's number is checked by itself. `next` is the number of the entry that
    must come next, 0 before the room is entered.
    """

    __slots__ = ("_answers", "_counted", "_epoch", "_log", "_missing", "_place", "_rest", "_stamps", "_tally",
                 "closed", "next", "number", "refusal", "speaker")  # fmt: skip

    def __init__(
        self, number: int, log: RoomLog, tally: Tally, stamps: wire.StampReader, answers: Answers
    ) -> None:
        self.number = number
        self.next = 0
        self.closed = False
        self.speaker: Speaker | None = None
        self.refusal: str | None = None  # the last one
        self._log = log
        self._tally = tally
        self._stamps = stamps
        self._answers = answers
        self._place = _NOWHERE
        self._counted = 0  # entries before this number are in the tally
        self._rest = b""  # of a frame that is not all there
        self._missing: set[int] = set()
        self._epoch: str | None = None
        log.readers.append(self)

    @property
    def room(self) -> str:
        """The name of the room."""
        return self._log.name

    def has_all_up_to(self, head: int) -> bool:
        """Whether every entry has come up to `head`, and all that others here received; of a closed one, nothing more will."""
        return self.closed or (self.next > max(head, self._log.head) and not self._missing)

    def take(self, chunk: memoryview, now_ns: int) -> None:
        """Bytes arrived at `now_ns` (monotonic)."""
        log = self._log
        place = self._place
        if place >= 0 and not self._rest and log.data.startswith(chunk, place - log.base):
            self._place = place = place + len(chunk)
            self.next = log.next_at(place)
        else:
            self._take_otherwise(self._rest + bytes(chunk), now_ns)
        if self._counted != self.next:
            self._count(now_ns)

    def take_payload(self, payload: bytes, now_ns: int) -> None:
        """The text of one frame arrived, already parsed."""
        self._take_event(wire.server_frame(payload), payload, now_ns)
        self._find_place()
        self._count(now_ns)

    def leave_before(self, place: int) -> None:
        """See `roomlog.Follower`."""
        if 0 <= self._place < place:
            self._rest = self._begun_frame() + self._rest
            self._place = _NOWHERE

    def note_what_is_missing(self, head: int) -> None:
        """At the end: holes that were never filled, and entries up to `head` that others received, are lost."""
        if self.closed:
            return
        lost = len(self._missing) + max(0, max(head, self._log.head) + 1 - self.next)
        if lost:
            first = min(self._missing, default=self.next)
            self.note_fault(Fault.LOSS, f"{lost} entries never came, the first is {first}", lost)

    # --- bytes that are not simply the log's next ---

    def _take_otherwise(self, chunk: bytes, now_ns: int) -> None:
        self._rest = b""
        at = 0
        log = self._log
        if self._place >= 0:
            shared = min(log.end - self._place, len(chunk))
            if log.begins_with(memoryview(chunk)[:shared], self._place):
                self._place += shared
                self.next = log.next_at(self._place)
                at = shared
            else:
                chunk = self._begun_frame() + chunk
                self._find_place()
        self._walk(chunk, at, now_ns)

    def _walk(self, chunk: bytes, at: int, now_ns: int) -> None:
        """Take the frames of `chunk` from `at` on one by one."""
        log = self._log
        while (frame := wire.frame_at(chunk, at)) is not None:
            whole = chunk[at : frame.end]
            at = frame.end
            if self._place >= 0 and log.begins_with(whole, self._place):
                self._place += len(whole)
                self.next += 1
            elif frame.opcode == wire.TEXT:
                self._take_event(whole, chunk[frame.payload : frame.end], now_ns)
                self._find_place()
            else:
                self._take_control(frame.opcode, chunk[frame.payload : frame.end])
        rest = chunk[at:]
        if rest and self._place >= 0 and log.begins_with(rest, self._place):
            self._place += len(rest)
        else:
            self._rest = rest

    def _begun_frame(self) -> bytes:
        """What was read of the entry in the midst of which this reader stands."""
        start = self._log.place_of(self.next)
        if start is None or self._place < 0:
            return b""
        return bytes(self._log.data[start - self._log.base : self._place - self._log.base])

    def _find_place(self) -> None:
        place = self._log.place_of(self.next) if self.next else None
        self._place = _NOWHERE if place is None else place

    def _take_control(self, opcode: int, payload: bytes) -> None:
        if opcode == wire.PING:
            self._answers.pong(payload)
        elif opcode == wire.CLOSE:
            self.note_close(
                f"code {int.from_bytes(payload[:2], 'big')} {payload[2:].decode(errors='replace')}".rstrip()
            )

    def note_close(self, why: str) -> None:
        """The connection ends, and the bench did not end it."""
        if not self.closed:
            self.closed = True
            self.note_fault(Fault.CLOSED, why)

    # --- events ---

    def _take_event(self, frame: bytes, payload: bytes, now_ns: int) -> None:
        event = wire.decode(payload)
        if event.type in wire.ENTRY_TYPES:
            self._take_entry(event, frame, now_ns)
        elif event.type == "entered":
            self._enter(event.payload, now_ns)
        elif event.type == "gap":
            self._fill_gap(event.payload)
        elif event.type == "error":
            self._take_refusal(event.payload, now_ns)

    def _enter(self, entered: wire.Payload, now_ns: int) -> None:
        self._epoch = entered.epoch
        if not self.next or entered.reset:
            self.next = self._counted = entered.head + 1
            if self._log.is_empty:
                self._log.begin_at(self.next)
            return
        for event in entered.entries or ():
            self._tally.missed_in_gaps += 1
            self._take_entry(event, None, now_ns)
        if entered.more:
            self._answers.send(wire.enter_request(self._log.name, self.next - 1, self._epoch))

    def _fill_gap(self, gap: wire.Payload) -> None:
        """The server says that this reader fell behind: ask for what it missed."""
        self._tally.gaps += 1
        self._answers.send(wire.enter_request(self._log.name, self.next - 1, self._epoch))

    def _take_refusal(self, error: wire.Payload, now_ns: int) -> None:
        self.refusal = f"{error.code}: {error.message}"
        number = self._stamps.number_in(error.id)
        if self.speaker is not None and number is not None:
            self.speaker.refused(number, self.refusal)
            self.speaker.keep_going(now_ns)
        else:
            self.note_fault(Fault.REFUSED, self.refusal)

    def _take_entry(self, event: wire.Event, frame: bytes | None, now_ns: int) -> None:
        """Take an entry; `frame` is what it came in, None if it came with others, for the filling of a gap."""
        seq = event.payload.seq
        if not self.next:
            return  # from before the room was entered: the head that `entered` names includes it
        if event.payload.room is not None and event.payload.room != self._log.name:
            self.note_fault(Fault.STRAY, f"entry {seq} of {event.payload.room}")
        elif seq < self.next:
            self._take_late(seq)
        else:
            if seq > self.next:
                self._note_hole(seq, now_ns)
            self._take_next(event, frame, now_ns)

    def _take_next(self, event: wire.Event, frame: bytes | None, now_ns: int) -> None:
        seq = event.payload.seq
        log = self._log
        stamp = self._stamps.read(event)
        if frame is not None and seq == log.head + 1:
            if log.is_full:
                self._count(now_ns)  # while all that is not counted is still there
            log.append(frame, stamp)
        else:
            kept = log.frame_of(seq)
            if frame is not None and kept is not None and kept != frame:
                self.note_fault(
                    Fault.DIFFERENCE, f"entry {seq} is {frame[:200]!r}, others got {kept[:200]!r}"
                )
            self._count(now_ns)
            self._tally.arrived_alone(stamp.intended_ns if stamp else 0, now_ns)
            self._counted = seq + 1
            if stamp is not None:
                self._hear(stamp.speaker, stamp.number, now_ns)
        self.next = seq + 1

    def _take_late(self, seq: int) -> None:
        if seq in self._missing:
            self._missing.remove(seq)
            self.note_fault(Fault.DISORDER, f"entry {seq} came after entry {self.next - 1}")
        else:
            self.note_fault(Fault.REPEAT, f"entry {seq} came again after entry {self.next - 1}")

    def _note_hole(self, seq: int, now_ns: int) -> None:
        self._count(now_ns)
        self._missing.update(range(self.next, min(seq, self.next + _REMEMBERED_HOLES)))
        self.next = self._counted = seq

    # --- counting ---

    def _count(self, now_ns: int) -> None:
        """Count the entries since the last time, all of which are in the log."""
        first, last = self._counted, self.next
        if first >= last:
            return
        log = self._log
        self._counted = last
        self._tally.arrived(log.stamps, first - log.first, last - log.first, now_ns)
        if self.speaker is not None:
            for index in range(first - log.first, last - log.first):
                self._hear(log.speakers[index], log.numbers[index], now_ns)
            self.speaker.keep_going(now_ns)

    def _hear(self, speaker: int, number: int, now_ns: int) -> None:
        if self.speaker is not None and speaker == self.number:
            self.speaker.heard(number, now_ns)

    def note_fault(self, fault: Fault, what: str, times: int = 1) -> None:
        """Something is wrong with what this connection received."""
        self._tally.findings.note(fault, f"connection {self.number} in room {self._log.name}: {what}", times)
