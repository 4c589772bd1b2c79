"""The database: one writer, many readers, never on the event loop.

`read` runs a function with a connection that can only read; `write` runs one in a transaction of its own, in the
thread of the one writer, between the batches of the log. Both take plain functions of a SQLAlchemy connection.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import StaticPool

from hubbub.errors import UNAVAILABLE, Refused
from hubbub.log.driver import driven
from hubbub.log.thread import WriterThread

T = TypeVar("T")

READERS: Final = 2
_BUSY_MILLISECONDS: Final = 5_000
_NO_BEGIN: Final = {"no_begin": True}


class StoreError(Exception):
    """The database can't be opened or used; the text says why and what to do, in one line."""


class Store:
    """The database behind one server. Open it with `open_store`; close it with `close`."""

    def __init__(self, writing: Engine, reading: Engine) -> None:
        self.writing = writing
        self.reading = reading
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="hubbub-read")
        self.thread = WriterThread("hubbub-write")
        self.in_memory = writing is reading  # then there is one connection, for whoever has the turn
        self._syncs = True  # whether a commit on the writing connection waits for the disk
        self._connection: Connection | None = None  # the writing one, kept open
        self._turn = threading.RLock()  # for that one, which not only the writer's thread asks for
        self._own = threading.local()  # each reading thread's connection
        self._opened: list[Connection] = []  # all of those

    async def read(self, query: Callable[[Connection], T]) -> T:
        """`query`'s result on a connection that can only read. `Refused` (unavailable) if the database fails."""
        if self.in_memory:
            return await self.write(query)
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_now, query)

    async def write(self, change: Callable[[Connection], T]) -> T:
        """`change`'s result once it is on disk, in a transaction of its own; undone if it raises.

        `Refused` (unavailable) if the database fails; an integrity error passes as it is.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        def work() -> None:
            try:
                result = self.write_now(change)
            except Exception as error:  # noqa: BLE001 - it goes to the one who waits
                loop.call_soon_threadsafe(_settle, done, None, error)
            else:
                loop.call_soon_threadsafe(_settle, done, result, None)

        self.thread.run(work)
        return await done

    def read_now(self, query: Callable[[Connection], T]) -> T:
        """The same as `read`, in this thread: for the command line."""
        try:
            if self.in_memory:
                with self._turn, self.reading.connect() as connection:
                    return query(connection)
            return self._read(query)
        except DBAPIError as error:
            raise failed(error) from error

    def _read(self, query: Callable[[Connection], T]) -> T:
        """`query`'s result, all of it of one moment, on this thread's reading connection."""
        connection = self._readable()
        try:
            driven(connection, "BEGIN")
            try:
                return query(connection)
            finally:
                driven(connection, "ROLLBACK")
        except DBAPIError:
            connection.close()
            raise

    def _readable(self) -> Connection:
        """This thread's reading connection, kept open, in what SQLAlchemy takes for one transaction."""
        connection, pool = getattr(self._own, "connection", None), self.reading.pool
        if connection is None or connection.closed or connection.invalidated or self._own.pool is not pool:
            connection = self.reading.connect().execution_options(**_NO_BEGIN)
            connection.begin()
            self._own.connection, self._own.pool = connection, pool
            self._opened.append(connection)
        return connection

    def write_now(self, change: Callable[[Connection], T]) -> T:
        """The same as `write`, in this thread: for the command line."""
        try:
            with self.transaction() as connection:
                return change(connection)
        except sa.exc.IntegrityError:
            raise
        except DBAPIError as error:
            raise failed(error) from error

    @contextmanager
    def transaction(self, *, synced: bool = True) -> Iterator[Connection]:
        """The writing connection, in a transaction: committed at the end, undone by an exception.

        One that is not `synced` is there for everyone at once, but a loss of power may take it until the next one.
        """
        with self._turn:
            yield from self._transaction(self._writable(), synced=synced)

    def _transaction(self, connection: Connection, *, synced: bool) -> Iterator[Connection]:
        try:
            if synced != self._syncs:
                self._syncs = False  # until it is known to be so
                driven(connection, f"PRAGMA synchronous={'FULL' if synced else 'NORMAL'}")
                self._syncs = synced
            driven(connection, "BEGIN IMMEDIATE")
            try:
                yield connection
                driven(connection, "COMMIT")
            except BaseException:
                with suppress(DBAPIError):  # a full disk, say, has undone it already
                    driven(connection, "ROLLBACK")
                raise
        except OperationalError:
            # A commit that failed may leave its transaction open: giving the connection back undoes it, or drops it.
            connection.close()
            raise

    def _writable(self) -> Connection:
        """The writing connection, in what SQLAlchemy takes for one transaction.

        The real ones begin and end within it, in the driver's own words: SQLAlchemy's cost as much as a commit.
        """
        connection = self._connection
        if connection is None or connection.closed or connection.invalidated:
            connection = self._connection = self.writing.connect().execution_options(**_NO_BEGIN)
            connection.begin()
        return connection

    def close(self) -> None:
        """Wait for what is under way and close every connection."""
        self.thread.stop()
        self._readers.shutdown()
        for connection in [*self._opened, *([self._connection] if self._connection is not None else [])]:
            connection.close()
        self.reading.dispose()
        self.writing.dispose()


def _settle(done: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if done.cancelled():
        return
    if error is not None:
        done.set_exception(error)
    else:
        done.set_result(result)


def failed(error: DBAPIError) -> Refused:
    """The refusal for a database that failed: a full disk, a lock, a lost connection. Nothing was written."""
    return Refused(UNAVAILABLE, retry_after_seconds=1.0)


def open_store(url: str) -> Store:
    """Open the database at SQLAlchemy `url` and bring its tables up to date. Raises `StoreError`."""
    from hubbub.log.migrate import migrate  # noqa: PLC0415 - Alembic is slow to import

    writing, reading = engines(url)
    _check_search()
    try:
        migrate(writing)
    except (DatabaseError, sqlite3.Error) as error:
        reason = str(getattr(error, "orig", error))
        raise StoreError(
            f"The database {_shown(url)} can't be opened: {reason}. {_advice(url, reason)}"
        ) from error
    return Store(writing, reading)


def _check_search() -> None:
    """Raises `StoreError` where SQLite can't index text by its parts."""
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.execute("CREATE VIRTUAL TABLE probe USING fts5(text, tokenize='trigram')")
        except sqlite3.Error:
            raise StoreError(
                f"Search needs SQLite 3.34 or later with FTS5, and this Python has SQLite {sqlite3.sqlite_version}: "
                "use a newer Python."
            ) from None


def parsed_url(url: str) -> URL:
    """The parts of a database's URL. Raises `StoreError` if it is none."""
    try:
        return make_url(url)
    except ArgumentError:
        raise StoreError(
            "This is no database URL. Write --database sqlite:///path/to/file.db, or leave it out and give --data."
        ) from None


def engines(url: str) -> tuple[Engine, Engine]:
    """A writing engine (one connection) and a reading engine for `url`. Raises `StoreError` for one that can't be."""
    parsed = parsed_url(url)
    if parsed.get_backend_name() != "sqlite":
        try:
            parsed.get_dialect()
        except NoSuchModuleError:
            known = "sqlite"
            raise StoreError(
                f"There is no driver for {parsed.drivername!r} databases. Known: {known}."
            ) from None
        raise StoreError(
            f"Databases of the kind {parsed.get_backend_name()!r} are not there yet. Use SQLite."
        )
    if in_memory(parsed):
        shared = {"check_same_thread": False}
        engine = sa.create_engine(parsed, poolclass=StaticPool, connect_args=shared, hide_parameters=True)
        _set_up_sqlite(engine, "IMMEDIATE", read_only=False)
        return engine, engine
    if parsed.database:
        _prepare_file(Path(parsed.database))
    # Errors are logged: they hold no parameters, which are messages and hashes.
    writing = sa.create_engine(parsed, pool_size=1, max_overflow=0, hide_parameters=True)
    reading = sa.create_engine(parsed, pool_size=READERS, max_overflow=-1, hide_parameters=True)
    _set_up_sqlite(writing, "IMMEDIATE", read_only=False)
    _set_up_sqlite(reading, "DEFERRED", read_only=True)
    return writing, reading


def in_memory(url: URL) -> bool:
    """Whether `url` names a SQLite database in memory, which is gone when the server ends."""
    return url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")


def _prepare_file(path: Path) -> None:
    """A file that nobody else may read; what SQLite puts beside it has the same rights."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(
            f"The data folder {path.parent} can't be made: {error.strerror}. Give another with --data."
        ) from error
    with suppress(OSError):  # SQLite will say what is wrong
        path.touch(mode=0o600, exist_ok=True)


def _set_up_sqlite(engine: Engine, begin: str, *, read_only: bool) -> None:
    # SQLAlchemy's documented recipe: take transactions out of the driver's hands, so that BEGIN is ours.
    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")
        connection.execute("PRAGMA foreign_keys=ON")
        if read_only:
            connection.execute("PRAGMA query_only=ON")
        else:
            connection.execute("PRAGMA journal_mode=WAL")
            # FULL: a commit that returned has been synced, so that what was echoed survives a loss of power.
            connection.execute("PRAGMA synchronous=FULL")
            # What is deleted is overwritten: not every SQLite is built so. Here it costs only where something is deleted.
            connection.execute("PRAGMA secure_delete=ON")
            # Small checkpoints, often: a batch waits while one runs. And in this thread alone: SQLite before 3.51.3
            # can damage a database if a checkpoint and a write meet (its documentation, "The WAL-Reset Bug").
            connection.execute("PRAGMA wal_autocheckpoint=1000")
            connection.execute("PRAGMA cache_size=-32000")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        if not connection.get_execution_options().get("no_begin"):
            driven(connection, f"BEGIN {begin}")


def _shown(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True).removeprefix("sqlite:///")


def _advice(url: str, reason: str) -> str:
    if "malformed" in reason or "not a database" in reason:
        return "The file is damaged, or no database: put a backup in its place with `hubbub restore FILE`."
    if "locked" in reason:
        return "Another program holds it: end that one first."
    if "full" in reason:
        return "Make room on the disk and start again; nothing is lost."
    if "readonly" in reason or "read-only" in reason:
        return "Give this user the right to write there, or another folder with --data."
    return "Check that the folder is there and may be written, or give another with --data."
