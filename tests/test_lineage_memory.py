"""The graph in memory answers as every graph does."""

import pytest
from tests.contract.graph import *  # noqa: F403 - a backend's test file is a constructor and an import


@pytest.fixture
def graph_of():
    return lambda history: history.graph()
