"""Files for the browser: the built page, or a folder of the operator's own in place of it.

The page is one document that finds by itself what the address asks for; so it is the answer to every address of its
own. A compressed file beside a file (`index.js.gz`) is sent in its place to those who can read it.
"""

from __future__ import annotations

import functools
import hashlib
import mimetypes
import os
import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.staticfiles import NotModifiedResponse, StaticFiles
from starlette.types import Scope

from hubbub.settings import SettingError, Settings

STATIC: Final = Path(__file__).parents[1] / "static"
# Where the built page's files with a hash in their name are; see web/vite.config.ts.
HASHED_FOLDER: Final = "-"
# Addresses at which the page has something to show. The three with a secret stay even where the operator has pages.
LINKS: Final = ("/setup", "/invite", "/reset")
PLACES: Final = (
    "/",
    "/login",
    "/rooms",
    "/rooms/{path:path}",
    "/search",
    "/account",
    "/admin",
    "/admin/{path:path}",
)
NOT_BUILT: Final = "The page is not built: run `make web`, or install Hubbub from a wheel. Everything else works: see /healthz.\n"
# Names that change with what is in the file, as Vite makes them: `index-DiwrgTda.js`.
_HASHED: Final = re.compile(r"-(?=[\w-]*[0-9A-Z])[\w-]{8,}\.\w+$")
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "no-cache"
# The operator's own pages may do what the operator likes, but for being framed by others.
_OWN_POLICY: Final = "frame-ancestors 'self'"
# What this machine may know otherwise, or not at all.
_TYPES: Final = {
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}


class Files(StaticFiles):
    """A folder of files. Nothing outside it, and nothing hidden in it, is there."""

    def __init__(self, folder: Path, *, policy: str | None = None, for_ever: bool = False) -> None:
        super().__init__(directory=folder, html=policy is not None)
        self._policy = policy
        self._for_ever = for_ever  # every name in it changes with what is in the file

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file at `path`; an HTTPException (404) for whatever can't be served."""
        if any(part.startswith(".") and part not in (".", ".well-known") for part in path.split("/")):
            raise HTTPException(404)
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            raise HTTPException(404 if error.status_code == 401 else error.status_code) from None
        hashed = response.status_code in (200, 304) and (self._for_ever or _HASHED.search(path))
        response.headers["cache-control"] = _FOR_EVER if hashed else _ASK_AGAIN
        if self._policy is not None:
            response.headers["content-security-policy"] = self._policy
        return response

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """The file, compressed if it lies there so and the browser reads that; or that it has not changed."""
        return packed_or_plain(Path(full_path), Headers(scope=scope), status_code)


def packed_or_plain(path: Path, headers: Headers, status: int = 200) -> Response:
    """The file at `path` for a request with these headers: compressed if it may be, 304 if the browser has it."""
    packed = path.with_name(path.name + ".gz")
    has_packed = packed.is_file()
    sent = packed if has_packed and accepts_gzip(headers.get("accept-encoding", "")) else path
    media_type = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    found = sent.stat()
    tag = _tag(sent, found.st_ino, found.st_mtime_ns, found.st_size)
    response = FileResponse(sent, status, {"etag": tag}, media_type=media_type, stat_result=found)
    if has_packed:
        response.headers["vary"] = "Accept-Encoding"
    if sent is packed:
        response.headers["content-encoding"] = "gzip"
    known = [tag.strip().removeprefix("W/") for tag in headers.get("if-none-match", "").split(",")]
    return NotModifiedResponse(response.headers) if tag in known or known == ["*"] else response


@functools.lru_cache(512)
def _tag(path: Path, _inode: int, _modified_ns: int, _size: int) -> str:
    """The file's ETag, from what is in it: the files of two wheels may be of one size, and of one time."""
    return f'"{hashlib.sha256(path.read_bytes()).hexdigest()[:32]}"'


def accepts_gzip(header: str) -> bool:
    """Whether an Accept-Encoding lets an answer be compressed (RFC 9110 §12.5.3)."""
    weights: dict[str, str] = {}
    for part in header.lower().split(","):
        coding, _, parameter = part.partition(";")
        weights[coding.strip()] = parameter.replace(" ", "").removeprefix("q=") or "1"
    return weights.get("gzip", weights.get("*", "0")).strip("0.") != ""


def file_routes(settings: Settings) -> Sequence[BaseRoute]:
    """The routes of pages and files, the last of all. Raises `SettingError` if the operator's folder isn't there."""
    static = STATIC
    page = _page(static / "index.html")
    places = LINKS if settings.static is not None else (*LINKS, *PLACES)
    routes: list[BaseRoute] = [Route(place, page, methods=["GET"]) for place in places]
    if (static / HASHED_FOLDER).is_dir():
        routes.append(Mount(f"/{HASHED_FOLDER}", Files(static / HASHED_FOLDER, for_ever=True)))
    if settings.static is not None:
        if not settings.static.is_dir():
            raise SettingError(f"The folder {settings.static} is not there: give one that is with --static.")
        return [*routes, Mount("/", Files(settings.static, policy=_OWN_POLICY))]
    if static.is_dir():
        routes.append(_WhatIsThere("/", Files(static)))
    return routes


class _WhatIsThere(Mount):
    """A folder at `/` that leaves what is not in it to others: to say which methods an address has, say."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        if match is Match.NONE:
            return match, child
        assert isinstance(self.app, Files)
        path = str(scope["path"]).removeprefix(str(child["root_path"]))
        if not os.path.isfile(f"{self.app.directory}/{path}"):  # noqa: PTH113 - pathlib's raises for some paths
            return Match.NONE, {}
        return match, child


def _page(path: Path) -> Callable[[Request], Awaitable[Response]]:
    async def page(request: Request) -> Response:
        try:
            response = packed_or_plain(path, request.headers)
        except FileNotFoundError:
            return PlainTextResponse(NOT_BUILT, 503)
        response.headers["cache-control"] = _ASK_AGAIN
        return response

    return page
