"""ComfyUI followed from outside: the recorded runs of both versions over a real loopback server."""

from contextlib import contextmanager

import pytest
from tests.comfyui_host import RUNS, ComfyUI
from tests.comfyui_http import serving
from tests.contract.follower import *  # noqa: F403 - every follower keeps to these
from tests.hooks import events, own_facts
from tests.test_shim_comfyui import ONE

from makingof.archive.archive import Archive
from makingof.archive.following import Following, look_again
from makingof.archive.fsck import check_archive
from makingof.archive.second_look import last_second_looks
from makingof.capture.comfyui import ComfyUIFollower, parse_history
from makingof.capture.generators import find_generator
from makingof.capture.local_http import LocalHost
from makingof.clock import SystemClock
from makingof.errors import SourceError
from makingof.event import Event, Kind
from makingof.part import Part, PartType, Report
from makingof.stamp.trust import built_in_trust

pytestmark = pytest.mark.skipif(not RUNS.is_dir(), reason="the recorded runs are not beside this checkout")


class Run:
    def __init__(self, archive: Archive, host: ComfyUI, url: str) -> None:
        self.archive, self.host = archive, host
        self.local = LocalHost.parse(url)
        self.following = Following(archive, self.follower())
        self.submitted: dict[str, str] = {}

    def follower(self) -> ComfyUIFollower:
        return ComfyUIFollower(self.local, self.host.folder)

    def submit(self) -> str:
        scenario = ("01-txt2img", "02-other-seed")[len(self.submitted)]
        job = str(self.host.post(scenario))
        self.submitted[job] = scenario
        return job

    def finish(self, job: str) -> None:
        self.host.run(self.submitted[job])

    def cancel(self, job: str) -> None:
        self.host.server.prompt_queue.delete_queue_item(job)

    def outcomes(self):
        found: dict[str | None, list[str | None]] = {}
        positions = [
            *self.archive.index.positions_of_kind(Kind.GENERATED),
            *self.archive.index.positions_of_kind(Kind.ATTEMPTED),
        ]
        for position in sorted(positions):
            event = Event.parse(self.archive.log.entry(position))
            parts = [Part.parse(part.data) for part in self.archive.log.parts(position) if part.data]
            report = next(part.read(Report) for part in parts if part.type is PartType.REPORT)
            outcome = "generated" if event.kind is Kind.GENERATED else report.outcome
            found.setdefault(report.job, []).append(outcome)
        return found


@contextmanager
def running(archive, tmp_path, version):
    archive.clock = archive.recorder._clock = SystemClock()
    host = ComfyUI(tmp_path / "ComfyUI", version)
    with serving(host) as url:
        yield Run(archive, host, url)


@pytest.fixture
def run(archive, tmp_path):
    with running(archive, tmp_path, "0.8.0") as made:
        yield made


@pytest.fixture
def followed(run):
    return run


@pytest.fixture(params=[pytest.param("0.3.64", marks=pytest.mark.integration), "0.8.0"])
def each(request, archive, tmp_path):
    with running(archive, tmp_path, request.param) as made:
        yield made


def test_every_job_that_reaches_the_history_is_recorded_as_what_became_of_it(each):
    run = each
    run.following.look()
    jobs: dict[str, list[str]] = {}
    for scenario, outcomes in ONE.items():
        for number in range(1, len(outcomes) + 1):
            which = number if len(outcomes) > 1 else None
            if scenario.startswith("29") and number == 2:
                (run.host.folder / "output/removed_00001_.png").unlink()
            jobs.setdefault(scenario, []).append(run.host.post(scenario, which))
            run.host.run(scenario, which)
            run.following.look()
    run.following.close()
    found = {job: iter(outcomes) for job, outcomes in run.outcomes().items()}
    assert {scenario: [next(found[job]) for job in ids] for scenario, ids in jobs.items()} == ONE
    assert {means for _, means in events(run.archive, "generated", "attempted")} == {"watched"}
    assert own_facts(run.archive, Kind.GAP) == []
    again = look_again(run.archive, run.local, find_generator(run.local))
    assert (again.recorded, again.missing) == (again.jobs, {})
    check_archive(run.archive, built_in_trust(), openssl=None).require()


def test_what_stood_there_at_the_first_look_is_recovered(run):
    run.host.post("01-txt2img")
    run.host.run("01-txt2img")
    run.following.look()
    assert events(run.archive, "generated") == [("generated", "recovered")]
    assert run.following.look() == 0


def test_a_request_seen_in_the_queue_is_cited_by_its_result(run):
    run.following.look()
    run.host.post("01-txt2img")
    run.following.look()
    run.host.run("01-txt2img")
    run.following.look()
    assert events(run.archive, "prompted", "generated") == [("prompted", "watched"), ("generated", "watched")]
    (position,) = run.archive.index.positions_of_kind(Kind.GENERATED)
    assert len(Event.parse(run.archive.log.entry(position)).header.cites) == 1


def test_the_prompt_read_from_the_hosts_memory_is_only_recovered(run):
    run.following.look()
    run.host.post("01-txt2img")
    run.host.run("01-txt2img")
    run.following.look()
    (position,) = run.archive.index.positions_of_kind(Kind.GENERATED)
    parts = [Part.parse(part.data) for part in run.archive.log.parts(position)]
    assert {str(part.means) for part in parts if part.type is PartType.PROMPT} == {"recovered"}
    assert {str(part.means) for part in parts if part.type is PartType.FILE} == {"watched"}


def test_a_job_deleted_from_the_queue_is_cancelled(run):
    run.following.look()
    job = run.host.post("14-deleted-from-queue", 2)
    run.following.look()
    run.host.server.prompt_queue.delete_queue_item(job)
    for _ in range(3):
        run.following.look()
    assert run.outcomes() == {job: ["cancelled"]}


def test_the_second_look_names_the_jobs_that_are_not_recorded_and_why(run):
    run.following.look()
    run.host.post("01-txt2img")
    run.host.run("01-txt2img")
    run.following.look()
    lost = run.host.post("02-other-seed")
    run.host.run("02-other-seed")
    found = look_again(run.archive, run.local, find_generator(run.local))
    assert (found.jobs, found.recorded, found.missing) == (2, 1, {lost: "unknown"})
    assert own_facts(run.archive, Kind.CHECKED)[-1]["second_look"]["recorded"] == 1
    assert last_second_looks(run.archive) == [found]


def test_without_hook_or_follower_the_second_look_says_so(run):
    job = run.host.post("01-txt2img")
    run.host.run("01-txt2img")
    assert look_again(run.archive, run.local, find_generator(run.local)).missing == {job: "no_hook"}


def test_a_host_that_does_not_answer_is_said_so(archive, tmp_path):
    with pytest.raises(SourceError):
        Following(archive, ComfyUIFollower(LocalHost.parse("http://127.0.0.1:1"), tmp_path)).look()


@pytest.mark.parametrize(
    "told",
    [[], {"a": 7}, {"a": {}}, {"a": {"prompt": []}}, {"a": {"prompt": [1, 2, {}, {}, []], "outputs": ["x"]}}],
)
def test_a_history_of_another_shape_is_said_so(told, tmp_path):
    with pytest.raises(SourceError):
        parse_history(told, tmp_path)


def test_a_name_that_leads_out_of_the_folders_is_not_followed(tmp_path):
    outputs = {"9": {"images": [{"filename": "../../secret", "subfolder": "", "type": "output"}]}}
    entry = {"prompt": [1, "a", {}, {}, []], "outputs": outputs, "status": {}}
    assert parse_history({"a": entry}, tmp_path)[0].files == ()
