"""The store in memory keeps the promises of every store."""

import pytest
from tests.contract.blob_store import *  # noqa: F403 - a backend's test file is a constructor and an import

from makingof.store.memory import MemoryStore


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def damage(store):
    return store._blobs.__setitem__
