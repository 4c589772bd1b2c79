"""`GET /api/search`: messages by their text, in the rooms that one may see."""

from __future__ import annotations

from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hubbub.chat.question import MOST_ZONE_MINUTES, Asked
from hubbub.chat.search import Search
from hubbub.errors import BAD_PAYLOAD, Refused
from hubbub.events import room_prefix
from hubbub.http.queries import count, optional_number
from hubbub.http.who import identity_of
from hubbub.log.searching import Found, Result

PAGE: Final = 20
MOST: Final = 100
_encode: Final = msgspec.json.Encoder().encode


def search_routes(search: Search) -> list[BaseRoute]:
    """`/api/search`."""

    async def find(request: Request) -> Response:
        identity = await identity_of(request)
        limit = count(request, "limit", PAGE, MOST)
        below = optional_number(request, "next", "next is what the answer before gave.")
        return Response(
            _body(await search.find(identity, _asked(request), limit, below)), media_type="application/json"
        )

    return [Route("/api/search", find, methods=["GET"])]


def _asked(request: Request) -> Asked:
    given = request.query_params
    return Asked(
        text=given.get("q", ""),
        people=tuple(given.getlist("from")),
        rooms=tuple(given.getlist("in")),
        after=given.get("after"),
        before=given.get("before"),
        zone_minutes=_zone(given.get("zone", "0")),
    )


def _zone(text: str) -> int:
    digits = text.removeprefix("-")
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 4 or int(digits) > MOST_ZONE_MINUTES:
        raise Refused(BAD_PAYLOAD, "zone is the minutes east of UTC, such as 480.", field="zone")
    return int(text)


def _body(found: Found) -> bytes:
    """The answer, joined from JSON that the log keeps."""
    results = b",".join(map(_result, found.results))
    more = b"true" if found.below is not None else b"false"
    return b'{"results":[%b],"more":%b,"next":%b}' % (results, more, _encode(found.below))


def _result(result: Result) -> bytes:
    message = room_prefix(result.room) + result.body[1:].encode()
    rest = _encode({"snippet": result.snippet, "matches": result.matches})
    return b'{"message":%b,%b' % (message, rest[1:])
