"""Finished WebSocket frames, as a server sends them: unmasked, whole, ready for a transport (RFC 6455 §5.2).

An event for many readers is framed once, and the same bytes go to each of them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

_TEXT: Final = 0x81  # FIN and the text opcode
_COMPRESSED: Final = 0x40  # RSV1
_SHORT: Final = [bytes((_TEXT, length)) for length in range(126)]

PING: Final = b"\x89\x00"


def text(payload: bytes) -> bytes:
    """One text frame with `payload` (UTF-8)."""
    length = len(payload)
    if length < 126:
        return _SHORT[length] + payload
    return _header(_TEXT, length) + payload


def compressed(payload: bytes) -> bytes:
    """One text frame with `payload` compressed by permessage-deflate (RFC 7692)."""
    return _header(_TEXT | _COMPRESSED, len(payload)) + payload


def _header(first: int, length: int) -> bytes:
    if length < 126:
        return bytes((first, length))
    if length < 65536:
        return struct.pack("!BBH", first, 126, length)
    return struct.pack("!BBQ", first, 127, length)


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
