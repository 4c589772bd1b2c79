"""A room's stream of bytes as a server would send it, and readers of the load generator that take it."""

from __future__ import annotations

import msgspec

from hubbub.bench import wire
from hubbub.bench.findings import Fault
from hubbub.bench.reader import Reader
from hubbub.bench.roomlog import RoomLog
from hubbub.bench.speaker import Speaker
from hubbub.bench.tally import Tally

RUN = "c0ffee00"
ROOM = "bench-0"
FOREVER = 1 << 62


class Sent:
    """Keeps what a reader sends."""

    def __init__(self) -> None:
        self.texts: list[dict[str, object]] = []
        self.pongs: list[bytes] = []

    def send(self, payload: bytes) -> None:
        self.texts.append(msgspec.json.decode(payload))

    def pong(self, payload: bytes) -> None:
        self.pongs.append(payload)


class World:
    """One process of the generator, with one room that all its readers entered at `head`."""

    def __init__(self, readers: int = 2, window_bytes: int = 1 << 20, head: int = 0) -> None:
        self.tally = Tally()
        self.tally.measure(0, FOREVER)
        self.log = RoomLog(ROOM, window_bytes, self.tally.forget_range)
        self.sent: list[Sent] = []
        self.readers: list[Reader] = []
        for _ in range(readers):
            self.add_reader(head)

    def add_reader(self, head: int | None) -> None:
        """One more, which was told `head` when it entered, or has not entered yet."""
        self.sent.append(Sent())
        stamps = wire.StampReader(RUN)
        self.readers.append(Reader(len(self.readers), self.log, self.tally, stamps, self.sent[-1]))
        if head is not None:
            self.give(-1, entered(head))

    def give(self, reader: int, *chunks: bytes, now_ns: int = 1000) -> None:
        """Bytes arrive at a reader."""
        for chunk in chunks:
            self.readers[reader].take(memoryview(chunk), now_ns)

    def give_all(self, *chunks: bytes, now_ns: int = 1000) -> None:
        """The same bytes arrive at all readers, one after another."""
        for reader in range(len(self.readers)):
            self.give(reader, *chunks, now_ns=now_ns)

    def speaker(self, reader: int, window: int = 1) -> Speaker:
        """Let a reader speak."""
        writer = wire.MessageWriter(RUN, reader, ROOM, 64)
        speaker = Speaker(reader, writer, window, self.tally, self.sent[reader].send)
        self.readers[reader].speaker = speaker
        return speaker

    def end(self, head: int = 0) -> dict[Fault, int]:
        """The run is over: the faults found."""
        self.tally.settle()
        for reader in self.readers:
            reader.note_what_is_missing(head)
            if reader.speaker is not None:
                reader.speaker.note_what_is_missing()
        return dict(self.tally.findings.counts)


def event(type_: str, **payload: object) -> bytes:
    """A frame with an event."""
    return wire.server_frame(msgspec.json.encode({"type": type_, "payload": payload}))


def entered(head: int) -> bytes:
    return event("entered", room=ROOM, head=head, epoch="e", messages=[])


def message(
    seq: int, *, speaker: int = 0, number: int | None = None, stamp_ns: int = 500, room: str = ROOM
) -> bytes:
    """A message of this run, as everyone gets it."""
    id_ = f"{RUN}-{stamp_ns:016x}-{speaker}-{seq if number is None else number}"
    return event("new_message", room=room, seq=seq, id=id_, message=f"~T{stamp_ns:016x}xx", **{"from": "ada"})


def messages(first: int, last: int) -> list[bytes]:
    """Messages with the numbers `first` to `last`."""
    return [message(seq) for seq in range(first, last + 1)]


PING = b"\x89\x02hi"
