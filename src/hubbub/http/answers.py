"""JSON in and out: bodies checked in one step at the edge, answers and refusals encoded once."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from hubbub.errors import BAD_JSON, BAD_PAYLOAD, METHOD_NOT_ALLOWED, NOT_FOUND, REFUSALS, Refusal, Refused

T = TypeVar("T")

_encode: Final = msgspec.json.Encoder().encode
_PLACE: Final = re.compile(r" - at `\$\.?([^`]*)`$")
_MISSING: Final = re.compile(r"missing required field `(\w+)`")
_BY_STATUS: Final[Mapping[int, Refusal]] = {404: NOT_FOUND, 405: METHOD_NOT_ALLOWED}


def answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """`value` as JSON."""
    return Response(_encode(value), status, headers, media_type="application/json")


def nothing(headers: Mapping[str, str] | None = None) -> Response:
    """Done, and there is nothing to say."""
    return Response(None, 204, headers)


def reader(shape: type[T]) -> Callable[[Request], Any]:
    """A function that reads a request's body as `shape`, whatever its Content-Type says.

    It raises `Refused` (bad_json, bad_payload) with the name of the field that is wrong.
    """
    decode = msgspec.json.Decoder(shape).decode

    async def read(request: Request) -> T:
        try:
            return decode(await request.body())
        except msgspec.ValidationError as error:
            raise wrong_shape(error) from None
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise Refused(BAD_JSON) from None

    return read


def wrong_shape(error: msgspec.ValidationError) -> Refused:
    """The refusal of a body of the wrong shape, naming the field."""
    text = str(error)
    missing = _MISSING.search(text)
    if missing:
        return Refused(BAD_PAYLOAD, f"The field {missing[1]} is missing.", field=missing[1])
    place = _PLACE.search(text)
    reason = text.split(" - at ", maxsplit=1)[0]
    if place is None or not place[1]:
        return Refused(BAD_PAYLOAD, f"The body is wrong: {reason[:1].lower()}{reason[1:]}.")
    return Refused(
        BAD_PAYLOAD, f"The field {place[1]} is wrong: {reason[:1].lower()}{reason[1:]}.", field=place[1]
    )


def refusal(refused: Refused, *, plain: bool = False) -> Response:
    """The answer that says no: JSON for programs, with `plain` the bare sentence for somebody at a browser."""
    row = refused.refusal
    headers = {}
    if refused.retry_after_seconds is not None:
        headers["retry-after"] = str(max(1, math.ceil(refused.retry_after_seconds)))
    if row.status == 401:
        headers["www-authenticate"] = "Bearer"
    if plain:
        return Response(refused.detail + "\n", row.status, headers, media_type="text/plain")
    body: dict[str, object] = {"code": row.code, "message": refused.detail, "retry": row.retry}
    if refused.field is not None:
        body["field"] = refused.field
    if refused.retry_after_seconds is not None:
        body["retry_after"] = round(refused.retry_after_seconds, 3)
    return answer(body, row.status, headers)


def refused_by_status(status: int) -> Refused:
    """The refusal that stands for a bare HTTP status."""
    known = _BY_STATUS.get(status) or next(
        (row for row in REFUSALS.values() if row.status == status), NOT_FOUND
    )
    return Refused(known)
