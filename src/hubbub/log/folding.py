"""The form in which text is searched: without case, accents, wide forms and what can't be seen.

`Café`, `CAFE` and `ｃａｆé` fold to `cafe`. Each character folds by itself, so that what was found can be shown in
the text as it was written.
"""

from __future__ import annotations

import unicodedata
from typing import Final

_MOST_KEPT: Final = 20_000


class _Folds(dict[int, str]):
    """What each character folds to, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        folded = _folded(chr(code))
        if len(self) < _MOST_KEPT:
            self[code] = folded
        return folded


def fold(text: str) -> str:
    """`text` as it is searched."""
    return text.translate(_folds)


def fold_with_origins(text: str) -> tuple[str, list[int]]:
    """`text` as it is searched, and for each character of that the place in `text` that it comes from."""
    pieces = [_folds[ord(character)] for character in text]
    return "".join(pieces), [place for place, piece in enumerate(pieces) for _ in piece]


def _folded(character: str) -> str:
    if character.isspace():
        return " "
    apart = unicodedata.normalize("NFKD", character.casefold())
    seen = "".join(one for one in apart if not _is_left_out(one))
    # Together again what is one letter elsewhere: が, 각.
    return unicodedata.normalize("NFC", seen).casefold()


def _is_left_out(character: str) -> bool:
    """Accents of Latin, Greek and Cyrillic letters; selectors of a glyph; what can't be seen, but for spaces."""
    return (
        "\u0300" <= character <= "\u036f"
        or "\ufe00" <= character <= "\ufe0f"
        or unicodedata.category(character) in ("Cf", "Cc")
    )


_folds: Final = _Folds()
