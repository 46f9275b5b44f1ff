"""The index in SQLite answers as every index does."""

import pytest
from tests.contract.index import *  # noqa: F403 - a backend's test file is a constructor and imports
from tests.contract.index_events import *  # noqa: F403
from tests.contract.index_files import *  # noqa: F403
from tests.contract.index_search import *  # noqa: F403
from tests.contract.index_time import *  # noqa: F403

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
