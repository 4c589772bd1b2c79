"""For administrators: /api/users, /api/invitations and /api/audit."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hubbub.accounts.administration import Change
from hubbub.accounts.audit import Entry
from hubbub.accounts.invitations import Invitation
from hubbub.accounts.people import Person
from hubbub.clock import rfc3339
from hubbub.http.answers import answer, nothing, reader
from hubbub.http.queries import count, number, optional_number
from hubbub.http.who import context_of, identity_of, link

Role = Literal["owner", "admin", "member", "bot"]
_USERS: Final = 200
_MOST_USERS: Final = 1_000
_ENTRIES: Final = 100
_MOST_ENTRIES: Final = 1_000


class ChangeUser(Struct, frozen=True):
    """What to change about somebody; what is left out stays."""

    role: Role | None = None
    disabled: bool | None = None


class Invite(Struct, frozen=True):
    """An invitation to make."""

    uses: Annotated[int, Meta(ge=1, le=10_000)] = 1
    hours: Annotated[float, Meta(gt=0, le=24 * 366)] = 168
    role: Role = "member"


_change_user: Final = reader(ChangeUser)
_invite: Final = reader(Invite)


async def users(request: Request) -> Response:
    """GET /api/users?q=&after=&limit=: accounts in order of their names."""
    actor = await identity_of(request)
    limit = count(request, "limit", _USERS, _MOST_USERS)
    found = await context_of(request).accounts.administration.people(
        actor,
        like=request.query_params.get("q", ""),
        after=request.query_params.get("after", ""),
        limit=limit + 1,
    )
    return answer({"users": [_user(person) for person in found[:limit]], "more": len(found) > limit})


async def change_user(request: Request) -> Response:
    """PATCH /api/users/{name}: role; disabled or not. Their sockets close at once."""
    actor = await identity_of(request)
    change: ChangeUser = await _change_user(request)
    person = await context_of(request).accounts.administration.change(
        actor, request.path_params["name"], Change(change.role, change.disabled)
    )
    return answer(_user(person))


async def invite_reset(request: Request) -> Response:
    """POST /api/users/{name}/reset-password: a link by which they set a new one, once; shown only now."""
    actor = await identity_of(request)
    made = await context_of(request).accounts.administration.invite_reset(actor, request.path_params["name"])
    return answer({"link": link(request, "reset", made.secret), "expires": _time(made.invitation.expires_at)})


async def invite(request: Request) -> Response:
    """POST /api/invitations: a link by which people make themselves an account; shown only now."""
    actor = await identity_of(request)
    wanted: Invite = await _invite(request)
    made = await context_of(request).accounts.administration.invite(
        actor, role=wanted.role, uses=wanted.uses, hours=wanted.hours
    )
    return answer(_invitation(made.invitation) | {"link": link(request, "invite", made.secret)}, 201)


async def invitations(request: Request) -> Response:
    """GET /api/invitations: those that can still be used, without their secrets."""
    actor = await identity_of(request)
    found = await context_of(request).accounts.administration.invitations(actor)
    return answer({"invitations": [_invitation(invitation) for invitation in found]})


async def withdraw(request: Request) -> Response:
    """DELETE /api/invitations/{id}."""
    actor = await identity_of(request)
    await context_of(request).accounts.administration.withdraw(actor, number(request, "id"))
    return nothing()


async def audit(request: Request) -> Response:
    """GET /api/audit?before=&kind=&limit=: who changed whose rights and what was refused, the newest first."""
    actor = await identity_of(request)
    limit = count(request, "limit", _ENTRIES, _MOST_ENTRIES)
    found = await context_of(request).accounts.administration.entries(
        actor,
        before=optional_number(request, "before", "before is the number of an entry."),
        kind=request.query_params.get("kind"),
        limit=limit + 1,
    )
    return answer({"entries": [_entry(entry) for entry in found[:limit]], "more": len(found) > limit})


def _entry(entry: Entry) -> dict[str, object]:
    return {
        "id": entry.id,
        "at": _time(entry.at),
        "until": _time(entry.until),
        "kind": entry.kind,
        "who": entry.who or None,
        "about": entry.about or None,
        "address": entry.address or None,
        "detail": entry.detail,
        "count": entry.count,
    }


def _user(person: Person) -> dict[str, object]:
    return {
        "name": person.name,
        "display_name": person.display_name,
        "role": person.role,
        "disabled": person.disabled,
        "created": _time(person.created_at),
    }


def _invitation(invitation: Invitation) -> dict[str, object]:
    return {
        "id": invitation.id,
        "role": invitation.role,
        "uses_left": invitation.uses_left,
        "created": _time(invitation.created_at),
        "created_by": invitation.created_by,
        "expires": _time(invitation.expires_at),
    }


def _time(milliseconds: int) -> str:
    return rfc3339(milliseconds / 1000)


ROUTES: Final = (
    Route("/api/users", users, methods=["GET"]),
    Route("/api/users/{name}", change_user, methods=["PATCH"]),
    Route("/api/users/{name}/reset-password", invite_reset, methods=["POST"]),
    Route("/api/invitations", invitations, methods=["GET"]),
    Route("/api/invitations", invite, methods=["POST"]),
    Route("/api/invitations/{id}", withdraw, methods=["DELETE"]),
    Route("/api/audit", audit, methods=["GET"]),
)
