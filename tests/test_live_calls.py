"""Jobs of several calls: looked at, fetched from an address, cancelled, cut short by the program's end."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import httpx
import pytest
from tests.recorded_calls import all_bytes, make_calls, recorded
from tests.services_host import DATE_AT, KEY, Host, Reply, b64, png

from makingof.archive.archive import Plan, create_archive, open_archive
from makingof.archive.draining import drain
from makingof.clock import SystemClock
from makingof.config import Settings
from makingof.live.transports import record_client
from makingof.part import PartType

ASKED = {"version": "v9", "input": {"prompt": "黄昏里的仙鹤", "seed": 18446744073709551615}}
START = {"id": "gm3qorzdhgbfu", "status": "starting", "input": ASKED["input"], "output": None, "logs": ""}


@pytest.fixture
def archive(live_archive):
    return live_archive


@pytest.fixture
def host():
    with Host() as running:
        yield running


@pytest.fixture
def calls(archive, host):
    made = make_calls(
        archive,
        {
            f"{host.url}/v1": "replicate",
            f"{host.url}/fal": "fal",
            f"{host.url}/v2beta": "stability",
            f"{host.url}/open": "openai",
        },
    )
    yield made
    made.close(5)


@pytest.fixture
def client(calls):
    with httpx.Client(trust_env=False, headers={"Authorization": f"Bearer {KEY}"}) as made:
        yield record_client(made, calls)


def predict(host, client, outputs, polls=2):
    """Ask, look, and look once more after the end, as programs do."""
    done = START | {"status": "succeeded", "output": outputs, "completed_at": "2026-11-22T10:11:12Z"}
    host.replies[("POST", "/v1/predictions")] = Reply(START, 201)
    host.replies[("GET", "/v1/predictions/gm3qorzdhgbfu")] = [
        *[Reply(START | {"status": "processing"})] * polls,
        Reply(done),
    ]
    identity = client.post(f"{host.url}/v1/predictions", json=ASKED).json()["id"]
    for _ in range(polls + 2):
        client.get(f"{host.url}/v1/predictions/{identity}")


def test_a_job_looked_at_again_and_again_ends_once_with_its_pictures_fetched(archive, host, calls, client):
    host.replies[("GET", "/out/0.webp")] = Reply(png("red"), headers={"Content-Type": "image/png"})
    predict(
        host,
        client,
        [f"{host.url}/out/0.webp?sig=secret-of-the-address", f"data:image/png;base64,{b64(png())}"],
    )
    asked, made = recorded(archive, calls)
    assert [(event.kind, event.means) for event in (asked, made)] == [
        ("prompted", "live"),
        ("generated", "live"),
    ]
    assert made.files() == [("output", png("red")), ("output", png())]
    assert made.event.header.occurred_at == DATE_AT
    assert {part.vouched.job for part in made.parts if part.vouched} == {"gm3qorzdhgbfu"}
    assert made.body(PartType.PLACE).url == f"{host.url}/out/0.webp?(removed by makingof)"
    fetched = next(seen for seen in host.seen if seen.path.startswith("/out/"))
    assert "Authorization" not in fetched.headers


def test_no_signed_address_and_no_key_is_in_the_archive(archive, host, calls, client, tmp_path):
    host.replies[("GET", "/out/0.webp")] = Reply(png("red"))
    predict(host, client, [f"{host.url}/out/0.webp?sig=secret-of-the-address"])
    recorded(archive, calls)
    kept = all_bytes(tmp_path)
    assert b"secret-of-the-address" not in kept
    assert KEY.encode() not in kept


def test_a_picture_that_is_gone_is_a_gap_and_the_rest_is_recorded(archive, host, calls, client):
    predict(host, client, [f"{host.url}/out/gone.webp", f"data:image/png;base64,{b64(png())}"])
    told = recorded(archive, calls)
    assert [event.kind for event in told] == ["prompted", "generated", "gap"]
    assert told[1].files() == [("output", png())]
    assert told[1].body(PartType.REPORT).outputs == 2
    assert told[2].facts()["problems"] == ["picture is answered with 404"]
    assert told[2].facts()["why"] == "output_not_seen"


def test_a_job_whose_only_picture_is_gone_is_no_generation(archive, host, calls, client):
    predict(host, client, [f"{host.url}/out/gone.webp"])
    assert [event.kind for event in recorded(archive, calls)] == ["prompted", "attempted", "gap"]


def test_what_the_program_fetched_itself_counts_where_ours_failed(archive, host, calls, client):
    def once(seen):
        # The address answers the program, which shows its key, and nobody else.
        return Reply(png("red")) if "Authorization" in seen.headers else Reply(b"", 403)

    host.replies[("GET", "/out/0.webp")] = once
    predict(host, client, [f"{host.url}/out/0.webp"], polls=0)
    assert client.get(f"{host.url}/out/0.webp").content == png("red")
    told = recorded(archive, calls)
    assert [event.kind for event in told] == ["prompted", "generated"]
    assert told[1].files() == [("output", png("red"))]


def test_a_job_asked_for_by_another_program_is_not_live(archive, host, calls, client):
    done = START | {"status": "succeeded", "output": [f"data:image/png;base64,{b64(png())}"]}
    host.replies[("GET", "/v1/predictions/gm3qorzdhgbfu")] = Reply(done)
    client.get(f"{host.url}/v1/predictions/gm3qorzdhgbfu")
    made, gap = recorded(archive, calls)
    assert (made.kind, made.means) == ("generated", "recovered")
    assert gap.facts()["why"] == "no_request"


def test_a_cancelled_prediction_is_told_once(archive, host, calls, client):
    host.replies[("POST", "/v1/predictions")] = Reply(START, 201)
    host.replies[("POST", "/v1/predictions/gm3qorzdhgbfu/cancel")] = Reply(START | {"status": "canceled"})
    client.post(f"{host.url}/v1/predictions", json=ASKED)
    for _ in range(2):
        client.post(f"{host.url}/v1/predictions/gm3qorzdhgbfu/cancel")
    asked, ended = recorded(archive, calls)
    assert (asked.fields()["seed"], ended.body(PartType.REPORT).outcome) == (
        "18446744073709551615",
        "cancelled",
    )


def test_outputs_of_an_answer_that_was_waited_for_are_not_told_again(archive, host, calls, client):
    first, second = (f"data:image/png;base64,{b64(png(color))}" for color in ("red", "blue"))
    host.replies[("POST", "/v1/predictions")] = Reply(
        START | {"status": "processing", "output": [first]}, 201
    )
    done = START | {"status": "succeeded"}
    host.replies[("GET", "/v1/predictions/gm3qorzdhgbfu")] = [
        Reply(done | {"output": [first]}),
        Reply(done | {"output": [first, second]}),
    ]
    client.post(f"{host.url}/v1/predictions", json=ASKED, headers={"Prefer": "wait"})
    for _ in range(3):
        client.get(f"{host.url}/v1/predictions/gm3qorzdhgbfu")
    told = recorded(archive, calls)
    assert [(event.kind, event.means) for event in told] == [
        ("prompted", "live"),
        ("generated", "live"),
        ("generated", "live"),
    ]
    assert [event.files() for event in told[1:]] == [[("output", png("red"))], [("output", png("blue"))]]


def test_a_look_that_fails_is_not_the_end_of_the_job(archive, host, calls, client):
    done = START | {"status": "succeeded", "output": f"data:image/png;base64,{b64(png())}"}
    host.replies[("POST", "/v1/predictions")] = Reply(START, 201)
    host.replies[("GET", "/v1/predictions/gm3qorzdhgbfu")] = [
        Reply({"detail": "x"}, 502),
        Reply(b"<html>", 200),
        Reply({"detail": "slow down"}, 429),
        Reply(done),
    ]
    client.post(f"{host.url}/v1/predictions", json=ASKED)
    for _ in range(4):
        client.get(f"{host.url}/v1/predictions/gm3qorzdhgbfu")
    assert [event.kind for event in recorded(archive, calls)] == ["prompted", "generated"]


def test_the_queue_of_fal_ties_the_result_to_the_request(archive, host, calls, client):
    app, job = "/fal/fal-ai/flux/dev", "/fal/fal-ai/flux/requests/764cabcf-b745-4b3e"
    answer = {
        "request_id": "764cabcf-b745-4b3e",
        "status_url": f"{host.url}{job}/status",
        "status": "IN_QUEUE",
    }
    host.replies[("POST", app)] = Reply(answer)
    host.replies[("GET", f"{job}/status")] = Reply({"status": "COMPLETED", "logs": None})
    host.replies[("GET", job)] = Reply(
        {"images": [{"url": f"{host.url}/out.png"}], "seed": 7, "prompt": "a, dusk"}
    )
    host.replies[("GET", "/out.png")] = Reply(png())
    client.post(f"{host.url}{app}", json={"prompt": "a"})
    client.get(f"{host.url}{job}/status")
    client.get(f"{host.url}{job}")
    asked, made = recorded(archive, calls)
    assert (asked.kind, made.kind, made.means) == ("prompted", "generated", "live")
    prompt = made.body(PartType.PROMPT)
    assert (prompt.typed, prompt.effective) == ("a", "a, dusk")
    assert made.part(PartType.PROMPT).vouched.by == "fal"
    assert asked.fields()["model"].endswith("fal-ai/flux/dev")


def test_a_picture_as_the_body_with_its_seed_in_a_header(archive, host, calls, client):
    headers = {"Content-Type": "image/png", "seed": "343940597", "finish-reason": "SUCCESS"}
    host.replies[("POST", "/v2beta/stable-image/generate/core")] = Reply(png(), headers=headers)
    files = {"prompt": (None, "鹤"), "negative_prompt": (None, "text")}
    assert client.post(f"{host.url}/v2beta/stable-image/generate/core", files=files).content == png()
    asked, made = recorded(archive, calls)
    assert asked.body(PartType.NEGATIVE).effective == "text"
    assert (made.files(), made.fields()) == ([("output", png())], {"seed": "343940597"})


def test_words_the_service_rewrites_are_no_effective_prompt_until_it_says_them(archive, host, calls, client):
    path = "/open/images/generations"
    host.replies[("POST", path)] = Reply(
        {"created": 1, "data": [{"b64_json": b64(png()), "revised_prompt": "b"}]}
    )
    client.post(f"{host.url}{path}", json={"model": "dall-e-3", "prompt": "a"})
    asked, made = (event.body(PartType.PROMPT) for event in recorded(archive, calls))
    assert (asked.typed, asked.effective, made.typed, made.effective) == ("a", None, "a", "b")


def test_what_is_open_when_the_program_ends_is_interrupted(archive, host, calls, client):
    host.replies[("POST", "/v1/predictions")] = Reply(START, wait=1.0)
    closing = threading.Timer(0.3, calls.close, (5,))
    closing.start()
    assert client.post(f"{host.url}/v1/predictions", json=ASKED).json() == START
    closing.join()
    drain(archive)
    kinds = [str(row.kind) for row in archive.index.events(limit=100)[::-1]]
    assert kinds[-3:] == ["prompted", "attempted", "closed"]


PROGRAM = """
import sys, httpx, makingof
address = sys.argv[2] + "/v1"
client = httpx.Client(trust_env=False)
makingof.record_calls(client, archive=sys.argv[1], services={address: "replicate"})
print("asking", flush=True)
client.post(address + "/predictions", json={"version": "v", "input": {"prompt": "a crane"}}, timeout=30)
"""


def test_a_program_killed_in_the_middle_of_a_call_leaves_its_request(home, host):
    made, _ = create_archive(home, SystemClock(), Plan("Test Owner", Settings()))
    made.close()
    host.replies[("POST", "/v1/predictions")] = Reply(START, wait=5.0)
    environment = {**os.environ, "MAKINGOF_STATE": str(home.state), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", PROGRAM, str(home.path), host.url]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as program:
        assert program.stdout.readline() == b"asking\n"
        deadline = time.monotonic() + 20
        while len(list((home.path / "spool").glob("*.handover"))) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert host.seen
        os.kill(program.pid, signal.SIGKILL)
    with open_archive(home, SystemClock()) as archive:
        drain(archive)
        kinds = [(str(row.kind), str(row.means)) for row in archive.index.events(limit=100)[::-1]]
    assert ("prompted", "live") in kinds
    assert not {"generated", "attempted", "closed"} & {kind for kind, _ in kinds}


def test_a_forked_child_records_in_streams_of_its_own(archive, host, calls, client):
    host.replies[("POST", "/v1/predictions")] = Reply(START | {"status": "failed", "error": "x"})
    client.post(f"{host.url}/v1/predictions", json=ASKED)

    def ask():
        client.post(f"{host.url}/v1/predictions", json=ASKED)
        calls.close(5)

    child = multiprocessing.get_context("fork").Process(target=ask)
    child.start()
    child.join(20)
    told = recorded(archive, calls)
    assert sorted(event.kind for event in told) == ["attempted", "attempted", "prompted", "prompted"]
    assert len({event.event.header.stream for event in told}) == 2
    assert {event.means for event in told} == {"live"}
