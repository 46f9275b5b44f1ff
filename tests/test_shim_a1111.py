"""The hook for AUTOMATIC1111, Forge and reForge inside a stand-in made from their documented callbacks."""

import ast
import contextlib
import hmac
import io
import json
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from PIL import Image
from tests import a1111_host
from tests.a1111_host import A1111, FORGE, FUTURE, OLD, REFORGE, Processing, Version, Webui, picture
from tests.hooks import own_facts

from makingof.archive.connecting import connect, plan_connection
from makingof.archive.draining import drain
from makingof.archive.fsck import check_archive
from makingof.archive.hooks import spool_path
from makingof.clock import SystemClock
from makingof.digest import Digest
from makingof.errors import ConflictError
from makingof.event import Event, Kind
from makingof.part import Choice, Environment, FileBody, Parameters, Part, PartType, Place, Report, Text
from makingof.spool import carried
from makingof.stamp.trust import built_in_trust

SHIM = Path(__file__).parents[1] / "shims/a1111"
VERSIONS = {"a1111": A1111, "old": OLD, "forge": FORGE, "reforge": REFORGE, "future": FUTURE}


class Run:
    """A host with the hook in it, beside an archive."""

    def __init__(self, archive, folder, version, monkeypatch):
        self.archive = archive
        archive.clock = archive.recorder._clock = SystemClock()
        self.host = Webui(folder, version)
        connect(archive, plan_connection("a1111", folder))
        self.folder = folder / "extensions/makingof"
        told = json.loads((self.folder / "connection.json").read_text("utf-8"))
        hook = Path(told["hook_file"])
        hook.write_text(json.dumps(carried.load_connection(hook) | {"drain": []}), "utf-8")
        for name, module in self.host.modules.items():
            monkeypatch.setitem(sys.modules, name, module)
        forget_hook()
        self.host.load_scripts()
        package = sys.modules["makingof_in_webui"]
        self.jobs = package.attaching._running[0].jobs
        self.modules = {
            name: module for name, module in sys.modules.items() if name.startswith("makingof_in_webui.")
        }
        monkeypatch.setattr(self.modules["makingof_in_webui.notices"], "POLL_SECONDS", 0.1)
        monkeypatch.setattr(self.modules["makingof_in_webui.jobs"], "ADDED_SECONDS", 0.05)

    def make(self, *arguments, script=None, **how):
        options = {name: how.pop(name) for name in list(how) if name in RUNNING}
        return self.host.run(Processing(*arguments, **how), script, **options)

    def settle(self):
        """Wait until the hook has heard everything, then drain."""
        self.heard()
        self.jobs.stop()
        assert self.host.reported == []
        assert self.jobs._errors == 0
        drain(self.archive)

    def heard(self):
        reached = threading.Event()
        self.jobs._on_reached = reached.set
        self.jobs._notices.put(("reached",))
        assert reached.wait(20)

    def events(self, *kinds):
        """Return (position, event) of every event of these kinds, in log order."""
        positions = sorted(at for kind in kinds for at in self.archive.index.positions_of_kind(kind))
        return [(at, Event.parse(self.archive.log.entry(at))) for at in positions]

    def only(self, kind):
        ((position, event),) = self.events(kind)
        return position, event

    def parts(self, position, part_type, shape):
        parts = [Part.parse(part.data) for part in self.archive.log.parts(position) if part.data]
        return [part.read(shape) for part in parts if part.type is part_type and part.listed() is None]

    def files(self, position):
        return self.parts(position, PartType.FILE, FileBody)

    def roles(self, position):
        return [(str(file.role), file.number) for file in self.files(position)]

    def report(self, position):
        return self.parts(position, PartType.REPORT, Report)[0]

    def held(self, position):
        return [self.archive.store.read(file.digest) for file in self.files(position)]


RUNNING = {"fail_at", "interrupt_at", "skip_at", "during", "after"}


def forget_hook():
    for name in [
        name for name in sys.modules if name.split(".")[0] in ("makingof_in_webui", "makingof_recording")
    ]:
        del sys.modules[name]


@pytest.fixture
def run(archive, tmp_path, monkeypatch):
    made = Run(archive, tmp_path / "webui", A1111, monkeypatch)
    yield made
    made.jobs.stop()
    forget_hook()


@pytest.fixture(params=VERSIONS)
def each(request, archive, tmp_path, monkeypatch):
    made = Run(archive, tmp_path / "webui", VERSIONS[request.param], monkeypatch)
    yield made
    made.jobs.stop()
    forget_hook()


def test_a_batch_is_a_request_and_its_pictures_whatever_the_version(each):
    run = each
    run.make("a lantern in fog, <lora:paper:0.8>", "blurry", n_iter=2, batch_size=2, styles=["ink"], seed=5)
    run.settle()
    asked, request = run.only(Kind.PROMPTED)
    made, result = run.only(Kind.GENERATED)
    assert [str(request.means), str(result.means)] == ["live", "live"]
    assert result.header.cites == (request.name,)
    assert sorted(run.roles(made), key=str) == [
        ("grid", None),
        ("output", 0),
        ("output", 1),
        ("output", 2),
        ("output", 3),
    ]
    saved = [path.read_bytes() for path in sorted((run.host.folder / "outputs").rglob("*.png"))]
    assert sorted(run.held(made)) == sorted(saved)
    for position in (asked, made):
        (text,) = run.parts(position, PartType.PROMPT, Text)
        assert text.typed == "a lantern in fog, <lora:paper:0.8>"
        assert text.effective == "a lantern in fog, <lora:paper:0.8>, ink wash"
        assert str(text.written) == "unknown"
    parameters = [one for one in run.parts(made, PartType.PARAMETERS, Parameters) if one.file]
    seeds = sorted(one.fields["seed"].value for one in parameters)
    assert seeds == ["5", "5", "6", "7", "8"]  # the grid carries the text of its first picture
    report = run.report(made)
    assert (report.outputs, report.outcome) == (4, None)
    assert report.facts["subseeds"] == ["9000000000", "9000000001", "9000000002", "9000000003"]
    (environment,) = run.parts(made, PartType.ENVIRONMENT, Environment)
    models = {one["role"]: one for one in environment.facts["models"]}
    assert len(models["checkpoint"]["sha256"]) == 64
    assert models["adapter"]["name"] == "paper.safetensors"
    check_archive(run.archive, built_in_trust(), openssl=None).require()


@pytest.mark.parametrize(
    ("version", "tool"),
    [(A1111, "a1111"), (FORGE, "forge"), (REFORGE, "reforge")],
    ids=["a1111", "forge", "reforge"],
)
def test_the_program_is_named_as_what_it_is(archive, tmp_path, monkeypatch, version, tool):
    run = Run(archive, tmp_path / "webui", version, monkeypatch)
    run.make("a kite")
    run.settle()
    source = run.only(Kind.GENERATED)[1].header.source
    assert (source.tool, source.tool_version) == (tool, version.tag)
    forget_hook()


def test_pictures_that_are_not_saved_are_recorded_as_they_were_in_memory(run):
    run.host.options.samples_save = False
    run.host.options.grid_save = False

    def paint_over(processed):
        for image in processed.images:
            image.paste((0, 0, 0), (0, 0, *image.size))

    processed = run.make("a moth", batch_size=2, seed=300)
    paint_over(processed)
    run.settle()
    made, result = run.only(Kind.GENERATED)
    assert str(result.means) == "live"
    assert run.roles(made) == [("grid", None), ("output", 0), ("output", 1)]
    assert run.report(made).facts["not_saved"] == [0, 1, 2]
    images = [Image.open(io.BytesIO(data)) for data in run.held(made)]
    assert images[1].tobytes() == picture(300, 64, 64).tobytes()
    assert images[1].info["parameters"].startswith("a moth\n")
    assert run.parts(made, PartType.PLACE, Place) == []


def test_steps_on_the_way_masks_and_composites_are_no_outputs(run):
    options = run.host.options
    options.save_images_before_highres_fix = options.save_images_before_face_restoration = True
    options.save_mask = options.return_mask = options.save_mask_composite = options.return_mask_composite = (
        True
    )
    mask = Image.new("L", (64, 64), 255)
    run.make(
        "a bridge",
        n_iter=2,
        enable_hr=True,
        restore_faces=True,
        init_images=[picture(3, 64, 64)],
        image_mask=mask,
    )
    run.settle()
    asked, made = run.only(Kind.PROMPTED)[0], run.only(Kind.GENERATED)[0]
    assert run.roles(asked) == [("init", None), ("mask", None)]
    names = sorted(run.roles(made), key=str)
    assert names.count(("output", 0)) == names.count(("output", 1)) == 1
    assert [role for role, _ in names].count("output") == 2
    kinds = sorted(run.report(made).facts["kinds"].values())
    assert kinds == sorted(
        [
            "grid",
            *["before-highres-fix"] * 2,
            *["before-face-restoration"] * 2,
            *["mask"] * 2,
            *["mask-composite"] * 2,
        ]
    )
    assert run.report(made).outputs == 2


def test_maps_that_an_extension_adds_after_us_are_control_maps(run):
    control = {"ControlNet 0": "Module: canny"}
    added = Image.new("RGB", (64, 64))

    class Later(a1111_host.Script):
        def postprocess(self, _p, processed, *_arguments):
            processed.images.append(added)

    run.host.scripts.append(Later())
    run.make("a gate", extra_generation_params=control)
    run.settle()
    assert run.roles(run.only(Kind.GENERATED)[0]) == [("output", 0), ("control", None)]


def test_an_interrupted_job_keeps_the_pictures_it_did_not_save(run):
    run.make("a long road", n_iter=4, interrupt_at=1)
    run.settle()
    made, _ = run.only(Kind.GENERATED)
    report = run.report(made)
    assert (report.outcome, report.outputs) == ("interrupted", 2)
    assert [number for role, number in run.roles(made) if role == "output"] == [0, 1]


def test_a_batch_that_was_skipped_is_said(run):
    run.make("a hill", n_iter=3, skip_at=0)
    run.settle()
    assert run.report(run.only(Kind.GENERATED)[0]).facts["flags"] == ["skipped"]


def test_a_job_that_raises_is_found_by_looking_and_told_with_the_hosts_own_words(run):
    run.make("too large", n_iter=2, fail_at=0)
    wait_for(lambda: not run.jobs._open)
    run.settle()
    attempt, event = run.only(Kind.ATTEMPTED)
    report = run.report(attempt)
    assert (report.outcome, report.text, str(event.means)) == ("failed", "out of memory", "live")
    assert event.header.cites == (run.only(Kind.PROMPTED)[1].name,)


def test_what_was_saved_before_a_job_raised_is_kept(run):
    run.make("too many", n_iter=3, fail_at=2)
    run.make("the next")
    run.settle()
    first, second = run.events(Kind.GENERATED)
    assert (run.report(first[0]).outcome, run.roles(first[0])) == (
        "failed",
        [("output", None), ("output", None)],
    )
    assert run.report(second[0]).outcome is None
    assert str(first[1].means) == "live"


def test_a_script_that_makes_many_jobs_in_one_go_gives_one_job_of_many_requests(run):
    def grid_of_settings(p):
        cells = [
            run.host.process_images(Processing("a tower", steps=steps, seed=9)) for steps in (10, 20, 30)
        ]
        whole = picture(1, 192, 64)
        run.host.save_image(
            whole, run.host.options.outdir_txt2img_grids, basename="xyz_grid", p=cells[0], info="grid"
        )
        return cells[0]

    run.make("a tower", script=grid_of_settings)
    run.settle()
    asked, made = run.events(Kind.PROMPTED), run.events(Kind.GENERATED)
    assert (len(asked), len(made)) == (3, 4)
    assert len({run.report(position).job for position, _ in made}) == 1
    assert run.roles(made[-1][0]) == [("grid", None)]
    assert set(made[-1][1].header.cites) == {event.name for _, event in asked}
    assert {str(event.means) for _, event in made} == {"live"}


def test_a_job_inside_another_cites_it(run):
    class Detailer(a1111_host.Script):
        busy = False

        def postprocess_image(self, _p, args, *_arguments):
            if not self.busy:
                self.busy = True
                run.host.process_images(
                    Processing("a face", do_not_save_samples=True, init_images=[args.image])
                )
                self.busy = False

    run.host.scripts.append(Detailer())
    run.make("a portrait")
    run.settle()
    outer, inner = run.events(Kind.PROMPTED)
    assert inner[1].header.cites == (outer[1].name,)
    texts = [run.parts(at, PartType.PROMPT, Text)[0].typed for at, _ in run.events(Kind.GENERATED)]
    assert texts == ["a face", "a portrait"]


def test_a_save_press_is_a_choice_among_the_batch(each):
    run = each
    processed = run.make("a crane", n_iter=1, batch_size=4)
    run.heard()
    run.host.press_save(processed, 3)
    time.sleep(0.2)
    run.settle()
    chosen, event = run.only(Kind.SELECTED)
    assert str(event.means) == "live"
    judged, among = judged_and_among(run, chosen)
    made, result = run.events(Kind.GENERATED)[0]
    outputs = {file.number: file.digest for file in run.files(made) if str(file.role) == "output"}
    assert [file.digest for file in judged] == [outputs[2]]
    assert {file.digest for file in among} == set(outputs.values())
    assert event.header.cites == (result.name,)
    places = [place.path for place in run.parts(chosen, PartType.PLACE, Place)]
    assert places == [str(next(Path(run.host.options.outdir_save).glob("*.png")))]


def wait_for(reached):
    deadline = time.monotonic() + 20
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def judged_and_among(run, position):
    (choice,) = run.parts(position, PartType.CHOICE, Choice)
    data = {str(Digest.of(part.data)): part.data for part in run.archive.log.parts(position)}
    bodies = lambda digests: [Part.parse(data[str(digest)]).read(FileBody) for digest in digests]  # noqa: E731
    return bodies(choice.judged), bodies(choice.among)


def test_saving_all_that_is_shown_is_a_choice_of_all_and_not_of_the_grid(run):
    processed = run.make("a wave", batch_size=3)
    run.heard()
    run.host.press_save(processed, -1)
    run.settle()
    judged, among = judged_and_among(run, run.only(Kind.SELECTED)[0])
    assert len({file.digest for file in judged}) == len(among) == 3
    assert "grid" not in {str(file.role) for file in judged}


def test_a_copy_with_other_bytes_leads_back_to_its_picture(run):
    processed = run.make("a wave", batch_size=2)
    run.heard()
    run.host.options.samples_format = "jpg"
    (copy,) = run.host.press_save(processed, 2)
    run.settle()
    first, second = run.events(Kind.GENERATED)
    assert run.held(second[0]) == [copy.read_bytes()]
    assert run.roles(second[0]) == [("preview", None)]
    assert second[1].header.cites == (run.only(Kind.PROMPTED)[1].name,)
    position, chosen = run.only(Kind.SELECTED)
    assert set(chosen.header.cites) == {first[1].name, second[1].name}
    judged, _ = judged_and_among(run, position)
    assert judged[0].digest in [file.digest for file in run.files(first[0]) if file.number == 1]


def test_a_picture_that_was_never_saved_by_itself_can_be_chosen(run):
    run.host.options.samples_save = False
    processed = run.make("a wave", batch_size=2)
    run.heard()
    run.host.press_save(processed, 1)
    run.settle()
    judged, among = judged_and_among(run, run.only(Kind.SELECTED)[0])
    assert (len(judged), len(among)) == (1, 2)


def test_a_press_that_only_the_list_tells_of_is_found_there_and_older_rows_are_not_of_now(
    archive, tmp_path, monkeypatch
):
    folder = tmp_path / "webui"
    before = Webui(folder)
    old = before.process_images(Processing("an old one"))
    before.press_save(old, 0)
    run = Run(archive, folder, A1111, monkeypatch)
    processed = run.make("a new one")
    run.heard()
    run.host._callbacks.pop("image_saved")
    run.host.press_save(processed, 0)
    wait_for(lambda: run.jobs._save_button._rows == 2)
    run.settle()
    position, event = run.only(Kind.SELECTED)
    judged, _ = judged_and_among(run, position)
    made = run.only(Kind.GENERATED)
    assert judged[0].digest in [file.digest for file in run.files(made[0])]
    assert made[1].name in event.header.cites
    raws = [Part.parse(part.data) for part in archive.log.parts(position)]
    assert [part.body["locator"] for part in raws if part.type is PartType.RAW] == ["log.csv"]
    forget_hook()


def test_a_name_that_was_taken_is_not_mistaken_for_the_new_picture(archive, tmp_path, monkeypatch):
    run = Run(archive, tmp_path / "webui", FORGE, monkeypatch)
    run.host.options.add_number = False
    run.make("first", seed=5)
    run.make("second", seed=5, width=32)
    run.settle()
    first, second = run.events(Kind.GENERATED)
    folder = Path(run.host.options.outdir_txt2img_samples)
    assert run.held(first[0]) == [(folder / "5.png").read_bytes()]
    assert run.held(second[0]) == [(folder / "5-1.png").read_bytes()]
    forget_hook()


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


def test_the_extras_tab_edits_and_generates_nothing(run):
    run.host.run_extras(picture(1, 128, 128))
    run.settle()
    position, event = run.only(Kind.EDITED)
    assert str(event.means) == "live"
    assert run.roles(position) == [("output", None)]
    assert run.events(Kind.GENERATED) == []


def test_a_picture_nobody_asked_for_here_is_recovered_and_said_to_be(run):
    run.host.state.job_timestamp = "20200101000000"
    run.host.save_image(picture(1, 64, 64), run.host.options.outdir_txt2img_samples, info="stray")
    run.settle()
    assert str(run.only(Kind.GENERATED)[1].means) == "recovered"
    assert [facts["why"] for facts in own_facts(run.archive, Kind.GAP)] == ["no_request"]


def test_pasted_prompts_users_and_calls_of_the_interface_are_told(run):
    run.host.call("infotext_pasted", "a fox\nSteps: 20", {"Prompt": "a fox", "Negative prompt": ""})
    settings = {"api_key": "sk-secret-123", "CLIP_stop_at_last_layers": 2}
    run.make("a fox", is_api=True, user="mei", override_settings=settings)
    run.settle()
    asked, _ = run.only(Kind.PROMPTED)
    assert str(run.parts(asked, PartType.PROMPT, Text)[0].written) == "pasted"
    facts = run.report(asked).facts
    assert (facts["user"], facts["is_api"]) == ("mei", True)
    (parameters,) = run.parts(asked, PartType.PARAMETERS, Parameters)
    assert parameters.fields["tool:CLIP_stop_at_last_layers"].value == "2"
    kept = b"".join(part.data for at in range(run.archive.log.size()) for part in run.archive.log.parts(at))
    assert b"sk-secret-123" not in kept


def test_prompts_of_a_list_are_each_written_once(run):
    run.make(["a cat", "a dog", "a cat"], batch_size=3)
    run.settle()
    texts = run.parts(run.only(Kind.PROMPTED)[0], PartType.PROMPT, Text)
    assert [(text.typed, text.ordinal) for text in texts] == [("a cat", 0), ("a dog", 1)]


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


def test_the_running_host_proves_to_the_doctor_that_this_very_hook_is_in_it(run):
    answer = run.host.app.routes["/makingof/hook"](say="abc")
    secret = bytes.fromhex(run.jobs.stream.connection["secret"])
    assert answer["mac"] == hmac.new(secret, b"makingof-doctor/1\nabc\n", "sha256").hexdigest()
    assert "on_image_saved" in answer["attached"]


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


def test_a_host_without_most_of_its_modules_is_recorded_all_the_same(archive, tmp_path, monkeypatch):
    run = Run(archive, tmp_path / "webui", A1111, monkeypatch)
    for name in ("errors", "sd_models", "sd_vae", "launch_utils", "shared"):
        monkeypatch.delitem(sys.modules, f"modules.{name}")
    run.make("a reed")
    run.settle()
    assert run.roles(run.only(Kind.GENERATED)[0]) == [("output", 0)]
    forget_hook()


def test_a_host_that_has_only_scripts_is_recorded_from_its_images(archive, tmp_path, monkeypatch):
    run = Run(archive, tmp_path / "webui", Version("v0.9", callbacks=()), monkeypatch)
    assert run.jobs.attached == ["script"]
    run.make("a reed", seed=300)
    run.settle()
    made, _ = run.only(Kind.GENERATED)
    with Image.open(io.BytesIO(run.held(made)[0])) as image:
        assert image.tobytes() == picture(300, 64, 64).tobytes()
    forget_hook()


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
    forget_hook()


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


@pytest.mark.parametrize("path", sorted(SHIM.rglob("*.py")), ids=lambda path: path.name)
def test_the_hook_needs_python_3_10_and_what_its_host_brings(path):
    tree = ast.parse(path.read_text("utf-8"), feature_version=(3, 10))
    names = [item.name for node in ast.walk(tree) if isinstance(node, ast.Import) for item in node.names]
    names += [
        node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level == 0
    ]
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names | {"modules"}
