"""docs/protocol.md: the template beside this file, with what comes from the types, the errors and the settings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec
import msgspec.inspect as inspection

from hubbub import errors
from hubbub.events import CLIENT_EVENTS, SUBPROTOCOL, TICKET_PREFIX
from hubbub.http import history, search
from hubbub.log.searching import SCANNED
from hubbub.settings import Settings
from tools.protocol import examples, words
from tools.protocol.contract import Contract, ContractError, Event, Field, Shape, Type

TEMPLATE: Final = Path(__file__).with_name("protocol.template.md")
_PLACE: Final = re.compile(r"\{\{([\w. ]+)\}\}")
_LINE: Final = 100  # of an example on one line
_LINKS: Final = {"Message": "message", "RoomSummary": "room-summary", "Limits": "limits"}


def render(contract: Contract) -> str:
    """The whole page. Raises `ContractError` for a place in the template that nothing fills, and for what has none."""
    blocks = _blocks(contract)
    unused = set(blocks)

    def fill(place: re.Match[str]) -> str:
        name = place[1]
        unused.discard(name)
        if name.startswith("setting "):
            return _setting(name.removeprefix("setting "))
        if name not in blocks:
            raise ContractError(f"{TEMPLATE.name}: nothing fills {{{{{name}}}}}.")
        return blocks[name]()

    page = _PLACE.sub(fill, TEMPLATE.read_text(encoding="utf-8"))
    for name in sorted(unused):
        raise ContractError(f"{TEMPLATE.name}: there is no place for {{{{{name}}}}}.")
    return page


def _blocks(contract: Contract) -> Mapping[str, Callable[[], str]]:
    parts = {part.name: part for part in contract.parts}
    return {
        "client events": lambda: _events(contract.client),
        "entries": lambda: _events(contract.entries),
        "server events": lambda: _events(contract.server),
        "client table": lambda: _client_table(contract.client),
        "server table": lambda: _server_table(contract),
        "Message": lambda: _shape(parts["Message"], msgspec.json.encode(examples.MESSAGE)),
        "RoomSummary": lambda: _shape(parts["RoomSummary"]),
        "Limits": lambda: _shape(parts["Limits"]),
        "resuming": lambda: _code(examples.RESUMING) + "\n" + _code(examples.RESUMED),
        "basic": lambda: _fence("\n".join(line.decode() for line in examples.BASIC), "json"),
        "errors": lambda: _table(
            ("code", "HTTP", "again?", "meaning"),
            (
                (f"`{r.code}`", str(r.status), "yes" if r.retry else "no", r.message)
                for r in errors.REFUSALS.values()
            ),
        ),
        "closes": _closes,
        "subprotocol": lambda: SUBPROTOCOL,
        "ticket prefix": lambda: TICKET_PREFIX,
        "search page": lambda: str(search.PAGE),
        "search most": lambda: str(search.MOST),
        "search scanned": lambda: f"{SCANNED:,}",
        "history page": lambda: str(history.PAGE),
        "history most": lambda: str(history.MOST),
    }


def _events(events: Iterable[Event]) -> str:
    return "\n\n".join(f"#### `{event.type}`\n\n{_shape(event.shape, event.example)}" for event in events)


def _shape(shape: Shape, example: bytes | None = None) -> str:
    rows = ((f"`{field.name}`", _type(field), _presence(field), field.meaning) for field in shape.fields)
    text = f"{shape.meaning}\n\n" + _table(("field", "what it is", "left out?", "meaning"), rows)
    return text + ("\n\n" + _code(example) if example is not None else "")


def _presence(field: Field) -> str:
    """What it means if a field is not there."""
    if field.required:
        return "never"
    if field.default is None:
        return "may be"
    return f"means `{msgspec.json.encode(field.default).decode()}`"


def _type(field: Field) -> str:
    if field.items == "message":
        return "list of [messages](#message)"
    if field.items == "entry":
        return "list of [entries](#entries)"
    return _type_words(field.type)


def _type_words(type_: Type) -> str:
    match type_:
        case inspection.StrType():
            return (
                "text" + _bounds(type_.min_length, type_.max_length, " characters") + _pattern(type_.pattern)
            )
        case inspection.IntType():
            return "whole number" + _bounds(type_.ge, type_.le if type_.le != 2**53 - 1 else None)
        case inspection.FloatType():
            return "number"
        case inspection.BoolType():
            return "true or false"
        case inspection.ListType():
            return f"list of {_plural(type_.item_type)}"
        case inspection.DictType():
            return f"object of {_plural(type_.value_type)}"
        case inspection.StructType():
            name = type_.cls.__name__
            return f"[{_LINKS[name].replace('-', ' ')}](#{_LINKS[name]})"
        case inspection.UnionType():
            return " or ".join(_type_words(one) for one in type_.types)
        case _:
            raise ContractError(f"{__name__}: no words for {type_}.")


def _plural(type_: Type) -> str:
    text = _type_words(type_)
    if text.startswith("["):
        name, _, link = text.partition("]")
        return f"{name[:-1]}ies]{link}" if name.endswith("y") else f"{name}s]{link}"
    if text.startswith("list of"):
        return "lists" + text.removeprefix("list")
    return {"text": "texts", "whole number": "whole numbers"}.get(text, text)


def _bounds(least: float | None, most: float | None, unit: str = "") -> str:
    if least is not None and most is not None:
        return f", {least} to {most}{unit}"
    if most is not None:
        return f", {most}{unit} at most"
    return f", {least} or more" if least is not None and not unit else ""


def _pattern(pattern: str | None) -> str:
    if pattern is None:
        return ""
    if pattern != "^[!-~]+$":
        raise ContractError(f"{__name__}: no words for the pattern {pattern}.")
    return " of ASCII without spaces"


def _client_table(events: Iterable[Event]) -> str:
    def profile(event: Event) -> str:
        return {"send_message": "both", "change_room": "basic"}.get(event.type, "full")

    def answer(event: Event) -> str:
        return f"[`{event.answer}`](#{event.answer})" if event.answer else "none"

    return _table(
        ("event", "profile", "what for", "answer"),
        ((_link(event), profile(event), _first(event.shape.meaning), answer(event)) for event in events),
    )


def _server_table(contract: Contract) -> str:
    rows = [
        *((_link(event), "yes", _first(event.shape.meaning)) for event in contract.entries),
        *((_link(event), "no", _first(event.shape.meaning)) for event in contract.server),
    ]
    return _table(("event", "in the log?", "what it says"), rows)


def _link(event: Event) -> str:
    # `typing` goes both ways. What clients send comes first on the page; the second heading's anchor ends with -1.
    second = "-1" if event.type in CLIENT_EVENTS and not event.from_client else ""
    return f"[`{event.type}`](#{event.type}{second})"


def _first(meaning: str) -> str:
    """The first sentence."""
    return re.split(r"(?<=[.!?]) (?=[A-Z`])", meaning, maxsplit=1)[0]


def _closes() -> str:
    own = {reason.code for reason in (*errors.CLOSE_REASONS, errors.restarting(1))} | {1002, 1009}
    if own != set(words.CLOSES):
        raise ContractError(
            f"tools/protocol/words.py: CLOSES differs from errors.py in {sorted(own ^ set(words.CLOSES))}."
        )
    return _table(("code", "when", "what to do"), ((str(code), *words.CLOSES[code]) for code in sorted(own)))


def _setting(name: str) -> str:
    value = getattr(Settings(), name)
    return f"{value:g}" if isinstance(value, float) else f"{value:,}"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _code(json: bytes) -> str:
    text = json.decode()
    return _fence(text if len(text) <= _LINE else msgspec.json.format(json, indent=2).decode(), "json")


def _fence(text: str, language: str) -> str:
    return f"```{language}\n{text}\n```"
