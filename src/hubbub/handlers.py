"""The handlers of a hub by type of event, each with the type of its payload."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, Union, get_type_hints

import msgspec

from hubbub.connection import Client
from hubbub.errors import Refused
from hubbub.events import CLIENT_EVENTS, ClientEvent, client_event

Handler = Callable[[Client, Any], Awaitable[None] | None]
H = TypeVar("H", bound=Callable[..., Any])


class Handlers:
    """What a hub does with each type of event. Decodes and checks an event in one step."""

    def __init__(self) -> None:
        self._events: dict[str, type[ClientEvent]] = {}
        self._by_event: dict[type[ClientEvent], tuple[str, Handler]] = {}
        self._decoder: Callable[[str], ClientEvent] | None = None
        # Told of each refusal, and returns at once: for an audit log.
        self.on_refused: Callable[[Client, Refused], None] = lambda _client, _refused: None

    @property
    def types(self) -> list[str]:
        """The types of event that are handled."""
        return sorted(self._events)

    def on(self, type_: str) -> Callable[[H], H]:
        """Handle events of `type_` with the decorated function; the annotation of its payload says what fits."""
        if type_ in CLIENT_EVENTS:
            raise ValueError(f"{type_!r} is an event of the chat: give yours another name.")

        def register(function: H) -> H:
            self.add(type_, _payload_type(function), function)
            return function

        return register

    def add(self, type_: str, payload: type[Any], function: Handler) -> None:
        """Handle events of `type_`, whose payload is `payload`, with `function`.

        ValueError if something does already, TypeError for a payload that can't be read.
        """
        if type_ in self._events:
            raise ValueError(f"There is a handler for {type_!r} already.")
        event = client_event(type_, payload)
        try:
            msgspec.json.Decoder(event)  # what can't be read is found now, and not by the first client
        except TypeError as error:
            raise TypeError(f"The payload of {type_!r} is no type that can be read: {error}") from None
        self._events[type_] = event
        self._by_event[event] = (type_, function)
        self._decoder = None

    def decode(self, text: str) -> ClientEvent:
        """One event. Raises msgspec's errors for what is none."""
        if self._decoder is None:
            # One tagged union of all types, put together when it is needed: types come in at run time.
            union: Any = Union[tuple(self._events.values())]  # noqa: UP007
            self._decoder = msgspec.json.Decoder(union).decode
        return self._decoder(text)

    def of(self, event: ClientEvent) -> tuple[str, Handler]:
        """The type of an event, and what handles it."""
        return self._by_event[type(event)]


def _payload_type(function: Callable[..., Any]) -> type[Any]:
    """The type by which the second parameter of `function` is annotated. TypeError if there is none."""
    parameters = list(inspect.signature(function).parameters.values())
    name = getattr(function, "__qualname__", repr(function))
    if len(parameters) != 2 or parameters[1].annotation is inspect.Parameter.empty:
        raise TypeError(f"A handler takes a client and a payload with its type: {name}.")
    # Looked up alone: the client's type may be one that only a type checker sees.
    alone = type("alone", (), {"__annotations__": {"payload": parameters[1].annotation}})
    names = getattr(inspect.unwrap(function), "__globals__", {})
    try:
        payload: type[Any] = get_type_hints(alone, names, include_extras=True)["payload"]
    except NameError:
        raise TypeError(
            f"The payload's type of {name}, {parameters[1].annotation}, can't be found: define or import it at the "
            "top of its module."
        ) from None
    return payload
