"""The command `hubbub audit`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from hubbub.cli.parts import Data, Database, open_database, option, settings_from

if TYPE_CHECKING:
    from hubbub.accounts.audit import Entry


def audit(
    limit: Annotated[int, typer.Option(min=1, max=200_000, help="How many at most, the newest.")] = 100,
    kind: Annotated[str | None, option("Only these: login, wrong_password, role, …")] = None,
    json: Annotated[bool, option("Print JSON, a line for each.", "--json")] = False,
    data: Data = None,
    database: Database = None,
) -> None:
    """Show who changed whose rights, and what was refused to whom; the newest last."""
    import msgspec

    from hubbub.accounts.audit import listed

    with open_database(settings_from(data=data, database=database)) as store:
        found = store.read_now(lambda connection: listed(connection, kind=kind, limit=limit))
    for entry in reversed(found):
        typer.echo(msgspec.json.encode(entry).decode() if json else _line(entry))


def _line(entry: Entry) -> str:
    from hubbub.clock import rfc3339

    about = f" about {entry.about}" if entry.about and entry.about != entry.who else ""
    often = f" ({entry.count} times, until {rfc3339(entry.until / 1000)})" if entry.count > 1 else ""
    detail = f": {entry.detail}" if entry.detail else ""
    return (
        f"{rfc3339(entry.at / 1000)}  {entry.kind:<20}  {entry.who or '-'}{about}"
        f" from {entry.address or '-'}{detail}{often}"
    )
