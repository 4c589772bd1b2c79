"""web/src/lib/client/wire.ts: the contract as TypeScript types, formatted as Prettier would leave it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

import msgspec.inspect as inspection

from hubbub import errors
from hubbub.events import SUBPROTOCOL, TICKET_PREFIX
from tools.protocol.contract import Contract, ContractError, Event, Field, Shape, Type

_HEAD: Final = (
    "// Made by tools/make_protocol.py from src/hubbub/events.py and src/hubbub/errors.py. Don't edit it: run\n"
    "// `make documents`. What the events mean together is in docs/protocol.md."
)
# What the types call a text, where only these values come; `null` on the wire is always left out.
_NAMES: Final[dict[type[Type], str]] = {
    inspection.StrType: "string",
    inspection.IntType: "number",
    inspection.FloatType: "number",
    inspection.BoolType: "boolean",
}
_ITEMS: Final = {"message": "Message", "entry": "Entry"}
_WIDTH: Final = 120


def render(contract: Contract) -> str:
    """The module's text."""
    shapes = {event.shape.name: event.shape for event in (*contract.client, *contract.from_server)}
    shapes |= {part.name: part for part in contract.parts}
    parts = [
        _HEAD,
        f"/** The full profile's subprotocol. */\nexport const SUBPROTOCOL = '{SUBPROTOCOL}';",
        f"/** Before a ticket that travels as a subprotocol. */\nexport const TICKET_PREFIX = '{TICKET_PREFIX}';",
        "/** Of one's own choosing, to tell which request an answer is for. */\nexport type Ref = string | number;",
        *(_interface(shape) for shape in shapes.values()),
        _events("ClientEvent", "What a client sends.", contract.client),
        _events("Entry", "What is in a room's log.", contract.entries),
        _events("ServerEvent", "What a server sends.", contract.from_server),
        _codes(),
    ]
    return "\n\n".join(parts) + "\n"


def _interface(shape: Shape) -> str:
    lines = [_comment(shape.meaning, ""), f"export interface {shape.name} {{"]
    for field in shape.fields:
        lines.append(_comment(field.meaning, "  "))
        optional = "" if field.required else "?"
        lines.append(f"  {_key(field.name)}{optional}: {_field_type(field)};")
    return "\n".join([*lines, "}"])


def _field_type(field: Field) -> str:
    if field.items is not None:
        return f"{_ITEMS[field.items]}[]"
    return _type(field.type)


def _type(type_: Type) -> str:
    if type(type_) in _NAMES:
        return _NAMES[type(type_)]
    if isinstance(type_, inspection.ListType):
        inner = _type(type_.item_type)
        return f"({inner})[]" if " " in inner else f"{inner}[]"
    if isinstance(type_, inspection.DictType):
        return f"{{ [key: {_type(type_.key_type)}]: {_type(type_.value_type)} }}"
    if isinstance(type_, inspection.StructType):
        return type_.cls.__name__
    if isinstance(type_, inspection.UnionType):
        return " | ".join(_type(one) for one in type_.types)
    raise ContractError(f"tools/protocol/typescript.py: {type(type_).__name__} has no TypeScript type yet.")


def _events(name: str, meaning: str, events: Iterable[Event]) -> str:
    lines = [f"  | {{ type: '{event.type}'; ref?: Ref; payload: {event.shape.name} }}" for event in events]
    return "\n".join([f"/** {meaning} */", f"export type {name} =", *lines]) + ";"


def _codes() -> str:
    lines = [f"  | '{row.code}'" for row in errors.REFUSALS.values()]
    return "\n".join(["/** Every code of a refusal. */", "export type ErrorCode =", *lines]) + ";"


def _comment(text: str, indent: str) -> str:
    """A comment of one line, or of as many as it takes."""
    text = text.replace("*/", "* /")
    if len(indent) + len(text) + 7 <= _WIDTH:
        return f"{indent}/** {text} */"
    lines, line = [], ""
    for word in text.split():
        if line and len(indent) + len(line) + len(word) + 4 > _WIDTH:
            lines.append(line)
            line = ""
        line = f"{line} {word}" if line else word
    return "\n".join([f"{indent}/**", *(f"{indent} * {one}" for one in [*lines, line]), f"{indent} */"])


def _key(name: str) -> str:
    return name if name.isidentifier() else json.dumps(name)
