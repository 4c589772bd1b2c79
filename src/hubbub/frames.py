"""Finished WebSocket frames, as a server sends them: unmasked, whole, ready for a transport (RFC 6455 §5.2).

An event for many readers is framed once, and the same bytes go to each of them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

_TEXT: Final = 0x81  # FIN and the text opcode
_SHORT: Final = [bytes((_TEXT, length)) for length in range(126)]

PING: Final = b"\x89\x00"


def text(payload: bytes) -> bytes:
    """One text frame with `payload` (UTF-8)."""
    length = len(payload)
    if length < 126:
        return _SHORT[length] + payload
    if length < 65536:
        return struct.pack("!BBH", _TEXT, 126, length) + payload
    return struct.pack("!BBQ", _TEXT, 127, length) + payload


def payloads(frames: bytes) -> Iterator[bytes]:
    """The payloads of joined frames made by `text`; for transports that frame by themselves."""
    position = 0
    while position < len(frames):
        length = frames[position + 1]
        position += 2
        if length == 126:
            (length,) = struct.unpack_from("!H", frames, position)
            position += 2
        elif length == 127:
            (length,) = struct.unpack_from("!Q", frames, position)
            position += 8
        yield frames[position : position + length]
        position += length
