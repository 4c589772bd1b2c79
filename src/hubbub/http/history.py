"""`GET /api/rooms/{room}/messages`: pages of a room's history, each message as it is now."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hubbub.chat.rooms import Rooms
from hubbub.errors import BAD_PAYLOAD, Refused
from hubbub.events import room_prefix
from hubbub.http.queries import count, optional_number
from hubbub.http.who import identity_of
from hubbub.hub import Hub
from hubbub.log import queries
from hubbub.log.queries import Page

PAGE: Final = 50
MOST: Final = 200
_PLACES: Final = ("before", "after", "around")


def history_routes(hub: Hub, rooms: Rooms) -> list[BaseRoute]:
    """`/api/rooms/{room}/messages`."""

    async def messages(request: Request) -> Response:
        identity = await identity_of(request)
        limit = count(request, "limit", PAGE, MOST)
        places = {name: optional_number(request, name) for name in _PLACES}
        if sum(place is not None for place in places.values()) > 1:
            raise Refused(BAD_PAYLOAD, "Give one of before, after and around.", field="before")
        row, page = await rooms.read(
            identity,
            request.path_params["room"],
            lambda connection, row: queries.messages(connection, row.id, limit, **places),
        )
        return Response(_body(row.name, page), media_type="application/json")

    return [Route("/api/rooms/{room}/messages", messages, methods=["GET"])]


def _body(room: str, page: Page) -> bytes:
    """The answer, joined from JSON that the log keeps: nothing is decoded."""
    prefix = room_prefix(room)
    items = b",".join([prefix + item.body[1:].encode() for item in page.items])
    more = b"true" if page.more else b"false"
    return b'%b"head":%d,"more":%b,"messages":[%b]}' % (prefix, page.head, more, items)
