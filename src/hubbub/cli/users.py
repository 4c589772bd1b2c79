"""The commands `hubbub user …`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from hubbub.cli.parts import (
    Data,
    Database,
    Name,
    PasswordStdin,
    UseError,
    database_exists,
    help_if_bare,
    new_app,
    now,
    open_database,
    option,
    settings_from,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from hubbub.accounts.people import Person

app: Final = new_app("Accounts.")


@app.callback(invoke_without_command=True)
def user(context: typer.Context) -> None:
    """Accounts."""
    help_if_bare(context)


@app.command("add")
def user_add(
    name: Name,
    role: Annotated[str, option("owner, admin, member or bot.", default="member")] = "member",
    display_name: Annotated[str, option("The name that is shown.")] = "",
    password_stdin: PasswordStdin = False,
    data: Data = None,
    database: Database = None,
) -> None:
    """Make an account. The password is asked for twice; a bot has none."""
    from hubbub.accounts import passwords, people, roles

    settings = settings_from(data=data, database=database)
    _, key = people.checked_name(name)
    roles.known_role(role)
    if database_exists(settings):
        with open_database(settings) as store:
            if store.read_now(lambda connection: people.taken(connection, [key])):
                raise people.name_taken(name)  # before anybody types a password
    password = None
    if role != "bot" or password_stdin:
        chosen = passwords.checked(_password(password_stdin), settings.password_characters, name)
        password = passwords.hashed(chosen)

    def make(connection: Connection) -> Person:
        made = people.add(
            connection, name, role=role, display_name=display_name, password=password, now=now()
        )
        _record(connection, "account_made", made.name, made.role)
        return made

    with open_database(settings, make=True) as store:
        person = store.write_now(make)
    typer.echo(f"Added {person.name} ({person.role}).")


@app.command("list")
def user_list(data: Data = None, database: Database = None) -> None:
    """List the accounts: name, role, state, display name."""
    from hubbub.accounts import people

    with open_database(settings_from(data=data, database=database)) as store:
        found = store.read_now(people.listed)
    width = max((len(person.name) for person in found), default=0)
    for person in found:
        typer.echo(
            f"{person.name:<{width}}  {person.role:<6}  {_state(person):<11}  {person.display_name}".rstrip()
        )


@app.command("disable")
def user_disable(name: Name, data: Data = None, database: Database = None) -> None:
    """Keep somebody out, at once: a running server closes their sockets."""
    from hubbub.accounts import people

    with open_database(settings_from(data=data, database=database)) as store:
        person = store.write_now(_recorded(name, lambda c: people.disable(c, name, now=now())))
    typer.echo(f"Disabled {person.name}.")


@app.command("enable")
def user_enable(name: Name, data: Data = None, database: Database = None) -> None:
    """Let somebody in again."""
    from hubbub.accounts import people

    with open_database(settings_from(data=data, database=database)) as store:
        person = store.write_now(_recorded(name, lambda c: people.enable(c, name)))
    typer.echo(f"Enabled {person.name}.")


@app.command("reset-password")
def user_reset_password(
    name: Name, password_stdin: PasswordStdin = False, data: Data = None, database: Database = None
) -> None:
    """Set a new password, asked for twice, and end all of somebody's sessions."""
    from hubbub.accounts import invitations, passwords, people

    settings = settings_from(data=data, database=database)
    with open_database(settings) as store:
        person = store.read_now(lambda connection: people.find(connection, name))
        chosen = passwords.checked(_password(password_stdin), settings.password_characters, person.name)
        password = passwords.hashed(chosen)

        def change(connection: Connection) -> None:
            people.set_password(connection, person.id, password)
            invitations.void_resets(connection, person.id)
            _record(connection, "password_reset", person.name)

        store.write_now(change)
    typer.echo(f"Set a new password for {person.name}; all sessions have ended.")


@app.command("role")
def user_role(name: Name, role: Name, data: Data = None, database: Database = None) -> None:
    """Give somebody another role: owner, admin, member or bot."""
    from hubbub.accounts import people

    with open_database(settings_from(data=data, database=database)) as store:
        person = store.write_now(_recorded(name, lambda c: people.set_role(c, name, role)))
    typer.echo(f"{person.name} is {person.role}.")


@app.command("token")
def user_token(
    name: Name,
    label: Annotated[str, option("What it is for.")] = "",
    revoke: Annotated[bool, option("Revoke all tokens instead of making one.", "--revoke")] = False,
    data: Data = None,
    database: Database = None,
) -> None:
    """Make a bearer token for a program and print it, this once."""
    from hubbub.accounts import bearer, people

    with open_database(settings_from(data=data, database=database)) as store:
        person = store.read_now(lambda connection: people.find(connection, name))
        if revoke:

            def revoke_all(connection: Connection) -> list[int]:
                gone = bearer.revoke(connection, person.id)
                _record(connection, "token_revoked", person.name, f"{len(gone)} of them")
                return gone

            gone = store.write_now(revoke_all)
            typer.echo(f"Revoked {len(gone)} of the tokens of {person.name}.")
        else:

            def make(connection: Connection) -> str:
                _record(connection, "token_made", person.name)
                return bearer.create(connection, person.id, label=label, now=now())

            typer.echo(store.write_now(make))


@app.command("import")
def user_import(
    file: Annotated[Path, typer.Argument(show_default=False, help="CSV: name,display name,role.")],
    tokens_out: Annotated[Path, option("New file for the lines name,token.")],
    skip_existing: Annotated[
        bool, option("Leave those alone who have an account already.", "--skip-existing")
    ] = False,
    data: Data = None,
    database: Database = None,
) -> None:
    """Make many accounts at once, with a bearer token each: all, or none if a line is wrong."""
    from hubbub.accounts import importing

    wanted = importing.read_people(file)
    with (
        open_database(settings_from(data=data, database=database), make=True) as store,
        importing.TokensFile(tokens_out) as out,
    ):

        def make(connection: Connection) -> importing.Imported:
            done = importing.import_people(
                connection, wanted, keep=out.keep, skip_existing=skip_existing, now=now()
            )
            skipped = set(done.skipped)
            # One entry for all of them, however many: only those who may do something to others are named.
            _record(connection, "account_made", "", f"{done.added} imported, with a token each")
            for person in wanted:
                if person.role in ("admin", "owner") and person.name not in skipped:
                    _record(connection, "account_made", person.name, person.role)
            return done

        imported = store.write_now(make)
        out.done()
    for name in imported.skipped:
        typer.echo(f"Skipped {name}: there already.", err=True)
    typer.echo(f"Added {imported.added} people; their tokens are in {tokens_out}.")


def _record(connection: Connection, kind: str, about: str, detail: str = "") -> None:
    """Write down, in the same transaction, whose rights are changed."""
    from hubbub.accounts import audit

    audit.record(connection, audit.Stamp(now(), audit.COMMAND_LINE), kind, about=about, detail=detail)


def _recorded(name: str, change: Callable[[Connection], Person]) -> Callable[[Connection], Person]:
    """The change of a person, with an entry for what it changed."""
    from hubbub.accounts import people
    from hubbub.accounts.administration import changes

    def recorded(connection: Connection) -> Person:
        before = people.find(connection, name)
        after = change(connection)
        for kind, detail in changes(before, after):
            _record(connection, kind, after.name, detail)
        return after

    return recorded


def _password(from_stdin: bool) -> str:
    """A password, from standard input or typed twice."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not _at_a_terminal():
        raise UseError("There is no terminal to type a password at: use --password-stdin.")
    from getpass import getpass

    first = getpass("Password: ")
    if getpass("Again: ") != first:
        raise UseError("The two passwords are not the same.")
    return first


def _at_a_terminal() -> bool:
    return sys.stdin.isatty()


def _state(person: Person) -> str:
    if person.disabled:
        return "disabled"
    return "active" if person.has_password else "no password"
