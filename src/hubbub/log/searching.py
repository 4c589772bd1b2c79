"""Finding messages by their text, in the rooms that somebody may see, the newest first. See `log.indexing`.

The index knows runs of three characters. So it gives candidates; each is looked at as it is now, and so is every
message where no word is long enough for the index.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, text

from hubbub.log.folding import fold, fold_with_origins

SCANNED: Final = 100_000  # messages looked at, one by one, for one answer
_STRIDE: Final = 50_000  # ids at a time: the clock is looked at in between
_SECONDS: Final = 0.25  # for one answer, where the index helps
_MOST_GRAMS: Final = 64
_SNIPPET: Final = 180
_BEFORE_MATCH: Final = 50
_MOST_MATCHES: Final = 50


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for. `words` as they were typed; ids of people and rooms, of which any will do; None: all."""

    words: tuple[str, ...]
    user_ids: tuple[int, ...] | None = None
    room_ids: tuple[int, ...] | None = None
    since_ms: int | None = None
    until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """A message that was found: its room's name, its JSON without the room, and a piece of its text.

    `matches` are places in `snippet`, in UTF-16 units.
    """

    room: str
    body: str
    snippet: str
    matches: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Found:
    """A page of results; `below` goes on from here, None if there is no more."""

    results: list[Result]
    below: int | None


class _Said(msgspec.Struct):
    message: str = ""
    deleted: bool = False


_decode: Final = msgspec.json.Decoder(_Said).decode


def search(
    connection: Connection,
    user_id: int,
    wanted: Wanted,
    limit: int,
    *,
    below: int | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> Found:
    """Up to `limit` messages that the user may see, the newest first, from below a place that `Found` gave."""
    folded = tuple(word for word in (fold(word) for word in wanted.words) if word.strip())
    if wanted.words and not folded:
        return Found([], None)
    grams = _grams(folded)
    last = int(connection.exec_driver_sql("SELECT coalesce(max(id), 0) FROM search_docs").scalar_one())
    high = last + 1 if below is None else min(below, last + 1)
    statement, values = _statement(wanted, folded, grams)
    results: list[Result] = []
    lowest = 0 if grams else max(high - SCANNED, 0)
    ends_at = monotonic() + _SECONDS
    while high > lowest and len(results) <= limit:
        low = max(high - _STRIDE, lowest)
        where = {**values, "user": user_id, "low": low, "high": high}
        with connection.execute(statement, where) as rows:
            for row in rows:
                result = _result(row, folded)
                if result is None:
                    continue
                if len(results) == limit:
                    return Found(results, row.id + 1)
                results.append(result)
        high = low
        if grams and monotonic() > ends_at:
            break
    return Found(results, high if high > 1 else None)


def _grams(words: Sequence[str]) -> list[str]:
    """The runs of three characters in words, each once; few will do, as what is found is looked at."""
    found = {word[place : place + 3]: None for word in words for place in range(len(word) - 2)}
    return list(found)[:_MOST_GRAMS]


def _statement(wanted: Wanted, words: Sequence[str], grams: Sequence[str]) -> tuple[Any, dict[str, object]]:
    """The query for a stretch of ids, and its values.

    CROSS JOIN keeps SQLite to this order of tables: the ids come from the index as they are wanted, the newest first.
    """
    values: dict[str, object] = {}
    # Here and nowhere else: a room that one may not see has no messages.
    visible = (
        "d.room_id IN (SELECT id FROM rooms WHERE kind = 'public'"
        " UNION ALL SELECT room_id FROM members WHERE user_id = :user)"
    )
    conditions = [visible]
    if grams:
        values["grams"] = " ".join(f'"{gram}"' for gram in (gram.replace('"', '""') for gram in grams))
        source = "search_index(:grams) i CROSS JOIN search_docs d ON d.id = i.rowid"
        id_ = "i.rowid"
    else:
        source, id_ = "search_docs d NOT INDEXED", "d.id"
    for number, word in enumerate(words):
        values[f"word{number}"] = word
        conditions.append(f"instr(d.text, :word{number}) > 0")
    for column, ids in (("user_id", wanted.user_ids), ("room_id", wanted.room_ids)):
        if ids is not None:
            conditions.append(f"d.{column} IN ({', '.join(str(int(one)) for one in ids)})")
    if wanted.since_ms is not None:
        values["since"] = wanted.since_ms
        conditions.append("d.at >= :since")
    if wanted.until_ms is not None:
        values["until"] = wanted.until_ms
        conditions.append("d.at < :until")
    query = (
        f"SELECT d.id, r.name, coalesce(e.now, e.body) AS body FROM {source}"  # noqa: S608 - made of constants
        " CROSS JOIN entries e ON e.room_id = d.room_id AND e.seq = d.seq CROSS JOIN rooms r ON r.id = d.room_id"
        f" WHERE {id_} >= :low AND {id_} < :high AND {' AND '.join(conditions)} ORDER BY {id_} DESC"
    )
    return text(query), values


def _result(row: Any, words: Sequence[str]) -> Result | None:
    """The message as it is now; None if it is no longer one that was looked for."""
    try:
        said = _decode(row.body)
    except msgspec.DecodeError:
        return None  # somebody else wrote it, and it is no message
    if said.deleted:
        return None
    places = _places(said.message, words)
    if places is None:
        return None
    snippet, matches = _snippet(said.message, places)
    return Result(row.name, row.body, snippet, matches)


def _places(message: str, words: Sequence[str]) -> list[tuple[int, int]] | None:
    """Where the words are in a message, one after the other; None if one of them is not there."""
    folded, origins = fold_with_origins(message)
    found: list[tuple[int, int]] = []
    for word in words:
        place = folded.find(word)
        if place < 0:
            return None
        while place >= 0 and len(found) < _MOST_MATCHES * len(words):
            found.append((origins[place], origins[place + len(word) - 1] + 1))
            place = folded.find(word, place + len(word))
    return _joined(sorted(found))


def _joined(places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Places that touch or overlap, as one."""
    joined: list[tuple[int, int]] = []
    for begin, end in places:
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return joined


def _snippet(message: str, places: list[tuple[int, int]]) -> tuple[str, list[tuple[int, int]]]:
    """A piece of the message around the first place, in one line, and the places in it in UTF-16 units."""
    first = places[0][0] if places else 0
    begin = max(0, first - _BEFORE_MATCH)
    if begin:
        space = message.find(" ", begin, first)
        begin = space + 1 if space >= 0 else begin
    end = min(len(message), begin + _SNIPPET)
    piece = "".join(" " if character.isspace() else character for character in message[begin:end])
    before, after = "…" if begin else "", "…" if end < len(message) else ""
    shown = [
        (
            len(before) + _units(piece[: max(at, begin) - begin]),
            len(before) + _units(piece[: min(to, end) - begin]),
        )
        for at, to in places[:_MOST_MATCHES]
        if at < end and to > begin
    ]
    return before + piece + after, shown


def _units(piece: str) -> int:
    return len(piece.encode("utf-16-le")) // 2
