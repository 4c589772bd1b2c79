"""Which refusals of a request are for the audit log, and under which kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hubbub.accounts.audit_gathering import Asking
from hubbub.errors import (
    FORBIDDEN,
    FOREIGN_ORIGIN,
    LINK_EXPIRED,
    RATE_LIMITED,
    UNAUTHORIZED,
    WRONG_PASSWORD,
    Refused,
)

_KINDS: Final[Mapping[str, str]] = {
    FOREIGN_ORIGIN.code: "foreign_origin",
    FORBIDDEN.code: "forbidden",
    LINK_EXPIRED.code: "bad_link",
    WRONG_PASSWORD.code: "wrong_password",
}


def kind_of(refused: Refused, asking: Asking) -> str | None:
    """The kind of the entry; None for a refusal of no matter, such as that of one who showed nothing at all."""
    if refused.refusal is RATE_LIMITED:
        return "locked_out" if asking.locked_out else None
    if refused.refusal is UNAUTHORIZED:
        return f"bad_{asking.shown}" if asking.shown else None
    return _KINDS.get(refused.refusal.code)
