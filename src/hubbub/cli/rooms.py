"""The commands `hubbub room …`."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from hubbub.cli.parts import Data, Database, Name, help_if_bare, new_app, open_database, option, settings_from

app: Final = new_app("Rooms.")


@app.callback(invoke_without_command=True)
def room(context: typer.Context) -> None:
    """Rooms."""
    help_if_bare(context)


@app.command("add")
def room_add(
    name: Name,
    kind: Annotated[str, option("public or private.", default="public")] = "public",
    topic: Annotated[str, option("What it is about.")] = "",
    data: Data = None,
    database: Database = None,
) -> None:
    """Make a room."""
    from hubbub.chat.rooms import make_room
    from hubbub.clock import SystemClock

    with open_database(settings_from(data=data, database=database), make=True) as store:
        store.write_now(lambda connection: make_room(connection, SystemClock(), name, kind, topic))
    typer.echo(f"Made the room {name}.")


@app.command("list")
def room_list(data: Data = None, database: Database = None) -> None:
    """List the rooms: name, kind, state, topic."""
    from hubbub.chat.rooms import list_rooms

    with open_database(settings_from(data=data, database=database)) as store:
        found = store.read_now(list_rooms)
    width = max((len(row.name) for row in found), default=0)
    for row in found:
        state = "archived" if row.archived else "open"
        typer.echo(f"{row.name:<{width}}  {row.kind:<7}  {state:<8}  {row.topic}".rstrip())
