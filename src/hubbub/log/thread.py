"""The thread that writes to the database: one, so that there is one order."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue


class WriterThread:
    """A thread that runs what it is given, one after another. Cheaper a hop than an executor's future."""

    def __init__(self, name: str) -> None:
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def run(self, task: Callable[[], None]) -> None:
        """Run `task` after those before it."""
        self._queue.put(task)

    def stop(self) -> None:
        """End the thread after what it was given."""
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (task := self._queue.get()) is not None:
            task()
