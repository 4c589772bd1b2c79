"""What a fuzzer sends: valid frames and requests, damaged by chance. The same `Random` gives the same bytes. No I/O."""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from websockets.utils import apply_mask

TEXT: Final = 1
_RSV1: Final = 0x40
ROOMS: Final = ("general", *(f"fuzz {number}" for number in range(8)))
_NAMES: Final = ("name", "room", "message", "id", "seq", "after", "epoch", "emoji", "remove", "reply_to")
_EVENTS: Final = {
    "enter": ("room", "after", "epoch"),
    "exit": ("room",),
    "send_message": ("room", "id", "message", "reply_to"),
    "edit_message": ("room", "seq", "message"),
    "delete_message": ("room", "seq"),
    "react": ("room", "seq", "emoji", "remove"),
    "typing": ("room",),
    "mark_read": ("room", "seq"),
    "change_room": ("name",),
}
_OPTIONAL: Final = ("after", "epoch", "reply_to", "remove")
_ODD: Final[tuple[Any, ...]] = (
    None, True, -1, 0, 1, 2**31, 2**53, 2**63, 2**64, 1e308, "", " ", "\u0000", "\u202e", "\ud7ff", "\ufffe", "é" * 300,
    "x" * 70, "🎂", "'; DROP TABLE rooms; --", "<script>", "../../etc/passwd", "%00", "\r\nX: y", [], {}, [[[]]], {"a": {}},
)  # fmt: skip
_PATHS: Final = (
    "/", "/healthz", "/readyz", "/metrics", "/ticket", "/setup", "/invite", "/reset", "/api/links/check",
    "/api/rooms", "/api/rooms/general", "/api/rooms/general/messages", "/api/rooms/general/join",
    "/api/rooms/general/members", "/api/rooms/general/members/fuzz-1", "/api/direct", "/api/search", "/api/me",
    "/api/sessions", "/api/sessions/1", "/api/people", "/api/preferences", "/api/server", "/api/users",
    "/api/users/fuzz-1", "/api/invitations", "/api/invitations/1", "/api/audit", "/rooms/general/1", "/-/x", "/ws",
)  # fmt: skip
_QUERIES: Final = ("before", "after", "around", "limit", "q", "room", "from", "otp", "since", "until", "name")
_FIELDS: Final = ("name", "kind", "topic", "archived", "role", "user", "users", "members", "username", "password",
                  "display_name", "secret", "seq", "notify", "read")  # fmt: skip
_METHODS: Final = ("GET", "GET", "GET", "POST", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "BREW")


@dataclass(frozen=True)
class Input:
    """Some bytes. Not `whole`: they may end the connection, or leave the server waiting for more."""

    data: bytes
    whole: bool


def event_input(chance: Random, *, inflates: bool) -> Input:
    """One frame for a WebSocket: an event, with its JSON out of shape or its bytes damaged."""
    text = _event(chance)
    if chance.random() < 0.2:
        text = _damaged(chance, text)
        whole = _is_utf8(text)
    else:
        whole = True
    if inflates and chance.random() < 0.5:
        return _compressed(chance, text, whole)
    frame = _framed(chance, 0x80 | TEXT, text)
    return (
        Input(_damaged(chance, frame), whole=False)
        if chance.random() < 0.06
        else _other(chance, frame, whole)
    )


def _event(chance: Random) -> bytes:
    type_ = chance.choice(tuple(_EVENTS))
    fields = [name for name in _EVENTS[type_] if name not in _OPTIONAL or chance.random() < 0.5]
    if chance.random() < 0.1:
        fields = chance.sample(_NAMES, chance.randrange(1, 6))
    payload = {name: _value(chance, name) for name in fields}
    event: Any = {
        "type": type_,
        "payload": payload,
        "ref": chance.choice((1, "r", *_ODD[:4])),
    }
    if chance.random() < 0.2:
        event[chance.choice(("type", "payload", "ref", "more"))] = chance.choice(_ODD)
    if chance.random() < 0.05:
        event = chance.choice((*_ODD, [event], json.dumps(event)))
    return json.dumps(event, ensure_ascii=chance.random() < 0.5).encode()


def _value(chance: Random, name: str) -> Any:
    if chance.random() < 0.1:
        return chance.choice(_ODD)
    if name in ("room", "name"):
        return chance.choice(ROOMS)
    if name in ("seq", "after", "reply_to"):
        return chance.randrange(200)
    return {"id": f"i{chance.randrange(9999)}", "emoji": "👍", "remove": False}.get(name, "words and @here")


def _other(chance: Random, frame: bytes, whole: bool) -> Input:
    draw = chance.random()
    if draw < 0.03:  # any first byte: opcodes, reserved bits, no end
        return Input(bytes((chance.randrange(256),)) + frame[1:], whole=False)
    if draw < 0.05:
        return Input(
            _framed(chance, 0x80 | TEXT, frame, declared=chance.choice((0, 125, 126, 65_536, 2**40, 2**63))),
            whole=False,
        )
    if draw < 0.06:
        return Input(chance.randbytes(chance.randrange(1, 80)), whole=False)
    if draw < 0.10:
        return Input(
            _framed(chance, chance.choice((0x89, 0x8A)), chance.randbytes(chance.randrange(126))), whole=whole
        )
    if draw < 0.14:
        cut = chance.randrange(9)
        return Input(
            _framed(chance, TEXT, b'{"type":"'[:cut]) + _framed(chance, 0x80, b'{"type":"'[cut:] + b'x"}'),
            whole=whole,
        )
    if draw < 0.15:
        code = chance.choice((0, 999, 1000, 1001, 1005, 1015, 3000, 4999, 65_535))
        return Input(
            _framed(chance, 0x88, struct.pack("!H", code) + chance.randbytes(chance.randrange(5))),
            whole=False,
        )
    return Input(frame, whole)


def _compressed(chance: Random, text: bytes, whole: bool) -> Input:
    compressor = zlib.compressobj(1, zlib.DEFLATED, -chance.choice((9, 15)))
    data = (compressor.compress(text) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]
    if chance.random() < 0.1:
        data, whole = _damaged(chance, data), False
    return Input(_framed(chance, 0x80 | _RSV1 | TEXT, data), whole)


def _framed(chance: Random, first: int, payload: bytes, declared: int | None = None) -> bytes:
    length = len(payload) if declared is None else declared
    if length < 126:
        head = bytes((first, 0x80 | length))
    elif length < 65_536:
        head = struct.pack("!BBH", first, 0xFE, length)
    else:
        head = struct.pack("!BBQ", first, 0xFF, length)
    mask = chance.randbytes(4)
    return head + mask + apply_mask(payload, mask)


def request_input(chance: Random, token: str) -> Input:
    """One HTTP request, with odd values in it or its bytes damaged."""
    method, target = chance.choice(_METHODS), _target(chance)
    body = _body(chance) if method in ("POST", "PUT", "PATCH") or chance.random() < 0.05 else b""
    headers = [("Host", "localhost"), ("Content-Length", str(len(body)))]
    if chance.random() < 0.8:
        headers.append(("Authorization", f"Bearer {token}"))
    headers += [_header(chance) for _ in range(chance.randrange(3))]
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
    if chance.random() < 0.1:
        return Input(_damaged(chance, head + body), whole=False)
    return Input(
        head + body,
        whole=not any(
            name in ("Upgrade", "Connection", "Expect", "Transfer-Encoding") for name, _ in headers
        ),
    )


def _target(chance: Random) -> str:
    path = chance.choice(_PATHS)
    if chance.random() < 0.01:
        path = "/login"  # rare: a password costs the server 20 ms
    if chance.random() < 0.3:
        parts = path.split("/")
        parts[chance.randrange(len(parts))] = chance.choice(
            (
                "%00",
                "..",
                "%2e%2e%2f",
                "%ff",
                "general%20",
                "@fuzz-0,fuzz-1",
                "9" * 30,
                "fuzz%201",
                "%F0%9F%8E%82",
                "a" * 300,
            )
        )
        path = "/".join(parts)
    if chance.random() < 0.5:
        pairs = (f"{chance.choice(_QUERIES)}={chance.choice(('1', '-1', '', 'x', '9' * 20, '%ff', '%00', 'general', '1.5', 'a b'.replace(' ', '+')))}"
                 for _ in range(chance.randrange(1, 4)))  # fmt: skip
        path += "?" + "&".join(pairs)
    return path


def _body(chance: Random) -> bytes:
    if chance.random() < 0.1:
        return chance.randbytes(chance.randrange(60))
    fields = {
        name: chance.choice(
            (*_ODD, "fuzz-1", "private", "public", "a word", ["fuzz-0"], chance.choice(ROOMS))
        )
        for name in chance.sample(_FIELDS, chance.randrange(5))
    }
    return (
        _damaged(chance, json.dumps(fields).encode())
        if chance.random() < 0.1
        else json.dumps(fields).encode()
    )


def _header(chance: Random) -> tuple[str, str]:
    name = chance.choice(
        ("Accept", "Cookie", "Origin", "Content-Type", "Range", "If-None-Match", "If-Modified-Since", "Accept-Encoding",
         "X-Forwarded-For", "Authorization", "Sec-Fetch-Site", "Expect", "Connection", "Upgrade", "Transfer-Encoding", "X-Odd")
    )  # fmt: skip
    value = chance.choice(
        ("", "*", "application/json", "text/html", "gzip;q=x", "bytes=9-1", "null", "http://localhost", "hubbub_session=x",
         "Bearer \xff", "cross-site", "100-continue", "close", "websocket", "chunked", "\x7f", "x" * 2000, '"a", W/"b"')
    )  # fmt: skip
    return name, value


def _damaged(chance: Random, data: bytes) -> bytes:
    """The same with a few bytes changed, taken out, put in or said twice."""
    made = bytearray(data)
    for _ in range(chance.randrange(1, 4)):
        place = chance.randrange(len(made) + 1)
        draw = chance.randrange(4)
        if draw == 0:
            made[place : place + 1] = bytes((chance.randrange(256),))
        elif draw == 1:
            del made[place : place + chance.randrange(1, 5)]
        elif draw == 2:
            made[place:place] = chance.randbytes(chance.randrange(1, 5))
        else:
            made[place:place] = made[place : place + chance.randrange(1, 30)]
    return bytes(made)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
