"""People who came by invitation, for tests that change something about their accounts."""

from __future__ import annotations

from tests.browser.visitors import Visitor
from tests.support.server import PASSWORD, Server

_CHARACTERS_OF_NAME = 32


async def newcomer(
    server: Server, visitor: Visitor, path: str = "/", *, name: str = "", role: str = "member"
) -> str:
    """Let somebody who has no account have one, by an invitation of olga's, and come in; their name."""
    made_up = name or server.room("guest").replace(" ", "-").lower()[:_CHARACTERS_OF_NAME]
    async with server.browser() as olga:
        await olga.post("/login", json={"username": "olga", "password": PASSWORD})
        made = await olga.post("/api/invitations", json={"role": role})
    token = made.json()["link"].partition("#")[2]
    answer = await visitor.context.request.post(
        f"{server.url}/invite", data={"token": token, "username": made_up, "password": PASSWORD}
    )
    assert answer.ok, await answer.text()
    await visitor.go(path)
    return made_up
