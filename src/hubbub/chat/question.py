"""What somebody types into a search field, understood: words, "runs of words", from:, in:, before: and after:."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from hubbub.errors import BAD_PAYLOAD, Refused

MOST_CHARACTERS: Final = 500
MOST_WORDS: Final = 16
MOST_NAMES: Final = 20
MOST_ZONE_MINUTES: Final = 14 * 60
# A filter with its value, a run in quotes, or a word. A quote that is not closed reaches to the end.
_PART: Final = re.compile(
    r'(?P<key>from|in|before|after):(?:"(?P<quoted>[^"]*)"?|(?P<value>\S+))|"(?P<run>[^"]*)"?|(?P<word>\S+)',
    re.IGNORECASE,
)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Question:
    """What to look for: all `words`, by any of `people` (if there are some), in any of `rooms` (if there are some).

    `since_ms` and `until_ms` are milliseconds since 1970; the first is within, the second is not.
    """

    words: tuple[str, ...]
    people: tuple[str, ...]
    rooms: tuple[str, ...]
    since_ms: int | None
    until_ms: int | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A search as it was asked for. `zone_minutes`: how far east of UTC the days in it are."""

    text: str = ""
    people: tuple[str, ...] = ()
    rooms: tuple[str, ...] = ()
    after: str | None = None
    before: str | None = None
    zone_minutes: int = 0


def understood(asked: Asked) -> Question:
    """The question, or `Refused` with a sentence for the one who typed it."""
    _check(asked)
    found: dict[str, list[str]] = {
        "from": list(asked.people),
        "in": list(asked.rooms),
        "after": [],
        "before": [],
    }
    words: list[str] = []
    for part in _PART.finditer(asked.text):
        if part["key"]:
            value = (part["quoted"] if part["quoted"] is not None else part["value"]).strip()
            if not value:
                raise _wrong(f"Say what comes after {part['key']}:.", "q")
            found[part["key"].lower()].append(value)
        elif word := (part["run"] if part["run"] is not None else part["word"]).strip():
            words.append(word)
    for key, value in (("after", asked.after), ("before", asked.before)):
        if value is not None:
            found[key].append(value)
    return _question(words, found, asked.zone_minutes)


def _question(words: list[str], found: dict[str, list[str]], zone_minutes: int) -> Question:
    if not words and not any(found.values()):
        raise _wrong("Say what to look for.", "q")
    if len(words) > MOST_WORDS:
        raise _wrong(f"Look for {MOST_WORDS} words at most.", "q")
    if len(found["from"]) > MOST_NAMES or len(found["in"]) > MOST_NAMES:
        raise _wrong(f"Name {MOST_NAMES} people and {MOST_NAMES} rooms at most.", "q")
    since = [_moment(value, "after", zone_minutes) for value in found["after"]]
    until = [_moment(value, "before", zone_minutes) for value in found["before"]]
    return Question(
        tuple(dict.fromkeys(words)),
        tuple(dict.fromkeys(value.removeprefix("@") for value in found["from"])),
        tuple(dict.fromkeys(value.removeprefix("#") for value in found["in"])),
        max(since, default=None),
        min(until, default=None),
    )


def _check(asked: Asked) -> None:
    if len(asked.text) > MOST_CHARACTERS:
        raise _wrong(f"A question has {MOST_CHARACTERS} characters at most.", "q")
    for name, text in (
        ("q", asked.text),
        *(("from", one) for one in asked.people),
        *(("in", one) for one in asked.rooms),
    ):
        if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
            raise _wrong("There are characters in the question that no message has.", name)
    if abs(asked.zone_minutes) > MOST_ZONE_MINUTES:
        raise _wrong("zone is the minutes east of UTC, such as 480.", "zone")


def _moment(value: str, name: str, zone_minutes: int) -> int:
    """The beginning of a day, or a time, in milliseconds since 1970."""
    try:
        if _DAY.fullmatch(value):
            day = datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC)
            moment = day - timedelta(minutes=zone_minutes)
        else:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is None or "T" not in value.upper():
                raise ValueError(value)
        return int(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise _wrong(
            f"{name} is a day such as 2026-03-01, or a time such as 2026-03-01T09:30:00Z.", name
        ) from None


def _wrong(detail: str, field: str) -> Refused:
    return Refused(BAD_PAYLOAD, detail, field=field)
