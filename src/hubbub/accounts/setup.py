"""The first account: a secret made at start while there is no account, which makes one owner, once."""

from __future__ import annotations

import hmac

from sqlalchemy import Connection

from hubbub.accounts import people
from hubbub.accounts.people import Person
from hubbub.accounts.secret import digest, new_secret
from hubbub.errors import LINK_EXPIRED, Refused


class Setup:
    """The secret of the set-up link, as a hash, in this process's memory alone. A restart makes another."""

    def __init__(self) -> None:
        self._digest = ""

    def offer(self) -> str:
        """A new secret; one that was offered before is void."""
        secret = new_secret()
        self._digest = digest(secret)
        return secret

    def check(self, secret: str) -> None:
        """`Refused` (410) unless `secret` is the one on offer."""
        if not hmac.compare_digest(self._digest, digest(secret)):
            raise Refused(LINK_EXPIRED)

    def close(self) -> None:
        """Offer nothing any more."""
        self._digest = ""


def make_owner(connection: Connection, name: str, *, display_name: str, password: str, now: int) -> Person:
    """The first account, an owner's; `password` is a hash. `Refused` (410) if there is an account already.

    Of two requests that race, the one writer lets one be first.
    """
    if people.anyone(connection):
        raise Refused(LINK_EXPIRED)
    return people.add(connection, name, role="owner", display_name=display_name, password=password, now=now)
