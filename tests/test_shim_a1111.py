"""The hook for AUTOMATIC1111, Forge and reForge inside a stand-in made from their documented callbacks."""

import ast
import contextlib
import hmac
import io
import sys
import time
from pathlib import Path

import pytest
from PIL import Image
from tests import a1111_host
from tests.a1111_host import A1111, FORGE, FUTURE, OLD, REFORGE, Processing, picture
from tests.hooks import own_facts
from tests.webui_run import running, wait_for

from makingof.archive.fsck import check_archive
from makingof.event import Kind
from makingof.part import Environment, Parameters, PartType, Place, Text
from makingof.stamp.trust import built_in_trust

SHIM = Path(__file__).parents[1] / "shims/a1111"
VERSIONS = {"a1111": A1111, "old": OLD, "forge": FORGE, "reforge": REFORGE, "future": FUTURE}


@pytest.fixture
def start(archive, tmp_path, monkeypatch):
    with contextlib.ExitStack() as stack:
        yield lambda version: stack.enter_context(running(archive, tmp_path / "webui", version, monkeypatch))


@pytest.fixture
def run(start):
    return start(A1111)


@pytest.fixture(params=VERSIONS)
def each(request, start):
    return start(VERSIONS[request.param])


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
def test_the_program_is_named_as_what_it_is(start, version, tool):
    run = start(version)
    run.make("a kite")
    run.settle()
    source = run.only(Kind.GENERATED)[1].header.source
    assert (source.tool, source.tool_version) == (tool, version.tag)


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


def test_wildcards_that_another_extension_fills_in_after_us_are_in_what_took_effect(run):
    class Wildcards(a1111_host.Script):
        def process(self, p, *_arguments):
            p.all_prompts = [prompt.replace("__animal__", "heron") for prompt in p.all_prompts]

    run.host.scripts.append(Wildcards())
    run.make("a __animal__ at dusk", during=lambda _p, _n: time.sleep(0.2))
    run.settle()
    for kind in (Kind.PROMPTED, Kind.GENERATED):
        (text,) = run.parts(run.only(kind)[0], PartType.PROMPT, Text)
        assert (text.typed, text.effective) == ("a __animal__ at dusk", "a heron at dusk")


def test_a_request_does_not_wait_for_a_model_that_is_loaded_first(run, monkeypatch):
    monkeypatch.setattr(run.modules["makingof_in_webui.jobs"], "PREPARE_SECONDS", 0.05)

    class Slow(a1111_host.Script):
        def process(self, *_arguments):
            time.sleep(0.3)

    run.host.scripts.append(Slow())
    run.make("a quay", styles=["ink"])
    run.settle()
    asked, request = run.only(Kind.PROMPTED)
    (text,) = run.parts(asked, PartType.PROMPT, Text)
    assert (text.typed, text.effective, str(request.means)) == ("a quay", None, "live")
    (text,) = run.parts(run.only(Kind.GENERATED)[0], PartType.PROMPT, Text)
    assert text.effective == "a quay, ink wash"


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


def test_the_running_host_proves_to_the_doctor_that_this_very_hook_is_in_it(run):
    answer = run.host.app.routes["/makingof/hook"](say="abc")
    secret = bytes.fromhex(run.jobs.stream.connection["secret"])
    assert answer["mac"] == hmac.new(secret, b"makingof-doctor/1\nabc\n", "sha256").hexdigest()
    assert "on_image_saved" in answer["attached"]


@pytest.mark.parametrize("path", sorted(SHIM.rglob("*.py")), ids=lambda path: path.name)
def test_the_hook_needs_python_3_10_and_what_its_host_brings(path):
    tree = ast.parse(path.read_text("utf-8"), feature_version=(3, 10))
    names = [item.name for node in ast.walk(tree) if isinstance(node, ast.Import) for item in node.names]
    names += [
        node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level == 0
    ]
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names | {"modules"}
