"""`websockets`' sans-I/O core, with what of RFC 6455 we take otherwise than the library."""

from __future__ import annotations

from websockets.frames import Frame, Opcode
from websockets.server import ServerProtocol


class Core(ServerProtocol):
    """Reads, checks, answers control frames and closes."""

    def recv_frame(self, frame: Frame) -> None:
        """One frame that came in."""
        if frame.opcode is Opcode.CLOSE:
            # It may come between fragments as any control frame (§5.4), and is answered by its code like any other.
            self.current_size = None
        super().recv_frame(frame)
