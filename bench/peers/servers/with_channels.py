"""A room chat with Django Channels: a consumer in a group, as its tutorial has it, with the layer in memory instead of Redis."""

# ruff: noqa: E402 - Django is to be set up before it is imported from
# mypy: disable-error-code="import-not-found, import-untyped, misc"

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import django
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["daphne", "channels"],
    CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
)
django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import path

heads: Counter[str] = Counter()


class ChatConsumer(AsyncWebsocketConsumer):
    """One connection."""

    room = ""

    async def connect(self) -> None:
        """Let everyone in."""
        self.id = str(uuid4())
        await self.accept()

    async def disconnect(self, code: int) -> None:
        """Leave the room."""
        if self.room:
            await self.channel_layer.group_discard(self.room, self.channel_name)

    async def receive(self, text_data: str) -> None:
        """Enter a room, or say something in it."""
        event = json.loads(text_data)
        payload = event["payload"]
        if event["type"] == "enter":
            self.room = payload["room"]
            await self.channel_layer.group_add(self.room, self.channel_name)
            entered = {"room": self.room, "head": heads[self.room]}
            await self.send(text_data=json.dumps({"type": "entered", "payload": entered}))
        else:
            heads[self.room] += 1
            payload |= {"seq": heads[self.room], "from": self.id, "sent": datetime.now(UTC).isoformat()}
            await self.channel_layer.group_send(self.room, {"type": "chat.message", "payload": payload})

    async def chat_message(self, event: dict[str, Any]) -> None:
        """Someone in the room said something."""
        await self.send(text_data=json.dumps({"type": "new_message", "payload": event["payload"]}))


chat = URLRouter([path("ws", ChatConsumer.as_asgi())])
application = ProtocolTypeRouter({"websocket": AllowedHostsOriginValidator(chat)})
