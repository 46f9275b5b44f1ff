"""The index in SQLite answers as every index does."""

import pytest
from tests.contract.index import *  # noqa: F403 - a backend's test file is a constructor and an import

from makingof.index.queries import Index


@pytest.fixture
def make_index():
    opened = []

    def make():
        opened.append(Index.in_memory())
        return opened[-1]

    yield make
    for index in opened:
        index.close()
