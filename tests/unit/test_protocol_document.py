"""The documents of the protocol are made from the types, and say all of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hubbub import errors, events
from hubbub.chat import add_chat
from hubbub.hub import _BASIC_EVENTS, Hub
from tools import make_protocol
from tools.protocol import asyncapi, contract, examples, markdown, words
from tools.protocol.contract import ContractError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def document() -> dict[str, Any]:
    """The AsyncAPI document as it is committed."""
    parsed: dict[str, Any] = json.loads((ROOT / "docs/asyncapi.json").read_text(encoding="utf-8"))
    return parsed


@pytest.fixture
def page() -> str:
    """The protocol's page as it is committed."""
    return (ROOT / "docs/protocol.md").read_text(encoding="utf-8")


def test_the_committed_documents_are_what_the_types_make() -> None:
    assert make_protocol.differing(make_protocol.make(), ROOT) == []


def test_a_document_that_differs_is_named_and_the_check_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(make_protocol, "ROOT", tmp_path)
    assert make_protocol.main([]) == 0
    assert make_protocol.main(["--check"]) == 0
    page = tmp_path / "docs/protocol.md"
    page.write_text(page.read_text(encoding="utf-8").replace("hubbub.v1", "hubbub.v2"), encoding="utf-8")
    capsys.readouterr()
    assert make_protocol.main(["--check"]) == 1
    assert capsys.readouterr().out == "docs/protocol.md is not what it is made from; run make documents\n"


def test_a_new_field_that_nobody_described_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    described = {name: text for name, text in words.FIELDS.items() if name != "topic"}
    monkeypatch.setattr(words, "FIELDS", described)
    with pytest.raises(ContractError, match=r"\w+\.topic has no comment"):
        contract.read()


def test_a_field_that_is_described_and_not_there_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "FIELDS_OF", {**words.FIELDS_OF, "Enter.colour": "Which one."})
    with pytest.raises(ContractError, match=r"describes Enter\.colour, which no event has"):
        contract.read()


def test_a_new_event_without_an_example_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(events.SERVER_EVENTS, "waved", events.Exited)
    with pytest.raises(ContractError, match="the server's waved wants an example"):
        contract.read()


def test_a_new_close_code_without_words_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    closes = (*errors.CLOSE_REASONS, errors.CloseReason(4510, "bored"))
    monkeypatch.setattr(errors, "CLOSE_REASONS", closes)
    with pytest.raises(ContractError, match="4510"):
        markdown.render(contract.read())


def test_the_page_names_every_event_field_error_and_close_code(page: str) -> None:
    found = contract.read()
    for event in (*found.client, *found.from_server):
        assert f"\n#### `{event.type}`\n" in page
    for shape in (*(event.shape for event in (*found.client, *found.from_server)), *found.parts):
        assert shape.meaning in page
        for field in shape.fields:
            assert f"\n| `{field.name}` | " in page
            assert field.meaning in page
    for row in errors.REFUSALS.values():
        assert f"| `{row.code}` | {row.status} | {'yes' if row.retry else 'no'} | {row.message} |" in page
    for reason in (*errors.CLOSE_REASONS, errors.restarting(1)):
        assert f"\n| {reason.code} | " in page


def test_every_example_on_the_page_is_one_that_the_server_takes_or_sends(page: str) -> None:
    hub = Hub()
    add_chat(hub)
    decode = hub.handlers.decode
    assert hub.event_types == sorted(events.CLIENT_EVENTS)
    for event in contract.read().client:
        assert type(decode(event.example.decode()).payload) is events.CLIENT_EVENTS[event.type]  # type: ignore[attr-defined]
    for line in (*examples.BASIC, examples.RESUMING):
        decode(line.decode())
    shown = [json.loads(block) for block in _json_blocks(page)]
    for event in (*contract.read().client, *contract.read().from_server):
        assert json.loads(event.example) in shown


def _json_blocks(page: str) -> Iterator[str]:
    for block in page.split("```json\n")[1:]:
        text = block.partition("\n```")[0]
        yield from text.splitlines() if text.startswith('{"') else [text]


def test_the_basic_profile_is_described_as_the_hub_has_it(document: dict[str, Any]) -> None:
    named = {key for key in document["channels"]["basic"]["messages"] if key.startswith("client.")}
    assert named == {f"client.{type_}" for type_ in _BASIC_EVENTS}
    assert "client.change_room" not in document["channels"]["full"]["messages"]


def test_every_reference_of_the_asyncapi_document_leads_somewhere(document: dict[str, Any]) -> None:
    references = list(_references(document))
    assert len(references) > 100
    for reference in references:
        place: Any = document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]
        assert isinstance(place, dict)


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for part in value.values():
            yield from _references(part)
    elif isinstance(value, list):
        for part in value:
            yield from _references(part)


def test_every_message_of_a_channel_has_one_operation_on_it(document: dict[str, Any]) -> None:
    assert document["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= document["info"].keys()
    for channel, described in document["channels"].items():
        operations = {
            name.removeprefix(f"{channel}."): operation
            for name, operation in document["operations"].items()
            if operation["channel"] == {"$ref": f"#/channels/{channel}"}
        }
        assert operations.keys() == described["messages"].keys()
        for key, operation in operations.items():
            assert operation["action"] == ("receive" if key.startswith("client.") else "send")
            assert operation["messages"] == [{"$ref": f"#/channels/{channel}/messages/{key}"}]
            for answer in operation.get("reply", {}).get("messages", []):
                assert answer["$ref"].startswith(f"#/channels/{channel}/messages/server.")


def test_the_schemas_ask_for_the_fields_that_the_types_ask_for(document: dict[str, Any]) -> None:
    found = contract.read()
    schemas = document["components"]["schemas"]
    for event in (*found.client, *found.from_server):
        schema = schemas[event.shape.name]
        assert list(schema["properties"]) == [field.name for field in event.shape.fields]
        assert schema.get("required", []) == [field.name for field in event.shape.fields if field.required]
        assert all("description" in described for described in schema["properties"].values())
        envelope = schemas[event.envelope.__name__]
        assert envelope["properties"]["type"] == {"enum": [event.type]}
    entries = schemas["Entered"]["properties"]["entries"]["items"]["oneOf"]
    assert len(entries) == len(events.ENTRY_EVENTS)


def test_the_document_has_the_errors_and_the_version(document: dict[str, Any]) -> None:
    assert [row["code"] for row in document["x-error-codes"]] == list(errors.REFUSALS)
    assert document == asyncapi.document(contract.read())
