"""Fixtures shared by all tests: a clock that stands still, and archives in a folder of their own."""

from contextlib import ExitStack

import pytest
from tests.a1111_host import A1111
from tests.clocks import ManualClock
from tests.logs import make_log
from tests.webui_run import running

from makingof.archive.archive import Plan, create_archive
from makingof.archive.home import Home
from makingof.clock import SystemClock
from makingof.config import Settings


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "work" / ".makingof", tmp_path / "state")


@pytest.fixture
def archive(home, clock):
    made, _ = create_archive(home, clock, Plan("Test Owner", Settings()))
    with made:
        yield made


@pytest.fixture
def live_archive(home):
    """An archive on the machine's own clocks, as hooks in other programs have them."""
    made, _ = create_archive(home, SystemClock(), Plan("Test Owner", Settings()))
    with made:
        yield made


@pytest.fixture
def log(tmp_path):
    with make_log(tmp_path) as log:
        yield log


@pytest.fixture
def start_webui(archive, tmp_path, monkeypatch):
    """Start a stand-in of a version with the hook in it."""
    with ExitStack() as stack:
        yield lambda version: stack.enter_context(running(archive, tmp_path / "webui", version, monkeypatch))


@pytest.fixture
def webui(start_webui):
    return start_webui(A1111)
