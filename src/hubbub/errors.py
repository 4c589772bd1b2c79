"""Every "no" that Hubbub says: one table of refusals and one of close codes.

A refusal has a code for programs, a sentence for people, and says whether the same request may be tried again.
On the WebSocket it travels as an ``error`` event, over HTTP as a JSON body with the row's status.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Refusal:
    """One row of the table: `code` for programs, `message` for people, `retry` if the same may be tried again."""

    code: str
    message: str
    retry: bool
    status: int


class Refused(Exception):
    """A request was refused, for the reason in one row of the table.

    `detail` replaces the row's sentence; `field` names the part of the payload that is wrong;
    `retry_after_seconds` says when a retry makes sense.
    """

    def __init__(
        self,
        refusal: Refusal,
        detail: str | None = None,
        *,
        field: str | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        self.refusal = refusal
        self.detail = detail or refusal.message
        self.field = field
        self.retry_after_seconds = retry_after_seconds
        super().__init__(f"{refusal.code}: {self.detail}")


REFUSALS: Final[dict[str, Refusal]] = {}


def _row(code: str, status: int, message: str, *, retry: bool = False) -> Refusal:
    row = Refusal(code, message, retry, status)
    REFUSALS[code] = row
    return row


BAD_JSON: Final = _row("bad_json", 400, "This is not JSON.")
BAD_EVENT: Final = _row(
    "bad_event", 400, 'An event is a JSON object such as {"type": "enter", "payload": {…}}.'
)
UNKNOWN_TYPE: Final = _row("unknown_type", 400, "There is no event of this type.")
BAD_PAYLOAD: Final = _row("bad_payload", 400, "The payload has the wrong shape.")
BAD_NAME: Final = _row("bad_name", 400, "This name can't be used.")
BAD_PASSWORD: Final = _row("bad_password", 400, "This password can't be used.")
EMPTY_MESSAGE: Final = _row("empty_message", 400, "The message is empty.")
MESSAGE_TOO_LONG: Final = _row("message_too_long", 400, "The message is too long.")
BAD_TEXT: Final = _row("bad_text", 400, "The text has characters that can't be kept.")
WRONG_PROFILE: Final = _row("wrong_profile", 400, "Ask for the subprotocol hubbub.v1 to use this.")

UNAUTHORIZED: Final = _row("unauthorized", 401, "Log in first.")
WRONG_PASSWORD: Final = _row("wrong_password", 401, "The name or the password is wrong.")
FOREIGN_ORIGIN: Final = _row("foreign_origin", 403, "Pages of this origin may not talk to this server.")
FORBIDDEN: Final = _row("forbidden", 403, "You may not do this.")
NOT_FOUND: Final = _row("not_found", 404, "There is nothing here.")
METHOD_NOT_ALLOWED: Final = _row("method_not_allowed", 405, "This can't be done here.")
NO_SUCH_ROOM: Final = _row("no_such_room", 404, "There is no such room.")
NO_SUCH_MESSAGE: Final = _row("no_such_message", 404, "There is no such message in this room.")
NO_SUCH_USER: Final = _row("no_such_user", 404, "There is nobody of this name.")
NOT_ENTERED: Final = _row("not_entered", 409, "Enter the room first.")
NAME_TAKEN: Final = _row("name_taken", 409, "This name is taken.")
ROOM_ARCHIVED: Final = _row("room_archived", 409, "This room is archived: it can be read, and no more.")
CONFLICT: Final = _row("conflict", 409, "This can't be done as things are.")
LINK_EXPIRED: Final = _row("link_expired", 410, "This link has been used or has expired. Ask for a new one.")
REQUEST_TIMEOUT: Final = _row("request_timeout", 408, "The request took too long to arrive.", retry=True)
UPGRADE_REQUIRED: Final = _row(
    "upgrade_required",
    426,
    "This is the address of a WebSocket. A proxy in between has to pass the Upgrade header on.",
)
TOO_LARGE: Final = _row("too_large", 413, "The request is too large.")

TOO_MANY_ROOMS: Final = _row("too_many_rooms", 409, "This connection has entered as many rooms as it may.")
RATE_LIMITED: Final = _row("rate_limited", 429, "Too fast. Wait a little and try again.", retry=True)
UNAVAILABLE: Final = _row(
    "unavailable", 503, "The server can't save this right now. Try again soon.", retry=True
)
OVERLOADED: Final = _row("overloaded", 503, "The server is too busy. Try again soon.", retry=True)
INTERNAL: Final = _row("internal", 500, "Something went wrong on the server. It has been logged.")


@dataclass(frozen=True, slots=True)
class CloseReason:
    """Why a WebSocket is closed: a close code (RFC 6455 §7.4) and a reason of at most 123 bytes.

    Codes 44xx mean: do not come back by yourself. Codes 45xx mean: come back and resume.
    """

    code: int
    reason: str


NORMAL: Final = CloseReason(1000, "")
NOT_UTF8: Final = CloseReason(1007, "text frames carry UTF-8")
BINARY_FRAME: Final = CloseReason(1003, "send text frames")
POLICY: Final = CloseReason(1008, "too many refused frames")
INTERNAL_CLOSE: Final = CloseReason(1011, "internal error")
SESSION_ENDED: Final = CloseReason(4401, "session ended")
REMOVED: Final = CloseReason(4403, "removed")
HEARTBEAT_LOST: Final = CloseReason(4508, "no answer to ping")
TOO_SLOW: Final = CloseReason(4509, "reading too slowly")

CLOSE_REASONS: Final = (
    NORMAL,
    BINARY_FRAME,
    NOT_UTF8,
    POLICY,
    INTERNAL_CLOSE,
    SESSION_ENDED,
    REMOVED,
    HEARTBEAT_LOST,
    TOO_SLOW,
)


def restarting(delay_seconds: float) -> CloseReason:
    """The server is going down: come back after `delay_seconds` (also in the reason, as ``retry after N``)."""
    return CloseReason(1012, f"restarting; retry after {delay_seconds:.1f} s")
