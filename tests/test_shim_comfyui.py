"""The ComfyUI hook inside a stand-in that replays recorded runs of two versions."""

import ast
import importlib.util
import json
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from tests import comfyui_host
from tests.comfyui_host import RUNS, ComfyUI
from tests.hooks import own_facts

from makingof.archive.connecting import connect, plan_connection
from makingof.archive.draining import drain
from makingof.archive.fsck import check_archive
from makingof.clock import SystemClock
from makingof.event import Event, Kind
from makingof.part import FileBody, Part, PartType, Report
from makingof.spool import carried
from makingof.stamp.trust import built_in_trust

SHIM = Path(__file__).parents[1] / "shims/comfyui"
SHARED = SHIM.parent / "shared"
VERSIONS = ("0.3.64", "0.8.0")

pytestmark = pytest.mark.skipif(not RUNS.is_dir(), reason="the recorded runs are not beside this checkout")

# scenario → how many jobs, and what each must have become
ONE: dict[str, list[str | None]] = {
    "01-txt2img": ["generated"],
    "02-other-seed": ["generated"],
    "03-words-changed": ["generated"],
    "04-exact-repeat": ["redelivered"],
    "05-batch-of-4": ["generated"],
    "06-img2img-upload": ["generated"],
    "07-inpaint-noise-mask": ["generated"],
    "07b-inpaint-vae-encode": ["generated"],
    "08-two-samplers": ["generated"],
    "09-preview-only": ["generated"],
    "10-no-client-id": ["generated"],
    "10b-no-client-id-repeat": ["redelivered"],
    "13-interrupted": ["interrupted"],
    "15-animated-webp": ["generated"],
    "16-sampler-custom-advanced": ["generated"],
    "16b-basic-guider": ["generated"],
    "16c-sampler-custom": ["generated"],
    "17-text-through-string-node": ["generated"],
    "22-error-after-output": ["failed", "generated"],
    "23-own-prompt-id-twice": ["generated", "generated"],
    "25-output-by-websocket": [None],
    "28-load-from-output": ["generated"],
    "29-repeat-after-file-removed": ["generated", "redelivered", "generated"],
    "40-lora": ["generated"],
    "41-subgraph-ids": ["generated"],
    "42-partial-execution": ["generated"],
    "43-prefix-tokens": ["generated"],
    "44-no-workflow": ["generated"],
}


def load_as_custom_node(folder, name, monkeypatch):
    """Import a folder as ComfyUI imports its custom nodes."""
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


class Run:
    """A host with the hook in it, beside an archive."""

    def __init__(self, archive, tmp_path, version, monkeypatch, *, drains_itself=False):
        self.archive = archive
        archive.clock = archive.recorder._clock = SystemClock()
        self.host = ComfyUI(tmp_path / "ComfyUI", version)
        connect(archive, plan_connection("comfyui", self.host.folder))
        folder = self.host.folder / "custom_nodes/makingof"
        if not drains_itself:
            told = json.loads((folder / "connection.json").read_text("utf-8"))
            hook = carried.load_connection(told["hook_file"]) | {"drain": []}
            (folder / "connection.json").write_text(json.dumps(hook), "utf-8")
        for name, module in self.host.modules.items():
            monkeypatch.setitem(sys.modules, name, module)
        self.module = load_as_custom_node(folder, "makingof_in_comfyui", monkeypatch)
        monkeypatch.setattr(sys.modules["makingof_in_comfyui.jobs"], "POLL_SECONDS", 0.05)
        for name in [name for name in sys.modules if name.startswith("makingof_in_comfyui.")]:
            del sys.modules[name]  # the next host imports its own
        self.jobs = self.module.RECORDER

    def heard(self):
        """Wait until the hook has heard everything up to now and has no job open."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            reached = threading.Event()
            self.jobs._on_reached = reached.set
            self.jobs._notices.put(("reached",))
            assert reached.wait(20)
            if not self.jobs._open:
                return
            time.sleep(0.02)

    def settle(self):
        """Wait until the hook has nothing more to hear or look after, then drain."""
        self.heard()
        self.jobs.stop()
        assert not self.jobs._open
        assert self.jobs._errors == 0
        drain(self.archive)

    def ends(self):
        """Return job id → what its ends were recorded as, in order, with the event."""
        found: dict[str, list[tuple[Any, ...]]] = {}
        for kind in (Kind.GENERATED, Kind.ATTEMPTED):
            for position in self.archive.index.positions_of_kind(kind):
                event = Event.parse(self.archive.log.entry(position))
                report = self.parts(position, PartType.REPORT)[0].read(Report)
                outcome = "generated" if kind is Kind.GENERATED else report.outcome
                found.setdefault(report.job, []).append((position, outcome, event, report))
        return {job: sorted(ends, key=lambda end: end[0]) for job, ends in found.items()}

    def parts(self, position, part_type):
        parts = [Part.parse(part.data) for part in self.archive.log.parts(position)]
        return [part for part in parts if part.type is part_type and part.listed() is None]

    def files(self, position):
        return [part.read(FileBody) for part in self.parts(position, PartType.FILE)]


@pytest.fixture
def run(archive, tmp_path, monkeypatch):
    made = Run(archive, tmp_path, VERSIONS[-1], monkeypatch)
    yield made
    made.jobs.stop()


@pytest.fixture(params=[pytest.param(VERSIONS[0], marks=pytest.mark.integration), VERSIONS[1]])
def each(request, archive, tmp_path, monkeypatch):
    made = Run(archive, tmp_path, request.param, monkeypatch)
    yield made
    made.jobs.stop()


def test_every_job_of_the_recorded_runs_is_recorded_as_what_became_of_it(each):
    run = each
    jobs: dict[str, list[str]] = {}
    for scenario, outcomes in ONE.items():
        for number in range(1, len(outcomes) + 1):
            which = number if len(outcomes) > 1 else None
            if scenario.startswith("29") and number == 2:
                (run.host.folder / "output/removed_00001_.png").unlink()
            jobs.setdefault(scenario, []).append(run.host.post(scenario, which))
            run.host.run(scenario, which)
            run.heard()
    run.settle()
    ends = run.ends()
    seen = {}
    for scenario, ids in jobs.items():
        taken = {job: iter(ends[job]) for job in ids}
        seen[scenario] = [next(taken[job])[1] for job in ids]
    assert seen == ONE
    assert all(str(end[2].means) == "live" for job in ends.values() for end in job)
    assert all(facts["why"] == "output_not_seen" for facts in own_facts(run.archive, Kind.GAP))
    assert len(own_facts(run.archive, Kind.GAP)) == 1
    _check_details(run, jobs, ends)
    check_archive(run.archive, built_in_trust(), openssl=None).require()


def _check_details(run, jobs, ends):
    batch = ends[jobs["05-batch-of-4"][0]][0]
    assert [file.number for file in run.files(batch[0])] == [0, 1, 2, 3]
    preview = ends[jobs["09-preview-only"][0]][0]
    assert [str(file.role) for file in run.files(preview[0])] == ["preview"]
    failed = ends[jobs["22-error-after-output"][1]][0]
    assert failed[3].outcome == "failed"
    assert "Tensor" not in (failed[3].text or "")
    prompted = run.archive.index.positions_of_kind(Kind.PROMPTED)
    assert len(prompted) == sum(map(len, ONE.values()))
    with_inputs = [run.files(position) for position in prompted]
    assert {str(file.role) for files in with_inputs for file in files} == {"init"}
    texts = [row.text or "" for row in run.archive.index.events(limit=500) if row.kind is Kind.PROMPTED]
    assert any("jade pendant" in text for text in texts)
    first = ends[jobs["01-txt2img"][0]][0]
    (model,) = run.parts(first[0], PartType.ENVIRONMENT)[0].body["facts"]["models"]
    assert len(model["sha256"]) == 64
    assert (model["place"], model["name"]) == ("4.ckpt_name", "random-sd15.safetensors")
    named = json.loads((RUNS / run.host.version / "01-txt2img/files.json").read_text("utf-8"))
    assert [file.digest.hex for file in run.files(first[0])] == [item["sha256"] for item in named]


def test_no_folder_of_a_person_stands_in_the_environment(run, monkeypatch):
    given = [
        "main.py",
        "--cpu",
        "--base-directory",
        "/home/somebody/art",
        "--front-end-root=C:\\Users\\somebody\\web",
    ]
    monkeypatch.setattr(sys, "argv", given)
    assert run.jobs.host.environment()["arguments"] == [
        "--cpu",
        "--base-directory",
        "art",
        "--front-end-root=web",
    ]


def test_refused_submissions_are_attempts_with_the_hosts_own_reason(run):
    for number in range(1, 8):
        run.host.post("11-invalid-graph", number)
    run.host.post("11-invalid-graph", 8)  # not JSON: the handler never sees it
    run.host.post("35-handlers-invalid")
    run.settle()
    refused = run.ends()[None]
    assert [end[1] for end in refused] == ["refused"] * 8
    assert "not-on-this-machine.safetensors" in refused[-1][3].text
    assert [str(end[2].means) for end in refused] == ["live"] * 8
    assert all(end[2].header.cites for end in refused)


def test_a_job_taken_from_the_queue_is_cancelled(run):
    first, second = run.host.post("14-deleted-from-queue", 1), run.host.post("14-deleted-from-queue", 2)
    run.host.server.prompt_queue.delete_queue_item(second)
    run.host.run("14-deleted-from-queue", 1)
    run.settle()
    ends = run.ends()
    assert [ends[first][0][1], ends[second][0][1]] == ["generated", "cancelled"]


def test_interleaved_jobs_of_two_clients_keep_their_own_requests(run):
    jobs = [run.host.post("18-two-clients", number) for number in range(1, 5)]
    for number in range(1, 5):
        run.host.run("18-two-clients", number)
    run.settle()
    cited = [run.ends()[job][0][2].header.cites for job in jobs]
    assert len(set(cited)) == 4


def test_a_history_entry_deleted_at_once_is_recorded_all_the_same(run):
    job = run.host.post("24-history-deleted")
    run.host.run("24-history-deleted")
    run.host.server.prompt_queue.history.clear()
    run.settle()
    assert run.ends()[job][0][1] == "generated"


def test_a_host_killed_mid_job_leaves_a_request_without_an_end(run):
    run.host.post("45-server-killed-mid-run")
    time.sleep(0.1)
    drain(run.archive)  # the stream is not closed: nobody had the time
    assert len(run.archive.index.positions_of_kind(Kind.PROMPTED)) == 1
    assert run.ends() == {}
    assert run.archive.index.status().open_streams == 1
    run.jobs._open.clear()


def test_keys_in_extra_data_never_leave_the_host(run):
    folder = RUNS / run.host.version
    scenario = next(path.name for path in folder.iterdir() if path.name.startswith("20-"))
    number = None if (folder / scenario / "submitted.json").exists() else 1
    secrets = _secrets_of(folder / scenario)
    run.host.post(scenario, number)
    run.host.run(scenario, number)
    run.settle()
    assert secrets
    kept = b"".join(
        part.data or b"" for i in range(run.archive.log.size()) for part in run.archive.log.parts(i)
    )
    for secret in secrets:
        assert secret.encode() not in kept


def _secrets_of(folder):
    body = json.loads(next(iter(sorted(folder.glob("submitted*.json")))).read_text("utf-8"))
    return [value for key, value in body["extra_data"].items() if "key" in key or "token" in key]


def test_without_answers_and_without_task_done_jobs_are_found_by_looking(archive, tmp_path, monkeypatch):
    monkeypatch.setattr(comfyui_host, "has_middlewares", False)
    run = Run(archive, tmp_path, "0.8.0", monkeypatch)
    del run.host.server.prompt_queue.__dict__["task_done"]  # another custom node undid the wrapper
    assert run.jobs.attached[0] == "prompt_handler"
    assert "answers" not in run.jobs.attached
    job = run.host.post("01-txt2img")
    time.sleep(0.3)
    run.host.run("01-txt2img")
    run.settle()
    assert run.ends()[job][0][1] == "generated"
    assert str(run.ends()[job][0][2].means) == "live"


def test_nothing_has_to_be_kept_running(archive, tmp_path, monkeypatch):
    """A job is recorded live by the drain that the hook itself starts, in a process of its own."""
    run = Run(archive, tmp_path, "0.8.0", monkeypatch, drains_itself=True)
    try:
        job = run.host.post("01-txt2img")
        run.host.run("01-txt2img")
        deadline = time.monotonic() + 60
        while job not in archive.index.recorded_jobs("comfyui") and time.monotonic() < deadline:
            time.sleep(0.1)
            archive.index.follow(archive.log)
    finally:
        run.jobs.stop()
    ((_, outcome, event, _),) = run.ends()[job]
    assert (outcome, str(event.means)) == ("generated", "live")


HOSTS = {"server", "comfy_execution", "aiohttp"}


@pytest.mark.parametrize(
    "path",
    [*sorted(SHIM.glob("*.py")), *sorted(SHARED.glob("*.py")), Path(carried.__file__)],
    ids=lambda path: path.name,
)
def test_a_hook_needs_python_3_10_and_what_its_host_brings(path):
    tree = ast.parse(path.read_text("utf-8"), feature_version=(3, 10))
    names = [item.name for node in ast.walk(tree) if isinstance(node, ast.Import) for item in node.names]
    names += [
        node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level == 0
    ]
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names | HOSTS


def test_a_hook_that_cannot_start_lets_its_host_start(tmp_path, capsys, monkeypatch):
    folder = tmp_path / "makingof"
    shutil.copytree(SHIM, folder)
    module = load_as_custom_node(folder, "broken_hook", monkeypatch)
    assert module.NODE_CLASS_MAPPINGS == {}
    assert "not recording" in capsys.readouterr().out


def test_what_goes_wrong_in_the_hook_reaches_neither_client_nor_queue(run, monkeypatch):
    def fail(*_arguments, **_named):
        message = "in the hook"
        raise RuntimeError(message)

    monkeypatch.setattr(run.jobs, "submitted", fail)
    monkeypatch.setattr(run.jobs.stream, "hand_over", fail)
    job = run.host.post("01-txt2img")
    assert job is not None
    assert run.host.run("01-txt2img") == job


def test_the_wrapper_takes_whatever_arguments_a_later_version_gives(run):
    queue = run.host.server.prompt_queue
    assert queue.task_done.__code__.co_flags & 0x0C == 0x0C  # *args and **kwargs


def test_a_full_disk_in_the_host_stops_nothing_and_is_said(run, monkeypatch):
    spool = Path(run.jobs.stream.connection["spool"])
    time.sleep(0.2)
    moved = spool.with_name("elsewhere")
    spool.rename(moved)
    spool.write_text("in the way", "utf-8")
    job = run.host.post("01-txt2img")
    run.host.run("01-txt2img")
    time.sleep(0.3)
    spool.unlink()
    moved.rename(spool)
    again = run.host.post("02-other-seed")
    run.host.run("02-other-seed")
    run.settle()
    assert job not in run.ends()
    assert run.ends()[again][0][1] == "generated"
    assert [facts["lost"] for facts in own_facts(run.archive, Kind.GAP)] == [2]
