"""What every follower of a generator keeps to. A test file gives a `followed` and takes these in.

`followed` has `archive`, `following`, `local`, and of its generator: `submit()` a job that
waits and gives its id, `finish(job)` it with one picture, `cancel(job)` it out of the queue.
"""

import pytest
from tests.hooks import events, own_facts

from makingof.archive.following import Following, look_again
from makingof.capture.generators import find_generator
from makingof.capture.local_http import LocalHost
from makingof.errors import SourceError
from makingof.event import Event, Kind


def test_the_generator_is_known_by_its_answer(followed):
    assert find_generator(followed.local).tool == followed.following.follower.tool


def test_a_job_that_was_over_at_the_first_look_is_recovered_once(followed):
    followed.finish(followed.submit())
    followed.following.look()
    assert events(followed.archive, "prompted", "generated") == [("generated", "recovered")]
    assert followed.following.look() == 0


def test_a_job_seen_waiting_is_asked_for_and_answered_while_we_look(followed):
    followed.following.look()
    job = followed.submit()
    followed.following.look()
    followed.finish(job)
    followed.following.look()
    assert events(followed.archive, "prompted", "generated") == [
        ("prompted", "watched"),
        ("generated", "watched"),
    ]
    (asked,) = followed.archive.index.positions_of_kind(Kind.PROMPTED)
    (given,) = followed.archive.index.positions_of_kind(Kind.GENERATED)
    request = Event.parse(followed.archive.log.entry(asked)).name
    assert Event.parse(followed.archive.log.entry(given)).header.cites == (request,)


def test_a_job_taken_out_of_the_queue_was_attempted(followed):
    followed.following.look()
    job = followed.submit()
    followed.following.look()
    followed.cancel(job)
    for _ in range(3):
        followed.following.look()
    assert events(followed.archive, "attempted") == [("attempted", "watched")]
    assert followed.archive.index.recorded_jobs(followed.following.follower.tool) == {job}


def test_a_recorder_started_again_tells_nothing_twice(followed):
    followed.finish(followed.submit())
    followed.following.look()
    followed.following.close()
    again = Following(followed.archive, followed.follower())
    assert again.look() == 0
    again.close()


def test_the_second_look_finds_every_job_and_names_the_one_that_is_missing(followed):
    followed.following.look()
    followed.finish(followed.submit())
    followed.following.look()
    lost = followed.submit()
    followed.finish(lost)
    found = look_again(followed.archive, followed.local, find_generator(followed.local))
    assert (found.jobs, found.recorded, found.missing) == (2, 1, {lost: "unknown"})
    told = own_facts(followed.archive, Kind.CHECKED)[-1]["second_look"]
    assert told == {
        "tool": followed.following.follower.tool,
        "url": followed.local.url,
        "jobs": 2,
        "recorded": 1,
        "missing": [{"job": lost, "why": "unknown"}],
    }


def test_a_stream_that_was_opened_is_closed_with_its_last_number(followed):
    followed.finish(followed.submit())
    followed.following.look()
    followed.following.close()
    (opened,) = own_facts(followed.archive, Kind.OPENED)
    (closed,) = own_facts(followed.archive, Kind.CLOSED)
    assert (opened["url"], closed["last_seq"]) == (followed.local.url, 1)


def test_nobody_who_answers_is_a_source_error():
    with pytest.raises(SourceError, match="nothing that could be followed"):
        find_generator(LocalHost.parse("http://127.0.0.1:1"))
