"""Passwords: what they may be, how they are kept, and that nothing shows whether a name is known."""

from __future__ import annotations

import asyncio
import threading
from typing import Literal

import argon2
import pytest

from hubbub.accounts import passwords
from hubbub.accounts.passwords import NOBODYS, Hashers, Verdict
from hubbub.errors import BAD_PASSWORD, OVERLOADED, Refused


def test_a_password_is_kept_as_argon2id_with_the_parameters_of_asvs() -> None:
    kept = passwords.hashed("correct horse")
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.hashed("correct horse") != kept


def test_nobodys_hash_takes_as_long_as_anybodys() -> None:
    assert argon2.extract_parameters(NOBODYS) == argon2.extract_parameters(passwords.hashed("correct horse"))


def test_the_right_password_is_right_and_any_other_is_wrong() -> None:
    kept = passwords.hashed("correct horse")
    assert passwords.verified("correct horse", kept) == Verdict(True)
    assert passwords.verified("Correct horse", kept) == Verdict(False)


def test_nothing_is_right_for_an_account_without_a_password() -> None:
    for password in ("", "x", "correct horse"):
        assert passwords.verified(password, None) == Verdict(False)


@pytest.mark.parametrize("damaged", ["", "plain", "$argon2id$v=19$m=1", "$2b$12$abcdefghijklmnopqrstuv"])
def test_a_damaged_hash_lets_nobody_in(damaged: str) -> None:
    assert passwords.verified("correct horse", damaged) == Verdict(False)


@pytest.mark.parametrize("kept", [None, "real"])
@pytest.mark.parametrize("password", ["wrong", "x" * 5000, "\ud800", ""])
def test_the_hasher_runs_once_whether_the_name_is_known_or_not(
    kept: str | None, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = passwords.hashed("correct horse")
    runs = []

    class Counting(argon2.PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - the library's name
            runs.append(argon2.extract_parameters(str(hash)))
            return super().verify(hash, password)

    monkeypatch.setattr(passwords, "_hasher", Counting(time_cost=2, memory_cost=19456, parallelism=1))
    assert passwords.verified(password, real if kept else None) == Verdict(False)
    assert runs == [argon2.extract_parameters(NOBODYS)]


def test_a_hash_of_old_parameters_is_made_anew_when_the_password_is_right() -> None:
    old = argon2.PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash("correct horse")
    verdict = passwords.verified("correct horse", old)
    assert verdict.right
    assert verdict.rehashed is not None
    assert passwords.verified("correct horse", verdict.rehashed) == Verdict(True)
    assert passwords.verified("wrong horse", old) == Verdict(False)


def test_the_same_password_typed_on_another_keyboard_is_the_same() -> None:
    assert passwords.verified("cafe\u0301 au lait", passwords.hashed("caf\u00e9 au lait")).right


@pytest.mark.parametrize(
    ("password", "name"),
    [
        ("1234567", ""),
        ("x" * 1025, ""),
        ("é" * 513, ""),
        ("\ud800" * 8, ""),
        ("Lovelace", "lovelace"),
        ("", ""),
    ],
)
def test_what_can_not_be_a_password_is_refused_and_the_field_named(password: str, name: str) -> None:
    with pytest.raises(Refused) as refused:
        passwords.checked(password, 8, name)
    assert (refused.value.refusal, refused.value.field) == (BAD_PASSWORD, "password")
    assert not password or password not in str(refused.value)


@pytest.mark.parametrize("password", ["12345678", "x" * 1024, "a\x00bcdefg", "päßwörter", "🎩" * 8])
def test_long_strange_passwords_are_welcome(password: str) -> None:
    assert passwords.checked(password, 8, "ada") == password
    assert passwords.verified(password, passwords.hashed(password)).right


@pytest.mark.asyncio
async def test_hashing_is_done_in_threads_of_its_own() -> None:
    seen: list[str] = []

    def job() -> None:
        seen.append(threading.current_thread().name)

    hashers = Hashers(1)
    await hashers._run(job)
    hashers.close()
    assert seen[0].startswith("hubbub-hash")


@pytest.mark.asyncio
async def test_when_too_many_wait_the_next_is_told_to_come_back_and_the_others_are_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passwords, "_WAITING_PER_THREAD", 2)
    go_on = threading.Event()
    hashers = Hashers(1)
    waiting = [asyncio.create_task(hashers._run(go_on.wait, 60.0)) for _ in range(2)]
    await asyncio.sleep(0)  # both have begun
    with pytest.raises(Refused) as refused:
        await hashers.verify("x", None)
    assert refused.value.refusal is OVERLOADED
    go_on.set()
    assert await asyncio.gather(*waiting) == [True, True]
    assert await hashers.verify("x", None) == Verdict(False)
    hashers.close()
