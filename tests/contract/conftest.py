"""The shared suites say what differs, like any test."""

import pytest

pytest.register_assert_rewrite("tests.contract.log", "tests.contract.reading")
