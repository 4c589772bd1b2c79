"""The ordinary frames of a client, read with less than the WebSocket library's core needs for them.

Nearly all that comes is whole, short, unfragmented text, plain or compressed, or a pong without payload; the core takes
five times as long for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from hubbub.transport.deflate import inflated

try:
    from websockets.speedups import apply_mask
except ImportError:  # the wheel for this machine has no C in it
    from websockets.utils import apply_mask

_TEXT: Final = 0x81  # the first byte of a whole text frame
_COMPRESSED_TEXT: Final = 0xC1
_PONG: Final = 0x8A
_SMALLEST: Final = 6  # the header and the mask of a client's frame


def ordinary(data: bytes, limit: int, *, inflates: bool) -> Iterator[tuple[int, bytes | None]]:
    """The ordinary frames that `data` begins with: where each ends, and its text, or None for a pong.

    `limit` is the most bytes of a message, `inflates` whether compressed ones are agreed on. Whatever comes after the
    last one, and whatever breaks a rule, is for the core to judge.
    """
    position, end = 0, len(data)
    while end - position >= _SMALLEST:
        first = data[position]
        length = data[position + 1] - 0x80  # negative for a frame without a mask
        if first == _PONG and length == 0:
            position += _SMALLEST
            yield position, None
            continue
        mask = position + 2
        if length == 126:
            length = int.from_bytes(data[mask : mask + 2])
            mask += 2
            if length < 126:
                return
        stop = mask + 4 + length
        if not 0 <= length <= limit or length == 127 or stop > end:
            return
        if first == _TEXT:
            text: bytes | None = apply_mask(data[mask + 4 : stop], data[mask : mask + 4])
        elif first == _COMPRESSED_TEXT and inflates:
            text = inflated(apply_mask(data[mask + 4 : stop], data[mask : mask + 4]), limit)
            if text is None:
                return
        else:
            return
        position = stop
        yield position, text
