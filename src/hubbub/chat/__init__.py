"""The chat built on the hub: a module for each thing that people do."""

from __future__ import annotations

from hubbub.chat import entering, reading, speaking
from hubbub.hub import Hub


def add_chat(hub: Hub) -> None:
    """Give `hub` the handlers of the chat."""
    entering.add_handlers(hub)
    speaking.add_handlers(hub)
    reading.add_handlers(hub)
