"""The commands `hubbub backup`, `restore` and `doctor`. What ``--help`` does not need is imported where it is used."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

if TYPE_CHECKING:
    from hubbub.maintenance.database import Contents
    from hubbub.maintenance.restore import Present

NOT_DONE: Final = 1

Data = Annotated[
    Path | None,
    # What can't be read is said, and what to do about it, by what reads it.
    typer.Option(help="Folder of the database.  [default: data]", show_default=False, readable=False),
]
Database = Annotated[
    str | None, typer.Option(help="URL of the database, in place of --data.", show_default=False)
]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line `app`."""
    app.command()(backup)
    app.command()(restore)
    app.command()(doctor)


def backup(
    file: Annotated[
        Path, typer.Argument(show_default=False, readable=False, help="Where the copy is to be.")
    ],
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it is there.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print what is in the copy as JSON.")] = False,
    data: Data = None,
    database: Database = None,
) -> None:
    """Copy the database of a running or stopped server to FILE, checked and complete."""
    from hubbub.maintenance.backup import back_up  # noqa: PLC0415
    from hubbub.maintenance.database import sqlite_path  # noqa: PLC0415
    from hubbub.maintenance.files import megabytes  # noqa: PLC0415

    with _failing_in_a_line():
        made = back_up(sqlite_path(_settings(data, database)), file, replace=force)
    if json:
        typer.echo(_as_json(made))
        return
    typer.echo(f"Copied {megabytes(made.size_bytes)} to {made.file}, checked.")
    typer.echo(f"In it: {made.contents}.")


def restore(
    file: Annotated[
        Path, typer.Argument(show_default=False, readable=False, help="A copy that `hubbub backup` made.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Replace the present database without asking.")] = False,
    data: Data = None,
    database: Database = None,
) -> None:
    """Put the copy FILE in the place of a stopped server's database, which is kept beside it."""
    from hubbub.clock import SystemClock  # noqa: PLC0415
    from hubbub.maintenance.database import sqlite_path  # noqa: PLC0415
    from hubbub.maintenance.restore import restore as put_back  # noqa: PLC0415

    with _failing_in_a_line():
        done = put_back(
            file,
            sqlite_path(_settings(data, database)),
            SystemClock(),
            (lambda *_: True) if yes else _agreed,
        )
    typer.echo(f"Restored {done.database} from {file}.")
    typer.echo(f"In it: {done.contents}.")
    if done.kept is not None:
        typer.echo(f"The database that was there is now {done.kept}.")
    typer.echo("Accounts, passwords, sessions and invitations are again as they were when the copy was made.")


def doctor(
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    host: Annotated[
        str | None, typer.Option(help="Address the server listens at.", show_default=False)
    ] = None,
    port: Annotated[str | None, typer.Option(help="Its port.", show_default=False)] = None,
    data: Data = None,
    database: Database = None,
) -> None:
    """Check what a server needs, and say what to do. Changes nothing. Status 1 if there is a problem."""
    from hubbub.clock import SystemClock  # noqa: PLC0415
    from hubbub.maintenance.doctor import examine  # noqa: PLC0415
    from hubbub.maintenance.findings import as_json, as_text, problems  # noqa: PLC0415

    given = {"data": data, "database": database, "host": host, "port": port}
    findings = examine(os.environ, given, SystemClock())
    typer.echo(as_json(findings) if json else as_text(findings))
    raise typer.Exit(NOT_DONE if problems(findings) else 0)


def _settings(data: Path | None, database: str | None) -> Any:
    from hubbub.settings import load  # noqa: PLC0415

    return load(os.environ, {"data": data, "database": database})


@contextlib.contextmanager
def _failing_in_a_line() -> Iterator[None]:
    """Say in one line why something was refused, and end with status 1. A signal to end cleans up first, too."""
    from hubbub.maintenance.errors import MaintenanceError  # noqa: PLC0415

    former = {number: signal.signal(number, _end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    except MaintenanceError as error:
        typer.echo(f"hubbub: {error}", err=True)
        raise typer.Exit(NOT_DONE) from None
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _end(number: int, _frame: object) -> None:
    sys.exit(128 + number)


def _agreed(present: Present, found: Contents) -> bool:
    """Whether the one at the terminal wants the database replaced."""
    from hubbub.maintenance.errors import MaintenanceError  # noqa: PLC0415

    if not sys.stdin.isatty():
        raise MaintenanceError(
            f"{present.path} has something in it ({present}), and there is no terminal to ask at: replace it with"
            " --yes; it is kept beside under another name."
        )
    typer.echo(f"{present.path} is there: {present}.")
    typer.echo(f"The copy has: {found}.")
    return typer.confirm("Put the copy in its place? (What is there is kept beside.)")


def _as_json(made: Any) -> str:
    import msgspec  # noqa: PLC0415

    return msgspec.json.format(msgspec.json.encode(made, enc_hook=str)).decode()
