"""permessage-deflate on one connection (RFC 7692): agreeing on it, and inflating what comes in.

A client's messages are compressed each by itself (`client_no_context_takeover`): so no memory is kept for them.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Final

from websockets.exceptions import NegotiationError
from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.typing import ExtensionParameter

_TAIL: Final = b"\x00\x00\xff\xff"  # left out by whoever compressed (RFC 7692 §7.2.1)
_OWN_MEMORY: Final = "server_no_context_takeover"


class SharedDeflate(ServerPerMessageDeflateFactory):
    """Agrees to permessage-deflate with those to whom the same compressed bytes may go as to everyone."""

    def __init__(self) -> None:
        # With what is said of the server's memory here the library keeps no compressor for the connection: there is
        # one for all. It is not said to the client, whose own memory a batch's later frames refer to.
        super().__init__(server_no_context_takeover=True, client_no_context_takeover=True)

    def process_request_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> tuple[list[ExtensionParameter], PerMessageDeflate]:
        """The answer to an offer. Raises `NegotiationError` where compressed bytes for this client would be its own."""
        answer, extension = super().process_request_params(params, accepted_extensions)
        if any(name == _OWN_MEMORY for name, _ in params) or extension.local_max_window_bits < zlib.MAX_WBITS:
            raise NegotiationError("compressed frames are shared by all")
        return [parameter for parameter in answer if parameter[0] != _OWN_MEMORY], extension


def inflated(data: bytes, limit: int) -> bytes | None:
    """A compressed message, or None if it is larger than `limit` bytes or damaged. Never makes more than `limit`."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        text = inflater.decompress(data + _TAIL, limit)
    except zlib.error:
        return None
    return None if inflater.unconsumed_tail else text
