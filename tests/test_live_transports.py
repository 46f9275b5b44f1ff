"""A client that is recorded behaves as it did: same bytes, same moments, and what went past is told."""

import asyncio
import hashlib
import json
import threading
import time
import zlib

import httpx
import httpx2
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.recorded_calls import all_bytes, make_calls, recorded
from tests.services_host import KEY, Host, Reply, b64, png, sse

from makingof.archive.archive import Plan, create_archive
from makingof.archive.home import Home
from makingof.clock import SystemClock
from makingof.config import Settings
from makingof.errors import UsageError
from makingof.live.exchange import Budget
from makingof.live.record_calls import record_calls
from makingof.live.services.known import Addresses
from makingof.live.sessions import record_session
from makingof.live.transports import record_client
from makingof.part import PartType

PATH = "/v1/images/generations"
ASKED = {"model": "gpt-image-2", "prompt": "黄昏里的仙鹤", "n": 1, "size": "1024x1024"}
AUTHORIZED = {"Authorization": f"Bearer {KEY}", "Cookie": "session=5f1c0e2b7a9d4c3e"}
LIBRARIES = [httpx, httpx2]


@pytest.fixture
def archive(live_archive):
    return live_archive


@pytest.fixture
def host():
    with Host() as running:
        yield running


@pytest.fixture
def calls(archive, host):
    made = make_calls(archive, {f"{host.url}/v1": "openai"})
    yield made
    made.close(5)


def answer(picture, **more):
    return {"created": 1795342272, "data": [{"b64_json": b64(picture)}], **more}


class Sync:
    """`httpx` and `httpx2`, and `requests`, by the few things all can do."""

    def __init__(self, library, calls):
        self.library = library
        self.calls = calls
        if library is requests:
            self.client = requests.Session()
            self.client.trust_env = False
        else:
            self.client = library.Client(trust_env=False, verify=False, timeout=5)
        if calls is not None:
            record = record_session if library is requests else record_client
            assert record(self.client, calls) is self.client

    def __enter__(self):
        return self.client

    def __exit__(self, *error):
        self.client.close()


ALL = [httpx, httpx2, requests]
BOTH = [httpx2, requests]  # where the two that are one implementation need not both be tried


@pytest.mark.parametrize("library", ALL)
@pytest.mark.parametrize("coding", ["", "gzip", "deflate"])
def test_a_call_is_told_before_and_after_and_the_program_gets_its_answer(
    archive, host, calls, library, coding
):
    picture = png()
    host.replies[("POST", PATH)] = Reply(
        answer(picture, quality="high"), headers={"x-request-id": "req_1"}, coding=coding
    )
    with Sync(library, calls) as client:
        response = client.post(f"{host.url}{PATH}", json=ASKED, headers=AUTHORIZED)
    assert response.json() == answer(picture, quality="high")
    assert response.headers.get("content-encoding", "") == coding
    asked, made = recorded(archive, calls)
    assert [(e.kind, e.means) for e in (asked, made)] == [("prompted", "live"), ("generated", "live")]
    assert asked.body(PartType.PROMPT).effective == ASKED["prompt"]
    assert asked.fields()["model"] == "gpt-image-2"
    assert made.files() == [("output", picture)]
    assert made.part(PartType.REPORT).vouched.job == "req_1"
    assert made.facts()["quality"] == "high"
    assert made.event.header.occurred_by == "vendor"
    assert made.event.header.cites[0] == asked.event.name


@pytest.mark.parametrize("library", ALL)
def test_no_byte_of_a_credential_is_in_the_archive(archive, host, calls, library, tmp_path):
    # This service repeats the key in its error, as some do.
    host.replies[("POST", PATH)] = lambda seen: Reply(
        {"error": {"message": f"wrong key: {seen.headers['Authorization']}", "code": "invalid_api_key"}}, 401
    )
    asked = {**ASKED, "api_key": "a-key-in-a-field", "user": "u-1"}
    with Sync(library, calls) as client:
        client.post(f"{host.url}{PATH}?key=a-key-in-the-query&api-version=3", json=asked, headers=AUTHORIZED)
    request, refused = recorded(archive, calls)
    assert host.seen[0].headers["Authorization"] == AUTHORIZED["Authorization"]
    assert (refused.kind, refused.body(PartType.REPORT).outcome) == ("attempted", "refused")
    kept = all_bytes(tmp_path)
    for secret in (KEY, "5f1c0e2b7a9d4c3e", "a-key-in-a-field", "a-key-in-the-query"):
        assert secret.encode() not in kept
    facts = request.facts()
    assert set(facts["removed"]) == {"authorization", "cookie", "query: key"}
    assert facts["removed_from_body"] == ["api_key"]
    assert facts["url"].endswith("?api-version=3")


@pytest.mark.parametrize("library", BOTH)
def test_an_error_that_quotes_a_signed_address_is_told_without_what_signs_it(
    archive, host, calls, library, tmp_path
):
    # What a service says of a picture it was to fetch and could not.
    address = "https://u:pass-word@bucket.example/a.png?X-Amz-Signature=0123456789abcdef"
    message = f"Error while downloading {address}."
    host.replies[("POST", PATH)] = Reply({"error": {"message": message, "code": "invalid_value"}}, 400)
    with Sync(library, calls) as client:
        client.post(f"{host.url}{PATH}", json={**ASKED, "image_url": address})
    refused = recorded(archive, calls)[-1]
    told = refused.body(PartType.REPORT).text
    assert told == "Error while downloading https://bucket.example/a.png?(removed by makingof)"
    kept = all_bytes(tmp_path)
    assert b"0123456789abcdef" not in kept
    assert b"pass-word" not in kept


@pytest.mark.parametrize("library", BOTH)
def test_a_prompt_that_looks_like_a_credential_stays(archive, host, calls, library):
    prompt = f'sk-live-0123456789abcdef "api_key": "{KEY}" https://a.example/b?sig=1'
    host.replies[("POST", PATH)] = Reply(answer(png()))
    with Sync(library, calls) as client:
        client.post(f"{host.url}{PATH}", json={**ASKED, "prompt": prompt})
    assert recorded(archive, calls)[0].body(PartType.PROMPT).effective == prompt


@pytest.mark.parametrize("library", ALL)
def test_events_arrive_one_by_one_and_gzip_is_not_undone_twice(archive, host, calls, library):
    events = sse(
        {"type": "image_generation.partial_image", "b64_json": b64(png("red")), "partial_image_index": 0},
        {"type": "image_generation.partial_image", "b64_json": b64(png("blue")), "partial_image_index": 1},
        {"type": "image_generation.completed", "b64_json": b64(png("green")), "created_at": 1795342272},
    )
    headers = {"Content-Type": "text/event-stream"}
    host.replies[("POST", PATH)] = Reply(chunks=events, headers=headers, pause=0.15)
    moments = []
    with Sync(library, calls) as client:
        if library is requests:
            with client.post(f"{host.url}{PATH}", json=ASKED, stream=True) as response:
                moments += [time.monotonic() for _ in response.iter_content(None)]
        else:
            with client.stream("POST", f"{host.url}{PATH}", json=ASKED) as response:
                moments += [time.monotonic() for _ in response.iter_bytes()]
    assert len(moments) == 3
    assert moments[2] - moments[0] > 0.2
    _, made = recorded(archive, calls)
    assert made.files() == [
        ("output", png("green")),
        ("preview", png("red")),
        ("preview", png("blue")),
    ]


def test_a_transport_made_the_naive_way_breaks_gzip_and_streams(host):
    """The two traps, so that nobody walks into them again."""

    class Naive(httpx.BaseTransport):
        def __init__(self):
            self.inner = httpx.HTTPTransport()

        def handle_request(self, request):
            response = self.inner.handle_request(request)
            body = response.read()
            response.close()
            return httpx.Response(response.status_code, headers=response.headers, content=body)

        def close(self):
            self.inner.close()

    host.replies[("GET", "/gzip")] = Reply({"a": 1}, coding="gzip")
    host.replies[("GET", "/slow")] = Reply(chunks=[b"1", b"2", b"3"], pause=0.1)
    with httpx.Client(transport=Naive()) as client:
        with pytest.raises(httpx.DecodingError):
            client.get(f"{host.url}/gzip")
        start = time.monotonic()
        with client.stream("GET", f"{host.url}/slow") as response:
            first = next(iter(response.iter_bytes()))
        assert first == b"123"
        assert time.monotonic() - start > 0.2


@pytest.mark.parametrize("library", LIBRARIES)
def test_an_async_client_is_recorded_and_keeps_its_moments(archive, host, calls, library):
    events = sse(
        {"type": "image_generation.partial_image", "b64_json": b64(png("red")), "partial_image_index": 0},
        {"type": "image_generation.completed", "b64_json": b64(png("green")), "created_at": 1795342272},
    )
    headers = {"Content-Type": "text/event-stream"}
    host.replies[("POST", PATH)] = Reply(chunks=events, headers=headers, pause=0.2)
    moments = []

    async def run():
        async with library.AsyncClient(trust_env=False, verify=False) as client:
            record_client(client, calls)
            async with client.stream("POST", f"{host.url}{PATH}", json=ASKED) as response:
                moments.extend([time.monotonic() async for _ in response.aiter_bytes()])

    asyncio.run(run())
    assert moments[1] - moments[0] > 0.15
    _, made = recorded(archive, calls)
    assert [role for role, _ in made.files()] == ["output", "preview"]


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_cancelled_task_is_told_as_cancelled(archive, host, calls, library):
    host.replies[("POST", PATH)] = Reply(answer(png()), wait=0.6)

    async def run():
        async with library.AsyncClient(trust_env=False, verify=False) as client:
            record_client(client, calls)
            await asyncio.wait_for(client.post(f"{host.url}{PATH}", json=ASKED), 0.2)

    with pytest.raises(TimeoutError):
        asyncio.run(run())
    _, cancelled = recorded(archive, calls)
    assert (cancelled.kind, cancelled.body(PartType.REPORT).outcome) == ("attempted", "cancelled")


@pytest.mark.parametrize("library", BOTH)
def test_a_timeout_and_a_dead_server_are_failures_and_raise_as_they_did(archive, host, calls, library):
    host.replies[("POST", PATH)] = Reply(answer(png()), wait=0.5)
    with Sync(library, calls) as client, pytest.raises((httpx.ReadTimeout, httpx2.ReadTimeout, OSError)):
        client.post(f"{host.url}{PATH}", json=ASKED, timeout=0.1)
    calls.addresses.add({"http://127.0.0.1:9/v1": "openai"})
    with (
        Sync(library, calls) as client,
        pytest.raises((httpx.ConnectError, httpx2.ConnectError, OSError)) as raised,
    ):
        client.post(f"http://127.0.0.1:9{PATH}?key={KEY}", json=ASKED)
    told = [event for event in recorded(archive, calls) if event.kind == "attempted"]
    assert [event.body(PartType.REPORT).outcome for event in told] == ["failed", "interrupted"]
    assert type(raised.value).__name__ in told[1].facts()["error"]


@pytest.mark.parametrize("library", ALL)
def test_an_answer_broken_in_the_middle_is_interrupted_and_what_came_is_kept(archive, host, calls, library):
    events = sse(
        {"type": "image_generation.partial_image", "b64_json": b64(png("red")), "partial_image_index": 0},
        {"type": "image_generation.completed", "b64_json": b64(png("green"))},
    )
    events[1] = events[1][:40]
    host.replies[("POST", PATH)] = Reply(
        chunks=events, headers={"Content-Type": "text/event-stream"}, breaks=True
    )
    expected = (httpx.RemoteProtocolError, httpx2.RemoteProtocolError, requests.RequestException)
    with Sync(library, calls) as client, pytest.raises(expected):
        client.post(f"{host.url}{PATH}", json=ASKED)
    _, broken = recorded(archive, calls)
    assert (broken.kind, broken.body(PartType.REPORT).outcome) == ("attempted", "interrupted")
    assert broken.files() == [("preview", png("red"))]


@pytest.mark.parametrize("library", BOTH)
@pytest.mark.parametrize(
    "body", [b'{"created": 1, "data": [{"b64_json": "iVBO', b"<html>gateway</html>", b""]
)
def test_an_answer_that_is_no_json_is_a_failure_with_its_bytes(archive, host, calls, library, body):
    host.replies[("POST", PATH)] = Reply(body)
    with Sync(library, calls) as client:
        assert client.post(f"{host.url}{PATH}", json=ASKED).content == body
    _, failed = recorded(archive, calls)
    assert failed.body(PartType.REPORT).outcome == "failed"
    assert bool(failed.bodies(PartType.RAW)) == bool(body)


@pytest.mark.parametrize("library", BOTH)
def test_a_server_error_and_the_retry_are_two_attempts(archive, host, calls, library):
    host.replies[("POST", PATH)] = [
        Reply({"error": {"message": "overloaded", "type": "server_error"}}, 503),
        Reply(answer(png())),
    ]
    with Sync(library, calls) as client:
        for attempt in range(2):
            client.post(f"{host.url}{PATH}", json=ASKED, headers={"X-Stainless-Retry-Count": str(attempt)})
    told = recorded(archive, calls)
    assert [event.kind for event in told] == ["prompted", "attempted", "prompted", "generated"]
    assert [event.facts()["headers"]["x-stainless-retry-count"] for event in told[::2]] == ["0", "1"]
    assert told[1].body(PartType.REPORT).outcome == "failed"
    assert told[3].event.header.cites[0] == told[2].event.name


@pytest.mark.parametrize("library", ALL)
def test_a_redirect_goes_on_with_the_same_call(archive, host, calls, library):
    host.replies[("POST", PATH)] = Reply(b"", 307, {"Location": f"{host.url}/elsewhere"})
    host.replies[("POST", "/elsewhere")] = Reply(answer(png()))
    follow = {} if library is requests else {"follow_redirects": True}
    with Sync(library, calls) as client:
        assert client.post(f"{host.url}{PATH}", json=ASKED, **follow).status_code == 200
    asked, made = recorded(archive, calls)
    assert (asked.kind, made.kind, made.means) == ("prompted", "generated", "live")


@pytest.mark.parametrize("library", BOTH)
def test_a_request_to_anybody_else_passes_untouched(archive, host, calls, library):
    host.replies[("POST", "/v1/chat/completions")] = Reply({"choices": []})
    host.replies[("GET", "/v1/images/generations")] = Reply({"a": 1})
    with Sync(library, calls) as client:
        client.post(f"{host.url}/v1/chat/completions", json={"prompt": "private"})
        client.get(f"{host.url}{PATH}")
    assert recorded(archive, calls) == []


@pytest.mark.parametrize("library", ALL)
def test_a_form_that_is_sent_in_pieces_arrives_the_same_and_is_told_with_its_files(
    archive, host, calls, library
):
    host.replies[("POST", "/v1/images/edits")] = Reply(answer(png()))
    files = {"image": ("house.png", png("white"), "image/png"), "mask": ("m.png", png("black"), "image/png")}
    form = {"model": "gpt-image-2", "prompt": "a crane on the roof", "api_key": "a-key-in-a-field"}
    with Sync(library, calls) as client:
        client.post(f"{host.url}/v1/images/edits", data=form, files=files, headers=AUTHORIZED)
    asked, _ = recorded(archive, calls)
    assert asked.files() == [("init", png("white")), ("mask", png("black"))]
    assert asked.body(PartType.PROMPT).effective == "a crane on the roof"
    body = host.seen[0].body
    assert png("white") in body
    assert b"a-key-in-a-field" in body
    assert asked.facts()["size"] == len(body)


@pytest.mark.parametrize("library", BOTH)
def test_a_body_from_a_generator_is_sent_once_and_told(archive, host, calls, library):
    host.replies[("POST", PATH)] = Reply(answer(png()))
    pieces = [json.dumps(ASKED).encode()[:20], json.dumps(ASKED).encode()[20:]]
    body = {"data": iter(pieces)} if library is requests else {"content": iter(pieces)}
    with Sync(library, calls) as client:
        client.post(f"{host.url}{PATH}", headers={"Content-Type": "application/json"}, **body)
    assert host.seen[0].body == b"".join(pieces)
    assert recorded(archive, calls)[0].body(PartType.PROMPT).effective == ASKED["prompt"]


@pytest.mark.parametrize("library", BOTH)
def test_an_answer_larger_than_the_limit_reaches_the_program_whole_and_is_a_gap(
    archive, host, calls, library
):
    calls.budget = Budget(one=1 << 20)
    chunk = bytes(range(256)) * 4096
    host.replies[("POST", PATH)] = Reply(chunks=[chunk] * 40)
    with Sync(library, calls) as client:
        response = client.post(f"{host.url}{PATH}", json=ASKED)
    assert hashlib.sha256(response.content).digest() == hashlib.sha256(chunk * 40).digest()
    told = recorded(archive, calls)
    assert [event.kind for event in told] == ["prompted", "attempted", "gap"]
    assert told[1].facts()["size"] == 40 * len(chunk)
    assert told[2].facts()["why"] == "output_not_seen"


def test_a_bomb_in_gzip_harms_nobody(archive, host, calls):
    packer = zlib.compressobj(1, wbits=31)
    zeros = bytes(1 << 20)
    bomb = b"".join(packer.compress(zeros) for _ in range(193)) + packer.flush()
    headers = {"Content-Encoding": "gzip"}
    host.replies[("POST", PATH)] = Reply(chunks=[bomb], headers=headers)
    with Sync(httpx, calls) as client, client.stream("POST", f"{host.url}{PATH}", json=ASKED) as response:
        assert sum(len(piece) for piece in response.iter_bytes()) == 193 << 20
    assert [event.kind for event in recorded(archive, calls)] == ["prompted", "attempted"]


def test_a_client_is_wrapped_once_and_its_transport_is_still_what_it_was(calls):
    with httpx.Client() as client:
        record_client(client, calls)
        first = client._transport
        record_client(client, calls)
        assert client._transport is first
        assert isinstance(first, httpx.BaseTransport)
        assert first._pool is first._inner._pool


def test_a_recorder_that_fails_costs_the_program_nothing(archive, host, calls, capsys):
    host.replies[("POST", PATH)] = Reply(answer(png()))

    class Broken(Addresses):
        def find(self, *_arguments):
            raise RuntimeError(KEY)

    calls.addresses = Broken()
    for library in ALL:
        with Sync(library, calls) as client:
            assert client.post(f"{host.url}{PATH}", json=ASKED).status_code == 200
    told = recorded(archive, calls)
    assert [event.facts()["why"] for event in told] == ["hook_error"] * 3
    assert KEY not in capsys.readouterr().err


def test_many_threads_and_one_client_give_whole_records(archive, host, calls):
    pictures = {f"picture {number}": png(size=(number + 1, 1)) for number in range(12)}
    host.replies[("POST", PATH)] = lambda seen: Reply(answer(pictures[json.loads(seen.body)["prompt"]]))
    with Sync(httpx, calls) as client:
        threads = [
            threading.Thread(
                target=client.post, args=(f"{host.url}{PATH}",), kwargs={"json": {**ASKED, "prompt": p}}
            )
            for p in pictures
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    told = recorded(archive, calls)
    made = {
        event.body(PartType.PROMPT).effective: event.files()[0][1]
        for event in told
        if event.kind == "generated"
    }
    assert made == pictures
    assert {event.means for event in told} == {"live"}


def test_something_that_is_no_client_is_refused():
    with pytest.raises(UsageError):
        record_calls(object())


@pytest.fixture(scope="module")
def steady(tmp_path_factory):
    """One archive, one server and a pair of clients, recorded and not, for many exchanges."""
    folder = tmp_path_factory.mktemp("steady")
    made, _ = create_archive(
        Home(folder / ".makingof", folder / "state"), SystemClock(), Plan("Test Owner", Settings())
    )
    with made, Host() as host:
        calls = make_calls(made, {f"{host.url}/v1": "openai"})
        pairs = {
            library.__name__: (Sync(library, calls), Sync(library, None))
            for library in (httpx, httpx2, requests)
        }
        yield host, pairs
        for pair in pairs.values():
            for client in pair:
                client.__exit__()
        calls.close(20)


@pytest.mark.parametrize("library", ALL)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sent=st.binary(max_size=400),
    chunks=st.lists(st.binary(min_size=1, max_size=300), max_size=4),
    status=st.sampled_from([200, 201, 400, 404, 500]),
    headers=st.dictionaries(
        st.sampled_from(["X-Request-Id", "Content-Type", "X-Other", "Seed"]),
        st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20),
        max_size=3,
    ),
)
def test_whatever_is_exchanged_the_program_sends_and_gets_the_same(
    steady, library, sent, chunks, status, headers
):
    host, pairs = steady
    host.replies[("POST", PATH)] = Reply(b"", status, headers, chunks)
    del host.seen[:]
    found = []
    for one in pairs[library.__name__]:
        response = (
            one.client.post(f"{host.url}{PATH}", data=sent)
            if library is requests
            else one.client.post(f"{host.url}{PATH}", content=sent)
        )
        found.append((response.status_code, dict(response.headers), response.content))
    assert found[0] == found[1]
    assert found[0][2] == b"".join(chunks)
    ours, theirs = host.seen
    assert (ours.body, ours.headers) == (theirs.body, theirs.headers)
    assert ours.body == sent
