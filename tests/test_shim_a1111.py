"""The hook for AUTOMATIC1111, Forge and reForge inside a stand-in made from their documented callbacks."""

import ast
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
from tests.webui_run import wait_for

from makingof.archive.fsck import check_archive
from makingof.event import Kind
from makingof.part import Environment, Parameters, PartType, Place, Text
from makingof.stamp.trust import built_in_trust

SHIM = Path(__file__).parents[1] / "shims/a1111"
VERSIONS = {"a1111": A1111, "old": OLD, "forge": FORGE, "reforge": REFORGE, "future": FUTURE}


@pytest.fixture(params=VERSIONS)
def each(request, start_webui):
    return start_webui(VERSIONS[request.param])


def test_a_batch_is_a_request_and_its_pictures_whatever_the_version(each):
    webui = each
    webui.make("a lantern in fog, <lora:paper:0.8>", "blurry", n_iter=2, batch_size=2, styles=["ink"], seed=5)
    webui.settle()
    asked, request = webui.only(Kind.PROMPTED)
    made, result = webui.only(Kind.GENERATED)
    assert [str(request.means), str(result.means)] == ["live", "live"]
    assert result.header.cites == (request.name,)
    assert sorted(webui.roles(made), key=str) == [
        ("grid", None),
        ("output", 0),
        ("output", 1),
        ("output", 2),
        ("output", 3),
    ]
    saved = [path.read_bytes() for path in sorted((webui.host.folder / "outputs").rglob("*.png"))]
    assert sorted(webui.held(made)) == sorted(saved)
    for position in (asked, made):
        (text,) = webui.parts(position, PartType.PROMPT, Text)
        assert text.typed == "a lantern in fog, <lora:paper:0.8>"
        assert text.effective == "a lantern in fog, <lora:paper:0.8>, ink wash"
        assert str(text.written) == "unknown"
    parameters = [one for one in webui.parts(made, PartType.PARAMETERS, Parameters) if one.file]
    seeds = sorted(one.fields["seed"].value for one in parameters)
    assert seeds == ["5", "5", "6", "7", "8"]  # the grid carries the text of its first picture
    report = webui.report(made)
    assert (report.outputs, report.outcome) == (4, None)
    assert report.facts["subseeds"] == ["9000000000", "9000000001", "9000000002", "9000000003"]
    (environment,) = webui.parts(made, PartType.ENVIRONMENT, Environment)
    models = {one["role"]: one for one in environment.facts["models"]}
    assert len(models["checkpoint"]["sha256"]) == 64
    assert models["adapter"]["name"] == "paper.safetensors"
    check_archive(webui.archive, built_in_trust(), openssl=None).require()


@pytest.mark.parametrize(
    ("version", "tool"),
    [(A1111, "a1111"), (FORGE, "forge"), (REFORGE, "reforge")],
    ids=["a1111", "forge", "reforge"],
)
def test_the_program_is_named_as_what_it_is(start_webui, version, tool):
    webui = start_webui(version)
    webui.make("a kite")
    webui.settle()
    source = webui.only(Kind.GENERATED)[1].header.source
    assert (source.tool, source.tool_version) == (tool, version.tag)


def test_pictures_that_are_not_saved_are_recorded_as_they_were_in_memory(webui):
    webui.host.options.samples_save = False
    webui.host.options.grid_save = False

    def paint_over(processed):
        for image in processed.images:
            image.paste((0, 0, 0), (0, 0, *image.size))

    processed = webui.make("a moth", batch_size=2, seed=300)
    paint_over(processed)
    webui.settle()
    made, result = webui.only(Kind.GENERATED)
    assert str(result.means) == "live"
    assert webui.roles(made) == [("grid", None), ("output", 0), ("output", 1)]
    assert webui.report(made).facts["not_saved"] == [0, 1, 2]
    images = [Image.open(io.BytesIO(data)) for data in webui.held(made)]
    assert images[1].tobytes() == picture(300, 64, 64).tobytes()
    assert images[1].info["parameters"].startswith("a moth\n")
    assert webui.parts(made, PartType.PLACE, Place) == []


def test_steps_on_the_way_masks_and_composites_are_no_outputs(webui):
    options = webui.host.options
    options.save_images_before_highres_fix = options.save_images_before_face_restoration = True
    options.save_mask = options.return_mask = options.save_mask_composite = options.return_mask_composite = (
        True
    )
    mask = Image.new("L", (64, 64), 255)
    webui.make(
        "a bridge",
        n_iter=2,
        enable_hr=True,
        restore_faces=True,
        init_images=[picture(3, 64, 64)],
        image_mask=mask,
    )
    webui.settle()
    asked, made = webui.only(Kind.PROMPTED)[0], webui.only(Kind.GENERATED)[0]
    assert webui.roles(asked) == [("init", None), ("mask", None)]
    names = sorted(webui.roles(made), key=str)
    assert names.count(("output", 0)) == names.count(("output", 1)) == 1
    assert [role for role, _ in names].count("output") == 2
    kinds = sorted(webui.report(made).facts["kinds"].values())
    assert kinds == sorted(
        [
            "grid",
            *["before-highres-fix"] * 2,
            *["before-face-restoration"] * 2,
            *["mask"] * 2,
            *["mask-composite"] * 2,
        ]
    )
    assert webui.report(made).outputs == 2


def test_wildcards_that_another_extension_fills_in_after_us_are_in_what_took_effect(webui):
    class Wildcards(a1111_host.Script):
        def process(self, p, *_arguments):
            p.all_prompts = [prompt.replace("__animal__", "heron") for prompt in p.all_prompts]

    webui.host.scripts.append(Wildcards())
    webui.make("a __animal__ at dusk", during=lambda _p, _n: time.sleep(0.2))
    webui.settle()
    for kind in (Kind.PROMPTED, Kind.GENERATED):
        (text,) = webui.parts(webui.only(kind)[0], PartType.PROMPT, Text)
        assert (text.typed, text.effective) == ("a __animal__ at dusk", "a heron at dusk")


def test_a_request_does_not_wait_for_a_model_that_is_loaded_first(webui, monkeypatch):
    monkeypatch.setattr(webui.modules["makingof_in_webui.jobs"], "PREPARE_SECONDS", 0.05)

    class Slow(a1111_host.Script):
        def process(self, *_arguments):
            time.sleep(0.3)

    webui.host.scripts.append(Slow())
    webui.make("a quay", styles=["ink"])
    webui.settle()
    asked, request = webui.only(Kind.PROMPTED)
    (text,) = webui.parts(asked, PartType.PROMPT, Text)
    assert (text.typed, text.effective, str(request.means)) == ("a quay", None, "live")
    (text,) = webui.parts(webui.only(Kind.GENERATED)[0], PartType.PROMPT, Text)
    assert text.effective == "a quay, ink wash"


def test_maps_that_an_extension_adds_after_us_are_control_maps(webui):
    control = {"ControlNet 0": "Module: canny"}
    added = Image.new("RGB", (64, 64))

    class Later(a1111_host.Script):
        def postprocess(self, _p, processed, *_arguments):
            processed.images.append(added)

    webui.host.scripts.append(Later())
    webui.make("a gate", extra_generation_params=control)
    webui.settle()
    assert webui.roles(webui.only(Kind.GENERATED)[0]) == [("output", 0), ("control", None)]


def test_an_interrupted_job_keeps_the_pictures_it_did_not_save(webui):
    webui.make("a long road", n_iter=4, interrupt_at=1)
    webui.settle()
    made, _ = webui.only(Kind.GENERATED)
    report = webui.report(made)
    assert (report.outcome, report.outputs) == ("interrupted", 2)
    assert [number for role, number in webui.roles(made) if role == "output"] == [0, 1]


def test_a_long_job_is_not_taken_for_one_that_raised(each):
    webui = each
    webui.make("a long night", during=lambda _p, _n: time.sleep(0.6))
    webui.settle()
    assert webui.report(webui.only(Kind.GENERATED)[0]).outcome is None
    assert webui.events(Kind.ATTEMPTED) == []


def test_a_job_that_was_taken_for_failed_and_did_end_has_both_said(webui):
    def seems_idle(_p, _n):
        webui.host.state.job, webui.host.state.job_count = "", 0
        wait_for(lambda: not webui.jobs._open)

    webui.make("a ferry", during=seems_idle)
    webui.settle()
    request = webui.only(Kind.PROMPTED)[1].name
    ends = webui.events(Kind.ATTEMPTED, Kind.GENERATED)
    assert [(str(event.kind), str(event.means)) for _, event in ends] == [
        ("attempted", "live"),
        ("generated", "live"),
    ]
    assert {event.header.cites for _, event in ends} == {(request,)}


def test_a_batch_that_was_skipped_is_said(webui):
    webui.make("a hill", n_iter=3, skip_at=0)
    webui.settle()
    assert webui.report(webui.only(Kind.GENERATED)[0]).facts["flags"] == ["skipped"]


def test_a_job_that_raises_is_found_by_looking_and_told_with_the_hosts_own_words(webui):
    webui.make("too large", n_iter=2, fail_at=0)
    wait_for(lambda: not webui.jobs._open)
    webui.settle()
    attempt, event = webui.only(Kind.ATTEMPTED)
    report = webui.report(attempt)
    assert (report.outcome, report.text, str(event.means)) == ("failed", "out of memory", "live")
    assert event.header.cites == (webui.only(Kind.PROMPTED)[1].name,)


def test_what_was_saved_before_a_job_raised_is_kept(webui):
    webui.make("too many", n_iter=3, fail_at=2)
    webui.make("the next")
    webui.settle()
    first, second = webui.events(Kind.GENERATED)
    assert (webui.report(first[0]).outcome, webui.roles(first[0])) == (
        "failed",
        [("output", None), ("output", None)],
    )
    assert webui.report(second[0]).outcome is None
    assert str(first[1].means) == "live"


def test_a_script_that_makes_many_jobs_in_one_go_gives_one_job_of_many_requests(webui):
    def grid_of_settings(p):
        cells = [
            webui.host.process_images(Processing("a tower", steps=steps, seed=9)) for steps in (10, 20, 30)
        ]
        whole = picture(1, 192, 64)
        webui.host.save_image(
            whole, webui.host.options.outdir_txt2img_grids, basename="xyz_grid", p=cells[0], info="grid"
        )
        return cells[0]

    webui.make("a tower", script=grid_of_settings)
    webui.settle()
    asked, made = webui.events(Kind.PROMPTED), webui.events(Kind.GENERATED)
    assert (len(asked), len(made)) == (3, 4)
    assert len({webui.report(position).job for position, _ in made}) == 1
    assert webui.roles(made[-1][0]) == [("grid", None)]
    assert set(made[-1][1].header.cites) == {event.name for _, event in asked}
    assert {str(event.means) for _, event in made} == {"live"}


def test_a_job_inside_another_cites_it(webui):
    class Detailer(a1111_host.Script):
        busy = False

        def postprocess_image(self, _p, args, *_arguments):
            if not self.busy:
                self.busy = True
                webui.host.process_images(
                    Processing("a face", do_not_save_samples=True, init_images=[args.image])
                )
                self.busy = False

    webui.host.scripts.append(Detailer())
    webui.make("a portrait")
    webui.settle()
    outer, inner = webui.events(Kind.PROMPTED)
    assert inner[1].header.cites == (outer[1].name,)
    texts = [webui.parts(at, PartType.PROMPT, Text)[0].typed for at, _ in webui.events(Kind.GENERATED)]
    assert texts == ["a face", "a portrait"]


def test_the_extras_tab_edits_and_generates_nothing(webui):
    webui.host.run_extras(picture(1, 128, 128))
    webui.settle()
    position, event = webui.only(Kind.EDITED)
    assert str(event.means) == "live"
    assert webui.roles(position) == [("output", None)]
    assert webui.events(Kind.GENERATED) == []


def test_a_picture_nobody_asked_for_here_is_recovered_and_said_to_be(webui):
    webui.host.state.job_timestamp = "20200101000000"
    webui.host.save_image(picture(1, 64, 64), webui.host.options.outdir_txt2img_samples, info="stray")
    webui.settle()
    assert str(webui.only(Kind.GENERATED)[1].means) == "recovered"
    assert [facts["why"] for facts in own_facts(webui.archive, Kind.GAP)] == ["no_request"]


def test_pasted_prompts_users_and_calls_of_the_interface_are_told(webui):
    webui.host.call("infotext_pasted", "a fox\nSteps: 20", {"Prompt": "a fox", "Negative prompt": ""})
    settings = {"api_key": "sk-secret-123", "CLIP_stop_at_last_layers": 2}
    webui.make("a fox", is_api=True, user="mei", override_settings=settings)
    webui.settle()
    asked, _ = webui.only(Kind.PROMPTED)
    assert str(webui.parts(asked, PartType.PROMPT, Text)[0].written) == "pasted"
    facts = webui.report(asked).facts
    assert (facts["user"], facts["is_api"]) == ("mei", True)
    (parameters,) = webui.parts(asked, PartType.PARAMETERS, Parameters)
    assert parameters.fields["tool:CLIP_stop_at_last_layers"].value == "2"
    kept = b"".join(
        part.data for at in range(webui.archive.log.size()) for part in webui.archive.log.parts(at)
    )
    assert b"sk-secret-123" not in kept


def test_prompts_of_a_list_are_each_written_once(webui):
    webui.make(["a cat", "a dog", "a cat"], batch_size=3)
    webui.settle()
    texts = webui.parts(webui.only(Kind.PROMPTED)[0], PartType.PROMPT, Text)
    assert [(text.typed, text.ordinal) for text in texts] == [("a cat", 0), ("a dog", 1)]


def test_the_running_host_proves_to_the_doctor_that_this_very_hook_is_in_it(webui):
    answer = webui.host.app.routes["/makingof/hook"](say="abc")
    secret = bytes.fromhex(webui.jobs.stream.connection["secret"])
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
