"""The wire as the load generator needs it: frames of the server found in bytes, events decoded, requests made."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from hubbub.events import ENTRY_EVENTS

TEXT: Final = 0x1
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

ENTRY_TYPES: Final = frozenset(ENTRY_EVENTS)
"""The types of events that are entries of a room's log, and so carry its next number."""

STAMP_CHARACTERS: Final = 18
"""What a message of ours begins with: ``~T`` and the intended time of sending, 16 hexadecimal digits of ns."""

_FINAL: Final = 0x80


class WireError(Exception):
    """The server sent bytes that this client cannot read as frames of events."""


class Frame(NamedTuple):
    """Where one frame lies in a chunk of bytes."""

    opcode: int
    payload: int
    end: int


class Payload(msgspec.Struct, frozen=True, omit_defaults=True, rename={"from_": "from"}):
    """Of the payloads of all events, the fields that are looked at here."""

    room: str | None = None
    seq: int = 0
    id: str | None = None
    message: str = ""
    head: int = 0
    epoch: str | None = None
    more: bool = False
    reset: bool = False
    entries: list[Event] | None = None
    code: str = ""
    from_: str | int = ""
    to: int = 0


class Event(msgspec.Struct, frozen=True):
    """An event from the server."""

    type: str
    payload: Payload


class Stamp(NamedTuple):
    """Who of ours sent a message, as its how manyth (from 1), and when it was meant to be sent (monotonic ns)."""

    speaker: int
    number: int
    intended_ns: int


_decode = msgspec.json.Decoder(Event).decode


def decode(payload: bytes | memoryview) -> Event:
    """The event in `payload`. Raises `WireError`."""
    try:
        return _decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise WireError(f"an event that is none: {error}: {bytes(payload[:80])!r}") from error


def frame_at(chunk: bytes, at: int) -> Frame | None:
    """The frame that begins at `at`, or None if it is not all there. Raises `WireError` (RFC 6455, section 5.2)."""
    left = len(chunk) - at
    if left < 2:
        return None
    first, second = chunk[at], chunk[at + 1]
    if second > 127:
        raise WireError("a masked frame from the server")
    start = at + 2
    length = second
    if second == 126:
        start = at + 4
        length = int.from_bytes(chunk[at + 2 : start], "big")
    elif second == 127:
        start = at + 10
        length = int.from_bytes(chunk[at + 2 : start], "big")
    if first & 0x70 or first & 0x0F not in (TEXT, CLOSE, PING, PONG) or not first & _FINAL:
        raise WireError(
            f"a frame that starts with {first:#04x}: only whole text frames and control frames are read"
        )
    if left < start - at + length:
        return None
    return Frame(first & 0x0F, start, start + length)


def server_frame(payload: bytes) -> bytes:
    """`payload` as a server frames a text: unmasked, final, the length in as few bytes as it takes."""
    length = len(payload)
    if length < 126:
        return bytes((_FINAL | TEXT, length)) + payload
    if length < 65536:
        return bytes((_FINAL | TEXT, 126)) + length.to_bytes(2, "big") + payload
    return bytes((_FINAL | TEXT, 127)) + length.to_bytes(8, "big") + payload


def enter_request(room: str, after: int | None = None, epoch: str | None = None) -> bytes:
    """Ask to enter `room`; with `after`, to resume after that entry of `epoch`."""
    payload: dict[str, str | int] = {"room": room}
    if after is not None:
        payload["after"] = after
        if epoch:
            payload["epoch"] = epoch
    return msgspec.json.encode({"type": "enter", "payload": payload})


class MessageWriter:
    """Makes the messages of one speaker: all of one size, each with its stamp."""

    __slots__ = ("_filler", "_run", "_speaker", "_start")

    def __init__(self, run: str, speaker: int, room: str, size: int) -> None:
        room_json = msgspec.json.encode(room)
        self._start = b'{"type":"send_message","payload":{"room":' + room_json + b',"id":"'
        self._run = run
        self._speaker = speaker
        self._filler = b"x" * max(0, size - STAMP_CHARACTERS) + b'"}}'

    def request(self, number: int, intended_ns: int) -> bytes:
        """The speaker's message `number`. Its id has the time first, as the protocol advises."""
        text = f'{self._run}-{intended_ns:016x}-{self._speaker}-{number}","message":"~T{intended_ns:016x}'
        return self._start + text.encode() + self._filler


class StampReader:
    """Reads the stamps of the messages of one run; what others say has none."""

    __slots__ = ("_run",)

    def __init__(self, run: str) -> None:
        self._run = run

    def number_in(self, id_: str | None) -> int | None:
        """The number of the message of this run that has this id."""
        if id_ is None or not id_.startswith(self._run):
            return None
        number = id_.rpartition("-")[2]
        return int(number) if number.isdigit() else None

    def read(self, event: Event) -> Stamp | None:
        """The stamp of `event`, if it is a message of this run."""
        id_ = event.payload.id
        if event.type != "new_message" or id_ is None or not id_.startswith(self._run):
            return None
        parts = id_.split("-")
        message = event.payload.message
        try:
            return Stamp(int(parts[2]), int(parts[3]), int(message[2:STAMP_CHARACTERS], 16))
        except (IndexError, ValueError) as error:
            raise WireError(f"a message of ours came back changed: {id_!r}: {message[:40]!r}") from error
