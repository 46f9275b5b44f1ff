"""What goes wrong in AUTOMATIC1111 and its kin, or in the hook: recorded as it is, and never the host's."""

import contextlib
import io
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image
from tests import a1111_host
from tests.a1111_host import A1111, FORGE, Processing, Version, Webui, picture
from tests.hooks import own_facts
from tests.webui_run import forget_hook, running, wait_for

from makingof.archive.connecting import connect, plan_connection
from makingof.archive.draining import drain
from makingof.archive.hooks import spool_path
from makingof.clock import SystemClock
from makingof.errors import ConflictError
from makingof.event import Kind
from makingof.part import PartType, Place

SHIM = Path(__file__).parents[1] / "shims/a1111"


@pytest.fixture
def start(archive, tmp_path, monkeypatch):
    with contextlib.ExitStack() as stack:
        yield lambda version: stack.enter_context(running(archive, tmp_path / "webui", version, monkeypatch))


@pytest.fixture
def run(start):
    return start(A1111)


def test_a_name_that_was_taken_is_not_mistaken_for_the_new_picture(start):
    run = start(FORGE)
    run.host.options.add_number = False
    run.make("first", seed=5)
    run.make("second", seed=5, width=32)
    run.settle()
    first, second = run.events(Kind.GENERATED)
    folder = Path(run.host.options.outdir_txt2img_samples)
    assert run.held(first[0]) == [(folder / "5.png").read_bytes()]
    assert run.held(second[0]) == [(folder / "5-1.png").read_bytes()]


def moved(path):
    path.rename(path.with_name("moved.png"))


def replaced(path):
    path.with_suffix(".new").write_bytes(b"other bytes")
    path.with_suffix(".new").replace(path)


@pytest.mark.parametrize("happens", [moved, Path.unlink, replaced], ids=["moved", "deleted", "replaced"])
def test_what_happens_to_a_file_right_after_it_was_saved_changes_nothing(run, happens):
    written = []

    def afterwards(params):
        path = Path(params.filename)
        written.append(path.read_bytes())
        happens(path)

    run.host._callbacks["image_saved"].append(afterwards)
    run.make("a swallow")
    run.settle()
    assert run.held(run.only(Kind.GENERATED)[0]) == written


def test_where_files_cannot_be_held_open_other_bytes_are_not_taken_for_the_picture(run, monkeypatch):
    monkeypatch.setattr(run.modules["makingof_in_webui.pictures"].sys, "platform", "win32")
    run.host._callbacks["image_saved"].append(lambda params: replaced(Path(params.filename)))
    run.make("a swallow", seed=300)
    monkeypatch.undo()
    run.settle()
    made, _ = run.only(Kind.GENERATED)
    with Image.open(io.BytesIO(run.held(made)[0])) as image:
        assert image.tobytes() == picture(300, 64, 64).tobytes()
    assert run.parts(made, PartType.PLACE, Place) == []


def test_a_file_that_is_written_over_in_place_is_recorded_as_it_was_in_memory(run):
    run.host._callbacks["image_saved"].append(lambda params: Path(params.filename).write_bytes(b"other"))
    run.make("a swallow", seed=300)
    run.settle()
    (data,) = run.held(run.only(Kind.GENERATED)[0])
    with Image.open(io.BytesIO(data)) as image:
        assert image.tobytes() == picture(300, 64, 64).tobytes()


def test_a_picture_that_still_says_where_it_was_saved_before_is_taken_from_where_it_is_now(run):
    elsewhere = run.host.folder / "elsewhere.png"
    elsewhere.write_bytes(b"an older copy")
    run.host._callbacks["image_saved"].insert(
        0, lambda params: setattr(params.image, "already_saved_as", str(elsewhere))
    )
    run.make("a pier")
    run.settle()
    (path,) = Path(run.host.options.outdir_txt2img_samples).glob("*.png")
    assert run.held(run.only(Kind.GENERATED)[0]) == [path.read_bytes()]


def test_reloading_the_interface_goes_on_with_the_same_stream(run):
    run.make("before")
    run.host.load_scripts()
    run.make("after")
    run.settle()
    streams = {event.header.stream for _, event in run.events(Kind.PROMPTED, Kind.GENERATED)}
    assert streams == {run.jobs.stream.stream}
    assert len(run.events(Kind.GENERATED)) == 2


def test_a_hook_connected_anew_under_a_running_host_is_recorded_as_nobody_known(run):
    connect(run.archive, plan_connection("a1111", run.host.folder))
    run.make("with the old secret")
    run.settle()
    assert {str(event.means) for _, event in run.events(Kind.PROMPTED, Kind.GENERATED)} == {"recovered"}
    assert {facts["why"] for facts in own_facts(run.archive, Kind.GAP)} == {"unknown_hook"}


def test_what_goes_wrong_in_the_hook_reaches_neither_scripts_nor_files(run, monkeypatch, capsys):
    def fail(*_arguments, **_named):
        message = "in the hook"
        raise RuntimeError(message)

    for name in ("begun", "prepared", "saving", "saved", "ended", "batch_made"):
        monkeypatch.setattr(run.jobs, name, fail)
    processed = run.make("a stone", batch_size=2)
    assert len(processed.images) == 3
    assert run.host.reported == []
    assert "in the hook" in capsys.readouterr().err


def test_a_thread_that_fails_says_so_and_records_the_next_job(run, monkeypatch):
    results = run.modules["makingof_in_webui.jobs"]
    whole = results.name_pictures

    def fail_once(*arguments):
        monkeypatch.setattr(results, "name_pictures", whole)
        message = "in the thread"
        raise RuntimeError(message)

    monkeypatch.setattr(results, "name_pictures", fail_once)
    run.make("lost")
    run.make("kept")
    run.heard()
    assert run.jobs._errors == 1
    run.jobs._errors = 0
    run.settle()
    assert len(run.events(Kind.GENERATED)) == 1
    assert [facts["why"] for facts in own_facts(run.archive, Kind.GAP)] == ["hook_error"]


def test_a_host_without_most_of_its_modules_is_recorded_all_the_same(start, monkeypatch):
    run = start(A1111)
    for name in ("errors", "sd_models", "sd_vae", "launch_utils", "shared"):
        monkeypatch.delitem(sys.modules, f"modules.{name}")
    run.make("a reed")
    run.settle()
    assert run.roles(run.only(Kind.GENERATED)[0]) == [("output", 0)]


def test_a_host_that_has_only_scripts_is_recorded_from_its_images(start):
    run = start(Version("v0.9", callbacks=()))
    assert run.jobs.attached == ["script"]
    run.make("a reed", seed=300)
    run.settle()
    made, _ = run.only(Kind.GENERATED)
    with Image.open(io.BytesIO(run.held(made)[0])) as image:
        assert image.tobytes() == picture(300, 64, 64).tobytes()


def test_a_hook_that_cannot_start_lets_its_host_start(tmp_path, capsys, monkeypatch):
    host = Webui(tmp_path / "webui")
    forget_hook()
    shutil.copytree(SHIM, host.folder / "extensions/makingof")
    for name, module in host.modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    host.load_scripts()
    assert host.reported == []
    assert "not recording" in capsys.readouterr().out
    assert host.run(Processing("a stone")) is not None


def test_a_full_disk_in_the_host_stops_nothing_and_is_said(run):
    spool = spool_path(run.archive)
    run.heard()
    elsewhere = spool.with_name("elsewhere")
    spool.rename(elsewhere)
    spool.write_text("in the way", "utf-8")
    assert run.make("lost") is not None
    run.heard()
    spool.unlink()
    elsewhere.rename(spool)
    run.make("kept")
    run.settle()
    assert len(run.events(Kind.GENERATED)) == 1
    assert [facts["lost"] for facts in own_facts(run.archive, Kind.GAP)] == [2]


def test_a_clock_that_is_set_back_in_the_middle_of_a_job_changes_no_means(run, monkeypatch):
    before = time.time_ns()
    clock = run.modules["makingof_in_webui.jobs"]
    monkeypatch.setattr(clock, "now_ms", lambda: before // 1_000_000 - 3_600_000)
    run.jobs.stream._now = lambda: before // 1_000_000 - 3_600_000
    run.make("an hour earlier")
    run.settle()
    _, event = run.only(Kind.GENERATED)
    assert str(event.means) == "live"
    assert event.header.occurred_at < event.header.recorded_at


def test_a_host_killed_in_the_middle_leaves_a_request_without_an_end(archive, tmp_path):
    archive.clock = archive.recorder._clock = SystemClock()
    folder = tmp_path / "webui"
    Webui(folder)
    connect(archive, plan_connection("a1111", folder))
    program = [sys.executable, a1111_host.__file__, str(folder), "hang"]
    host = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with host:
        lines = iter(host.stdout.readline, b"")
        assert any(b"sampling" in line for line in lines)
        wait_for(lambda: len(list(spool_path(archive).glob("*.handover"))) + archive.log.size() > 3)
        host.kill()
    wait_for(lambda: _drained(archive))
    assert archive.index.positions_of_kind(Kind.GENERATED) == []
    assert archive.index.status().open_streams == 1


def _drained(archive):
    with contextlib.suppress(ConflictError):
        drain(archive)
    archive.index.follow(archive.log)
    return len(archive.index.positions_of_kind(Kind.PROMPTED)) == 1
