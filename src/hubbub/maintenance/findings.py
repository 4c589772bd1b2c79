"""What `hubbub doctor` found: one line each, and for what is not right also what to do."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec


class Level(StrEnum):
    """How much it matters. A problem keeps the server from working, or its data from being safe."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at. `advice` says what to do; it is empty where all is well."""

    check: str
    level: Level
    found: str
    advice: str = ""


def fine(check: str, found: str) -> Finding:
    """All is well."""
    return Finding(check, Level.OK, found)


def warning(check: str, found: str, advice: str) -> Finding:
    """It works, and may not for long or for many."""
    return Finding(check, Level.WARNING, found, advice)


def problem(check: str, found: str, advice: str) -> Finding:
    """It does not work, or is not safe."""
    return Finding(check, Level.PROBLEM, found, advice)


def problems(findings: Sequence[Finding]) -> int:
    """How many problems are among them."""
    return sum(finding.level is Level.PROBLEM for finding in findings)


def as_text(findings: Sequence[Finding]) -> str:
    """Lines for people."""
    width = max((len(finding.check) for finding in findings), default=0)
    lines = []
    for finding in findings:
        lines.append(f"{finding.level:<7}  {finding.check:<{width}}  {finding.found}")
        if finding.advice:
            lines.append(f"{'':<7}  {'':<{width}}  → {finding.advice}")
    warnings = sum(finding.level is Level.WARNING for finding in findings)
    lines += ["", f"{_counted(problems(findings), 'problem')}, {_counted(warnings, 'warning')}."]
    return "\n".join(lines)


def as_json(findings: Sequence[Finding]) -> str:
    """The same for programs: ``{"ok": …, "checks": [{"check", "level", "found", "advice"}, …]}``."""
    encoded = msgspec.json.encode({"ok": not problems(findings), "checks": findings})
    return msgspec.json.format(encoded).decode()


def _counted(count: int, noun: str) -> str:
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"
