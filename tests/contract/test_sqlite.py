"""The log on SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hubbub.log.store import Store, open_store
from tests.contract.log import StoreContract, WriterContract
from tests.contract.reading import MarksContract, PagesContract


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path / 'hubbub.db'}")
    yield store
    store.close()


class TestWriterOnSqlite(WriterContract):
    """Batches on SQLite."""


class TestStoreOnSqlite(StoreContract):
    """Reading and writing on SQLite."""


class TestPagesOnSqlite(PagesContract):
    """Pages on SQLite."""


class TestMarksOnSqlite(MarksContract):
    """Marks on SQLite."""


class TestLogInMemory(WriterContract, StoreContract, PagesContract, MarksContract):
    """A database in memory, whose one connection is shared."""

    @pytest.fixture
    def store(self) -> Iterator[Store]:
        store = open_store("sqlite://")
        yield store
        store.close()
