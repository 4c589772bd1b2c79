"""Autobahn, group 4: opcodes that mean nothing."""

from __future__ import annotations

import pytest

from tests.conformance.case import Case, Echo, cases, hold
from tests.support.raw import PING, TEXT, frame

pytestmark = pytest.mark.asyncio

HELLO = frame(TEXT, b"Hello, world!")
HEARD = [(TEXT, b"Hello, world!")]


def _group(group: int, first: int) -> list[Case]:
    return [
        Case(f"4.{group}.1", frame(first), code=1002),
        Case(f"4.{group}.2", frame(first + 1, b"reserved opcode payload"), code=1002),
        Case(f"4.{group}.3", HELLO + frame(first + 2) + frame(PING), HEARD, code=1002),
        Case(f"4.{group}.4", HELLO + frame(first + 3, b"reserved") + frame(PING), HEARD, code=1002),
        Case(f"4.{group}.5", HELLO + frame(first + 4, b"reserved") + frame(PING), HEARD, code=1002, chop=1),
    ]


@pytest.mark.parametrize("case", cases(*_group(1, 3), *_group(2, 11)))
async def test_a_reserved_opcode_ends_the_connection(echo: Echo, case: Case) -> None:
    await hold(echo, case)
