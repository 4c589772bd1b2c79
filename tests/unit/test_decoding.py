"""What is said about a frame that can't be read."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.connection import Client
from hubbub.decoding import refusal_for
from hubbub.errors import Refused
from hubbub.events import CLIENT_EVENTS, Payload
from hubbub.handlers import Handlers


class Inner(Payload, frozen=True):
    """Part of a payload."""

    deep: int


class Nested(Payload, frozen=True):
    """An application's own payload."""

    parts: list[Inner]


def handlers() -> Handlers:
    """Those of the chat and of an application."""
    made = Handlers()
    shapes: dict[str, type[Payload]] = {**CLIENT_EVENTS, "nested": Nested}
    for type_, payload in shapes.items():
        made.add(type_, payload, _nothing)
    return made


def _nothing(client: Client, payload: Any) -> None:
    raise NotImplementedError


HANDLERS = handlers()


def refused(text: str) -> tuple[Refused, str | int | None]:
    """How a frame is refused, and with which `ref`."""
    with pytest.raises((msgspec.DecodeError, UnicodeError, RecursionError)) as caught:
        HANDLERS.decode(text)
    return refusal_for(text, caught.value, HANDLERS.types)


def said(text: str) -> tuple[str, str, str | None]:
    """Code, sentence and field."""
    refusal, _ = refused(text)
    return refusal.refusal.code, refusal.detail, refusal.field


EVENT = 'An event is a JSON object such as {"type": "enter", "payload": {…}}.'


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("", ("bad_json", "This is not JSON: input data was truncated.", None)),
        ("hello", ("bad_json", "This is not JSON: invalid character (byte 0).", None)),
        ('{"type":"enter"', ("bad_json", "This is not JSON: input data was truncated.", None)),
        ("[]", ("bad_event", EVENT, None)),
        ('"enter"', ("bad_event", EVENT, None)),
        ("null", ("bad_event", EVENT, None)),
        ("{}", ("bad_event", "An event has a `type`, which is a string.", "type")),
        ('{"type":7}', ("bad_event", "An event has a `type`, which is a string.", "type")),
        ('{"type":null}', ("bad_event", "An event has a `type`, which is a string.", "type")),
        (
            '{"type":"send_mesage","payload":{}}',
            ("unknown_type", "There is no event of type 'send_mesage'. Did you mean send_message?", "type"),
        ),
        ('{"type":"zzz"}', ("unknown_type", "There is no event of type 'zzz'.", "type")),
        ('{"type":"enter"}', ("bad_payload", "The field payload is missing.", "payload")),
        (
            '{"type":"enter","payload":[]}',
            ("bad_payload", "The field payload is wrong: expected `object`, got `array`.", "payload"),
        ),
        ('{"type":"enter","payload":{}}', ("bad_payload", "The field room is missing.", "room")),
        (
            '{"type":"enter","payload":{"room":7}}',
            ("bad_payload", "The field room is wrong: expected `str`, got `int`.", "room"),
        ),
        (
            '{"type":"enter","payload":{"room":"x","after":-1}}',
            ("bad_payload", "The field after is wrong: expected `int` >= 0.", "after"),
        ),
        (
            '{"type":"nested","payload":{"parts":[{"deep":1},{}]}}',
            ("bad_payload", "The field parts[1].deep is missing.", "parts[1].deep"),
        ),
        (
            '{"type":"nested","payload":{"parts":[{"deep":"1"}]}}',
            ("bad_payload", "The field parts[0].deep is wrong: expected `int`, got `str`.", "parts[0].deep"),
        ),
    ],
)
def test_the_answer_says_what_is_wrong_and_names_the_field(
    text: str, answer: tuple[str, str, str | None]
) -> None:
    assert said(text) == answer


@pytest.mark.parametrize("ref", ["true", "1.5", "[1]", "{}", json.dumps("x" * 65)])
def test_a_wrong_ref_is_named_and_not_carried_back(ref: str) -> None:
    refusal, carried = refused(f'{{"type":"typing","ref":{ref},"payload":{{"room":"general"}}}}')
    assert (refusal.refusal.code, refusal.field, carried) == ("bad_payload", "ref", None)


@pytest.mark.parametrize(
    "frame", [{}, {"type": "zzz"}, {"type": "enter"}, {"type": "enter", "payload": {"room": 7}}]
)
@pytest.mark.parametrize("ref", [0, 7, "a", "x" * 64])
def test_the_ref_is_carried_back_whenever_it_can_be_made_out(frame: dict[str, Any], ref: str | int) -> None:
    _, carried = refused(json.dumps(frame | {"ref": ref}))
    assert carried == ref


def test_a_long_type_is_not_said_back_in_full() -> None:
    assert len(said(json.dumps({"type": "x" * 60_000}))[1]) < 200


@pytest.mark.parametrize(
    "text", ["[" * 50_000, '{"a":' * 50_000, '{"ref":' + "9" * 5_000 + "}", '{"a":"\\ud800"}', '"\ud800"']
)
def test_what_no_reader_can_take_is_no_json_and_nothing_worse(text: str) -> None:
    assert refused(text)[0].refusal.code in ("bad_json", "bad_event")


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        HANDLERS.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        refusal_for(text, error, HANDLERS.types)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "type": JSON | st.sampled_from(HANDLERS.types),
            "ref": JSON,
            "payload": JSON
            | st.dictionaries(
                st.sampled_from(["room", "message", "id", "seq", "emoji", "name", "parts"]), JSON
            ),
        },
    )
)
def test_any_object_is_read_or_refused_with_one_line_for_a_person(frame: dict[str, Any]) -> None:
    text = json.dumps(frame)
    try:
        HANDLERS.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        refusal, ref = refusal_for(text, error, HANDLERS.types)
        assert "\n" not in refusal.detail
        assert refusal.detail.endswith((".", "?"))
        assert ref is None or ref == frame["ref"]
