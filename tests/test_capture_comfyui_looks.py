"""How much of a long history a look asks for, and that none of it is missed."""

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from tests.loopback import served_by

from makingof.capture.comfyui import ComfyUIFollower
from makingof.capture.local_http import LocalHost


def entry(number, job):
    messages = [["execution_start", {"prompt_id": job, "timestamp": 1_000 + number}]]
    return {"prompt": [number, job, {}, {}, []], "outputs": {}, "status": {"messages": messages}}


class Told:
    """A ComfyUI's history, newest last, as it answers `max_items`."""

    def __init__(self, jobs):
        self.history = {}
        self.asked = []
        self.add(*jobs)

    def add(self, *jobs):
        for job in jobs:
            self.history[job] = entry(len(self.asked) * 10_000 + len(self.history), job)

    def answer(self, path):
        parts = urlsplit(path)
        if parts.path != "/history":
            return {}
        wanted = int(parse_qs(parts.query)["max_items"][0])
        newest = list(self.history.items())[-wanted:]
        self.asked.append(len(newest))
        return dict(newest)


@contextmanager
def following(told, tmp_path):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(told.answer(self.path)).encode())

    with served_by(Handler) as address:
        yield ComfyUIFollower(LocalHost.parse(address), tmp_path)


def names(count, start=0):
    return [f"job-{number}" for number in range(start, start + count)]


def seen(follower):
    return [item.job for item in follower.look()]


def test_only_the_newest_are_asked_for_once_the_rest_is_known(tmp_path):
    told = Told(names(300))
    with following(told, tmp_path) as follower:
        assert seen(follower) == names(300)
        told.add("next")
        assert seen(follower) == ["next"]
    assert told.asked == [300, 100]


def test_more_news_than_the_newest_hold_is_found(tmp_path):
    told = Told(names(300))
    with following(told, tmp_path) as follower:
        seen(follower)
        told.add(*names(150, 300))
        assert seen(follower) == names(150, 300)
    assert told.asked == [300, 100, 450]


def test_a_job_under_an_old_id_is_found_where_the_old_one_stood(tmp_path):
    told = Told(names(300))
    with following(told, tmp_path) as follower:
        seen(follower)
        told.add("job-7")
        found = [job for _ in range(40) for job in seen(follower)]
    assert found == ["job-7"]


def test_a_history_that_was_cleared_is_short_and_no_news(tmp_path):
    told = Told(names(300))
    with following(told, tmp_path) as follower:
        seen(follower)
        told.history.clear()
        told.add("after")
        assert seen(follower) == ["after"]
