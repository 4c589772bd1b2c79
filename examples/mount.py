"""Rooms in an application of one's own: `uvicorn mount:app`."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from hubbub import Application, Hub

hub = Hub()
chat = Application(hub, data="data")


async def hello(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("The application itself.\n")


app = Starlette(routes=[Route("/hello", hello), Mount("/", chat)], lifespan=chat.lifespan)
