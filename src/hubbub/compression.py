"""permessage-deflate (RFC 7692) for many readers at once: a batch is compressed once, and its bytes shared.

The first frame of a batch refers to nothing before it, so that it means the same to everyone. Those after it refer to
the ones before them in the batch, which whoever gets it has just had: that is what makes short messages small. A reader
must therefore get a batch's frames all, in order, and no other compressed frame among them.
"""

from __future__ import annotations

import zlib
from typing import Final

from hubbub import frames

SHORTEST: Final = (
    512  # bytes of joined frames; below it so little is saved that it isn't worth a reader's time
)
_LEVEL: Final = 1  # the higher ones take longer and save next to nothing in texts so short
_TAIL: Final = b"\x00\x00\xff\xff"  # of a flush; not sent (RFC 7692 §7.2.1)


class Deflater:
    """Compresses finished frames. One for all connections; for one thread."""

    def __init__(self) -> None:
        self.bytes_in = 0
        self.bytes_out = 0
        self._zlib = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)

    def deflated(self, joined: bytes) -> bytes:
        """`joined` frames, made by `frames.text`, for readers who inflate; the same bytes where it isn't worth it."""
        if len(joined) < SHORTEST:
            return joined
        compress, flush = self._zlib.compress, self._zlib.flush
        *payloads, last = frames.payloads(joined)
        found = [compress(payload) + flush(zlib.Z_SYNC_FLUSH) for payload in payloads]
        found.append(
            compress(last) + flush(zlib.Z_FULL_FLUSH)
        )  # the next batch refers to nothing in this one
        result = b"".join([frames.compressed(data.removesuffix(_TAIL)) for data in found])
        self.bytes_in += len(joined)
        self.bytes_out += len(result)
        return result
