"""A real InvokeAI with a model of noise, followed while it works, is cleared, killed and comes back.

`.ci/invokeai` installs InvokeAI and runs these; `MAKINGOF_INVOKEAI` names the environment
it lies in. A missing one is a failure.
"""

import os
import signal
import threading
import time
from pathlib import Path

import pytest
from tests.hooks import events, own_facts
from tests.invokeai.server import Server, text_to_image
from tests.invokeai_calling import wait_for

from makingof.archive.exports import import_exports
from makingof.archive.following import Following, look_again
from makingof.archive.fsck import check_archive
from makingof.archive.imports import import_files
from makingof.capture.folder import list_files
from makingof.capture.generators import find_generator
from makingof.capture.invokeai import InvokeAIFollower
from makingof.capture.invokeai_calls import follow
from makingof.capture.invokeai_rows import star_key
from makingof.capture.local_http import LocalHost
from makingof.clock import SystemClock
from makingof.event import Event, Kind
from makingof.part import Choice, FileBody, Parameters, Part, PartType, Place, Report, Text
from makingof.stamp.trust import built_in_trust

pytestmark = pytest.mark.invokeai


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    environment = Path(os.environ.get("MAKINGOF_INVOKEAI", ""))
    assert (environment / "bin" / "invokeai-web").exists(), "MAKINGOF_INVOKEAI names no InvokeAI"
    folder = tmp_path_factory.mktemp("invokeai")
    made = Server(environment, folder / "root")
    try:
        made.start()
        made.model = made.install_model(folder / "model")
        yield made
    finally:
        made.stop()


@pytest.fixture
def host(server):
    return LocalHost.parse(server.url)


@pytest.fixture
def following(archive, server, host):
    """Follow from an empty queue on, by looks alone."""
    archive.clock = archive.recorder._clock = SystemClock()
    server.call("PUT", "/api/v1/queue/default/clear")
    made = Following(archive, InvokeAIFollower(host, server.root))
    made.look()
    yield made
    made.close()


def ask(server, prompt, **more):
    return text_to_image(server.model, prompt, **more)


def told(archive, *kinds):
    found = []
    for position in sorted(p for kind in kinds for p in archive.index.positions_of_kind(kind)):
        parts = [Part.parse(part.data) for part in archive.log.parts(position) if part.data]
        found.append((Event.parse(archive.log.entry(position)), parts))
    return found


def read(parts, kind, shape):
    return [part.read(shape) for part in parts if part.type is kind and part.listed() is None]


def outcomes(archive):
    found = {}
    for event, parts in told(archive, Kind.GENERATED, Kind.ATTEMPTED):
        (report,) = read(parts, PartType.REPORT, Report)
        found[report.facts["item_id"]] = report.outcome or event.kind.value
    return found


def newest(server) -> str:
    return str(server.call("GET", "/api/v1/images/names")["image_names"][0])


def test_real_jobs_are_recorded_as_what_became_of_them(archive, server, host, following):
    one, *_ = server.enqueue(ask(server, "a crane at dusk", seed=11))
    server.wait_idle()
    words = [{"node_path": "positive_prompt", "field_name": "value", "items": ["heron", "黄昏里的仙鹤"]}]
    seeds = [{"node_path": "seed", "field_name": "value", "items": [2, 2**31]}]
    several = server.enqueue(ask(server, "x"), data=[words, seeds])
    server.wait_idle()
    again = [item for _ in range(2) for item in server.enqueue(ask(server, "cached", cached=True))]
    server.wait_idle()
    bad = ask(server, "fails")
    bad["nodes"]["bad"] = {"id": "bad", "type": "img_resize", "image": {"image_name": "nowhere.png"}}
    (failed,) = server.enqueue(bad)
    server.wait_idle()
    long = server.enqueue(ask(server, "long", steps=200, size=256), runs=2)
    server.wait_running(long[0])
    for item in reversed(long):
        server.call("PUT", f"/api/v1/queue/default/i/{item}/cancel")
    server.wait_idle()
    following.look()
    assert outcomes(archive) == {
        str(item): outcome
        for item, outcome in [
            (one, "generated"),
            *((item, "generated") for item in several),
            (again[0], "generated"),
            (again[1], "redelivered"),
            (failed, "failed"),
            (long[0], "interrupted"),
            (long[1], "cancelled"),
        ]
    }
    assert own_facts(archive, Kind.GAP) == []
    prompts = [read(parts, PartType.PROMPT, Text)[0].effective for _, parts in told(archive, Kind.GENERATED)]
    assert prompts == ["a crane at dusk", "heron", "heron", "黄昏里的仙鹤", "黄昏里的仙鹤", "cached"]
    _, parts = told(archive, Kind.GENERATED)[0]
    (parameters,) = read(parts, PartType.PARAMETERS, Parameters)
    assert {name: parameters.fields[name].value for name in ("seed", "steps", "model", "model_hash")} == {
        "seed": "11", "steps": "2", "model": server.model["name"], "model_hash": server.model["hash"],
    }  # fmt: skip
    second = look_again(archive, host, find_generator(host))
    assert (second.recorded, second.jobs, second.missing) == (10, 10, {})
    check_archive(archive, built_in_trust(), openssl=None).require()


def test_what_is_asked_is_seen_before_its_result_and_what_was_used_goes_along(archive, server, following):
    server.enqueue(ask(server, "first", size=256))
    server.wait_idle()
    before = newest(server)
    (item,) = server.enqueue(ask(server, "from the first", steps=60, size=256, used=before))
    server.wait_running(item)
    following.look()
    server.wait_idle()
    following.look()
    request, parts = told(archive, Kind.PROMPTED)[-1]
    assert read(parts, PartType.PROMPT, Text)[0].effective == "from the first"
    assert [file.role.value for file in read(parts, PartType.FILE, FileBody)] == ["init"]
    result, parts = told(archive, Kind.GENERATED)[-1]
    assert result.header.cites == (request.name,)
    assert [file.role.value for file in read(parts, PartType.FILE, FileBody)] == ["output", "init"]


def test_what_people_do_to_pictures_is_recorded_as_their_choice(archive, server, following):
    server.enqueue(ask(server, "on the canvas", seed=21, is_intermediate=True))
    server.wait_idle()
    following.look()
    ((made, parts),) = told(archive, Kind.GENERATED)
    assert [file.role.value for file in read(parts, PartType.FILE, FileBody)] == ["preview"]
    name = max(server.root.glob("outputs/images/*.png"), key=lambda path: path.stat().st_mtime_ns).name
    server.call("PATCH", f"/api/v1/images/i/{name}", {"is_intermediate": False})
    following.look()
    server.call("POST", "/api/v1/images/star", {"image_names": [name]})
    following.look()
    board = server.call("POST", "/api/v1/boards/?board_name=chosen")["board_id"]
    time.sleep(2.1)  # sooner, a board may have taken it by itself
    server.call("POST", "/api/v1/board_images/", {"board_id": board, "image_name": name})
    following.look()
    chosen = told(archive, Kind.SELECTED)
    texts = [read(parts, PartType.REPORT, Report)[0].text for _, parts in chosen]
    assert texts == ["saved to the gallery", "starred", "put on a board"]
    file = next(ref.digest for ref in made.header.parts if ref.type is PartType.FILE)
    assert {read(parts, PartType.CHOICE, Choice)[0].judged for _, parts in chosen} == {(file,)}
    server.call("POST", "/api/v1/images/unstar", {"image_names": [name]})
    following.look()
    server.call("DELETE", "/api/v1/board_images/", {"image_name": name})
    following.look()
    taken_back = [event.header.cites for event, _ in told(archive, Kind.WITHDRAWN)]
    assert taken_back == [(chosen[1][0].name,), (chosen[2][0].name,)]
    server.call("DELETE", f"/api/v1/images/i/{name}")
    following.look()
    ((removed, _),) = told(archive, Kind.REMOVED)
    assert removed.header.cites == (made.name,)
    assert {means for _, means in events(archive, "selected", "withdrawn", "removed")} == {"watched"}


def test_a_board_that_takes_new_pictures_chooses_nothing(archive, server, following):
    board = server.call("POST", "/api/v1/boards/?board_name=new ones".replace(" ", "%20"))["board_id"]
    graph = ask(server, "onto a board", seed=31)
    graph["nodes"]["picture"]["board"] = {"board_id": board}
    server.enqueue(graph)
    server.wait_idle()
    following.look()
    assert len(told(archive, Kind.GENERATED)) == 1
    assert told(archive, Kind.SELECTED) == []


def test_pictures_deleted_before_anybody_looked_are_said_to_be_gone(archive, server, following):
    server.enqueue(ask(server, "short-lived", seed=41))
    server.wait_idle()
    server.call("DELETE", f"/api/v1/images/i/{newest(server)}")
    following.look()
    assert [gap["why"] for gap in own_facts(archive, Kind.GAP)] == ["pictures_gone"]
    ((_, parts),) = told(archive, Kind.ATTEMPTED)
    assert read(parts, PartType.PROMPT, Text)[0].effective == "short-lived"


def test_jobs_cleared_out_of_the_queue_are_recorded(archive, server, following):
    items = server.enqueue(ask(server, "to be cleared", steps=200, size=256), runs=3)
    server.wait_running(items[0])
    following.look()
    server.call("PUT", "/api/v1/queue/default/clear")
    server.wait_idle()
    following.look()
    following.look()
    assert outcomes(archive) == {
        str(items[0]): "interrupted", str(items[1]): "cancelled", str(items[2]): "cancelled",
    }  # fmt: skip


def test_jobs_pruned_from_the_queue_before_anybody_looked_leave_their_pictures(archive, server, following):
    server.enqueue(ask(server, "pruned", seed=51))
    server.wait_idle()
    server.call("PUT", "/api/v1/queue/default/prune")
    following.look()
    ((_, parts),) = told(archive, Kind.GENERATED)
    assert len(read(parts, PartType.FILE, FileBody)) == 1


def test_invokeai_calls_and_tells_of_jobs_that_came_and_went(archive, server, host):
    archive.clock = archive.recorder._clock = SystemClock()
    follower = follow(host, server.root)
    assert follower.calls is not None
    following = Following(archive, follower)
    following.look()
    wait_for(lambda: follower.calls._client.connected)
    time.sleep(0.5)  # the subscription has no answer
    follower.calls.take()
    blocking = server.enqueue(ask(server, "first in line", steps=200, size=256))
    (item,) = server.enqueue(ask(server, "never seen"))
    server.call("DELETE", f"/api/v1/queue/default/i/{item}")
    server.call("PUT", f"/api/v1/queue/default/i/{blocking[0]}/cancel")
    server.wait_idle()
    wait_for(lambda: len(follower.calls._said) == 2)
    assert follower.is_called
    following.look()
    following.close()
    assert outcomes(archive)[str(item)] == "cancelled"
    ((_, parts),) = [found for found in told(archive, Kind.ATTEMPTED) if is_of(found, item)]
    assert read(parts, PartType.REPORT, Report)[0].facts["left_the_queue"] == "yes"


def is_of(found, item) -> bool:
    return read(found[1], PartType.REPORT, Report)[0].facts["item_id"] == str(item)


def test_what_was_followed_is_known_to_an_import_of_the_same_database(archive, server, following):
    server.enqueue(ask(server, "once", seed=61))
    server.wait_idle()
    server.call("POST", "/api/v1/images/star", {"image_names": [newest(server)]})
    following.look()
    assert events(archive, "selected") == [("selected", "watched")]
    files = list_files([server.root / "databases", server.root / "outputs" / "images"]).files
    (done, *_) = import_exports(archive, list(import_files(archive, files)))
    assert done.source == "invokeai"
    key = star_key(newest(server))
    chosen = [part for _, parts in told(archive, Kind.SELECTED) for part in parts]
    assert [place.url for place in read(chosen, PartType.PLACE, Place)].count(key) == 1


def test_two_who_look_at_once_do_not_disturb_it(server, host):
    followers = [InvokeAIFollower(host, server.root) for _ in range(2)]
    stop = threading.Event()
    problems: list[Exception] = []

    def look(follower):
        while not stop.is_set():
            try:
                list(follower.look())
            except Exception as err:  # noqa: BLE001 - whatever it is fails the test below
                problems.append(err)
            time.sleep(0.01)

    threads = [threading.Thread(target=look, args=(follower,)) for follower in followers]
    for thread in threads:
        thread.start()
    items = server.enqueue(ask(server, "while they look"), runs=4)
    server.wait_idle()
    stop.set()
    for thread in threads:
        thread.join()
    assert problems == []
    assert {server.item(item)["status"] for item in items} == {"completed"}


def test_a_server_killed_during_a_job_and_a_recorder_started_again(archive, server, host, following):
    (item,) = server.enqueue(ask(server, "cut short", steps=500, size=256))
    server.wait_running(item)
    following.look()
    server.stop(signal.SIGKILL)
    server.start()
    again = Following(archive, InvokeAIFollower(host, server.root))
    again.look()
    assert outcomes(archive) == {str(item): "interrupted"}
    server.enqueue(ask(server, "after the restart", seed=71))
    server.wait_idle()
    again.look()
    assert events(archive, "generated") == [("generated", "watched")]
    second = look_again(archive, host, find_generator(host))
    assert second.missing == {}
    again.close()
    check_archive(archive, built_in_trust(), openssl=None).require()
