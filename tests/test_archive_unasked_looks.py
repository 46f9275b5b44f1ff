"""Second looks nobody asks for: a running host on the loopback, a hook in it or a follower beside it."""

import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.hooks import connect_hook, events, own_facts, picture, prompt, report, stream_of

from makingof.archive.draining import drain
from makingof.archive.following import Following
from makingof.archive.running import record_on
from makingof.archive.second_look import last_second_looks
from makingof.archive.unasked_looks import look_at_hosts, look_where_news
from makingof.capture.comfyui import ComfyUIFollower
from makingof.capture.local_http import LocalHost
from makingof.clock import SystemClock
from makingof.event import Kind

OLD_MS = 1_600_000_000_000


class RunningHost:
    """A ComfyUI as far as its history and the hook's own answer go."""

    def __init__(self, secret=""):
        self.secret = secret
        self.history = {}
        self.asked = []
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                host.asked.append(urlsplit(self.path).path)
                body = json.dumps(host.answer(urlsplit(self.path))).encode()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, path):
        if path.path == "/makingof/hook":
            asked = parse_qs(path.query)["say"][0]
            question = f"makingof-doctor/1\n{asked}\n".encode()
            return {
                "mac": hmac.new(bytes.fromhex(self.secret), question, "sha256").hexdigest(),
                "attached": [],
            }
        return {
            "/history": self.history,
            "/queue": {"queue_running": [], "queue_pending": []},
            "/system_stats": {},
        }[path.path]

    def end(self, job, ended_ms=OLD_MS):
        messages = [
            ["execution_start", {"timestamp": ended_ms}],
            ["execution_success", {"timestamp": ended_ms}],
        ]
        status = {"status_str": "success", "completed": True, "messages": messages}
        self.history[job] = {"prompt": [1, job, {}, {}, []], "outputs": {}, "status": status}

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def hooked(archive):
    """A host with a hook of this archive in it, and the stream the hook opened."""
    hook = connect_hook(archive, "comfyui")
    with RunningHost(hook.secret) as host:
        host.stream = stream_of(hook, archive.clock)
        host.stream.source = {**host.stream.source, "tool": "comfyui"}
        host.stream.open({"host": "comfyui", "url": host.url})
        yield host


def run_job(host, job):
    host.end(job)
    request = host.stream.hand_over("prompted", [prompt(), report(job=job)])
    host.stream.hand_over("generated", [report(job=job)], [picture(job.encode())], [request])


def test_the_host_a_hook_is_in_is_asked_and_what_it_says_is_in_the_lineage(archive, hooked):
    run_job(hooked, "one")
    drain(archive)
    (found,) = look_at_hosts(archive, None)
    assert (found.tool, found.url, found.jobs, found.recorded) == ("comfyui", hooked.url, 1, 1)
    (position,) = archive.index.positions_of_kind(Kind.GENERATED)
    (made,) = archive.index.graph(archive.log).entries({position})
    lineage = archive.index.lineage(archive.log, [made.files()[0].digest])
    assert [look.look for look in lineage.looks()] == [found]
    assert last_second_looks(archive) == [found]


def test_without_news_and_too_soon_nobody_is_asked_again(archive, hooked):
    run_job(hooked, "one")
    drain(archive)
    assert len(look_where_news(archive, None)) == 1
    archive.clock.advance(hours=1)
    assert look_where_news(archive, None) == []
    run_job(hooked, "two")
    drain(archive)
    archive.clock.advance(seconds=-3590)
    assert look_where_news(archive, None) == []
    archive.clock.advance(seconds=3590)
    (found,) = look_where_news(archive, None)
    assert found.recorded == 2


def test_a_job_nobody_handed_over_is_named_unless_it_has_just_ended(archive, hooked):
    drain(archive)
    hooked.end("lost", int(archive.clock.now().timestamp() * 1000) - 9_000)
    assert look_at_hosts(archive, None)[0].jobs == 0
    archive.clock.advance(seconds=2)
    assert look_at_hosts(archive, None)[0].missing == {"lost": "before_hook"}


def test_another_program_at_the_address_is_not_compared_with(archive, hooked):
    hooked.secret = "00" * 32
    run_job(hooked, "one")
    drain(archive)
    assert look_at_hosts(archive, None) == []
    assert "/history" not in hooked.asked


@pytest.mark.parametrize(
    "url", ["http://192.0.2.1:80", "https://127.0.0.1:1", "http://127.0.0.1:1", "junk", None, 7]
)
def test_an_address_elsewhere_or_dead_is_passed_over(archive, url):
    stream = stream_of(connect_hook(archive, "comfyui"), archive.clock)
    stream.open({"host": "comfyui", "url": url})
    drain(archive)
    assert look_at_hosts(archive, None) == []


def test_a_recorder_that_follows_looks_at_its_opening_and_before_its_streams_close(archive, tmp_path):
    archive.clock = archive.recorder._clock = SystemClock()
    with RunningHost() as host:
        host.end("before")
        following = Following(archive, ComfyUIFollower(LocalHost.parse(host.url), tmp_path))
        stop = threading.Event()
        told = record_on(archive, [], following, stop)
        first = next(item.looks for item in told if item.looks)
        host.end("after")
        stop.set()
        assert [item.problem for item in told if item.problem] == []
    assert [(look.jobs, look.recorded) for look in first] == [(1, 1)]
    (last,) = last_second_looks(archive)
    assert (last.jobs, last.missing) == (2, {})
    kinds = [kind for kind, _ in events(archive)]
    assert kinds.index("closed") > len(kinds) - 2 - kinds[::-1].index("checked")
    assert [facts.get("last_seq") for facts in own_facts(archive, Kind.CLOSED)] == [2]
