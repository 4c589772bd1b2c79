"""The types of the wire for TypeScript are made from the server's own."""

from __future__ import annotations

import re

import msgspec.inspect as inspection
import pytest

from hubbub import errors
from hubbub.events import CLIENT_EVENTS, ENTRY_EVENTS, SERVER_EVENTS
from tools.protocol import contract, typescript
from tools.protocol.contract import ContractError


@pytest.fixture(scope="module")
def module() -> str:
    """The TypeScript module."""
    return typescript.render(contract.read())


def interface(module: str, name: str) -> dict[str, str]:
    """Each field of an interface, as it is written, with its type."""
    found = re.search(rf"export interface {name} {{\n(.*?)\n}}", module, re.DOTALL)
    assert found is not None
    return dict(re.findall(r"^  ([\w?]+): (.+);$", found[1], re.MULTILINE))


def union(module: str, name: str) -> list[str]:
    """The members of a union."""
    found = re.search(rf"export type {name} =\n(.*?);\n", module, re.DOTALL)
    assert found is not None
    return [line.strip().removeprefix("| ") for line in found[1].splitlines()]


def test_what_may_be_left_out_is_optional_and_what_lists_hold_is_named(module: str) -> None:
    assert interface(module, "Enter") == {"room": "string", "after?": "number", "epoch?": "string"}
    entered = interface(module, "Entered")
    assert (entered["messages?"], entered["entries?"], entered["present"]) == (
        "Message[]",
        "Entry[]",
        "string[]",
    )
    assert interface(module, "Message")["reactions?"] == "{ [key: string]: string[] }"
    assert interface(module, "Welcome")["rooms"] == "RoomSummary[]"


def test_names_are_those_of_the_wire(module: str) -> None:
    assert "from" in interface(module, "NewMessage")
    assert "from_" not in module


def test_every_event_and_every_code_is_there(module: str) -> None:
    for name, events in (
        ("ClientEvent", CLIENT_EVENTS),
        ("Entry", ENTRY_EVENTS),
        ("ServerEvent", SERVER_EVENTS),
    ):
        types = {line.split("'")[1] for line in union(module, name)}
        assert types == set(events)
    assert union(module, "ErrorCode") == [f"'{code}'" for code in errors.REFUSALS]


def test_a_type_that_has_no_name_in_typescript_fails() -> None:
    with pytest.raises(ContractError, match="BytesType has no TypeScript type yet"):
        typescript._type(inspection.BytesType())
