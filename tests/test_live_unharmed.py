"""What a program does with a client beside calling: send odd bodies, copy it, end at a bad moment."""

import array
import copy
import http.client
import pickle
import threading

import httpx
import pytest
import requests
from tests.recorded_calls import make_calls, recorded
from tests.services_host import Host, Reply, b64, png

from makingof.archive.draining import drain
from makingof.event import Kind
from makingof.live.journal import Journal
from makingof.live.sessions import _Adapter, record_session
from makingof.live.transports import record_transport
from makingof.part import Part, PartType, Report
from makingof.spool.carried import start_detached

PATH = "/v1/images/generations"
BODY = b'{"model": "gpt-image-2", "prompt": "a crane"}'
HEADERS = {"Content-Type": "application/json"}


@pytest.fixture
def archive(live_archive):
    return live_archive


@pytest.fixture
def host():
    with Host() as running:
        running.replies[("POST", PATH)] = Reply({"created": 1, "data": [{"b64_json": b64(png())}]})
        yield running


@pytest.fixture
def calls(archive, host):
    made = make_calls(archive, {f"{host.url}/v1": "openai"})
    yield made
    made.close(5)


@pytest.fixture
def session(calls):
    with requests.Session() as made:
        made.trust_env = False
        record_session(made, calls)
        yield made


@pytest.fixture
def no_more_threads(monkeypatch):
    """Refuse threads of ours, as a system does at its limit, and Python from 3.12 on while a program ends."""
    start = threading.Thread.start

    def refuse(thread):
        if thread.name.startswith("makingof"):
            message = "can't create new thread at interpreter shutdown"
            raise RuntimeError(message)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)


BODIES = {
    "bytearray": lambda: bytearray(BODY),
    "memoryview": lambda: memoryview(BODY),
    "array": lambda: array.array("B", BODY),
    "pieces": lambda: iter([None, memoryview(BODY[:9]), b"", BODY[9:].decode()]),
}


@pytest.mark.parametrize("body", BODIES)
def test_whatever_requests_takes_as_a_body_is_sent_and_told(archive, host, calls, session, body):
    response = session.post(f"{host.url}{PATH}", data=BODIES[body](), headers=HEADERS, timeout=5)
    assert response.status_code == http.client.OK
    assert host.seen[0].body == BODY
    asked, made = recorded(archive, calls)
    assert asked.body(PartType.PROMPT).effective == "a crane"
    assert (made.kind, made.means) == ("generated", "live")


def test_a_session_is_copied_and_recorded_and_one_sent_elsewhere_is_as_it_was_made(
    archive, host, calls, session
):
    for copied in (copy.copy(session), copy.deepcopy(session)):
        assert copied.post(f"{host.url}{PATH}", data=BODY, headers=HEADERS).ok
    elsewhere = pickle.loads(pickle.dumps(session))  # noqa: S301 - our own bytes
    assert not any(isinstance(adapter, _Adapter) for adapter in elsewhere.adapters.values())
    assert elsewhere.post(f"{host.url}{PATH}", data=BODY, headers=HEADERS).ok
    assert [told.kind for told in recorded(archive, calls)] == ["prompted", "generated"] * 2


def test_a_transport_that_can_be_copied_still_can(calls):
    transport = record_transport(httpx.MockTransport(lambda _: httpx.Response(204)), calls)
    for copied in (copy.copy(transport), copy.deepcopy(transport)):
        with httpx.Client(transport=copied) as client:
            assert client.get("https://a.example/").status_code == http.client.NO_CONTENT


@pytest.mark.usefixtures("no_more_threads")
def test_calls_made_where_no_thread_can_be_started_are_told_at_the_end(archive, host, calls, session):
    with httpx.Client(transport=record_transport(httpx.HTTPTransport(), calls)) as client:
        assert client.post(f"{host.url}{PATH}", content=BODY, headers=HEADERS).is_success
    assert session.post(f"{host.url}{PATH}", data=BODY, headers=HEADERS).ok
    assert not calls.flush(0.1)
    assert calls.close(20)
    drain(archive)
    kinds = [str(row.kind) for row in archive.index.events(limit=100)]
    assert (kinds.count("prompted"), kinds.count("generated"), kinds.count("closed")) == (2, 2, 1)


def test_a_thread_refused_once_is_started_for_the_next_call(archive, host, calls, session, monkeypatch):
    start, refused = threading.Thread.start, []

    def refuse_first(thread):
        if thread.name.startswith("makingof") and not refused:
            refused.append(thread)
            message = "can't start new thread"
            raise RuntimeError(message)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse_first)
    assert session.post(f"{host.url}{PATH}", data=BODY, headers=HEADERS).ok
    assert refused
    assert [told.kind for told in recorded(archive, calls)] == ["prompted", "generated"]


@pytest.mark.usefixtures("no_more_threads")
@pytest.mark.filterwarnings("ignore:subprocess:ResourceWarning")  # nobody waits for it, and the program ends
def test_starting_a_drain_while_the_program_ends_raises_nothing():
    start_detached(["true"], {})


def test_a_disk_that_stands_still_holds_the_end_of_a_program_up_once(calls, monkeypatch):
    stands_still = threading.Event()
    waited = []
    monkeypatch.setattr(Journal, "close", lambda _, seconds: waited.append(seconds) or stands_still.wait(0.2))
    assert not calls.close(0.5)
    assert sum(waited) < 5 * 0.5
    assert waited[-1] < waited[0]


def test_a_redirect_nobody_followed_is_not_told_as_an_answer_that_was_missing(archive, host, calls, session):
    host.replies[("POST", PATH)] = Reply({}, 307, headers={"Location": f"{host.url}/elsewhere"})
    answer = session.post(f"{host.url}{PATH}", data=BODY, headers=HEADERS, allow_redirects=False)
    assert answer.status_code == http.client.TEMPORARY_REDIRECT
    assert calls.close(20)
    drain(archive)
    (position,) = archive.index.positions_of_kind(Kind.ATTEMPTED)
    parts = [Part.parse(stored.data) for stored in archive.log.parts(position)]
    (report,) = (part.read(Report) for part in parts if part.type is PartType.REPORT)
    assert report.text == "the answer was a redirect, and the program was not seen following it"
