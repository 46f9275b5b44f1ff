"""Hearing what InvokeAI calls out, from a real Socket.IO server that says what a real InvokeAI said."""

import socket
import sys
import threading

import pytest
from tests.hooks import events
from tests.invokeai_calling import calling, wait_for
from tests.invokeai_host import RECORDED, InvokeAI, serving

from makingof.archive.following import Following
from makingof.capture.invokeai import InvokeAIFollower
from makingof.capture.invokeai_calls import InvokeAICalls, listen
from makingof.capture.local_http import LocalHost
from makingof.clock import SystemClock
from makingof.event import Event, Kind
from makingof.part import Part, PartType, Report

STATUS = "queue_item_status_changed"
LAST = RECORDED["calls"][-1]


@pytest.fixture
def caller():
    with calling() as made:
        yield made


@pytest.fixture
def calls(caller):
    heard = listen(LocalHost.parse(caller.url))
    assert heard is not None
    assert caller.subscribed.wait(10)
    yield heard
    heard.close()


def test_what_a_real_invokeai_said_of_a_job_is_heard_and_taken_once(caller, calls):
    for told in RECORDED["calls"]:
        caller.call(STATUS, told)
    wait_for(
        lambda: (
            calls._said.get(LAST["item_id"]) and calls._said[LAST["item_id"]].said["status"] == "completed"
        )
    )
    assert calls.is_called
    (called,) = calls.take()
    assert (called.session, called.said["completed_at"]) == (LAST["session_id"], LAST["completed_at"])
    assert (calls.take(), calls.is_called) == ([], False)


def test_a_batch_that_begins_calls_for_a_look_and_tells_of_no_job(caller, calls):
    caller.call("batch_enqueued", {"queue_id": "default", "batch_id": "b", "enqueued": 1})
    wait_for(lambda: calls.is_called)
    assert calls.take() == []


def test_progress_does_not_call(caller, calls):
    caller.call("invocation_progress", {"item_id": 1, "session_id": "s", "image": {"dataURL": "data:…"}})
    caller.call("queue_cleared", {})
    wait_for(lambda: calls.is_called)
    assert calls.take() == []


@pytest.mark.parametrize(
    "told",
    [None, [], "x", {}, {"item_id": "1"}, {"item_id": 1, "session_id": 7}, LAST | {"session_id": "redacted"}],
)
def test_a_call_of_another_shape_tells_of_no_job(told):
    calls = InvokeAICalls()
    calls.hear(STATUS, told)
    assert calls.is_called
    assert calls.take() == []


def test_what_is_kept_of_calls_has_an_end():
    calls = InvokeAICalls()
    for number in range(10_010):
        calls.hear(STATUS, LAST | {"item_id": number})
    assert len(calls.take()) == 10_000


def test_a_token_goes_along(caller):
    calls = listen(LocalHost.parse(caller.url, "let-me-in"))
    assert calls is not None
    assert caller.subscribed.wait(10)
    assert caller.auth == [{"token": "let-me-in"}]
    calls.close()


def test_hanging_up_does_not_wait_for_somebody_who_never_answers():
    calls = listen(LocalHost.parse("http://127.0.0.1:1"))
    assert calls is not None
    (thread,) = [thread for thread in threading.enumerate() if thread.name == "makingof-calls"]
    calls.close()
    thread.join(10)
    assert not thread.is_alive()


def test_somebody_who_answers_later_is_heard():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    calls = listen(LocalHost.parse(f"http://127.0.0.1:{port}"))
    assert calls is not None
    with calling(port) as caller:
        assert caller.subscribed.wait(20)
        calls.close()


def test_without_the_extra_nobody_listens_and_that_is_said(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "socketio", None)
    host = LocalHost.parse("http://127.0.0.1:1")
    assert listen(host) is None
    assert "makingof[invokeai]" in str(InvokeAIFollower(host, tmp_path).remark)


def test_a_job_that_came_and_went_between_two_looks_is_recorded_by_invokeais_own_word(
    archive, tmp_path, caller, calls
):
    archive.clock = archive.recorder._clock = SystemClock()
    host = InvokeAI(tmp_path / "invokeai")
    with serving(host) as url:
        following = Following(archive, InvokeAIFollower(LocalHost.parse(url), host.root, calls))
        following.look()
        item = host.enqueue()
        session = host.session_id(item)
        host.leave_queue(item)
        caller.call(
            STATUS, LAST | {"item_id": item, "session_id": session, "status": "canceled", "started_at": None}
        )
        wait_for(lambda: calls.is_called)
        assert following.look() == 1
        assert following.look() == 0
    host.close()
    assert events(archive, "attempted") == [("attempted", "watched")]
    (position,) = archive.index.positions_of_kind(Kind.ATTEMPTED)
    assert Event.parse(archive.log.entry(position)).header.source.tool == "invokeai"
    parts = [Part.parse(part.data) for part in archive.log.parts(position)]
    report = next(part.read(Report) for part in parts if part.type is PartType.REPORT)
    assert (report.outcome, report.job, report.facts["left_the_queue"]) == ("cancelled", session, "yes")
