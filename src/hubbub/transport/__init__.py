"""How bytes come in and go out: the WebSocket on uvicorn, and on any ASGI server."""
