"""Hubbub beside others: who was measured, the table, and what is said of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.chart import Bar, Panel, svg
from bench.page import Measured, markdown, median, written
from bench.peers.peer import PEERS
from bench.workloads import CPU, DELIVERIES, LATENCY, MEMORY, P50, P99, Figure
from hubbub.bench.load import Result

FLOOR: Final = "floor"
HUBBUB: Final = "hubbub"
IN_MEMORY: Final = "in-memory"

_NONE: Final = "–"
_FAULTY: Final = " †"


@dataclass(frozen=True)
class Column:
    """A figure of one workload. `ratio` is whether it is compared with the floor's, `more` whether more of it is better."""

    letter: str
    figure: Figure
    ratio: bool = False
    more: bool = False


@dataclass(frozen=True)
class Server:
    """One that was measured."""

    key: str
    name: str


@dataclass(frozen=True)
class Installed:
    """A peer that takes part: its key and name, its version, and how its room is written."""

    key: str
    name: str
    version: str
    how: str


COLUMNS: Final = (
    Column("A", CPU, ratio=True),
    Column("B", CPU, ratio=True),
    Column("C", CPU, ratio=True),
    Column("D", DELIVERIES, ratio=True, more=True),
    Column(LATENCY, P50),
    Column(LATENCY, P99),
    Column("C", MEMORY),
)

NAMES: Final = {FLOOR: "floor", HUBBUB: "**Hubbub**", IN_MEMORY: "the same, log in memory"}


def servers(measured: Sequence[Measured]) -> list[Server]:
    """All that were measured in any workload with peers: the floor, Hubbub, then the others."""
    with_peers = [each for each in measured if each.workload.peers]
    keys = [FLOOR, HUBBUB, IN_MEMORY]
    listed = [Server(key, key) for key in keys] + [Server(peer.key, peer.name) for peer in PEERS]
    return [server for server in listed if any(results_of(each, server.key) for each in with_peers)]


def results_of(measured: Measured, key: str) -> list[Result]:
    """The runs of one server in one workload."""
    of_ours = {FLOOR: measured.floor, HUBBUB: measured.hubbub, IN_MEMORY: measured.in_memory}
    return of_ours[key] if key in of_ours else measured.peers.get(key, [])


def is_faulty(measured: Measured, key: str) -> bool:
    """Whether a server lost, repeated or swapped something in this workload."""
    return key in measured.peer_faults


def columns(measured: Sequence[Measured]) -> list[tuple[Column, Measured]]:
    """The columns whose workload was measured."""
    by_letter = {each.workload.letter: each for each in measured}
    return [(column, by_letter[column.letter]) for column in COLUMNS if column.letter in by_letter]


def table(
    measured: Sequence[Measured],
    head: str = "",
    names: Mapping[str, str] = NAMES,
    figures: Mapping[str, str] | None = None,
) -> str:
    """One line for each server. `names` are those of the floor and of Hubbub, `figures` those of figures; none: as they are."""
    shown = columns(measured)
    said = figures or {}
    titles = [f"{column.letter}: {said.get(column.figure.name, column.figure.name)}" for column, _ in shown]
    rows = [[head, *titles]]
    for server in servers(measured):
        cells = [_cell(column, each, server.key) for column, each in shown]
        rows.append([names.get(server.key, server.name), *cells])
    return markdown(rows, right=range(1, len(shown) + 1))


def _cell(column: Column, measured: Measured, key: str) -> str:
    value = median(column.figure, results_of(measured, key))
    if value is None:
        return _NONE
    floor = median(column.figure, measured.floor)
    ratio = f" ({value / floor:,.2f} ×)" if column.ratio and floor and key != FLOOR else ""
    return written(column.figure, value) + ratio + (_FAULTY if is_faulty(measured, key) else "")


def section(
    measured: Sequence[Measured], installed: Sequence[Installed], left_out: Sequence[str]
) -> list[str]:
    """The part of the page that has Hubbub beside others; nothing if no other was asked for."""
    if not installed and not left_out:
        return []
    return [
        "## Beside others\n",
        *(
            ["![The same figures as bars](benchmark.svg)\n", table(measured, "server"), _HOW]
            if installed
            else []
        ),
        *[f"- **{peer.name}** {peer.version}: {peer.how}." for peer in installed],
        *[f"- {line}." for line in left_out],
        *_rates(measured),
        *_omissions(measured),
        *_faults(measured),
        "",
    ]


def _rates(measured: Sequence[Measured]) -> list[str]:
    return [
        f"- In {each.workload.letter}, {each.workload.options.rate:,g} messages a second were asked of each."
        for each in measured
        if each.workload.letter == LATENCY
    ]


def _omissions(measured: Sequence[Measured]) -> list[str]:
    names = {peer.key: peer.name for peer in PEERS}
    return [
        f"- {names[key]} was not measured in {each.workload.letter}: {why}."
        for each in measured
        for key, why in each.omitted.items()
    ]


def _faults(measured: Sequence[Measured]) -> list[str]:
    names = {peer.key: peer.name for peer in PEERS}
    return [
        f"-{_FAULTY} {names[key]} in {each.workload.letter}: {'; '.join(faults)}."
        for each in measured
        for key, faults in each.peer_faults.items()
    ]


_HOW: Final = """The ratio is to the floor. All speak to the same load generator over one WebSocket a member, without TLS and without compression, and
each is one process that listens on loopback (CPU and memory are of all its processes). Their rooms are in memory: none of
them but Hubbub has accounts, checks who may speak, or keeps a message; nobody should read the table as if they did the same work.
**The same, log in memory** is Hubbub with its database on a file system in memory: what is between the two is the disk's part of a
commit. Each was measured in turn in each round; one whose first round took very long was measured once. The servers are in
`bench/peers/servers`, a page each, written as its own documentation recommends for a room:
"""


# --- the chart


_PANELS: Final = (
    (COLUMNS[0], "A: 100 members of one room", "CPU µs a delivery, less is better"),
    (COLUMNS[1], "B: 1,000 members of one room", "CPU µs a delivery, less is better"),
    (COLUMNS[2], "C: 1,000 members of 100 rooms", "CPU µs a delivery, less is better"),
    (
        COLUMNS[3],
        "D: 1,000 members, 100 messages in flight",
        "deliveries a second, more is better",
    ),
    (
        COLUMNS[5],
        "L: 1,000 members, {rate:,g} messages a second",
        "latency p99 in ms, less is better",
    ),
    (COLUMNS[6], "C: memory", "resident KiB a connection, less is better"),
)


def chart(measured: Sequence[Measured], machine: Mapping[str, str]) -> str:
    """The table's figures as bars."""
    by_letter = {each.workload.letter: each for each in measured}
    shown = [server for server in servers(measured) if server.key != IN_MEMORY]
    panels = [
        Panel(
            title.format(rate=by_letter[column.letter].workload.options.rate),
            note,
            [_bar(column, by_letter[column.letter], server) for server in shown],
            cut=not column.more,
        )
        for column, title, note in _PANELS
        if column.letter in by_letter
    ]
    has_faults = any(each.peer_faults for each in measured if each.workload.peers)
    marks = ["† lost, repeated or swapped messages."] if has_faults else []
    cut = " A bar with a gap is cut short." if any(panel.has_cut for panel in panels) else ""
    return svg(
        "Hubbub beside others",
        "Medians of one run, each server one process on the same machine. Only Hubbub has accounts and keeps messages on disk.",
        panels,
        [
            f"The floor is a C program with one send() for each member.{cut}",
            *marks,
            f"Measured on {machine['processor']}.",
        ],
    )


def _bar(column: Column, measured: Measured, server: Server) -> Bar:
    kind = server.key if server.key in (FLOOR, HUBBUB) else "peer"
    name = server.name if kind == "peer" else server.key.capitalize()
    value = median(column.figure, results_of(measured, server.key))
    if value is None:
        return Bar(name, None, "not measured", kind)
    mark = _FAULTY if is_faulty(measured, server.key) else ""
    return Bar(name, value, _short(column.figure, value) + mark, kind)


def _short(figure: Figure, value: float) -> str:
    """Three digits or so, which is what a bar can show."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if figure is DELIVERIES and value >= size:
            return f"{value / size:.3g} {letter}"
    return f"{value:,.{0 if value >= 100 else 1 if value >= 10 else 2}f}"
