"""docs/asyncapi.json: the contract as an AsyncAPI 3.0 document, with its schemas from msgspec.

It describes the server: it *receives* what clients send and *sends* what they get.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from hubbub import __version__, errors
from hubbub.events import SUBPROTOCOL
from hubbub.settings import Settings
from tools.protocol import words
from tools.protocol.contract import PARTS, Contract, Event, Shape

Json = dict[str, Any]

_BASIC_CLIENT: Final = ("send_message", "change_room")
_BASIC_SERVER: Final = ("new_message",)
_FULL: Final = "full"
_BASIC: Final = "basic"


def render(contract: Contract) -> str:
    """The document as JSON text."""
    return json.dumps(document(contract), ensure_ascii=False, indent=2) + "\n"


def document(contract: Contract) -> Json:
    """The document."""
    full_client = [event for event in contract.client if event.type != "change_room"]
    basic_client = [event for event in contract.client if event.type in _BASIC_CLIENT]
    basic_server = [event for event in contract.from_server if event.type in _BASIC_SERVER]
    return {
        "asyncapi": "3.0.0",
        "info": _info(),
        "defaultContentType": "application/json",
        "servers": {"local": _server()},
        "channels": {
            _FULL: _channel(_FULL, [*full_client, *contract.from_server], full=True),
            _BASIC: _channel(_BASIC, [*basic_client, *basic_server], full=False),
        },
        "operations": {
            **_operations(_FULL, full_client, contract.from_server),
            **_operations(_BASIC, basic_client, basic_server),
        },
        "components": {
            "messages": {_key(event): _message(event) for event in (*contract.client, *contract.from_server)},
            "schemas": _schemas(contract),
            "securitySchemes": _security(),
        },
        "x-error-codes": [
            {"code": row.code, "status": row.status, "retry": row.retry, "message": row.message}
            for row in errors.REFUSALS.values()
        ],
        "x-close-codes": [
            {"code": code, "when": when, "do": what} for code, (when, what) in sorted(words.CLOSES.items())
        ],
    }


def _info() -> Json:
    return {
        "title": "Hubbub",
        "version": __version__,
        "description": "Live rooms over WebSocket. What the events mean together is in docs/protocol.md.",
        "license": {"name": "MIT"},
    }


def _server() -> Json:
    return {
        "host": f"localhost:{Settings().port}",
        "protocol": "ws",
        "description": "As `hubbub serve` starts it. Behind TLS the protocol is wss.",
        "security": [{"$ref": f"#/components/securitySchemes/{name}"} for name in _security()],
    }


def _security() -> Json:
    return {
        "ticket": {
            "type": "httpApiKey",
            "in": "query",
            "name": "otp",
            "description": "A ticket from POST /login or POST /ticket. It opens one socket. Better than in the query "
            "it travels in Sec-WebSocket-Protocol, see docs/protocol.md.",
        },
        "bearer": {"type": "http", "scheme": "bearer", "description": "A bearer token, for programs."},
    }


def _channel(name: str, events: Iterable[Event], *, full: bool) -> Json:
    header = {
        "type": "string",
        "description": f"`{SUBPROTOCOL}`, and if need be `ticket.` with a ticket."
        if full
        else f"If need be `ticket.` with a ticket, but not `{SUBPROTOCOL}`.",
    }
    return {
        "address": "/ws",
        "title": f"The {name} profile",
        "description": f"With the subprotocol {SUBPROTOCOL}: many rooms at once, resuming, answers by `ref`."
        if full
        else "With no subprotocol: one room at a time, `general` at first.",
        "messages": {_key(event): {"$ref": f"#/components/messages/{_key(event)}"} for event in events},
        "bindings": {
            "ws": {
                "method": "GET",
                "query": {
                    "type": "object",
                    "properties": {"otp": {"type": "string", "description": "A ticket."}},
                },
                "headers": {
                    "type": "object",
                    "properties": {"Sec-WebSocket-Protocol": header},
                    **({"required": ["Sec-WebSocket-Protocol"]} if full else {}),
                },
                "bindingVersion": "0.1.0",
            }
        },
    }


def _operations(channel: str, client: Iterable[Event], server: Iterable[Event]) -> Json:
    server = list(server)
    sent = {event.type: event for event in server}
    operations: Json = {}
    for event in client:
        operation = _operation(channel, "receive", event)
        answers = [sent[name] for name in (event.answer, "error") if name in sent]
        if event.answer is not None and event.answer in sent:
            operation["reply"] = {
                "channel": {"$ref": f"#/channels/{channel}"},
                "messages": [_in_channel(channel, answer) for answer in answers],
            }
        operations[f"{channel}.{_key(event)}"] = operation
    for event in server:
        operations[f"{channel}.{_key(event)}"] = _operation(channel, "send", event)
    return operations


def _operation(channel: str, action: str, event: Event) -> Json:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": event.shape.meaning,
        "messages": [_in_channel(channel, event)],
    }


def _in_channel(channel: str, event: Event) -> Json:
    return {"$ref": f"#/channels/{channel}/messages/{_key(event)}"}


def _message(event: Event) -> Json:
    return {
        "name": event.type,
        "title": f"{event.type}, {'from the client' if event.from_client else 'from the server'}",
        "summary": event.shape.meaning,
        "payload": {"$ref": f"#/components/schemas/{event.envelope.__name__}"},
        "examples": [{"name": event.type, "payload": json.loads(event.example)}],
    }


def _key(event: Event) -> str:
    return f"{'client' if event.from_client else 'server'}.{event.type}"


# --- schemas ------------------------------------------------------------------------------------------------------


def _schemas(contract: Contract) -> Json:
    """Every envelope, payload and part, with the meaning of each field."""
    events = (*contract.client, *contract.from_server)
    _, schemas = msgspec.json.schema_components(
        [*(event.envelope for event in events), *PARTS], ref_template="#/components/schemas/{name}"
    )
    for event in events:
        schemas[event.envelope.__name__]["description"] = event.shape.meaning
    for shape in (*(event.shape for event in events), *contract.parts):
        _describe(schemas[shape.name], shape, contract.entries)
    return {name: schemas[name] for name in sorted(schemas)}


def _describe(schema: Json, shape: Shape, entries: Iterable[Event]) -> None:
    schema["description"] = shape.meaning
    for field in shape.fields:
        described = schema["properties"][field.name]
        if field.items is not None:
            described = schema["properties"][field.name] = {
                "type": "array",
                "items": _items(field.items, entries),
            }
        described["description"] = field.meaning


def _items(what: str, entries: Iterable[Event]) -> Mapping[str, Any]:
    if what == "message":
        return {"$ref": "#/components/schemas/Message"}
    return {"oneOf": [{"$ref": f"#/components/schemas/{entry.envelope.__name__}"} for entry in entries]}
