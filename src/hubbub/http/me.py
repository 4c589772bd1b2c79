"""What people see and change of their own account: /api/me, /api/sessions, /api/preferences; and /api/people."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hubbub.accounts.people import Person
from hubbub.accounts.sessions import Session
from hubbub.clock import rfc3339
from hubbub.errors import BAD_PAYLOAD, Refused
from hubbub.http.answers import answer, nothing, reader
from hubbub.http.queries import count, number
from hubbub.http.who import clear_cookie, context_of, identity_of
from hubbub.tickets import Identity

_PEOPLE: Final = 100
_MOST_PEOPLE: Final = 1_000
_MOST_NAMED: Final = 200
_PREFERENCES_BYTES: Final = 4_096


class ChangeMe(Struct, frozen=True):
    """What to change about oneself; what is left out stays."""

    display_name: str | None = None
    password: str | None = None
    current_password: str | None = None


_change_me: Final = reader(ChangeMe)
_preferences: Final = reader(dict[str, object])


async def me(request: Request) -> Response:
    """GET /api/me."""
    return answer(_me(await identity_of(request)))


async def change_me(request: Request) -> Response:
    """PATCH /api/me: display name; password, with the current one, which ends all other sessions."""
    identity = await identity_of(request)
    change: ChangeMe = await _change_me(request)
    accounts = context_of(request).accounts
    if change.password is not None:
        if change.current_password is None:
            raise Refused(BAD_PAYLOAD, "The field current_password is missing.", field="current_password")
        await accounts.change_password(identity, change.current_password, change.password)
    display_name = identity.display_name
    if change.display_name is not None:
        display_name = await accounts.change_display_name(identity, change.display_name)
    return answer(_me(identity) | {"display_name": display_name})


async def sessions(request: Request) -> Response:
    """GET /api/sessions: one's own, the last used first."""
    identity = await identity_of(request)
    listed = await context_of(request).accounts.sessions(identity)
    return answer({"sessions": [_session(session, identity) for session in listed]})


async def end_session(request: Request) -> Response:
    """DELETE /api/sessions/{id}: one of one's own."""
    identity = await identity_of(request)
    session_id = number(request, "id")
    await context_of(request).accounts.end_session(identity, session_id)
    return nothing(clear_cookie(request) if session_id == identity.session_id else None)


async def end_sessions(request: Request) -> Response:
    """DELETE /api/sessions: all of one's own; with ``?others=true`` all but this one."""
    identity = await identity_of(request)
    others_only = request.query_params.get("others", "") == "true"
    ended = await context_of(request).accounts.end_sessions(identity, others_only=others_only)
    return answer({"ended": ended}, headers=None if others_only else clear_cookie(request))


async def people(request: Request) -> Response:
    """GET /api/people?q=&limit=: whom one can mention; with ``?names=ada,bob`` those, as far as they are there."""
    await identity_of(request)
    accounts = context_of(request).accounts
    if "names" in request.query_params:
        wanted = list(
            dict.fromkeys(name for name in request.query_params["names"].split(",") if name.strip())
        )
        if len(wanted) > _MOST_NAMED:
            raise Refused(BAD_PAYLOAD, f"Give {_MOST_NAMED} names at most.", field="names")
        return answer({"people": [_shown(person) for person in await accounts.named(wanted)], "more": False})
    limit = count(request, "limit", _PEOPLE, _MOST_PEOPLE)
    found = await accounts.people(request.query_params.get("q", ""), limit + 1)
    return answer({"people": [_shown(person) for person in found[:limit]], "more": len(found) > limit})


async def preferences(request: Request) -> Response:
    """GET /api/preferences: what clients keep for oneself."""
    kept = await context_of(request).accounts.preferences(await identity_of(request))
    return Response(kept, media_type="application/json")


async def set_preferences(request: Request) -> Response:
    """PUT /api/preferences: another object in place of the one that was there."""
    identity = await identity_of(request)
    given: dict[str, object] = await _preferences(request)
    kept = msgspec.json.encode(given)
    if len(kept) > _PREFERENCES_BYTES:
        raise Refused(BAD_PAYLOAD, f"Preferences have {_PREFERENCES_BYTES:,} bytes at most.")
    await context_of(request).accounts.set_preferences(identity, kept.decode())
    return Response(kept, media_type="application/json")


def _shown(person: Person) -> dict[str, object]:
    return {
        "name": person.name,
        "display_name": person.display_name,
        "role": person.role,
        "disabled": person.disabled,
    }


def _me(identity: Identity) -> dict[str, str]:
    return {"name": identity.name, "display_name": identity.display_name, "role": identity.role}


def _session(session: Session, identity: Identity) -> dict[str, object]:
    return {
        "id": session.id,
        "current": session.id == identity.session_id,
        "created": rfc3339(session.created_at / 1000),
        "seen": rfc3339(session.seen_at / 1000),
        "expires": rfc3339(session.expires_at / 1000),
        "address": session.address,
        "agent": session.agent,
    }


ROUTES: Final = (
    Route("/api/me", me, methods=["GET"]),
    Route("/api/me", change_me, methods=["PATCH"]),
    Route("/api/sessions", sessions, methods=["GET"]),
    Route("/api/sessions", end_sessions, methods=["DELETE"]),
    Route("/api/sessions/{id}", end_session, methods=["DELETE"]),
    Route("/api/people", people, methods=["GET"]),
    Route("/api/preferences", preferences, methods=["GET"]),
    Route("/api/preferences", set_preferences, methods=["PUT"]),
)
