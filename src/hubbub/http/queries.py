"""Numbers in a path or a query, checked."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

from hubbub.errors import BAD_PAYLOAD, NOT_FOUND, Refused

_GREATEST: Final = 2**53 - 1


def number(request: Request, name: str) -> int:
    """The number in the path; `Refused` (404) for what is none, as nothing has such a number."""
    found = _parsed(request.path_params[name])
    if found is None:
        raise Refused(NOT_FOUND)
    return found


def count(request: Request, name: str, default: int, most: int) -> int:
    """How many are asked for: 1 to `most`; `Refused` (bad_payload) for what is none of these."""
    text = request.query_params.get(name)
    found = default if text is None else _parsed(text)
    if found is None or not 1 <= found <= most:
        raise Refused(BAD_PAYLOAD, f"{name} is a number from 1 to {most}.", field=name)
    return found


def optional_number(request: Request, name: str, otherwise: str = "") -> int | None:
    """The number asked for, or None; `Refused` (bad_payload, with the sentence `otherwise`) for what is none."""
    text = request.query_params.get(name)
    if text is None:
        return None
    found = _parsed(text)
    if found is None:
        raise Refused(BAD_PAYLOAD, otherwise or f"{name} is the number of a message.", field=name)
    return found


def _parsed(text: str) -> int | None:
    if not text.isascii() or not text.isdecimal() or len(text) > 16 or int(text) > _GREATEST:
        return None
    return int(text)
