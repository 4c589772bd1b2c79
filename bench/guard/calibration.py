"""What the other counts are divided by: plain Python of the kinds that Hubbub does most.

Another build of Python, or another machine, makes this cheaper or dearer about as it does the rest.
NEVER CHANGE IT without writing the baseline anew: every ratio hangs on it.
"""

from __future__ import annotations

import json
from typing import Final

ROUNDS: Final = 200


class _Member:
    __slots__ = ("heard", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.heard: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.heard.append(data)


def work(rounds: int = ROUNDS) -> int:
    """So many rounds of messages for ten members; how much was written."""
    members = {name: _Member(name) for name in (f"member-{number}" for number in range(10))}
    total = 0
    for seq in range(rounds):
        text = json.dumps(
            {"type": "message", "payload": {"seq": seq, "from": "ada", "message": "word " * 10}}
        )
        event = json.loads(text)
        frame = b"".join([b"\x81", bytes((len(text) % 126,)), text.encode()])
        heads: dict[str, int] = {}
        for name, member in members.items():
            member.write(frame)
            heads[name] = heads.get(name, 0) + event["payload"]["seq"]
        total += sum(heads.values()) + len(frame)
    return total + sum(len(member.heard) for member in members.values())
