"""What the commands share: options, settings, the database, and how help is given."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from hubbub.log.store import Store
    from hubbub.settings import Settings


class UseError(Exception):
    """The command can't be run like this; the text says why and how it can, in one line."""


def new_app(help_: str) -> typer.Typer:
    """A group of commands, with plain help and without Typer's own tracebacks."""
    return typer.Typer(
        add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, help=help_
    )


def option(help_: str, *names: str, default: str = "") -> Any:
    """An option that is None where it was not given, so that the environment counts; `default` is for the help."""
    shown = f"{help_}  [default: {default}]" if default else help_
    return typer.Option(*names, help=shown, show_default=False)


Data = Annotated[Path | None, option("Folder of the database.", default="data")]
Database = Annotated[str | None, option("URL of the database, in place of --data.")]
PasswordStdin = Annotated[bool, option("Read the password from standard input.", "--password-stdin")]
Name = Annotated[str, typer.Argument(show_default=False)]


def help_if_bare(context: typer.Context) -> None:
    """Show the group's help if no command of it was given."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit


def settings_from(**given: Any) -> Settings:
    """Settings from what was given (None: was not) and the environment. Raises `SettingError`."""
    from hubbub.settings import load

    return load(os.environ, given)


def database_exists(settings: Settings) -> bool:
    """Whether there is a file of this database, if it is one of the kind that is a file."""
    file = _sqlite_file(settings.database_url)
    return file is None or file.exists()


@contextmanager
def open_database(settings: Settings, *, make: bool = False) -> Iterator[Store]:
    """The database, for one command. One that is not there is made only by what adds to it."""
    import structlog

    from hubbub.log.store import StoreError, open_store

    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    if not database_exists(settings):
        file = _sqlite_file(settings.database_url)
        if not make:
            raise StoreError(
                f"There is no database at {file}: give its folder with --data, or its URL with --database."
            )
        print(f"hubbub: making a new database at {file}", file=sys.stderr)
    store = open_store(settings.database_url)
    try:
        yield store
    finally:
        store.close()


def _sqlite_file(url: str) -> Path | None:
    prefix = "sqlite:///"
    return Path(url.removeprefix(prefix)) if url.startswith(prefix) else None


def now() -> int:
    """Milliseconds since 1970."""
    return int(time.time() * 1000)
