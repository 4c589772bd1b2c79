"""Many accounts from a file: all or none."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from hubbub.accounts import bearer, people
from hubbub.accounts.importing import BadImportError, TokensFile, import_people, read_people
from hubbub.accounts.secret import digest
from hubbub.log.store import Store, open_store

NOW = 1_800_000_000_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'hubbub.db'}")
    yield opened
    opened.close()


@pytest.fixture
def kept() -> list[tuple[str, str]]:
    return []


def csv(folder: Path, text: str | bytes) -> Path:
    """A file with this in it."""
    path = folder / "people.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def faults(folder: Path, text: str | bytes) -> list[str]:
    """What is wrong with a file with this in it."""
    with pytest.raises(BadImportError) as error:
        read_people(csv(folder, text))
    return list(error.value.lines)


def test_people_come_in_with_role_name_and_a_token_that_works(
    store: Store, tmp_path: Path, kept: list[tuple[str, str]]
) -> None:
    wanted = read_people(csv(tmp_path, "name,display name,role\nada,Ada Lovelace,admin\nbob\nCid, C. ,bot\n"))
    imported = store.write_now(lambda c: import_people(c, wanted, keep=kept.extend, now=NOW))
    assert imported.added == 3
    assert [name for name, _ in kept] == ["ada", "bob", "Cid"]
    found = [
        (one.name, one.display_name, one.role, one.has_password) for one in store.read_now(people.listed)
    ]
    assert found == [
        ("ada", "Ada Lovelace", "admin", False),
        ("bob", "", "member", False),
        ("Cid", "C.", "bot", False),
    ]
    for name, token in kept:
        who = store.read_now(lambda c, token=token: bearer.find(c, [digest(token)]))[digest(token)]  # type: ignore[misc]
        assert who.identity.name == name


@pytest.mark.parametrize("text", ["ada,Ada,member\n", "\ufeffada,Ada,member\r\n", '\n"ada","Ada",member\n\n'])
def test_headings_marks_and_empty_lines_are_no_people(tmp_path: Path, text: str) -> None:
    assert [(one.name, one.display_name, one.role) for one in read_people(csv(tmp_path, text))] == [
        ("ada", "Ada", "member")
    ]


def test_each_bad_line_is_named_by_its_number(tmp_path: Path) -> None:
    text = "name,display name,role\nada,Ada,member\na b,,\nbob,,king\nADA,,\n,,\nx,y,member,z\nhere\ncid,\u202e,\n"
    said = faults(tmp_path, text)
    assert [line.partition(":")[0] for line in said] == [
        "line 3",
        "line 4",
        "line 5",
        "line 7",
        "line 8",
        "line 9",
    ]
    assert said[2] == "line 5: ADA is on line 2 already."


def test_a_file_that_is_no_text_or_has_nobody_in_it_is_refused(tmp_path: Path) -> None:
    assert "UTF-8" in faults(tmp_path, b"ada,\xff\n")[0]
    assert "nobody" in faults(tmp_path, "name,display name,role\n")[0]
    assert faults(tmp_path, 'ada,"unclosed\n')[0].startswith("line 1")


def test_a_thousand_faults_are_twenty_lines_and_a_count(tmp_path: Path) -> None:
    said = faults(tmp_path, "a b\n" * 1000)
    assert len(said) == 21
    assert said[-1] == "… and 980 more"


def test_if_one_name_is_taken_nobody_is_added(
    store: Store, tmp_path: Path, kept: list[tuple[str, str]]
) -> None:
    store.write_now(lambda c: people.add(c, "Bob", now=NOW))
    wanted = read_people(csv(tmp_path, "ada\nbob\n"))
    with pytest.raises(BadImportError, match="line 2: the name bob is taken"):
        store.write_now(lambda c: import_people(c, wanted, keep=kept.extend, now=NOW))
    assert [one.name for one in store.read_now(people.listed)] == ["Bob"]
    assert kept == []


def test_those_there_already_can_be_skipped(
    store: Store, tmp_path: Path, kept: list[tuple[str, str]]
) -> None:
    store.write_now(lambda c: people.add(c, "Bob", role="owner", now=NOW))
    wanted = read_people(csv(tmp_path, "ada\nbob,,bot\n"))
    for added in (1, 0):
        imported = store.write_now(
            lambda c: import_people(c, wanted, keep=kept.extend, skip_existing=True, now=NOW)
        )
        assert imported.added == added
    assert [name for name, _ in kept] == ["ada"]
    assert store.read_now(lambda c: people.find(c, "bob")).role == "owner"


def test_if_the_tokens_can_not_be_kept_nobody_is_added(store: Store, tmp_path: Path) -> None:
    def full(_lines: Iterable[tuple[str, str]]) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        store.write_now(lambda c: import_people(c, read_people(csv(tmp_path, "ada\n")), keep=full, now=NOW))
    assert store.read_now(people.listed) == []


def test_ten_thousand_people_are_one_transaction_of_a_few_statements(
    store: Store, tmp_path: Path, kept: list[tuple[str, str]]
) -> None:
    wanted = read_people(
        csv(tmp_path, "\n".join(f"user{number},User {number},member" for number in range(10_000)))
    )
    assert store.write_now(lambda c: import_people(c, wanted, keep=kept.extend, now=NOW)).added == 10_000
    assert len({token for _, token in kept}) == 10_000


def test_only_its_owner_may_read_the_tokens(tmp_path: Path) -> None:
    path = tmp_path / "tokens.csv"
    with TokensFile(path) as out:
        out.keep([("ada", "hub_x")])
        out.done()
    assert path.read_text() == "ada,hub_x\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_of_tokens_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "tokens.csv"
    path.write_text("precious")
    with pytest.raises(FileExistsError), TokensFile(path):
        pytest.fail("it was opened")
    assert path.read_text() == "precious"


def test_the_file_goes_again_if_the_import_fails(tmp_path: Path) -> None:
    path = tmp_path / "tokens.csv"

    def fail() -> None:
        with TokensFile(path) as out:
            out.keep([("ada", "hub_x")])
            raise BadImportError(["line 1: no"])

    with pytest.raises(BadImportError):
        fail()
    assert not path.exists()
