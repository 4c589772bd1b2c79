"""Who sends this request, from where, and the cookie by which a browser is known again."""

from __future__ import annotations

from typing import Final

from starlette.requests import HTTPConnection

from hubbub.accounts.audit_gathering import asked
from hubbub.accounts.service import Visit
from hubbub.errors import UNAUTHORIZED, Refused
from hubbub.http.context import Context
from hubbub.origin import Proxies, client_address, own_origin, own_scheme
from hubbub.tickets import Identity

COOKIE: Final = "hubbub_session"
_BEARER: Final = "bearer "


def context_of(request: HTTPConnection) -> Context:
    """What the application works with."""
    context: Context = request.app.state.context
    return context


async def identity_of(request: HTTPConnection) -> Identity:
    """Who sends this request, by bearer token or else by cookie; `Refused` (401) if that is nobody.

    Use the answer before awaiting anything else, where what it allows must not outlive a logout.
    """
    accounts = context_of(request).accounts
    authorization = request.headers.get("authorization", "")
    asking = asked()
    if authorization[: len(_BEARER)].lower() == _BEARER:
        asking.shown = "token"
        identity = await accounts.by_token(authorization[len(_BEARER) :].strip())
    else:
        cookie = cookie_of(request)
        asking.shown = "session" if cookie else ""
        identity = await accounts.by_cookie(cookie, visit_of(request)) if cookie else None
    if identity is None:
        raise Refused(UNAUTHORIZED)
    asking.who = identity.name
    return identity


def visit_of(request: HTTPConnection) -> Visit:
    """From where this request comes."""
    peer = request.client.host if request.client else ""
    return Visit(
        client_address(request.headers.getlist, peer, _proxies(request)),
        request.headers.get("user-agent", ""),
    )


def cookie_of(request: HTTPConnection) -> str:
    """The value of the session's cookie; empty if there is none."""
    for header in request.headers.getlist("cookie"):
        for pair in header.split(";"):
            name, _, value = pair.partition("=")
            if name.strip() == COOKIE:
                return value.strip()
    return ""


def set_cookie(request: HTTPConnection, value: str) -> dict[str, str]:
    """The header that gives a browser the session's cookie."""
    return _cookie(request, value, context_of(request).settings.session_days * 86_400)


def clear_cookie(request: HTTPConnection) -> dict[str, str]:
    """The header that takes the cookie away."""
    return _cookie(request, "", 0)


def link(request: HTTPConnection, page: str, secret: str) -> str:
    """The address of `page` with `secret` in its fragment, which no browser sends and no server logs."""
    return f"{own_origin(request.headers.getlist, _scheme(request)) or ''}/{page}#{secret}"


def _cookie(request: HTTPConnection, value: str, seconds: int) -> dict[str, str]:
    secure = "; Secure" if _scheme(request) == "https" else ""
    return {"set-cookie": f"{COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"}


def _scheme(request: HTTPConnection) -> str:
    peer = request.client.host if request.client else ""
    return own_scheme(request.headers.getlist, peer, _proxies(request), tls=context_of(request).settings.tls)


def _proxies(request: HTTPConnection) -> Proxies:
    proxies: Proxies = request.app.state.proxies
    return proxies
