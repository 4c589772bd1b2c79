"""The contract, read from the types of `hubbub.events`: what every renderer (Markdown, AsyncAPI, …) works from.

Names, types, bounds and defaults come from the types, descriptions from their docstrings and the comments beside
their fields, the rest from `words`, and an example of each event from `examples`. What is described nowhere, or
described and not there, is a `ContractError`: so the documents can't fall behind the types.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import msgspec.inspect as inspection

from hubbub import events
from hubbub.events import ClientEvent, Payload
from tools.protocol import examples, words

Type = inspection.Type
Envelope = type[Any]  # what a whole frame of one event decodes to


class ContractError(Exception):
    """Types and descriptions don't match; the text says where."""


@dataclass(frozen=True)
class Field:
    """One field of a payload, as it is on the wire. `default`: what its absence means; None: nothing."""

    name: str
    type: Type
    required: bool
    default: object
    meaning: str
    items: str | None = None  # what a list holds that goes out as finished JSON: "message" or "entry"


@dataclass(frozen=True)
class Shape:
    """An object on the wire: a payload, or a part of one."""

    name: str
    meaning: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Event:
    """An event of the full profile, or of both. `example` is one as it travels."""

    type: str
    shape: Shape
    envelope: Envelope
    example: bytes
    from_client: bool
    answer: str | None = None  # the type of event that answers it


@dataclass(frozen=True)
class Contract:
    """Everything that the documents say about events."""

    client: tuple[Event, ...]
    entries: tuple[Event, ...]  # from the server, and in the log
    server: tuple[Event, ...]  # the others from the server
    parts: tuple[Shape, ...]  # objects inside payloads

    @property
    def from_server(self) -> tuple[Event, ...]:
        """Every event that a server sends."""
        return (*self.entries, *self.server)


PARTS: Final[tuple[type[Payload], ...]] = (events.Message, events.RoomSummary, events.Limits)
# Lists that the server joins from JSON that it has: of what, and the event type of what they hold if they hold events.
FINISHED: Final[Mapping[str, str]] = {"Entered.messages": "message", "Entered.entries": "entry"}


def read() -> Contract:
    """The contract as the types are now. Raises `ContractError`."""
    reader = _Reader(Path(events.__file__).read_text(encoding="utf-8"))
    news = {name: type_ for name, type_ in events.SERVER_EVENTS.items() if name not in events.ENTRY_EVENTS}
    contract = Contract(
        client=tuple(reader.client_event(*item) for item in events.CLIENT_EVENTS.items()),
        entries=tuple(reader.server_event(*item) for item in events.ENTRY_EVENTS.items()),
        server=tuple(reader.server_event(*item) for item in news.items()),
        parts=tuple(reader.shape(part) for part in PARTS),
    )
    reader.check_nothing_left_over()
    return contract


class _Reader:
    """Reads shapes, and notes which words and examples were used."""

    def __init__(self, source: str) -> None:
        self._comments = dict(_field_comments(source))
        self._unused = {*words.FIELDS, *words.FIELDS_OF}
        self._examples = {
            *(("client", name) for name in examples.CLIENT),
            *(("server", name) for name in examples.SERVER),
        }
        self._answers = set(words.ANSWERS)

    def client_event(self, name: str, payload: type[Payload]) -> Event:
        envelope = events.client_event(name, payload)
        ref, example = self._example("client", examples.CLIENT, name, payload)
        encoded = events.encode(name, example, ref)
        msgspec.json.decode(encoded, type=envelope)
        if name not in words.ANSWERS:
            raise ContractError(f"tools/protocol/words.py: ANSWERS says nothing of {name}.")
        self._answers.discard(name)
        return Event(name, self.shape(payload), envelope, encoded, True, words.ANSWERS[name])

    def server_event(self, name: str, payload: type[Payload]) -> Event:
        ref, example = self._example("server", examples.SERVER, name, payload)
        envelope = msgspec.defstruct(
            f"ServerEvent_{name}",
            [("payload", payload)],
            bases=(ClientEvent,),  # the same envelope
            tag=name,
            frozen=True,
            kw_only=True,
        )
        encoded = events.encode(name, example, ref)
        msgspec.json.decode(encoded, type=envelope)
        return Event(name, self.shape(payload), envelope, encoded, False)

    def shape(self, type_: type[Payload]) -> Shape:
        info = inspection.type_info(type_)
        assert isinstance(info, inspection.StructType)
        meaning = " ".join((type_.__doc__ or "").split())
        if not meaning:
            raise ContractError(f"src/hubbub/events.py: {type_.__name__} has no docstring.")
        return Shape(type_.__name__, meaning, tuple(self._field(type_, field) for field in info.fields))

    def _field(self, owner: type[Payload], field: inspection.Field) -> Field:
        default: object = None
        if field.default is not msgspec.NODEFAULT:
            default = field.default
        elif field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        return Field(
            field.encode_name,
            _without_none(field.type),
            field.required,
            default,
            self._meaning(owner, field),
            FINISHED.get(f"{owner.__name__}.{field.name}"),
        )

    def _meaning(self, owner: type[Payload], field: inspection.Field) -> str:
        """What a field means: said for this field, beside it in the source, or for all fields of its name."""
        lines = [cls.__name__ for cls in owner.__mro__]
        said = [f"{cls}.{field.encode_name}" for cls in lines]
        for key in said:
            if key in words.FIELDS_OF:
                self._unused.discard(key)
                return words.FIELDS_OF[key]
        for key in (f"{cls}.{field.name}" for cls in lines):
            if key in self._comments:
                return self._comments[key]
        if field.encode_name in words.FIELDS:
            self._unused.discard(field.encode_name)
            return words.FIELDS[field.encode_name]
        raise ContractError(
            f"src/hubbub/events.py: {said[0]} has no comment; write one beside it, or say what it means in "
            "tools/protocol/words.py."
        )

    def _example(
        self,
        side: str,
        found: Mapping[str, tuple[str | int | None, Payload]],
        name: str,
        payload: type[Payload],
    ) -> tuple[str | int | None, Payload]:
        if name not in found or type(found[name][1]) is not payload:
            raise ContractError(
                f"tools/protocol/examples.py: the {side}'s {name} wants an example, a {payload.__name__}."
            )
        self._examples.discard((side, name))
        return found[name]

    def check_nothing_left_over(self) -> None:
        for key in sorted(self._unused):
            raise ContractError(f"tools/protocol/words.py describes {key}, which no event has.")
        for side, name in sorted(self._examples):
            raise ContractError(
                f"tools/protocol/examples.py has an example of the {side}'s {name}, which is no event."
            )
        for name in sorted(self._answers):
            raise ContractError(f"tools/protocol/words.py: ANSWERS names {name}, which no client sends.")


def _without_none(type_: Type) -> Type:
    """A field that may be None is left out when it is."""
    if not isinstance(type_, inspection.UnionType):
        return type_
    rest = tuple(one for one in type_.types if not isinstance(one, inspection.NoneType))
    return rest[0] if len(rest) == 1 else inspection.UnionType(rest)


def _field_comments(source: str) -> Iterator[tuple[str, str]]:
    """`Class.field` and the comment at the end of its line."""
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            for line in node.body:
                if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                    comment = comments.get(line.end_lineno or 0)
                    if comment is not None:
                        yield f"{node.name}.{line.target.id}", _sentence(comment)


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "=")) else text + "."
