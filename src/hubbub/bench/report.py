"""A result in words and as JSON."""

from __future__ import annotations

from typing import Any, Final

from hubbub.bench.findings import Fault
from hubbub.bench.load import LATENCY_PERCENTILES, Result

_LABEL: Final = 14
_VALUE: Final = 14
_NOT_MEASURED: Final = "not measured: no --server-pid of a process on this machine"


def text(result: Result) -> str:
    """The result for people: one line for each figure, its unit and what it means."""
    return "\n".join(
        [_title(result), "", *_rates(result), *_latency(result), *_server(result), *_checks(result)]
    )


def faults(result: Result) -> list[str]:
    """What went wrong, one line each; nothing if all was well."""
    lines = []
    for fault, count in result.findings.counts.items():
        words = result.findings.words.get(fault, [])
        lines.append(f"{count:,} {fault}")
        lines += [f"  {line}" for line in words]
        if count > len(words) and fault is not Fault.LOSS:
            lines.append("  …")
    return lines


def as_json(result: Result) -> dict[str, Any]:
    """The result for programs. The unit of each figure is in its name; what was not measured is null."""
    options = result.options
    return {
        "options": {
            "connections": options.connections,
            "rooms": options.rooms,
            "senders_per_room": options.senders,
            "window": None if options.rate else options.window,
            "rate_per_second": options.rate or None,
            "message_characters": options.size,
            "slow_readers": options.slow,
            "processes": result.processes,
        },
        "seconds": result.seconds,
        "deliveries_per_second": result.deliveries_per_second,
        "messages_per_second": result.messages_per_second,
        "acknowledged_per_second": result.acknowledged_per_second,
        "latency_ms": {
            **{f"p{percent:g}": result.latency.percentile(percent) / 1000 for percent in LATENCY_PERCENTILES},
            "max": result.latency.largest / 1000,
        },
        "sent_late_ms": {
            "p99": result.late_sends.percentile(99) / 1000,
            "max": result.late_sends.largest / 1000,
        },
        "server": {
            "cpu_cores": result.server_cores,
            "cpu_us_per_delivery": result.cpu_us_per_delivery,
            "cpu_us_per_message": result.cpu_us_per_message,
            "cpu_us_per_connect": result.cpu_us_per_connect,
            "kib_per_connection": result.kib_per_connection,
            "resident_kib": result.server.resident_kib,
        },
        "generator_cpu_cores": result.generator_cores,
        "others_cpu_cores": result.other_cores,
        "checked_deliveries": result.deliveries,
        "checked_other_entries": result.other_entries,
        "gaps": result.gaps,
        "fetched_after_gaps": result.missed_in_gaps,
        "faults": {fault.name.lower(): result.findings.counts.get(fault, 0) for fault in Fault},
        "fault_examples": {fault.name.lower(): words for fault, words in result.findings.words.items()},
    }


def _title(result: Result) -> str:
    options = result.options
    how = (
        f"{options.rate:,g} messages a second in all"
        if options.rate
        else f"{_count(options.window, 'message')} in flight each"
    )
    slow = f", {options.slow:,} of them never reading" if options.slow else ""
    return (
        f"{_count(options.connections, 'connection')} in {_count(options.rooms, 'room')}{slow}; "
        f"{_count(options.senders, 'sender')} a room, {how}; messages of {options.size:,} characters; "
        f"{result.seconds:.1f} s measured"
    )


def _rates(result: Result) -> list[str]:
    return [
        _line(
            "deliveries",
            f"{result.deliveries_per_second:,.0f} /s",
            "messages received by members, the sender's own too",
        ),
        _line("messages", f"{result.messages_per_second:,.0f} /s", "sent"),
        _line(
            "acknowledged",
            f"{result.acknowledged_per_second:,.0f} /s",
            "came back to their sender: they are stored",
        ),
    ]


def _latency(result: Result) -> list[str]:
    lines = [
        _line(f"latency p{percent:g}", f"{result.latency.percentile(percent) / 1000:,.2f} ms", meaning)
        for percent, meaning in zip(
            LATENCY_PERCENTILES,
            ("from the time a message was to be sent to each delivery", "", "", ""),
            strict=True,
        )
    ]
    return [*lines, _line("latency max", f"{result.latency.largest / 1000:,.2f} ms")]


def _server(result: Result) -> list[str]:
    if result.server.cpu_seconds is None:
        return [_line("server", "–", _NOT_MEASURED)]
    return [
        _line("server CPU", _figure(result.server_cores, ".2f", "cores")),
        _line("", _figure(result.cpu_us_per_delivery, ",.2f", "µs"), "a delivery"),
        _line(
            "",
            _figure(result.cpu_us_per_message, ",.1f", "µs"),
            "an acknowledged message, all its deliveries included",
        ),
        _line(
            "",
            _figure(result.cpu_us_per_connect, ",.0f", "µs"),
            "a connection, from its handshake until all have entered",
        ),
        _line(
            "server memory",
            _figure(result.kib_per_connection, ",.1f", "KiB"),
            "a connection: resident, all entered, minus before",
        ),
    ]


def _checks(result: Result) -> list[str]:
    lines = [
        _line(
            "generator", f"{result.generator_cores:.2f} cores", f"in {_count(result.processes, 'process')}"
        ),
        _line(
            "sent late",
            f"{result.late_sends.percentile(99) / 1000:,.2f} ms",
            "p99, by the generator; counted in the latency",
        ),
    ]
    if result.gaps:
        lines.append(
            _line(
                "gaps",
                f"{result.gaps:,}",
                f"readers fell behind and fetched {result.missed_in_gaps:,} entries",
            )
        )
    verdict = "faults, see below" if result.findings else "complete, each once, in order, the same for all"
    return [*lines, _line("checked", f"{result.deliveries:,}", f"deliveries: {verdict}")]


def _figure(value: float | None, form: str, unit: str) -> str:
    return "–" if value is None else f"{value:{form}} {unit}"


def _line(label: str, value: str, meaning: str = "") -> str:
    return f"  {label:<{_LABEL}}{value:>{_VALUE}}  {meaning}".rstrip()


def _count(number: int, thing: str) -> str:
    plural = "processes" if thing == "process" else f"{thing}s"
    return f"{number:,} {thing if number == 1 else plural}"
