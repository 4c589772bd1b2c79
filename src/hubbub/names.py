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

# A key may be longer than its name: one character may stand for up to eighteen. So wide are the tables' columns.
USER_KEY_LENGTH: Final = 64
ROOM_KEY_LENGTH: Final = 400

# Between the letters and digits of a name; @ , ~ / have a meaning of their own.
_JOINERS: Final = frozenset(".-_")
_MOST_MARKS: Final = 3  # on one letter: scripts need two; a heap of them hides the lines above
_ROOM_FORBIDDEN: Final = frozenset("@~,/\\?#%<>&\"'`|*:;")
_MENTION: Final = re.compile(r"(?<![\w@./])@([^\s@,/]+)")
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
    key = key_of(kept)
    if not _reads_as_name(kept) or not _reads_as_name(key) or len(key) > USER_KEY_LENGTH:
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
    key = key_of(kept)
    # The key too: a room ＠ada，bob would else be the direct room @ada,bob.
    if not _ROOM_FORBIDDEN.isdisjoint(kept + key) or key in {".", ".."} or len(key) > ROOM_KEY_LENGTH:
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
    candidates = (_name_at_start(text) for text in _MENTION.findall(message))
    return frozenset(key_of(name) for name in candidates if name)


def _reads_as_name(text: str) -> bool:
    """Letters and digits of any script with their marks, the first a letter or digit, and joiners between them."""
    return text[0].isalnum() and _name_at_start(text) == text and not _piles_marks(text)


def _name_at_start(text: str) -> str:
    """As much of `text` as can be a name."""
    length = 0
    for character in text:
        if not (character.isalnum() or character in _JOINERS or _is_mark(character)):
            break
        length += 1
    return text[:length].rstrip(".-")


def _piles_marks(text: str) -> bool:
    run = 0
    for character in text:
        run = run + 1 if _is_mark(character) else 0
        if run > _MOST_MARKS:
            return True
    return False


def _is_mark(character: str) -> bool:
    return character > "\x7f" and unicodedata.category(character) in ("Mn", "Mc")


def _has_invisible(text: str) -> bool:
    return any(unicodedata.category(character) in _INVISIBLE for character in text)
