"""What was wrong with a frame that could not be decoded, said so that its sender can mend it."""

from __future__ import annotations

import difflib
import re
from typing import Any, Final

import msgspec

from hubbub.errors import BAD_EVENT, BAD_JSON, BAD_PAYLOAD, UNKNOWN_TYPE, Refused

_PLACE: Final = re.compile(r" - at `\$\.(?:payload\.?)?([^`]*)`$")
_MISSING: Final = re.compile(r"missing required field `(\w+)`")


def refusal_for(text: str, error: Exception, known_types: list[str]) -> tuple[Refused, str | int | None]:
    """The refusal for a frame that raised `error`, and the frame's `ref` if one can be made out."""
    try:
        frame: Any = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return Refused(BAD_JSON, f"This is not JSON: {_plain(error)}."), None
    if not isinstance(frame, dict):
        return Refused(BAD_EVENT), None
    ref = frame.get("ref")
    if isinstance(ref, bool) or not isinstance(ref, str | int) or len(str(ref)) > 64:
        ref = None
    type_ = frame.get("type")
    if not isinstance(type_, str):
        return Refused(BAD_EVENT, "An event has a `type`, which is a string.", field="type"), ref
    if type_ not in known_types:
        near = difflib.get_close_matches(type_, known_types, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        return Refused(UNKNOWN_TYPE, f"There is no event of type {type_[:64]!r}.{hint}", field="type"), ref
    return _payload_refusal(error), ref


def _payload_refusal(error: Exception) -> Refused:
    text = str(error)
    place = _PLACE.search(text)
    missing = _MISSING.search(text)
    path = place.group(1) if place else ""
    if missing:
        field = f"{path}.{missing.group(1)}".strip(".")
        return Refused(BAD_PAYLOAD, f"The field {field} is missing.", field=field)
    field = path or "payload"
    return Refused(BAD_PAYLOAD, f"The field {field} is wrong: {_plain(error)}.", field=field)


def _plain(error: Exception) -> str:
    reason = str(error).split(" - at ")[0].removeprefix("JSON is malformed: ")
    return reason[:1].lower() + reason[1:]
