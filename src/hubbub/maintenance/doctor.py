"""`hubbub doctor`: everything that a server needs, looked at one after another. Changes nothing."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from hubbub.clock import Clock
from hubbub.log.store import StoreError, engines
from hubbub.maintenance import machine
from hubbub.maintenance.database import sqlite_path
from hubbub.maintenance.disk import check_disk, check_permissions
from hubbub.maintenance.errors import MaintenanceError, reason
from hubbub.maintenance.findings import Finding, problem, warning
from hubbub.maintenance.lock import server_runs
from hubbub.maintenance.soundness import Examined, check_database
from hubbub.maintenance.surroundings import check_port, check_settings, check_static, check_tls
from hubbub.settings import Settings


def examine(environment: Mapping[str, str], given: Mapping[str, Any], clock: Clock) -> list[Finding]:
    """Everything there is to find for a server with these settings. Raises `SettingError` for what was `given`."""
    settings, findings = check_settings(environment, given)
    findings.append(machine.versions())
    now = clock.now()
    examined = Examined([])
    serving = False
    try:
        path = sqlite_path(settings)
    except MaintenanceError as error:
        findings.append(_of_another_kind(settings, error))
    else:
        serving = server_runs(path)
        findings += _looked("folder", lambda: check_disk(path))
        findings += _looked("permissions", lambda: check_permissions(path))
        examined = _database(path)
        findings += examined.findings
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return [
        *findings,
        machine.clock(now, examined.newest_ms),
        check_port(settings, serving=serving),
        machine.open_files(-1 if hard == resource.RLIM_INFINITY else hard),
        *_looked("TLS", lambda: check_tls(settings, now)),
        *_looked("pages", lambda: check_static(settings)),
    ]


def _looked(check: str, look: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """What `look` finds; what the system refuses it is a finding too."""
    findings: list[Finding] = []
    try:
        findings.extend(look())
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        findings.append(
            problem(check, f"{where}{reason(error)}", "Run this as the user that the server runs as.")
        )
    return findings


def _database(path: Path) -> Examined:
    found: list[Examined] = []

    def look() -> list[Finding]:
        found.append(check_database(path))
        return found[0].findings

    findings = _looked("database", look)
    return found[0] if found else Examined(findings)


def _of_another_kind(settings: Settings, error: MaintenanceError) -> Finding:
    """What is said of a database that is not a file of SQLite's."""
    try:
        kind = make_url(settings.database_url).get_backend_name()
        if kind == "sqlite":
            found, _, advice = str(error).partition(": ")
            return problem("database", found, advice[:1].upper() + advice[1:])
        engines(settings.database_url)
    except (ArgumentError, ValueError):
        return problem("database", "its URL can't be read", str(error))
    except StoreError as refused:
        found, _, advice = str(refused).partition(". ")
        return problem("database", found, advice)
    return warning(
        "database",
        f"it is {kind}, and only SQLite is looked at here",
        "Check it with that database's own tools.",
    )
