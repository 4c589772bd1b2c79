"""The form in which text is searched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.log.folding import fold, fold_with_origins


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Café", "cafe"),
        ("Cafe\u0301", "cafe"),
        ("STRASSE Straße", "strasse strasse"),
        ("ＡＢＣ１", "abc1"),
        ("ﬁn", "fin"),
        ("Ёлка", "елка"),
        ("İstanbul", "istanbul"),
        ("がギ각", "がギ각"),
        ("今天天氣", "今天天氣"),
        ("a\tb\nc\u00a0d\u3000e", "a b c d e"),
        ("z\u200bero\u00adwidth\u202e", "zerowidth"),
        ("❤\ufe0f", "❤"),
    ],
)
def test_text_folds_to_what_people_would_type(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text())
def test_folding_again_changes_nothing_and_each_character_knows_where_it_comes_from(text: str) -> None:
    folded, origins = fold_with_origins(text)
    assert folded == fold(text)
    assert len(origins) == len(folded)
    assert origins == sorted(origins)
    assert all(folded[place] in fold(text[origin]) for place, origin in enumerate(origins))
