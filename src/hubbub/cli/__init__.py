"""The command line: arguments in, calls out. What ``--help`` does not need is imported where it is used.

Every failure is a line on standard error and a status: 1 for what could not be done, 2 for bad use or settings.
"""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any, Final, NoReturn

import typer

from hubbub import __version__
from hubbub.cli import auditing, rooms, running, users
from hubbub.cli.parts import UseError, help_if_bare, new_app, option

NOT_DONE: Final = 1
BAD_USE: Final = 2
INTERRUPTED: Final = 130

app: Final = new_app("Live rooms: a chat server with one command.")
app.command(cls=running.ServeCommand)(running.serve)
app.command()(running.bench)
app.command()(running.torture)
app.command()(auditing.audit)
app.add_typer(users.app, name="user")
app.add_typer(rooms.app, name="room")


@app.callback(invoke_without_command=True)
def hubbub(
    context: typer.Context,
    version: Annotated[bool, option("Print the version and end.", "--version")] = False,
) -> None:
    """Live rooms: a chat server with one command."""
    if version:
        typer.echo(f"hubbub {__version__}")
        raise typer.Exit
    help_if_bare(context)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and end the process with its status: 0, 1 (not done), 2 (bad use or settings)."""
    _add_maintenance()
    try:
        status = app(
            list(sys.argv[1:] if arguments is None else arguments), prog_name="hubbub", standalone_mode=False
        )
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    except BrokenPipeError:
        # Who read our output has gone (`| head`): keep Python from saying so again when it closes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = NOT_DONE
    except Exception as error:
        if os.environ.get("HUBBUB_LOG_LEVEL") == "debug":
            raise
        status, lines = _explained(error)
        for line in lines:
            print(f"hubbub: {line}", file=sys.stderr)
    sys.exit(status or 0)


def _add_maintenance() -> None:
    """Add backup, restore, doctor and move, which `hubbub.maintenance.commands` offers as `add_to(app)`."""
    if find_spec("hubbub.maintenance") is not None:
        import_module("hubbub.maintenance.commands").add_to(app)


def _explained(error: Exception) -> tuple[int, list[str]]:
    """Exit status and lines for a person."""
    if hasattr(error, "format_message"):  # bad use, as Typer found it
        return BAD_USE, [_bad_use(error)]
    from hubbub.errors import Refused
    from hubbub.settings import SettingError

    if isinstance(error, SettingError | UseError) or _is_start_error(error):
        return BAD_USE, [str(error)]
    if isinstance(error, Refused):
        return NOT_DONE, [error.detail]
    return _explained_storage(error)


def _explained_storage(error: Exception) -> tuple[int, list[str]]:
    from hubbub.accounts.importing import BadImportError
    from hubbub.log.migrate import NewerDatabase
    from hubbub.log.store import StoreError

    if isinstance(error, StoreError | NewerDatabase):
        return BAD_USE, [str(error)]
    if isinstance(error, BadImportError):
        return NOT_DONE, error.lines
    if isinstance(error, OSError) and error.strerror:
        return NOT_DONE, [f"{error.filename}: {error.strerror}" if error.filename else error.strerror]
    return NOT_DONE, [
        f"This is a bug: {type(error).__name__}: {' '.join(str(error).split())} (HUBBUB_LOG_LEVEL=debug shows where)"
    ]


def _is_start_error(error: Exception) -> bool:
    server = sys.modules.get("hubbub.server")  # loaded only by what starts one
    return server is not None and isinstance(error, server.StartError)


def _bad_use(error: Any) -> str:
    near = difflib.get_close_matches(
        getattr(error, "option_name", ""), getattr(error, "possibilities", None) or (), n=1, cutoff=0
    )
    if near:
        return f"No such option: {error.option_name}. Did you mean {near[0]}?"
    return " ".join(str(error.format_message()).split())
