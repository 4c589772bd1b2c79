"""What every request passes first: whose page it comes from, how large and how slow it may be.

And every answer last: headers that keep browsers careful, and no traceback. Plain ASGI, as it is in the way of all.
"""

from __future__ import annotations

import asyncio
from typing import Final

import structlog
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hubbub.accounts.audit_gathering import Asking, Audit, asked, asking
from hubbub.errors import FOREIGN_ORIGIN, INTERNAL, REQUEST_TIMEOUT, TOO_LARGE, Refused
from hubbub.http.answers import refusal
from hubbub.http.refusals import kind_of
from hubbub.origin import Proxies, client_address, normal_origin, origin_allowed, own_scheme
from hubbub.settings import Settings

logger = structlog.get_logger(__name__)

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_POLICY: Final = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "worker-src 'self'; manifest-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
# Each is added unless the answer has said otherwise itself.
_HEADERS: Final[tuple[tuple[bytes, bytes], ...]] = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (b"cache-control", b"no-store"),
)
_PREFLIGHT: Final = {
    "access-control-allow-methods": "GET, POST, PATCH, PUT, DELETE",
    "access-control-allow-headers": "Authorization, Content-Type",
    "access-control-max-age": "600",
}


class Guard:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, settings: Settings, proxies: Proxies, audit: Audit) -> None:
        self._app = app
        self._audit = audit
        self._proxies = proxies
        self._tls = settings.tls
        self._allowed = frozenset(settings.allow_origin)
        self._body_limit = settings.body_limit_bytes
        self._body_seconds = settings.handshake_seconds or None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        answering = _Answering(send, self._sharing(headers))
        peer = scope["client"][0] if scope.get("client") else ""
        asking.set(Asking(client_address(headers.getlist, peer, self._proxies)))
        try:
            await self._serve(scope, headers, receive, answering)
        except Refused as refused:
            self._note(refused)
            await answering.give(
                refusal(refused), scope, close=refused.refusal in (TOO_LARGE, REQUEST_TIMEOUT)
            )
        except Exception:
            logger.exception("request failed", method=scope["method"], path=scope["path"])
            await answering.give(refusal(Refused(INTERNAL)), scope, close=True)

    def _note(self, refused: Refused) -> None:
        """Leave an entry in the audit log, if this refusal matters."""
        who = asked()
        kind = kind_of(refused, who)
        if kind is not None:
            self._audit.note(kind, who=who.who, about=who.about)

    async def _serve(self, scope: Scope, headers: Headers, receive: Receive, answering: _Answering) -> None:
        if scope["method"] == "OPTIONS" and answering.shared and "access-control-request-method" in headers:
            await answering.give(Response(None, 204, _PREFLIGHT), scope)
            return
        if scope["method"] not in _SAFE:
            self._check_origin(scope, headers)
            receive = await self._whole_body(headers, receive)
        await self._app(scope, receive, answering.send)

    def _check_origin(self, scope: Scope, headers: Headers) -> None:
        peer = scope["client"][0] if scope.get("client") else ""
        scheme = own_scheme(headers.getlist, peer, self._proxies, tls=self._tls)
        if not origin_allowed(headers.getlist, scheme, self._allowed):
            raise Refused(FOREIGN_ORIGIN)

    def _sharing(self, headers: Headers) -> tuple[tuple[bytes, bytes], ...]:
        """Headers by which a page of an allowed origin may read the answer (CORS); none for any other page."""
        if not self._allowed:
            return ()
        origin = normal_origin(headers.get("origin", ""))
        if origin is None or origin not in {normal_origin(allowed) for allowed in self._allowed}:
            return ((b"vary", b"Origin"),)
        return (
            (b"vary", b"Origin"),
            (b"access-control-allow-origin", origin.encode()),
            (b"access-control-allow-credentials", b"true"),
        )

    async def _whole_body(self, headers: Headers, receive: Receive) -> Receive:
        """Read the body, within its limits of size and time, and give it on in one piece."""
        declared = headers.get("content-length", "0")
        if not declared.isdecimal() or int(declared) > self._body_limit:
            raise Refused(TOO_LARGE)
        try:
            async with asyncio.timeout(self._body_seconds):
                body = await self._read(receive)
        except TimeoutError:
            raise Refused(REQUEST_TIMEOUT) from None
        whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return whole.pop() if whole else await receive()

        return replay

    async def _read(self, receive: Receive) -> bytes:
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return bytes(body)  # the client has gone: whatever is made of it, nobody reads the answer
            body += message.get("body", b"")
            if len(body) > self._body_limit:
                raise Refused(TOO_LARGE)
            if not message.get("more_body", False):
                return bytes(body)


class _Answering:
    """The sending side of one request."""

    def __init__(self, send: Send, sharing: tuple[tuple[bytes, bytes], ...]) -> None:
        self._send = send
        self._sharing = sharing
        self._begun = False

    @property
    def shared(self) -> bool:
        """Whether a page of another origin may read the answer."""
        return len(self._sharing) > 1

    async def send(self, message: Message) -> None:
        """Send, with the headers that every answer has."""
        if message["type"] == "http.response.start":
            self._begun = True
            headers = message.setdefault("headers", [])
            said = {name for name, _ in headers}
            headers.extend(header for header in _HEADERS if header[0] not in said)
            headers.extend(self._sharing)
        await self._send(message)

    async def give(self, response: Response, scope: Scope, *, close: bool = False) -> None:
        """Answer with `response`, unless an answer was begun already; `close` ends the connection after it."""
        if self._begun:
            return
        if close:
            response.headers["connection"] = "close"
        await response(scope, _nothing_more, self.send)


async def _nothing_more() -> Message:
    return {"type": "http.disconnect"}
