"""The commands `serve`, `bench` and `torture`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core

from hubbub.cli.parts import Data, Database, option, settings_from


class ServeCommand(typer.core.TyperCommand):
    """The command `serve`, whose help ends with the settings that have no option."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write them, each with its default."""
        from hubbub.settings import ENVIRONMENT_PREFIX, Settings

        options = {parameter.name for parameter in self.params}
        formatter.write_paragraph()
        formatter.write_text(
            "Each option may also stand in the environment, as HUBBUB_HOST and so on; a list with commas between. "
            "These have no option. A limit of 0 is no limit."
        )
        with formatter.section("Settings of the environment"):
            formatter.write_dl(
                [
                    (f"{ENVIRONMENT_PREFIX}{name.upper()}", f"[default: {getattr(Settings(), name)}]")
                    for name in Settings.__struct_fields__
                    if name not in options
                ]
            )


def serve(  # noqa: PLR0913, PLR0917 - one argument an option
    host: Annotated[str | None, option("Address to listen at.", default="127.0.0.1")] = None,
    port: Annotated[str | None, option("Port to listen at; 0: any that is free.", default="8082")] = None,
    data: Data = None,
    database: Database = None,
    bus: Annotated[str | None, option("URL of the bus between nodes; none: this process alone.")] = None,
    allow_origin: Annotated[
        list[str] | None, option("Origin of pages that may talk to us besides our own. May be repeated.")
    ] = None,
    static: Annotated[Path | None, option("Folder served at / in place of the built-in page.")] = None,
    tls_cert: Annotated[Path | None, option("Certificate (PEM), for TLS.")] = None,
    tls_key: Annotated[Path | None, option("Its key (PEM).")] = None,
    trust_proxy: Annotated[
        list[str] | None,
        option("Address or network of a proxy whose X-Forwarded-For is believed. May be repeated."),
    ] = None,
    log_format: Annotated[str | None, option("auto, text or json.", default="auto")] = None,
    log_level: Annotated[str | None, option("debug, info, warning or error.", default="info")] = None,
) -> None:
    """Start the server."""
    settings = settings_from(
        host=host,
        port=port,
        data=data,
        database=database,
        bus=bus,
        allow_origin=allow_origin or None,
        static=static,
        tls_cert=tls_cert,
        tls_key=tls_key,
        trust_proxy=trust_proxy or None,
        log_format=log_format,
        log_level=log_level,
    )
    from hubbub.server import run

    raise typer.Exit(run(settings))


def bench(  # noqa: PLR0913, PLR0917 - one argument an option
    url: Annotated[str | None, option("ws://host:port/ws of a server; none: start one.")] = None,
    connections: Annotated[int, option("How many.", default="100")] = 100,
    rooms: Annotated[int, option("Over how many rooms they are spread.", default="1")] = 1,
    senders: Annotated[int, option("Who send, in each room.", default="1")] = 1,
    window: Annotated[int, option("Messages in flight, a sender.", default="1")] = 1,
    rate: Annotated[float, option("Messages a second of all together, answered or not; 0: --window.")] = 0.0,
    seconds: Annotated[float, option("How long.", default="10")] = 10.0,
    warmup: Annotated[float, option("How long before it counts, in seconds.", default="2")] = 2.0,
    messages: Annotated[int | None, option("How many in all, in place of --seconds.")] = None,
    size: Annotated[int, option("Characters of a message.", default="64")] = 64,
    tokens: Annotated[Path | None, option("Lines name,token, as `user import` writes them.")] = None,
    server_pid: Annotated[
        int | None, option("The server's process, whose CPU and memory are measured.")
    ] = None,
    slow: Annotated[int, option("Connections that read nothing.", default="0")] = 0,
    processes: Annotated[int, option("Of the generator; 0: as suits the machine.")] = 0,
    json: Annotated[bool, option("Print JSON.", "--json")] = False,
) -> None:
    """Measure a server under load."""
    arguments = dict(locals())
    from hubbub.bench.command import BenchOptions, run_bench

    raise typer.Exit(run_bench(BenchOptions(**arguments)))


def torture(  # noqa: PLR0917 - one argument an option
    seed: Annotated[int | None, option("Draws the faults; the same seed draws the same.")] = None,
    rounds: Annotated[
        int, option("Of talk and faults, with peace and a look at everything after each.", default="10")
    ] = 10,
    seconds: Annotated[float, option("A round.", default="5")] = 5.0,
    clients: Annotated[int, option("How many.", default="6")] = 6,
    rooms: Annotated[int, option("Public ones; there is a private one too.", default="3")] = 3,
    faults: Annotated[str, option("Which, with commas between: kill,cut,…; none: all.")] = "",
    keep: Annotated[Path | None, option("Folder for the data, which stays there.")] = None,
) -> None:
    """Hurt a server of its own in every way, and see that no promise is broken."""
    arguments = dict(locals())
    from hubbub.torture.command import run_torture

    raise typer.Exit(run_torture(**arguments))
