"""Checkpoints of SQLite's write-ahead log, off the writer's path.

Left to itself, SQLite copies thousands of pages within some unlucky commit, and every message of that batch waits.
Here most of the work is done beside the writer, and what came meanwhile, which is little, between two batches; then
the write-ahead log begins anew (SQLite's documentation, "Write-Ahead Logging", §2.2 and §2.3).
"""

from __future__ import annotations

import sqlite3
from typing import Final

import structlog

from hubbub.log.thread import WriterThread

ROWS_BETWEEN: Final = 4_000
_ROWS_OF_A_BATCH: Final = 2  # about how many a batch counts for besides its own rows

logger = structlog.get_logger(__name__)


class Checkpointer:
    """Starts a checkpoint of the database at `path` after so many rows. Called from the writer's thread."""

    def __init__(self, path: str, writer: WriterThread, between: int = ROWS_BETWEEN) -> None:
        self._path = path
        self._writer = writer
        self._between = between
        self._thread = WriterThread("hubbub-checkpoint")
        self._rows = 0
        self._running = False

    def wrote(self, rows: int) -> None:
        """A batch of so many rows was committed."""
        self._rows += rows + _ROWS_OF_A_BATCH
        if self._rows >= self._between and not self._running:
            self._rows = 0
            self._running = True
            self._thread.run(self._copy_most)

    def stop(self) -> None:
        """End the thread. What is left is done when the last connection closes."""
        self._thread.stop()

    def _copy_most(self) -> None:
        self._checkpoint()
        self._writer.run(self._copy_rest)

    def _copy_rest(self) -> None:
        """In the writer's thread: with nobody writing, the copy is complete and the log can begin anew."""
        self._checkpoint()
        self._running = False

    def _checkpoint(self) -> None:
        try:
            connection = sqlite3.connect(self._path, timeout=0)
            try:
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            finally:
                connection.close()
        except sqlite3.Error as error:  # the disk is full, say: the log grows until it is not
            logger.warning("checkpoint failed", reason=str(error))
