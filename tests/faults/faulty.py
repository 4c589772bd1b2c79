"""An application with handlers that go wrong in every way, for test_crash_in_handler.py."""

from __future__ import annotations

import asyncio

from hubbub import Client, Hub, Payload, run

hub = Hub()


class Secret(Payload, frozen=True):
    """What a client sends with each of these events."""

    room: str


@hub.on("crash")
def crash(client: Client, secret: Secret) -> None:
    raise RuntimeError(f"about {secret.room}")


@hub.on("crash_later")
async def crash_later(client: Client, secret: Secret) -> None:
    await client.append(secret.room, "about_to_crash", {})
    raise RuntimeError(f"about {secret.room}")


@hub.on("crash_writing")
async def crash_writing(client: Client, secret: Secret) -> None:
    await client.append(secret.room, "unwritable", {"what": object()})


@hub.on("hang")
async def hang(client: Client, secret: Secret) -> None:
    await client.tell(secret.room, "hangs", {})
    await asyncio.Event().wait()


if __name__ == "__main__":
    raise SystemExit(run(hub))
