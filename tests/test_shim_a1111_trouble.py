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
from tests.webui_run import forget_hook, wait_for

from makingof.archive.connecting import connect, plan_connection
from makingof.archive.draining import drain
from makingof.archive.hooks import spool_path
from makingof.clock import SystemClock
from makingof.errors import ConflictError
from makingof.event import Kind
from makingof.part import PartType, Place

SHIM = Path(__file__).parents[1] / "shims/a1111"


def test_a_name_that_was_taken_is_not_mistaken_for_the_new_picture(start_webui):
    webui = start_webui(FORGE)
    webui.host.options.add_number = False
    webui.make("first", seed=5)
    webui.make("second", seed=5, width=32)
    webui.settle()
    first, second = webui.events(Kind.GENERATED)
    folder = Path(webui.host.options.outdir_txt2img_samples)
    assert webui.held(first[0]) == [(folder / "5.png").read_bytes()]
    assert webui.held(second[0]) == [(folder / "5-1.png").read_bytes()]


def moved(path):
    path.rename(path.with_name("moved.png"))


def replaced(path):
    path.with_suffix(".new").write_bytes(b"other bytes")
    path.with_suffix(".new").replace(path)


@pytest.mark.parametrize("happens", [moved, Path.unlink, replaced], ids=["moved", "deleted", "replaced"])
def test_what_happens_to_a_file_right_after_it_was_saved_changes_nothing(webui, happens):
    written = []

    def afterwards(params):
        path = Path(params.filename)
        written.append(path.read_bytes())
        happens(path)

    webui.host._callbacks["image_saved"].append(afterwards)
    webui.make("a swallow")
    webui.settle()
    assert webui.held(webui.only(Kind.GENERATED)[0]) == written


def test_where_files_cannot_be_held_open_other_bytes_are_not_taken_for_the_picture(webui, monkeypatch):
    monkeypatch.setattr(webui.modules["makingof_in_webui.pictures"].sys, "platform", "win32")
    webui.host._callbacks["image_saved"].append(lambda params: replaced(Path(params.filename)))
    webui.make("a swallow", seed=300)
    monkeypatch.undo()
    webui.settle()
    made, _ = webui.only(Kind.GENERATED)
    with Image.open(io.BytesIO(webui.held(made)[0])) as image:
        assert image.tobytes() == picture(300, 64, 64).tobytes()
    assert webui.parts(made, PartType.PLACE, Place) == []


def test_a_file_that_is_written_over_in_place_is_recorded_as_it_was_in_memory(webui):
    webui.host._callbacks["image_saved"].append(lambda params: Path(params.filename).write_bytes(b"other"))
    webui.make("a swallow", seed=300)
    webui.settle()
    (data,) = webui.held(webui.only(Kind.GENERATED)[0])
    with Image.open(io.BytesIO(data)) as image:
        assert image.tobytes() == picture(300, 64, 64).tobytes()


def test_a_picture_that_still_says_where_it_was_saved_before_is_taken_from_where_it_is_now(webui):
    elsewhere = webui.host.folder / "elsewhere.png"
    elsewhere.write_bytes(b"an older copy")
    webui.host._callbacks["image_saved"].insert(
        0, lambda params: setattr(params.image, "already_saved_as", str(elsewhere))
    )
    webui.make("a pier")
    webui.settle()
    (path,) = Path(webui.host.options.outdir_txt2img_samples).glob("*.png")
    assert webui.held(webui.only(Kind.GENERATED)[0]) == [path.read_bytes()]


def test_reloading_the_interface_goes_on_with_the_same_stream(webui):
    webui.make("before")
    webui.host.load_scripts()
    webui.make("after")
    webui.settle()
    streams = {event.header.stream for _, event in webui.events(Kind.PROMPTED, Kind.GENERATED)}
    assert streams == {webui.jobs.stream.stream}
    assert len(webui.events(Kind.GENERATED)) == 2


def test_a_hook_connected_anew_under_a_running_host_is_recorded_as_nobody_known(webui):
    connect(webui.archive, plan_connection("a1111", webui.host.folder))
    webui.make("with the old secret")
    webui.settle()
    assert {str(event.means) for _, event in webui.events(Kind.PROMPTED, Kind.GENERATED)} == {"recovered"}
    assert {facts["why"] for facts in own_facts(webui.archive, Kind.GAP)} == {"unknown_hook"}


def test_what_goes_wrong_in_the_hook_reaches_neither_scripts_nor_files(webui, monkeypatch, capsys):
    def fail(*_arguments, **_named):
        message = "in the hook"
        raise RuntimeError(message)

    for name in ("begun", "prepared", "saving", "saved", "ended", "batch_made"):
        monkeypatch.setattr(webui.jobs, name, fail)
    processed = webui.make("a stone", batch_size=2)
    assert len(processed.images) == 3
    assert webui.host.reported == []
    assert "in the hook" in capsys.readouterr().err


def test_a_thread_that_fails_says_so_and_records_the_next_job(webui, monkeypatch):
    results = webui.modules["makingof_in_webui.jobs"]
    whole = results.name_pictures

    def fail_once(*arguments):
        monkeypatch.setattr(results, "name_pictures", whole)
        message = "in the thread"
        raise RuntimeError(message)

    monkeypatch.setattr(results, "name_pictures", fail_once)
    webui.make("lost")
    webui.make("kept")
    webui.heard()
    assert webui.jobs._errors == 1
    webui.jobs._errors = 0
    webui.settle()
    assert len(webui.events(Kind.GENERATED)) == 1
    assert [facts["why"] for facts in own_facts(webui.archive, Kind.GAP)] == ["hook_error"]


def test_a_host_without_most_of_its_modules_is_recorded_all_the_same(start_webui, monkeypatch):
    webui = start_webui(A1111)
    for name in ("errors", "sd_models", "sd_vae", "launch_utils", "shared"):
        monkeypatch.delitem(sys.modules, f"modules.{name}")
    webui.make("a reed")
    webui.settle()
    assert webui.roles(webui.only(Kind.GENERATED)[0]) == [("output", 0)]


def test_a_host_that_has_only_scripts_is_recorded_from_its_images(start_webui):
    webui = start_webui(Version("v0.9", callbacks=()))
    assert webui.jobs.attached == ["script"]
    webui.make("a reed", seed=300)
    webui.settle()
    made, _ = webui.only(Kind.GENERATED)
    with Image.open(io.BytesIO(webui.held(made)[0])) as image:
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


def test_a_full_disk_in_the_host_stops_nothing_and_is_said(webui):
    spool = spool_path(webui.archive)
    webui.heard()
    elsewhere = spool.with_name("elsewhere")
    spool.rename(elsewhere)
    spool.write_text("in the way", "utf-8")
    assert webui.make("lost") is not None
    webui.heard()
    spool.unlink()
    elsewhere.rename(spool)
    webui.make("kept")
    webui.settle()
    assert len(webui.events(Kind.GENERATED)) == 1
    assert [facts["lost"] for facts in own_facts(webui.archive, Kind.GAP)] == [2]


def test_a_clock_that_is_set_back_in_the_middle_of_a_job_changes_no_means(webui, monkeypatch):
    before = time.time_ns()
    clock = webui.modules["makingof_in_webui.jobs"]
    monkeypatch.setattr(clock, "now_ms", lambda: before // 1_000_000 - 3_600_000)
    webui.jobs.stream._now = lambda: before // 1_000_000 - 3_600_000
    webui.make("an hour earlier")
    webui.settle()
    _, event = webui.only(Kind.GENERATED)
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
