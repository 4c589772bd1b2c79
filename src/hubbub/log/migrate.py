"""Bringing a database up to date with Alembic, at start, with a copy of the database kept first."""

from __future__ import annotations

import secrets
import sqlite3
from pathlib import Path
from typing import Final

import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, select

from hubbub.log import schema

_SCRIPTS: Final = Path(__file__).parent / "migrations"
logger = structlog.get_logger(__name__)


class NewerDatabase(Exception):
    """The database was made by a newer Hubbub than this one."""


def migrate(engine: Engine) -> None:
    """Bring the tables up to date. A SQLite database that has something in it is copied first, beside itself.

    Idempotent. Raises `NewerDatabase` for a database of a later version, which it leaves alone.
    """
    config = _config()
    scripts = migrations()
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in scripts.walk_revisions()}
    if current is not None and current not in known:
        raise NewerDatabase(
            f"The database is of a newer version ({current}). Install a newer Hubbub to open it."
        )
    if current != scripts.get_current_head():
        if current is not None:
            _keep_copy(engine, current)
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    with engine.begin() as connection:
        _name_epoch(connection)


def migrations() -> ScriptDirectory:
    """The migrations that this Hubbub has."""
    return ScriptDirectory.from_config(_config())


def new_epoch() -> str:
    """A random name for a log: clients that hold numbers of another one start anew."""
    return secrets.token_hex(8)


def _config() -> Config:
    config = Config()
    # Alembic reads a % as the start of a name to fill in.
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    return config


def _name_epoch(connection: Connection) -> None:
    meta = schema.meta
    if connection.scalar(select(meta.c.value).where(meta.c.key == "epoch")) is None:
        connection.execute(meta.insert().values(key="epoch", value=new_epoch()))


def _keep_copy(engine: Engine, revision: str) -> None:
    database = engine.url.database
    if engine.dialect.name != "sqlite" or not database or database == ":memory:":
        return
    path = Path(database)
    copy = path.with_name(f"{path.stem}.before-{revision}{path.suffix}")
    with sqlite3.connect(path) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    source.close()
    target.close()
    logger.info("database copied before the upgrade", copy=str(copy))
