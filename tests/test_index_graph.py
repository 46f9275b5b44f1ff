"""The graph of the index answers as every graph does."""

import pytest
from tests.contract.graph import *  # noqa: F403 - a backend's test file is a constructor and an import

from makingof.index.queries import Index


@pytest.fixture
def graph_of():
    opened = []

    def make(history):
        index = Index.in_memory()
        opened.append(index)
        index.follow(history)
        return index.graph(history)

    yield make
    for index in opened:
        index.close()
