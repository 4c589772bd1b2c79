"""Files for the browser: the built-in pages, or a folder of the operator's own in place of the first one."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from hubbub.settings import SettingError, Settings

PAGES: Final = Path(__file__).parent / "pages"
# Names that change with what is in the file, as Vite makes them: `index-DiwrgTda.js`.
_HASHED: Final = re.compile(r"-(?=[\w-]*[0-9A-Z])[\w-]{8,}\.\w+$")
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "no-cache"
# The operator's own pages may do what the operator likes, but for being framed by others.
_OWN_POLICY: Final = "frame-ancestors 'self'"


class Files(StaticFiles):
    """A folder of files. Nothing outside it, and nothing hidden in it, is there."""

    def __init__(self, folder: Path, *, policy: str | None = None) -> None:
        super().__init__(directory=folder, html=policy is not None)
        self._policy = policy

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file at `path`; an HTTPException (404) for whatever can't be served."""
        if any(part.startswith(".") and part not in (".", ".well-known") for part in path.split("/")):
            raise HTTPException(404)
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            raise HTTPException(404 if error.status_code == 401 else error.status_code) from None
        hashed = response.status_code in (200, 304) and _HASHED.search(path)
        response.headers["cache-control"] = _FOR_EVER if hashed else _ASK_AGAIN
        if self._policy is not None:
            response.headers["content-security-policy"] = self._policy
        return response


def file_routes(settings: Settings) -> Sequence[BaseRoute]:
    """The routes of pages and files, the last of all. Raises `SettingError` if the operator's folder isn't there."""
    routes: list[BaseRoute] = [
        Route("/setup", _page("setup.html"), methods=["GET"]),
        Route("/invite", _page("invite.html"), methods=["GET"]),
        Route("/reset", _page("reset.html"), methods=["GET"]),
        Mount("/-", Files(PAGES)),
    ]
    if settings.static is None:
        return [Route("/", _page("index.html"), methods=["GET"]), *routes]
    if not settings.static.is_dir():
        raise SettingError(f"The folder {settings.static} is not there: give one that is with --static.")
    return [*routes, Mount("/", Files(settings.static, policy=_OWN_POLICY))]


def _page(name: str) -> Callable[[Request], Awaitable[Response]]:
    async def page(_request: Request) -> Response:
        return FileResponse(PAGES / name, headers={"cache-control": _ASK_AGAIN})

    return page
