"""Which names people and rooms may have, and when two names are the same.

Two names are the same if they are alike after NFKC and case folding (Unicode UAX #15, UTR #36): `Ada`, `ADA` and
`Ａｄａ` are one. Names hold no invisible characters, so that nobody can pass for another.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from hubbub.errors import BAD_NAME, Refused

USER_NAME_LENGTH: Final = 32
ROOM_NAME_LENGTH: Final = 64
DISPLAY_NAME_LENGTH: Final = 64
TOPIC_LENGTH: Final = 500

# Letters and digits of any script, combining marks, and three joiners. No @ , ~ / which have a meaning of their own.
_USER_NAME: Final = re.compile(r"[^\W_](?:[\w.\-]*\w)?")
_ROOM_FORBIDDEN: Final = frozenset("@~,/\\?#%<>&\"'`|*:;")
_MENTION: Final = re.compile(r"(?<![\w@./])@(\w(?:[\w.\-]*\w)?)")
# Invisible or shape-changing: control, format (zero width, right-to-left), surrogate, private use, unassigned, separators.
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def key_of(name: str) -> str:
    """The form by which names are compared: NFKC, case folded, NFKC again."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def user_name(name: str) -> str:
    """`name` as it is kept (NFC), or `Refused`: 1 to 32 letters, digits, and ``. - _`` between them."""
    kept = unicodedata.normalize("NFC", name)
    if not kept or len(kept) > USER_NAME_LENGTH:
        raise Refused(BAD_NAME, f"A name has 1 to {USER_NAME_LENGTH} characters.", field="name")
    if not _USER_NAME.fullmatch(kept) or _has_invisible(kept):
        raise Refused(
            BAD_NAME, "A name is letters and digits, with . - _ between them, and no spaces.", field="name"
        )
    return kept


def room_name(name: str) -> str:
    """`name` as it is kept (NFC), or `Refused`: 1 to 64 visible characters, none of which has a meaning in a link."""
    kept = unicodedata.normalize("NFC", name)
    if not kept or len(kept) > ROOM_NAME_LENGTH:
        raise Refused(BAD_NAME, f"A room's name has 1 to {ROOM_NAME_LENGTH} characters.", field="room")
    if kept != " ".join(kept.split()) or _has_invisible(kept):
        raise Refused(
            BAD_NAME, "A room's name has no invisible characters and no spaces at its ends.", field="room"
        )
    if not _ROOM_FORBIDDEN.isdisjoint(kept) or kept in {".", ".."}:
        raise Refused(
            BAD_NAME, "A room's name has none of @ ~ , / \\ ? # % < > & \" ' ` | * : ; in it.", field="room"
        )
    return kept


def display_name(name: str) -> str:
    """A person's shown name, trimmed, or `Refused`: up to 64 visible characters of any kind."""
    kept = " ".join(unicodedata.normalize("NFC", name).split())
    if len(kept) > DISPLAY_NAME_LENGTH or _has_invisible(kept):
        raise Refused(
            BAD_NAME,
            f"A display name has at most {DISPLAY_NAME_LENGTH} characters, none of them invisible.",
            field="display_name",
        )
    return kept


def topic(text: str) -> str:
    """A room's topic, trimmed, or `Refused`: one line of up to 500 visible characters."""
    kept = " ".join(unicodedata.normalize("NFC", text).split())
    if len(kept) > TOPIC_LENGTH or _has_invisible(kept):
        raise Refused(BAD_NAME, f"A topic has at most {TOPIC_LENGTH} visible characters.", field="topic")
    return kept


def mentioned(message: str) -> frozenset[str]:
    """Keys of the names that `message` mentions as ``@name``; `here` stands for everyone."""
    if "@" not in message:
        return frozenset()
    return frozenset(key_of(name) for name in _MENTION.findall(message))


def _has_invisible(text: str) -> bool:
    return any(unicodedata.category(character) in _INVISIBLE for character in text)
