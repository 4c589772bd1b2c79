"""The HTTP application, put together from its parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from hubbub.accounts.service import Ended
from hubbub.http import administration, health, login, me
from hubbub.http.answers import refusal, refused_by_status
from hubbub.http.context import Context
from hubbub.http.files import file_routes
from hubbub.http.guard import Guard
from hubbub.origin import Proxies


def create_app(context: Context, routes: Sequence[BaseRoute] = ()) -> Starlette:
    """The application: accounts, pages, health, and `routes` of other parts. Its state holds the `context`.

    From here on, a way in that ends closes its sockets and voids its tickets. Raises `SettingError` for a setting
    that can't be used.
    """
    proxies = Proxies(context.settings.trust_proxy)
    app = Starlette(
        routes=[
            *login.ROUTES,
            *routes,
            *me.ROUTES,
            *administration.ROUTES,
            *health.ROUTES,
            *file_routes(context.settings),
        ],
        middleware=[
            Middleware(Guard, settings=context.settings, proxies=proxies, audit=context.accounts.audit)
        ],
        exception_handlers={HTTPException: _not_served},
    )
    app.router.redirect_slashes = False
    app.state.context = context
    app.state.proxies = proxies
    context.accounts.on_ended(_ender(context))
    return app


def _ender(context: Context) -> Callable[[Ended], None]:
    def end(ended: Ended) -> None:
        if ended.session_id is not None:
            context.tickets.drop(session_id=ended.session_id)
            context.hub.end_session(ended.session_id)
        elif ended.token_id is not None:
            context.tickets.drop(user_id=ended.user_id)
            context.hub.end_token(ended.token_id)
        else:
            context.tickets.drop(user_id=ended.user_id)
            context.hub.end_user(ended.user_id)

    return end


async def _not_served(request: Request, error: Exception) -> Response:
    """404 and 405: a sentence for somebody at a browser, JSON for programs."""
    assert isinstance(error, HTTPException)
    at_a_browser = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith(
        "/api/"
    )
    response = refusal(refused_by_status(error.status_code), plain=at_a_browser)
    response.headers.update(error.headers or {})
    return response
