"""The events on the wire: their shapes, and what fits them."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub import events
from hubbub.events import CLIENT_EVENTS, ENTRY_EVENTS, SERVER_EVENTS, client_event, encode, room_prefix, wrap

TYPES = {name: client_event(name, payload) for name, payload in CLIENT_EVENTS.items()}
FULL: dict[str, dict[str, Any]] = {
    "enter": {"room": "general", "after": 7, "epoch": "0f"},
    "exit": {"room": "general"},
    "send_message": {"room": "general", "id": "a-1", "message": "hi", "reply_to": 3},
    "edit_message": {"room": "general", "seq": 3, "message": "hello", "id": "a-2"},
    "delete_message": {"room": "general", "seq": 3, "id": "a-3"},
    "react": {"room": "general", "seq": 3, "emoji": "🎉", "remove": True, "id": "a-4"},
    "typing": {"room": "general"},
    "mark_read": {"room": "general", "seq": 3},
    "change_room": {"name": "general"},
}


def read(type_: str, payload: dict[str, Any], **envelope: Any) -> Any:
    """The payload that a frame of a client is read as."""
    text = json.dumps({"type": type_, "payload": payload, **envelope})
    return msgspec.json.decode(text, type=TYPES[type_]).payload  # type: ignore[attr-defined]


def an_entry(type_: str, room: str) -> events.EntryPayload:
    """An entry's payload with every field that has no default."""
    rest: dict[str, Any] = {
        "id": "a-1", "from_": "ada", "message": "hi", "sent": "2026-01-01T00:00:00.000Z",
        "edited": "2026-01-01T00:00:00.000Z", "target": 1, "emoji": "🎉", "user": "ada",
    }  # fmt: skip
    shape = ENTRY_EVENTS[type_]
    needed = {field.name for field in msgspec.structs.fields(shape) if field.required} - {"room", "seq"}
    return shape(room, 2, **{name: rest[name] for name in needed})


def test_there_is_an_example_of_each_client_event() -> None:
    assert FULL.keys() == CLIENT_EVENTS.keys()


@pytest.mark.parametrize("type_", CLIENT_EVENTS)
def test_every_field_of_a_client_event_is_read(type_: str) -> None:
    assert msgspec.to_builtins(read(type_, FULL[type_])) == FULL[type_]


@pytest.mark.parametrize("type_", CLIENT_EVENTS)
def test_unknown_fields_are_ignored(type_: str) -> None:
    more = {**FULL[type_], "from": "mallory", "future": [1, {"a": None}]}
    assert read(type_, more, future=True) == read(type_, FULL[type_])


@pytest.mark.parametrize(
    ("type_", "change"),
    [
        ("enter", {"room": ""}),
        ("enter", {"room": "x" * 201}),
        ("enter", {"room": 7}),
        ("enter", {"after": -1}),
        ("enter", {"after": 2**53}),
        ("enter", {"after": 1.5}),
        ("enter", {"after": "7"}),
        ("enter", {"epoch": 7}),
        ("send_message", {"id": ""}),
        ("send_message", {"id": "x" * 65}),
        ("send_message", {"id": "a b"}),
        ("send_message", {"id": "é"}),
        ("send_message", {"message": None}),
        ("send_message", {"reply_to": True}),
        ("react", {"emoji": ""}),
        ("react", {"emoji": "x" * 33}),
        ("react", {"remove": 1}),
        ("mark_read", {"seq": None}),
        ("change_room", {"name": ""}),
    ],
)
def test_what_does_not_fit_is_refused_in_the_decoding(type_: str, change: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        read(type_, FULL[type_] | change)


@pytest.mark.parametrize("ref", [None, 0, -7, 2**53, "", "x" * 64, "é"])
def test_a_ref_is_a_short_text_or_a_whole_number(ref: object) -> None:
    text = json.dumps({"type": "typing", "ref": ref, "payload": {"room": "general"}})
    assert msgspec.json.decode(text, type=TYPES["typing"]).ref == ref


@pytest.mark.parametrize("ref", [True, 1.5, [], {}, "x" * 65])
def test_a_ref_of_another_kind_is_refused(ref: object) -> None:
    text = json.dumps({"type": "typing", "ref": ref, "payload": {"room": "general"}})
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=TYPES["typing"])


@pytest.mark.parametrize("type_", ENTRY_EVENTS)
@given(room=st.text(min_size=1, max_size=64))
def test_every_entry_begins_with_its_room_so_that_the_log_can_leave_it_out(type_: str, room: str) -> None:
    payload = an_entry(type_, room)
    encoded = msgspec.json.encode(payload)
    assert encoded.startswith(room_prefix(room) + b'"seq":2')
    kept = b"{" + encoded[len(room_prefix(room)) :]
    assert json.loads(kept) == {k: v for k, v in json.loads(encoded).items() if k != "room"}
    assert json.loads(room_prefix("another") + kept[1:]) == json.loads(encoded) | {"room": "another"}


def test_an_event_is_type_ref_and_payload_in_this_order() -> None:
    payload = events.Exited("general")
    assert encode("exited", payload) == b'{"type":"exited","payload":{"room":"general"}}'
    assert encode("exited", payload, 0) == b'{"type":"exited","ref":0,"payload":{"room":"general"}}'
    assert encode("exited", payload, 'a"b') == b'{"type":"exited","ref":"a\\"b","payload":{"room":"general"}}'


@given(payload=st.dictionaries(st.text(), st.integers(0, 9)), ref=st.none() | st.integers() | st.text())
def test_wrapping_what_is_encoded_is_the_same_as_encoding(
    payload: dict[str, int], ref: str | int | None
) -> None:
    assert wrap("x", msgspec.json.encode(payload), ref) == encode("x", payload, ref)
    assert json.loads(encode("x", payload, ref)) == (
        {"type": "x", "payload": payload} | ({} if ref is None else {"ref": ref})
    )


def test_python_words_are_renamed_on_the_wire_and_what_says_nothing_is_left_out() -> None:
    message = events.NewMessage("general", 1, id="a", from_="ada", message="hi", sent="now")
    assert json.loads(msgspec.json.encode(message)) == {
        "room": "general", "seq": 1, "id": "a", "from": "ada", "message": "hi", "sent": "now",
    }  # fmt: skip
    assert json.loads(msgspec.json.encode(events.Gap("general", 3, 9))) == {
        "room": "general",
        "from": 3,
        "to": 9,
    }


def test_a_message_as_it_is_now_reads_from_one_that_nothing_happened_to() -> None:
    message = events.NewMessage("general", 1, id="a", from_="ada", message="hi", sent="now")
    now = msgspec.json.decode(msgspec.json.encode(message), type=events.Message)
    assert msgspec.json.encode(now) == msgspec.json.encode(message)


@pytest.mark.parametrize(
    "payload", {*CLIENT_EVENTS.values(), *SERVER_EVENTS.values()}, ids=lambda p: p.__name__
)
def test_events_are_frozen_and_say_what_they_are_for(payload: type[events.Payload]) -> None:
    assert payload.__struct_config__.frozen
    assert payload.__doc__
    assert payload.__doc__.strip()
