"""Rooms over HTTP: /api/rooms and what is below it. A room that one may not see is not there (404)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from hubbub.chat.rooms import Rooms
from hubbub.http.answers import answer, nothing, reader
from hubbub.http.who import identity_of
from hubbub.log.queries import RoomRow
from hubbub.tickets import Identity


class NewRoom(Struct, frozen=True):
    """A room to be made."""

    name: str
    kind: str = "public"
    topic: str = ""


class RoomChange(Struct, frozen=True):
    """What to change about a room; what is left out stays."""

    name: str | None = None
    topic: str | None = None
    archived: bool | None = None
    kind: str | None = None


class NewMember(Struct, frozen=True):
    """Whom to invite."""

    user: str


class MemberRole(Struct, frozen=True):
    """A member's role in the room: owner or member."""

    role: str


class Direct(Struct, frozen=True):
    """With whom to talk."""

    users: list[str]


_new_room = reader(NewRoom)
_room_change = reader(RoomChange)
_new_member = reader(NewMember)
_member_role = reader(MemberRole)
_direct = reader(Direct)

Act = Callable[[Request, Identity, str], Awaitable[Response]]


def room_routes(rooms: Rooms) -> list[BaseRoute]:
    """`/api/rooms…` and `/api/direct`."""
    handlers = RoomHandlers(rooms)
    one = "/api/rooms/{room}"
    return [
        Route("/api/rooms", handlers.listed, methods=["GET"]),
        Route("/api/rooms", handlers.make, methods=["POST"]),
        Route("/api/direct", handlers.direct, methods=["POST"]),
        Route(one, handlers.one, methods=["GET"]),
        Route(one, handlers.change, methods=["PATCH"]),
        Route(f"{one}/join", handlers.join, methods=["POST"]),
        Route(f"{one}/leave", handlers.leave, methods=["POST"]),
        Route(f"{one}/members", handlers.members, methods=["GET"]),
        Route(f"{one}/members", handlers.invite, methods=["POST"]),
        Route(f"{one}/members/{{user}}", handlers.remove, methods=["DELETE"]),
        Route(f"{one}/members/{{user}}", handlers.set_role, methods=["PATCH"]),
    ]


class RoomHandlers:
    """One method for each route."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    async def listed(self, request: Request) -> Response:
        """GET /api/rooms: every room that one may see."""
        rows = await self._rooms.visible(await identity_of(request))
        return answer({"rooms": [_shown(row, row.members) for row in rows]})

    async def make(self, request: Request) -> Response:
        """POST /api/rooms."""
        identity = await identity_of(request)
        new: NewRoom = await _new_room(request)
        row = await self._rooms.make(identity, new.name, new.kind, new.topic)
        return await self._answer(row, 201)

    async def direct(self, request: Request) -> Response:
        """POST /api/direct: the direct room with these people, made on first use."""
        identity = await identity_of(request)
        wanted: Direct = await _direct(request)
        return await self._answer(await self._rooms.direct(identity, wanted.users))

    async def one(self, request: Request) -> Response:
        """GET /api/rooms/{room}."""
        return await self._answer(await self._rooms.of(await identity_of(request), _room(request)))

    async def change(self, request: Request) -> Response:
        """PATCH /api/rooms/{room}: rename, topic, archive, private or public."""
        identity = await identity_of(request)
        wanted: RoomChange = await _room_change(request)
        row = await self._rooms.change(
            identity,
            _room(request),
            new_name=wanted.name,
            topic=wanted.topic,
            archived=wanted.archived,
            kind=wanted.kind,
        )
        return await self._answer(row)

    async def join(self, request: Request) -> Response:
        """POST /api/rooms/{room}/join: become a member of a public room."""
        identity = await identity_of(request)
        row = await self._rooms.of(identity, _room(request))
        return await self._answer(await self._rooms.join(identity, row))

    async def leave(self, request: Request) -> Response:
        """POST /api/rooms/{room}/leave."""
        await self._rooms.leave(await identity_of(request), _room(request))
        return nothing()

    async def members(self, request: Request) -> Response:
        """GET /api/rooms/{room}/members."""
        found = await self._rooms.members(await identity_of(request), _room(request))
        return answer(
            {"members": [{"name": name, "display_name": shown, "role": role} for name, shown, role in found]}
        )

    async def invite(self, request: Request) -> Response:
        """POST /api/rooms/{room}/members: make somebody a member."""
        identity = await identity_of(request)
        wanted: NewMember = await _new_member(request)
        await self._rooms.invite(identity, _room(request), wanted.user)
        return nothing()

    async def remove(self, request: Request) -> Response:
        """DELETE /api/rooms/{room}/members/{user}."""
        await self._rooms.remove(await identity_of(request), _room(request), request.path_params["user"])
        return nothing()

    async def set_role(self, request: Request) -> Response:
        """PATCH /api/rooms/{room}/members/{user}."""
        identity = await identity_of(request)
        wanted: MemberRole = await _member_role(request)
        await self._rooms.set_member_role(identity, _room(request), request.path_params["user"], wanted.role)
        return nothing()

    async def _answer(self, row: RoomRow, status: int = 200) -> Response:
        return answer(_shown(row, await self._rooms.member_count(row)), status)


def _room(request: Request) -> str:
    name: str = request.path_params["room"]
    return name


def _shown(row: RoomRow, members: int | None) -> dict[str, object]:
    return {
        "room": row.name,
        "kind": row.kind,
        "topic": row.topic,
        "archived": row.archived,
        "members": members,
        "member": row.member_role is not None,
        "role": row.member_role,
    }
