"""The recorder inside real diffusers: a pipeline of random weights that paints in a tenth of a second.

Run by `.ci/diffusers` in an environment of its own, with the versions of
`requirements/diffusers.txt`. Nothing is asked of any hub.
"""

import hashlib
import importlib
import os
import shutil
import signal
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.hooks import events, own_facts
from tests.recorded_pipelines import open_desk

from makingof import record_loading
from makingof.archive.fsck import check_archive
from makingof.event import Kind
from makingof.live.pipelines.recording import host_facts
from makingof.part import Environment, FileBody, PartType
from makingof.stamp.trust import built_in_trust

pytestmark = [pytest.mark.diffusers, pytest.mark.filterwarnings("ignore")]

SMALL = {"height": 64, "width": 64, "num_inference_steps": 4}


@pytest.fixture(scope="session")
def real(tmp_path_factory):
    """The libraries, loaded late: only here are they there at all."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = ("torch", "diffusers", "safetensors.torch", "tests.tiny_pipeline")
        torch, diffusers, tensors, tiny = map(importlib.import_module, names)
        torch.set_num_threads(1)
        model = tiny.make_model(tmp_path_factory.mktemp("model"))
    return SimpleNamespace(torch=torch, diffusers=diffusers, tensors=tensors, tiny=tiny, model=model)


@pytest.fixture
def desk(home, tmp_path):
    with open_desk(home, tmp_path) as made:
        yield made


@pytest.fixture
def pipe(real):
    return real.tiny.load(real.model)


def environment(desk, kind=Kind.PROMPTED, number=0):
    return desk.said(kind, PartType.ENVIRONMENT, Environment, number)[0].facts


def digests(desk):
    """Return place → SHA-256 as the first job tells them: at its request, or later if still being hashed."""
    parts = [
        part
        for kind in (Kind.PROMPTED, Kind.GENERATED)
        for part in desk.said(kind, PartType.ENVIRONMENT, Environment)
    ]
    return {item["place"]: item["sha256"] for part in parts for item in part.facts.get("models", ())}


def test_a_real_job_is_recorded_as_it_happened(desk, real, pipe):
    with desk.record(pipe, with_steps=True):
        result = pipe("黄昏里的仙鹤", generator=real.tiny.seeded(7), **SMALL)
    assert desk.drain() == ["prompted", "generated"]
    assert events(desk.archive, "prompted", "generated") == [("prompted", "live"), ("generated", "live")]
    fields = desk.fields()
    assert {name: fields[name].value for name in ("seed", "steps", "guidance", "sampler", "model")} == {
        "seed": "7",
        "steps": "4",
        "guidance": "7.5",
        "sampler": "DDIMScheduler",
        "model": f"{real.model.parent.name}/tiny",
    }
    assert [str(fields[name].state) for name in ("steps", "guidance")] == ["present", "default"]
    facts = environment(desk)
    assert facts["torch"]["threads"] == real.torch.get_num_threads()
    assert facts["components"]["unet"]["precision"] == {"dtype": "float32", "device": "cpu"}
    weights = "unet/diffusion_pytorch_model.safetensors"
    assert digests(desk)[weights] == hashlib.sha256((real.model / weights).read_bytes()).hexdigest()
    assert desk.pictures(Kind.GENERATED)[0].tobytes() == result.images[0].tobytes()
    assert [step["step"] for step in desk.report(Kind.GENERATED).facts["steps"]] == [0, 1, 2, 3]
    check_archive(desk.archive, built_in_trust(), openssl=None).require()


def test_recording_changes_no_pixel_and_no_random_number(desk, real, pipe):
    def paint():
        real.torch.manual_seed(11)
        kept = pipe("a crane", generator=real.tiny.seeded(3), **SMALL).images[0].tobytes()
        free = pipe("a crane", **SMALL).images[0].tobytes()
        return kept, free, real.torch.get_rng_state().numpy().tobytes()

    before = paint()
    with desk.record(pipe, with_steps=True):
        assert paint() == before
    desk.drain()
    facts = desk.report(Kind.PROMPTED, 1).facts
    assert facts["unseeded"] is True
    assert [noise["initial_seed"] for noise in facts["shared_generators"]] == ["11"]
    assert str(desk.fields(1)["seed"].state) == "absent"


def test_a_real_generator_used_before_is_told_from_a_fresh_one(desk, real, pipe):
    used = real.tiny.seeded(5)
    with desk.record(pipe):
        first = pipe("a crane", generator=used, **SMALL).images[0].tobytes()
        second = pipe("a crane", generator=used, **SMALL).images[0].tobytes()
        pipe(["a", "b"], generator=[real.tiny.seeded(1), real.tiny.seeded(2**63)], **SMALL)
    desk.drain()
    assert first != second
    assert [desk.fields(number)["seed"].value for number in range(3)] == ["5", None, f"1, {2**63}"]
    assert len(desk.pictures(Kind.GENERATED, 2)) == 2
    assert environment(desk, number=2)["batch"] == {"prompts": 2, "pictures_each": 1}


def test_arrays_tensors_and_latents_as_the_library_gives_them(desk, real, pipe):
    outcomes = {}
    with desk.record(pipe):
        for output_type in ("pil", "np", "pt", "latent"):
            result = pipe("a crane", generator=real.tiny.seeded(3), output_type=output_type, **SMALL)
            outcomes[output_type] = result.images
        pipe("a crane", generator=real.tiny.seeded(3), output_type="pt", return_dict=False, **SMALL)
    assert desk.drain() == ["prompted", "generated"] * 3 + ["prompted", "attempted", "prompted", "generated"]
    pixels = [desk.pictures(Kind.GENERATED, number)[0].tobytes() for number in range(4)]
    assert set(pixels) == {outcomes["pil"][0].tobytes()}  # rounded as the library rounds
    latents = desk.report(Kind.ATTEMPTED)
    data = outcomes["latent"].numpy().tobytes()
    assert latents.facts["arrays"] == [f"float32[1, 4, 8, 8] sha256:{hashlib.sha256(data).hexdigest()}"]
    assert latents.outcome is None


def test_weights_that_were_missing_on_load_are_said(desk, real, tmp_path):
    model = tmp_path / "broken"
    shutil.copytree(real.model, model)
    weights = model / "text_encoder/model.safetensors"
    renamed = {f"elsewhere.{name}": value for name, value in real.tensors.load_file(weights).items()}
    real.tensors.save_file(renamed, weights, {"format": "pt"})
    with record_loading():
        seen = real.tiny.load(model)
    unseen = real.tiny.load(model)
    assert real.diffusers.ModelMixin.from_pretrained.__qualname__ == "ModelMixin.from_pretrained"
    for pipe in (seen, unseen):
        desk.record(pipe)("a crane", **SMALL)
    desk.drain()
    said = environment(desk)["components"]["text_encoder"]["loading"]
    assert (said["observed"], said["missing_keys"], said["unexpected_keys"]) == (True, 36, 36)
    assert "embeddings.token_embedding.weight" in said["missing_keys_named"]
    assert environment(desk)["components"]["unet"]["loading"]["missing_keys"] == 0
    later = environment(desk, number=1)["components"]["text_encoder"]["loading"]
    assert later == {"observed": False, "weights": 36, "marked_as_loaded": 0}


def test_a_healthy_model_bears_the_librarys_marks(desk, real, pipe):
    desk.record(pipe)("a crane", **SMALL)
    desk.drain()
    loading = environment(desk)["components"]["text_encoder"]["loading"]
    assert loading == {"observed": False, "weights": 36, "marked_as_loaded": 36}


def test_adapters_are_named_with_their_weights_and_files(desk, real, tmp_path):
    file = real.tiny.make_adapter(real.tiny.load(real.model), tmp_path / "lora")
    pipe = real.tiny.load(real.model)
    with record_loading():
        pipe.load_lora_weights(file.parent, weight_name=file.name, adapter_name="ink")
    with desk.record(pipe):
        pipe.set_adapters(["ink"], [0.5])
        pipe("a crane", **SMALL)
        pipe.fuse_lora(lora_scale=0.5)
        pipe.unload_lora_weights()
        pipe("a crane", **SMALL)
    desk.drain()
    facts = environment(desk)
    adapters = facts["components"]["unet"]["adapters"]
    assert adapters == {"ink": {"weights": ["0.5"], "active": True, "fused": False}}
    assert "adapters" not in environment(desk, number=1)["components"]["unet"]
    assert environment(desk, number=1)["fused_adapters"] == ["ink"]
    assert digests(desk)[f"adapter ink/{file.name}"] == hashlib.sha256(file.read_bytes()).hexdigest()


def test_stopping_early_interrupting_and_failing_are_three_things(desk, real, pipe):
    def stop(pipe, step, _timestep, tensors):
        pipe._interrupt = step >= 1
        return tensors

    def interrupt(*_arguments):
        raise KeyboardInterrupt

    before = type(pipe).__dict__["__call__"]
    with desk.record(pipe):
        pipe("a crane", callback_on_step_end=stop, **SMALL)
        with pytest.raises(KeyboardInterrupt):
            pipe("a crane", callback_on_step_end=interrupt, **SMALL)
        with pytest.raises(ValueError, match="divisible by 8"):
            pipe("a crane", height=63, width=64)
    assert type(pipe).__dict__["__call__"] is before
    assert desk.drain() == ["prompted", "generated", "prompted", "attempted", "prompted", "attempted"]
    assert desk.report(Kind.GENERATED).facts["stopped_early"] is True
    assert [desk.report(Kind.ATTEMPTED, number).outcome for number in range(2)] == ["interrupted", "failed"]


def test_a_picture_that_goes_in_is_recorded_with_its_role(desk, real, pipe):
    again = real.diffusers.StableDiffusionInpaintPipeline(**pipe.components, requires_safety_checker=False)
    again.set_progress_bar_config(disable=True)
    first = pipe("a crane", generator=real.tiny.seeded(1), **SMALL).images[0]
    with desk.record(again):
        again("a crane at dusk", image=first, mask_image=first.convert("L"), strength=0.5, **SMALL)
    desk.drain()
    files = desk.said(Kind.PROMPTED, PartType.FILE, FileBody)
    assert [str(file.role) for file in files] == ["init", "mask"]
    assert desk.pictures(Kind.PROMPTED)[0].tobytes() == first.tobytes()
    assert desk.fields()["denoise"].value == "0.5"


def test_what_the_libraries_were_when_recording_began(desk, real, pipe):
    facts = host_facts()
    assert facts["diffusers"] == real.diffusers.__version__
    assert facts["torch"] == real.torch.__version__


PROGRAM = """
import os, signal, sys, warnings
warnings.simplefilter("ignore")
sys.path.insert(0, {root!r})
from pathlib import Path
from tests import tiny_pipeline
import makingof

pipe = tiny_pipeline.load(Path({model!r}))
step = lambda pipe, step, timestep, tensors: {inside} or tensors
with makingof.record(pipe) as recorded:
    pipe("a crane", height=64, width=64, num_inference_steps=2, generator=tiny_pipeline.seeded(1))
    pipe("another", height=64, width=64, num_inference_steps=9, callback_on_step_end=step)
"""


def run_program(desk, real, inside):
    state, archive = desk.archive.home.state, desk.archive.home.path
    env = {**os.environ, "MAKINGOF_STATE": str(state), "MAKINGOF_ARCHIVE": str(archive)}
    code = PROGRAM.format(root=str(Path(__file__).parents[2]), model=str(real.model), inside=inside)
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)


def test_a_program_killed_between_two_steps_leaves_what_was_asked(desk, real):
    done = run_program(desk, real, "recorded.flush() and os.kill(os.getpid(), signal.SIGKILL)")
    assert done.returncode == -signal.SIGKILL
    assert desk.drain() == ["prompted", "generated", "prompted"]


def test_a_whole_program_hands_over_everything_by_itself(desk, real):
    done = run_program(desk, real, "None")
    assert done.returncode == 0, done.stderr
    assert desk.drain() == ["prompted", "generated"] * 2
    assert [means for _, means in events(desk.archive, "prompted", "generated")] == ["live"] * 4
    assert own_facts(desk.archive, Kind.GAP) == []
    assert (desk.archive.home.state / "weights.json").exists()
