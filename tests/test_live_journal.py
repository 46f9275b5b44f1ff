"""A Python program that hands over: in order, from its own thread, and never at the program's cost."""

import os
import subprocess
import sys
import threading

import pytest
from tests.hooks import connect_hook, events, own_facts, picture, prompt, report

from makingof.archive.archive import Plan, create_archive
from makingof.archive.draining import drain
from makingof.archive.hooks import hook_folder
from makingof.clock import SystemClock
from makingof.config import Settings
from makingof.errors import UsageError
from makingof.event import Kind
from makingof.live.connection import find_connection
from makingof.live.journal import Journal, Statement, open_journal, wait_for

SOURCE = {"name": "makingof-tests", "version": "1", "tool": "tests"}


@pytest.fixture
def archive(home):
    made, _ = create_archive(home, SystemClock(), Plan("Test Owner", Settings()))
    with made:
        yield made


@pytest.fixture
def journal(archive):
    hook = connect_hook(archive, "python")
    connection = {"id": hook.id, "secret": hook.secret, "spool": hook.spool}
    made = Journal(connection, SOURCE, lambda: {"device": "cpu"}, max_waiting=10)
    yield made
    made.close(5)


def asked():
    return Statement([prompt()])


def answered():
    return Statement([report(job="j")], [picture()])


def test_a_request_and_its_result_are_live(archive, journal):
    request = journal.tell("prompted", asked)
    result = journal.tell("generated", answered, requests=[request])
    assert journal.close(5)
    drain(archive)
    assert (request.number, result.number) == (1, 2)
    assert events(archive, "opened", "prompted", "generated", "closed") == [
        ("opened", "own"),
        ("prompted", "live"),
        ("generated", "live"),
        ("closed", "own"),
    ]
    assert own_facts(archive, Kind.GAP) == []


def test_nothing_is_written_before_anything_is_told(archive, journal):
    assert journal.close(5)
    drain(archive)
    assert events(archive, "opened") == []


def test_a_statement_that_fails_is_a_gap_and_the_next_is_recorded(archive, journal):
    def broken():
        message = "no such \udc80 tensor"
        raise RuntimeError(message)

    failed = journal.tell("prompted", broken)
    request = journal.tell("prompted", asked)
    assert wait_for([failed, request], 5)
    assert (failed.number, journal.errors) == (None, 1)
    journal.close(5)
    drain(archive)
    assert [facts["why"] for facts in own_facts(archive, Kind.GAP)] == ["hook_error"]
    assert events(archive, "prompted") == [("prompted", "live")]


def test_telling_never_waits_for_a_disk_that_stands_still(archive, journal):
    stands_still = threading.Event()

    def slow():
        stands_still.wait(10)
        return asked()

    tickets = [journal.tell("prompted", slow)] + [journal.tell("prompted", asked) for _ in range(20)]
    assert not journal.flush(0.01)
    dropped = [ticket for ticket in tickets if ticket.written.is_set()]
    stands_still.set()
    assert journal.close(60)
    drain(archive)
    lost = [facts["lost"] for facts in own_facts(archive, Kind.GAP) if facts["why"] == "hook_lost"]
    assert dropped
    assert lost == [len(dropped)]
    assert len(events(archive, "prompted")) == len(tickets) - len(dropped)


def test_what_the_disk_refuses_is_counted_and_said(archive, journal):
    spool = journal.stream.connection["spool"]
    assert journal.tell("prompted", asked).written.wait(5)
    os.rename(spool, spool + "-away")  # noqa: PTH104
    with open(spool, "w", encoding="ascii") as file:  # noqa: PTH123 - a file where the folder was
        file.write("full")
    refused = journal.tell("prompted", asked)
    assert refused.written.wait(5)
    assert refused.number is None
    os.remove(spool)  # noqa: PTH107
    os.rename(spool + "-away", spool)  # noqa: PTH104
    journal.tell("prompted", asked)
    journal.close(5)
    drain(archive)
    assert [facts["lost"] for facts in own_facts(archive, Kind.GAP)] == [1]
    assert len(events(archive, "prompted")) == 2


def test_nothing_told_after_closing_raises(journal):
    journal.tell("prompted", asked)
    journal.close(5)
    assert journal.tell("prompted", asked).written.is_set()
    assert journal.flush(1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a system without fork has no forked children")
@pytest.mark.filterwarnings("ignore:This process")
def test_a_forked_child_has_a_stream_of_its_own(archive, journal):
    journal.tell("prompted", asked)
    assert journal.flush(5)
    child = os.fork()
    if child == 0:
        journal.tell("prompted", asked)
        os._exit(0 if journal.close(5) else 1)
    assert os.waitpid(child, 0)[1] == 0
    journal.close(5)
    drain(archive)
    assert own_facts(archive, Kind.GAP) == []
    assert [means for _, means in events(archive, "prompted")] == ["live", "live"]
    assert len(events(archive, "opened")) == 2


PROGRAM = """
from makingof.live.journal import Statement, open_journal
journal = open_journal("tests", "1", dict)
prompt = {"type": "prompt", "from": "api", "body": {"effective": "a crane"}}
journal.tell("prompted", lambda: Statement([prompt]))
"""


def program(archive, code, **changes):
    env = {
        **os.environ,
        "MAKINGOF_STATE": str(archive.home.state),
        "MAKINGOF_ARCHIVE": str(archive.home.path),
    }
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=env | changes, capture_output=True, text=True, timeout=60, check=False)


def test_a_program_connects_itself_and_hands_over_what_it_told_before_it_ends(archive):
    for _ in range(2):
        done = program(archive, PROGRAM)
        assert (done.returncode, done.stderr) == (0, "")
    drain(archive)
    assert [means for _, means in events(archive, "prompted")] == ["live", "live"]
    assert [hook.tool for hook in hook_folder(archive).all()] == ["python"]
    assert [facts["what"] for facts in own_facts(archive, Kind.CONFIGURED)] == ["connected"]


def test_the_connection_is_that_of_the_log_written_now(archive, monkeypatch):
    monkeypatch.setenv("MAKINGOF_STATE", str(archive.home.state))
    hook = connect_hook(archive, "python")
    assert find_connection(archive.home.path.parent)["id"] == hook.id
    hook_folder(archive).remove(hook)
    assert find_connection(archive.home.path)["id"] != hook.id


def test_without_an_archive_it_says_so_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("MAKINGOF_ARCHIVE", str(tmp_path / "nothing"))
    with pytest.raises(UsageError, match="there is no archive") as caught:
        open_journal("tests", "1", dict)
    assert "makingof init" in "".join(caught.value.__notes__)  # a traceback shows the advice too
