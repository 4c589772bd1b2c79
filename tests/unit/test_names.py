"""Names: what they may be, and when two are one."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hubbub import names
from hubbub.errors import BAD_NAME, Refused

# Letters that fold, widen, combine or join, so that what is special comes up often.
_TRICKY = "aAzZ09._-ßıİſﬁΣσςÅäàⅧªＡｄ한नमस्तेสมชายéё\u0301\u0300½ﷺ\u200b\u202e\u0000 @,／．＠，"
TEXT = st.text(st.one_of(st.sampled_from(_TRICKY), st.characters()), max_size=40)
# Mostly what can be a name.
NAMES = st.text(
    st.one_of(
        st.sampled_from("aAz09ßıİſﬁΣσςÅàⅧªＡｄ한नमसतสมé"),
        st.sampled_from("._-ेस्́"),
        st.characters(categories=["Lu", "Ll", "Lo", "Nd", "Nl"]),
    ),
    min_size=1,
    max_size=8,
)
# Mostly what can be a room's name, with wide forms of what can't be in one.
ROOM_NAMES = st.text(
    st.one_of(
        st.sampled_from("aZé日ने ßﬁⅧ"),
        st.characters(categories=["Lu", "Ll", "Lo", "Nd", "Sm", "So", "Po"]),
        st.sampled_from("＠／，．～？#"),
    ),
    min_size=1,
    max_size=5,
)
ASCII_NAME = st.from_regex(r"[a-z0-9](?:[a-z0-9._-]{0,20}[a-z0-9])?", fullmatch=True)


def _accepted(name: str) -> str:
    try:
        return names.user_name(name)
    except Refused:
        assume(False)
        raise


@given(TEXT)
def test_a_key_is_its_own_key(name: str) -> None:
    assert names.key_of(names.key_of(name)) == names.key_of(name)


@given(NAMES)
def test_a_name_that_was_accepted_is_accepted_again_unchanged(name: str) -> None:
    kept = _accepted(name)
    assert names.user_name(kept) == kept


@given(NAMES)
def test_an_accepted_name_and_its_key_hold_nothing_invisible_and_fit_the_table(name: str) -> None:
    kept = _accepted(name)
    key = names.key_of(kept)
    for text in (kept, key):
        assert not any(unicodedata.category(character)[0] in "CZ" for character in text)
    assert len(kept) <= names.USER_NAME_LENGTH
    assert len(key) <= names.USER_KEY_LENGTH


@given(NAMES)
def test_an_accepted_name_can_be_mentioned(name: str) -> None:
    kept = _accepted(name)
    assert names.mentioned(f"hello @{kept}, are you (@{kept}) there @{kept}?") == {names.key_of(kept)}


@given(ASCII_NAME)
def test_names_that_differ_in_case_or_width_only_are_one(name: str) -> None:
    wide = "".join(chr(ord(character) + 0xFEE0) if character.isalnum() else character for character in name)
    assert names.key_of(name) == names.key_of(name.upper()) == names.key_of(wide)


@given(ROOM_NAMES)
def test_the_key_of_an_accepted_room_name_holds_nothing_with_a_meaning_of_its_own(name: str) -> None:
    try:
        kept = names.room_name(name)
    except Refused:
        return
    key = names.key_of(kept)
    assert not set("@~,/\\?#%") & set(kept + key)
    assert key not in {".", ".."}
    assert len(key) <= names.ROOM_KEY_LENGTH


@pytest.mark.parametrize("name", ["ada", "Ada-Lovelace", "a", "x.y_z", "Zoë", "नमस्ते", "สมชาย", "大郎", "7"])
def test_names_of_any_script_are_accepted(name: str) -> None:
    assert names.user_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "a b",
        "-ada",
        "ada.",
        "_ada",
        "@ada",
        "a/b",
        "a,b",
        "ada\x00",
        "ada\u200b",
        "ada\u202e",
        "ada\ud800",
        "ada\n",
        "a" * 33,
        "a\u0316\u0317\u0318\u0319",
        "½",
        "ﷺ" * 4,
    ],
)
def test_what_is_no_name_is_refused_and_the_field_is_named(name: str) -> None:
    with pytest.raises(Refused) as refused:
        names.user_name(name)
    assert (refused.value.refusal, refused.value.field) == (BAD_NAME, "name")


@pytest.mark.parametrize(
    "name", ["＠ada，bob", "a／b", "．．", "..", "@ada", "a,b", " general", "a\u200bb", "a  b", ""]
)
def test_a_room_can_not_be_named_like_a_direct_room_or_a_path(name: str) -> None:
    with pytest.raises(Refused) as refused:
        names.room_name(name)
    assert refused.value.refusal is BAD_NAME


@pytest.mark.parametrize("name", ["general", "Team Ada", "日本語", "release-1.2", "café"])
def test_room_names_may_have_spaces_and_any_script(name: str) -> None:
    assert names.room_name(name) == name


@pytest.mark.parametrize(
    ("message", "mentioned"),
    [
        ("hello @ada", {"ada"}),
        ("@ada @Bob, @here!", {"ada", "bob", "here"}),
        ("mail ada@example.org", set()),
        ("https://example.org/@ada", set()),
        ("@ada.", {"ada"}),
        ("@", set()),
        ("@नमस्ते", {"नमस्ते"}),
        ("nobody", set()),
    ],
)
def test_a_mention_is_an_at_sign_before_a_name_at_the_start_of_a_word(
    message: str, mentioned: set[str]
) -> None:
    assert names.mentioned(message) == mentioned


def test_a_display_name_is_trimmed_and_may_hold_anything_visible() -> None:
    assert names.display_name("  Ada   Lovelace 🎩 ") == "Ada Lovelace 🎩"
    for bad in ("a" * 65, "Ada\u202e", "Ada\x1b[31m"):
        with pytest.raises(Refused):
            names.display_name(bad)


def test_a_topic_is_one_line() -> None:
    assert names.topic(" what\nis it ") == "what is it"
    with pytest.raises(Refused):
        names.topic("a" * 501)
