"""What somebody types into a search field, understood."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.chat.question import Asked, Question, understood
from hubbub.errors import Refused

DAY = 86_400_000
MARCH = 1_772_323_200_000  # 2026-03-01, UTC


def question(text: str = "", **more: object) -> Question:
    return understood(Asked(text, **more))  # type: ignore[arg-type]


def wanted(*words: str, **more: object) -> Question:
    everything: dict[str, object] = {"people": (), "rooms": (), "since_ms": None, "until_ms": None}
    return Question(words, **(everything | more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tea", wanted("tea")),
        ("  green   tea  tea ", wanted("green", "tea")),
        ('"green tea" cup', wanted("green tea", "cup")),
        ('"not closed', wanted("not closed")),
        ('say"hi"', wanted('say"hi"')),
        ("from:ada tea", wanted("tea", people=("ada",))),
        ("FROM:@ada from:bob", wanted(people=("ada", "bob"))),
        ('in:"the lobby" in:#general', wanted(rooms=("the lobby", "general"))),
        ("after:2026-03-01 before:2026-03-02", wanted(since_ms=MARCH, until_ms=MARCH + DAY)),
        ("after:2026-03-01T01:00:00+01:00", wanted(since_ms=MARCH)),
        ("http://x.org note:this", wanted("http://x.org", "note:this")),
        ("今天 天氣", wanted("今天", "天氣")),
        ("NEAR(a b) a* ^c {col}: -d", wanted("NEAR(a", "b)", "a*", "^c", "{col}:", "-d")),
    ],
)
def test_words_runs_and_filters_are_told_apart(text: str, expected: Question) -> None:
    assert question(text) == expected


def test_filters_come_as_parameters_too_and_the_narrowest_time_holds() -> None:
    found = question(
        "tea after:2026-03-01 from:ada",
        people=("bob",),
        rooms=("general",),
        after="2026-03-03",
        before="2026-04-01",
    )
    assert (found.people, found.rooms) == (("bob", "ada"), ("general",))
    assert (found.since_ms, found.until_ms) == (MARCH + 2 * DAY, MARCH + 31 * DAY)


def test_days_are_those_of_the_zone_and_times_are_not() -> None:
    assert question("after:2026-03-01", zone_minutes=480).since_ms == MARCH - 8 * 3_600_000
    assert question("after:2026-03-01T00:00:00Z", zone_minutes=480).since_ms == MARCH


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "q"),
        ("   ", "q"),
        ('""', "q"),
        ('from:""', "q"),
        ("x" * 501, "q"),
        (" ".join(f"w{number}" for number in range(17)), "q"),
        (" ".join(f"from:w{number}" for number in range(21)), "q"),
        ("a\0b", "q"),
        ("\ud800", "q"),
        ("after:yesterday", "after"),
        ("before:2026-02-30", "before"),
        ("before:2026-03-01T09:30", "before"),
        ("after:0001-01-01", "after"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(text: str, field: str) -> None:
    with pytest.raises(Refused) as refused:
        question(text, zone_minutes=840)
    assert (refused.value.refusal.code, refused.value.field) == ("bad_payload", field)
    assert "\n" not in refused.value.detail


@given(st.text(max_size=500))
def test_whatever_is_typed_is_understood_or_refused(text: str) -> None:
    assert _is_refused(text) or any(getattr(question(text), name) for name in Question.__dataclass_fields__)


def _is_refused(text: str) -> bool:
    try:
        question(text)
    except Refused as refused:
        return refused.refusal.code == "bad_payload"
    return False
