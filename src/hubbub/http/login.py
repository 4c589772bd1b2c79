"""Getting in and out: /login, /ticket, /logout, and the links for those who have no way in yet."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hubbub.accounts.service import Admission, NewAccount
from hubbub.errors import Refused
from hubbub.http.answers import answer, nothing, reader
from hubbub.http.who import clear_cookie, context_of, cookie_of, identity_of, set_cookie, visit_of

Secret = Annotated[str, Meta(max_length=128)]


class Login(Struct, frozen=True):
    """Name and password."""

    username: str
    password: str


class MakeAccount(Struct, frozen=True):
    """Make an account by a link."""

    token: Secret
    username: str
    password: str
    display_name: str = ""


class SetPassword(Struct, frozen=True):
    """Set a new password by a link."""

    token: Secret
    password: str


class CheckLink(Struct, frozen=True):
    """Can this link be used?"""

    token: Secret
    purpose: Literal["setup", "join", "reset"]


_login: Final = reader(Login)
_make_account: Final = reader(MakeAccount)
_set_password: Final = reader(SetPassword)
_check_link: Final = reader(CheckLink)


async def log_in(request: Request) -> Response:
    """POST /login: a session, and the first ticket."""
    login: Login = await _login(request)
    accounts = context_of(request).accounts
    return _admitted(
        request, await accounts.log_in(login.username, login.password, visit_of(request), cookie_of(request))
    )


async def ticket(request: Request) -> Response:
    """POST /ticket: another ticket for who is in already; no password is hashed."""
    context = context_of(request)
    identity = await identity_of(request)
    context.accounts.take_ticket(identity)
    return answer({"otp": context.tickets.issue(identity)})


async def log_out(request: Request) -> Response:
    """POST /logout: the session is over, its sockets too. Nothing happens to who is not in."""
    try:
        await context_of(request).accounts.log_out(await identity_of(request))
    except Refused as refused:
        if refused.refusal.status != 401:
            raise
    return nothing(clear_cookie(request))


async def set_up(request: Request) -> Response:
    """POST /setup: the first account, an owner's."""
    made: MakeAccount = await _make_account(request)
    accounts = context_of(request).accounts
    return _admitted(
        request, await accounts.set_up(made.token, _chosen(made), visit_of(request), cookie_of(request))
    )


async def join(request: Request) -> Response:
    """POST /invite: an account by invitation."""
    made: MakeAccount = await _make_account(request)
    accounts = context_of(request).accounts
    return _admitted(
        request, await accounts.join(made.token, _chosen(made), visit_of(request), cookie_of(request))
    )


async def reset(request: Request) -> Response:
    """POST /reset: a new password by a link."""
    given: SetPassword = await _set_password(request)
    accounts = context_of(request).accounts
    return _admitted(
        request, await accounts.reset(given.token, given.password, visit_of(request), cookie_of(request))
    )


async def check_link(request: Request) -> Response:
    """POST /api/links/check: what a link is for, so that a page can say it before somebody fills it in."""
    given: CheckLink = await _check_link(request)
    link = await context_of(request).accounts.check_link(given.token, given.purpose)
    return answer(
        {
            "purpose": given.purpose,
            "role": link.role if link else "owner",
            "name": link.of if link else None,
            "password_characters": context_of(request).settings.password_characters,
        }
    )


def _chosen(made: MakeAccount) -> NewAccount:
    return NewAccount(made.username, made.display_name, made.password)


def _admitted(request: Request, admission: Admission) -> Response:
    otp = context_of(request).tickets.issue(admission.identity)
    return answer({"otp": otp}, headers=set_cookie(request, admission.cookie))


ROUTES: Final = (
    Route("/login", log_in, methods=["POST"]),
    Route("/ticket", ticket, methods=["POST"]),
    Route("/logout", log_out, methods=["POST"]),
    Route("/setup", set_up, methods=["POST"]),
    Route("/invite", join, methods=["POST"]),
    Route("/reset", reset, methods=["POST"]),
    Route("/api/links/check", check_link, methods=["POST"]),
)
