"""Many accounts from a file: ``name,display name,role`` in, ``name,token`` out. All of them, or none."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from sqlalchemy import Connection

from hubbub import names
from hubbub.accounts import people, roles
from hubbub.accounts.secret import BEARER_PREFIX, digest, new_secret
from hubbub.errors import BAD_PAYLOAD, Refused
from hubbub.log.schema import tokens, users

_SHOWN: Final = 20
_HEADER: Final = "name"


class BadImportError(Exception):
    """The file can't be imported. `lines` says why, a line of the file each; nothing was imported."""

    def __init__(self, lines: Sequence[str]) -> None:
        more = len(lines) - _SHOWN
        self.lines = [*lines[:_SHOWN], *([f"… and {more} more"] if more > 0 else [])]
        super().__init__("; ".join(self.lines))


@dataclass(frozen=True, slots=True)
class NewPerson:
    """One line of the file, checked."""

    line: int
    name: str
    key: str
    display_name: str
    role: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: how many it added, and the names of those who were there before."""

    added: int
    skipped: Sequence[str]


class TokensFile:
    """A new file of ``name,token`` lines that only its owner may read. It goes again unless the import is `done`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._done = False

    def __enter__(self) -> Self:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(descriptor, "w", encoding="utf-8", newline="")
        return self

    def keep(self, lines: Iterable[tuple[str, str]]) -> None:
        """Write the lines and see them on disk: before the accounts are made, as no token can be found again."""
        csv.writer(self._file, lineterminator="\n").writerows(lines)
        self._file.flush()
        os.fsync(self._file.fileno())

    def done(self) -> None:
        """The accounts are there: the file stays."""
        self._done = True

    def __exit__(self, *_error: object) -> None:
        self._file.close()
        if not self._done:
            self._path.unlink(missing_ok=True)


def read_people(path: Path) -> list[NewPerson]:
    """The people in a CSV file (UTF-8, with or without a line of headings). Raises `BadImportError`."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise BadImportError([f"{path} is not UTF-8 text: save it as UTF-8"]) from None
    found: list[NewPerson] = []
    faults: list[str] = []
    first_lines: dict[str, int] = {}
    for line, cells in _rows(text):
        try:
            person = _checked(line, cells)
        except Refused as refused:
            faults.append(f"line {line}: {refused.detail}")
            continue
        before = first_lines.setdefault(person.key, line)
        if before != line:
            faults.append(f"line {line}: {person.name} is on line {before} already.")
        found.append(person)
    if faults:
        raise BadImportError(faults)
    if not found:
        raise BadImportError([f"{path} has nobody in it: write a line name,display name,role for each"])
    return found


def import_people(
    connection: Connection,
    wanted: Sequence[NewPerson],
    *,
    keep: Callable[[Iterable[tuple[str, str]]], None],
    skip_existing: bool = False,
    now: int,
) -> Imported:
    """Make all these accounts, with a bearer token each and no password. `keep` is given each name and token.

    Raises `BadImportError` if any name is taken, unless those are to be skipped.
    """
    there = people.taken(connection, [person.key for person in wanted])
    taken = [person for person in wanted if person.key in there]
    if taken and not skip_existing:
        raise BadImportError([f"line {person.line}: the name {person.name} is taken." for person in taken])
    adding = [person for person in wanted if person.key not in there]
    if adding:
        secrets = {person.key: new_secret(BEARER_PREFIX) for person in adding}
        _add_users(connection, adding, secrets, now)
        keep((person.name, secrets[person.key]) for person in adding)
    return Imported(len(adding), [person.name for person in taken])


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(text.splitlines(), strict=True)
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped) and not (reader.line_num == 1 and stripped[0].casefold() == _HEADER):
                yield reader.line_num, stripped
    except csv.Error as error:
        raise BadImportError([f"line {reader.line_num}: {error}."]) from None


def _checked(line: int, cells: list[str]) -> NewPerson:
    if len(cells) > 3:
        raise Refused(BAD_PAYLOAD, "there are more than the three columns name,display name,role.")
    name, display_name, role = (*cells, "", "")[:3]
    kept, key = people.checked_name(name)
    return NewPerson(line, kept, key, names.display_name(display_name), roles.known_role(role or "member"))


def _add_users(
    connection: Connection, adding: Sequence[NewPerson], secrets: Mapping[str, str], now: int
) -> None:
    added = connection.execute(
        users.insert().returning(users.c.id, users.c.key),
        [
            {
                "name": person.name,
                "key": person.key,
                "display_name": person.display_name,
                "role": person.role,
                "created_at": now,
            }
            for person in adding
        ],
    )
    rows = [
        {"user_id": row.id, "hash": digest(secrets[row.key]), "label": "import", "created_at": now}
        for row in added
    ]
    connection.execute(tokens.insert(), rows)
