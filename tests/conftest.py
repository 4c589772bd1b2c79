"""What holds for all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

from tests.support.fixtures import accounts, connect, server, start_server

__all__ = ["accounts", "connect", "server", "start_server"]

# No deadline and no complaint of slowness: both hold a stopwatch, and fail on a machine that is busy. Under CI the
# examples are the same in each run, so that a red run says something about the change; elsewhere they roam.
settings.register_profile(
    "hubbub",
    deadline=None,
    derandomize=os.environ.get("CI", "") not in ("", "0", "false"),
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("hubbub")


@pytest.fixture(autouse=True)
def structlog_as_it_was() -> Iterator[None]:
    """A test that sets up logging leaves nothing of it to the next."""
    yield
    structlog.reset_defaults()
