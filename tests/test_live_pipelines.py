"""A pipeline recorded by the program that calls it: everything it was asked and gave, and nothing changed."""

import contextlib
import gc
import inspect
import os
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.hooks import events, own_facts
from tests.pipelines import Callback, Noise, Pipeline, paint
from tests.recorded_pipelines import open_desk

from makingof import record
from makingof.archive.fsck import check_archive
from makingof.cli.main import run
from makingof.errors import UsageError
from makingof.event import Kind
from makingof.live.pipelines.calls import listen_to_calls
from makingof.live.pipelines.copies import Room
from makingof.live.pipelines.recording import Memory
from makingof.part import Environment, FileBody, PartType, Text
from makingof.stamp.trust import built_in_trust


@pytest.fixture
def desk(home, tmp_path):
    with open_desk(home, tmp_path) as made:
        yield made


@pytest.fixture
def pipe():
    return Pipeline()


def test_a_value_by_default_is_shown_as_another_than_the_same_value_asked_for(desk, pipe, capsys):
    with desk.record(pipe):
        pipe("a crane", num_inference_steps=2, generator=Noise().manual_seed(1))
        pipe("a crane", generator=Noise().manual_seed(2))
    desk.drain()
    newest = desk.archive.index.newest_outputs(1)[0].blob
    env = {"HOME": "/nowhere", "MAKINGOF_STATE": str(desk.archive.home.state)}
    assert run(["show", str(newest), "--archive", str(desk.archive.home.path)], env) == 0
    assert "steps 2 → 2 (the tool's default)" in capsys.readouterr().out


def test_a_call_is_a_live_request_and_its_pictures(desk, pipe):
    with desk.record(pipe):
        result = pipe("黄昏里的仙鹤", guidance_scale=3.5, generator=Noise().manual_seed(2**64 - 1))
    assert desk.drain() == ["prompted", "generated"]
    assert events(desk.archive, "prompted", "generated") == [("prompted", "live"), ("generated", "live")]
    assert [text.effective for text in desk.said(Kind.PROMPTED, PartType.PROMPT, Text)] == ["黄昏里的仙鹤"]
    fields = desk.fields()
    assert (fields["seed"].value, fields["seed"].state) == (str(2**64 - 1), "present")
    assert (fields["guidance"].value, fields["guidance"].state) == ("3.5", "present")
    assert (fields["steps"].value, fields["steps"].state) == ("2", "default")
    assert fields["sampler"].value == "DDIMScheduler"
    assert "仙鹤" not in str(fields)
    assert desk.pictures(Kind.GENERATED)[0].tobytes() == result.images[0].tobytes()
    told = desk.report(Kind.GENERATED)
    assert told.outputs == 1
    assert told.job == desk.report(Kind.PROMPTED).job
    assert "PNG made by makingof" in told.facts["files_are"]
    check_archive(desk.archive, built_in_trust(), openssl=None).require()


def test_the_request_is_handed_over_before_the_pipeline_gives_anything(desk, pipe):
    seen = []
    pipe.inside = lambda: seen.append(desk.journal.flush(20) and desk.drain())
    desk.record(pipe)("a crane")
    assert seen == [["prompted"]]


def test_a_generator_used_before_has_a_seed_nobody_answers_for(desk, pipe):
    noise = Noise().manual_seed(7)
    with desk.record(pipe):
        pipe("one", generator=noise)
        pipe("two", generator=noise)
        pipe("three")
        pipe(["four", "five"], generator=[Noise().manual_seed(1), Noise().manual_seed(2)])
    desk.drain()
    seeds = [desk.fields(number)["seed"] for number in range(4)]
    assert [(seed.value, str(seed.state)) for seed in seeds] == [
        ("7", "present"),
        (None, "absent"),
        (None, "absent"),
        ("1, 2", "present"),
    ]
    states = [desk.report(Kind.PROMPTED, number).facts for number in range(4)]
    assert states[1]["generators"][0]["initial_seed"] == "7"
    assert states[1]["generators"][0]["used_before"] is True
    assert states[0]["generators"][0]["state"] != states[1]["generators"][0]["state"]
    assert states[2]["unseeded"] is True
    assert desk.report(Kind.GENERATED, 3).facts["seeds"] == ["1", "2"]
    texts = desk.said(Kind.PROMPTED, PartType.PROMPT, Text, 3)
    assert [(text.effective, text.ordinal) for text in texts] == [("four", 0), ("five", 1)]
    assert len(desk.pictures(Kind.GENERATED, 3)) == 2


def test_only_this_object_is_recorded_and_the_class_is_as_before(desk, pipe):
    before = Pipeline.__dict__["__call__"]
    signature = inspect.signature(Pipeline.__call__)
    with desk.record(pipe):
        assert inspect.signature(Pipeline.__call__) == signature
        Pipeline()("somebody else's")
        pipe("ours")
    pipe("afterwards")
    assert Pipeline.__dict__["__call__"] is before
    assert desk.drain() == ["prompted", "generated"]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (RuntimeError("out of \udc80 memory"), "failed"),
        (KeyboardInterrupt(), "interrupted"),
        (SystemExit(3), "interrupted"),
    ],
)
def test_what_the_pipeline_raises_reaches_the_program_and_the_record(desk, pipe, error, outcome):
    def fail():
        raise error

    pipe.inside = fail
    before = Pipeline.__dict__["__call__"]
    with pytest.raises(type(error)) as caught, desk.record(pipe, with_steps=True):
        pipe("a crane")
    assert caught.value is error
    assert Pipeline.__dict__["__call__"] is before
    assert desk.drain() == ["prompted", "attempted"]
    assert desk.report(Kind.ATTEMPTED).outcome == outcome
    assert type(error).__name__ in desk.report(Kind.ATTEMPTED).text


class UnspeakableError(Exception):
    made: list = []  # noqa: RUF012 - weak references to each

    def __init__(self):
        self.made.append(weakref.ref(self))

    def __str__(self):
        raise RuntimeError


def test_an_exception_is_let_go_of_and_one_that_cannot_be_spelled_is_named(desk, pipe):
    def fail():
        raise UnspeakableError

    pipe.inside = fail
    gc.disable()
    try:
        with desk.record(pipe), contextlib.suppress(UnspeakableError):
            pipe("a crane")
        assert desk.drain() == ["prompted", "attempted"]
        assert UnspeakableError.made[0]() is None
    finally:
        gc.enable()
    assert desk.report(Kind.ATTEMPTED).text == "UnspeakableError"


def test_arguments_that_do_not_fit_fail_as_they_would_and_are_recorded(desk, pipe):
    with desk.record(pipe, with_steps=True), pytest.raises(TypeError, match="no_such"):
        pipe("a crane", no_such=1)
    assert desk.drain() == ["prompted", "attempted"]
    assert "do not fit" in desk.report(Kind.PROMPTED).facts["arguments"]
    assert desk.fields()["diffusers:no_such"].value == "1"


def test_a_subclass_that_calls_its_parent_is_one_call_and_a_call_inside_a_call_is_another(desk):
    class Own(Pipeline):
        def __call__(self, prompt=None, **kwargs):
            return super().__call__(f"{prompt}, in ink", **kwargs)

    outer, inner = Own(), Own()
    outer.inside = lambda: inner("detail")
    with desk.record(outer), desk.record(inner), desk.record(Pipeline()):
        outer("a crane", generator=Noise().manual_seed(5), width=16)
    assert "__call__" in Own.__dict__
    assert desk.drain() == ["prompted", "prompted", "generated", "generated"]
    assert desk.report(Kind.PROMPTED, 1).facts["called_inside_another_call"] == 1
    assert desk.fields()["width"].value == "16"


def test_who_swapped_the_call_meanwhile_keeps_what_they_put_there(desk, pipe):
    heard = []
    original = Pipeline.__dict__["__call__"]
    with desk.record(pipe):
        ours = Pipeline.__call__

        def theirs(self, *args, **kwargs):
            heard.append(args)
            return ours(self, *args, **kwargs)

        Pipeline.__call__ = theirs
        pipe("both")
    try:
        assert Pipeline.__dict__["__call__"] is theirs
        pipe("theirs alone")
        with desk.record(pipe):
            pipe("both again")
        assert Pipeline.__dict__["__call__"] is theirs
    finally:
        Pipeline.__call__ = original
    assert heard == [("both",), ("theirs alone",), ("both again",)]
    assert desk.drain() == ["prompted", "generated"] * 2


def test_threads_are_recorded_each_for_itself(desk, pipe):
    together = threading.Barrier(4)
    pipe.inside = lambda: together.wait(20)
    with desk.record(pipe):
        threads = [threading.Thread(target=pipe, args=(f"crane {number}",)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    kinds = desk.drain()
    assert sorted(kinds) == ["generated"] * 4 + ["prompted"] * 4
    facts = [desk.report(Kind.PROMPTED, number).facts for number in range(4)]
    assert sorted(fact.get("calls_running_beside", 0) for fact in facts) == [0, 1, 2, 3]
    assert all("called_inside_another_call" not in fact for fact in facts)
    assert len({desk.report(Kind.GENERATED, number).job for number in range(4)}) == 4
    assert own_facts(desk.archive, Kind.GAP) == []


def test_blocks_of_several_threads_over_one_pipeline_end_in_any_order(desk, pipe):
    before = Pipeline.__dict__["__call__"]
    blocks = [desk.record(pipe) for _ in range(2)]
    for block in blocks:
        block.__enter__()
    pipe("once, though two listen")
    blocks[0].__exit__(None, None, None)
    pipe("still heard")
    blocks[1].__exit__(None, None, None)
    pipe("not heard")
    assert Pipeline.__dict__["__call__"] is before
    assert desk.drain() == ["prompted", "generated"] * 2


def test_a_picture_the_program_paints_over_a_moment_later_is_recorded_as_it_came(desk, pipe):
    waits = threading.Event()
    desk.journal.tell("prompted", lambda: waits.wait(20) and None)  # the journal is held up meanwhile
    template = paint(8, 8, 50)
    with desk.record(pipe) as block:
        pipe.inside = None
        result = pipe("a crane", image=template, generator=Noise().manual_seed(3))
        expected, given = result.images[0].tobytes(), template.tobytes()
        result.images[0].paste((0, 0, 0), (0, 0, 8, 8))
        template.paste((0, 0, 0), (0, 0, 8, 8))
        waits.set()
        assert block.flush()
    desk.drain()
    assert desk.pictures(Kind.GENERATED)[0].tobytes() == expected
    assert desk.pictures(Kind.PROMPTED)[0].tobytes() == given
    assert [str(file.role) for file in desk.said(Kind.PROMPTED, PartType.FILE, FileBody)] == ["init"]


def test_latents_are_no_picture(desk, pipe):
    with desk.record(pipe):
        pipe("a crane", output_type="latent")
        pipe(prompt_embeds=[[1.5]], return_dict=False)
    assert desk.drain() == ["prompted", "attempted", "prompted", "generated"]
    report = desk.report(Kind.ATTEMPTED)
    assert (report.outcome, report.outputs) == (None, 0)
    assert report.facts["latents"] is True
    assert report.facts["arrays"][0].startswith("float32[1, 4, 1, 1] sha256:")
    assert str(desk.said(Kind.PROMPTED, PartType.PROMPT, Text, 1)[0].state) == "computed"


def test_steps_are_noted_on_request_and_the_programs_own_callback_is_asked_first(desk, pipe):
    theirs = Callback()
    with desk.record(pipe, with_steps=True):
        pipe("a crane", num_inference_steps=3, callback_on_step_end=theirs)
        pipe("a crane")
    desk.drain()
    assert theirs.heard == [0, 1, 2]
    assert [wanted for _, wanted in pipe.asked] == [("latents", "prompt_embeds"), ("latents",)]
    steps = desk.report(Kind.GENERATED).facts["steps"]
    assert [(step["step"], step["timestep"]) for step in steps] == [(0, "1000.5"), (1, "999.5"), (2, "998.5")]
    assert len(desk.report(Kind.GENERATED, 1).facts["steps"]) == 2


def test_component_files_are_known_by_their_digests(desk):
    folder = desk.tmp_path / "model"
    folder.mkdir()
    (folder / "weights.safetensors").write_bytes(b"weights")
    (folder / "config.json").write_bytes(b"{}")
    pipe = Pipeline(folder)
    with desk.record(pipe):
        pipe("a crane")
    desk.drain()
    told = {
        facts["name"]: facts.get("sha256")
        for kind in (Kind.PROMPTED, Kind.GENERATED)
        for environment in desk.said(kind, PartType.ENVIRONMENT, Environment)
        for facts in (*environment.facts.get("models", ()), *environment.facts.get("other_files", ()))
    }
    assert set(told) == {"weights.safetensors", "config.json"}
    assert all(len(digest) == 64 for digest in told.values())
    facts = desk.said(Kind.PROMPTED, PartType.ENVIRONMENT, Environment)[0].facts
    assert facts["scheduler"]["config"]["beta_start"] == "0.0001"
    assert facts["components"]["unet"]["from"] == {"name": f"{folder.parent.name}/model"}
    assert str(folder.parent.parent) not in str(facts)


class Strange(Pipeline):
    """A pipeline of a version to come: nothing is where it was."""

    @property
    def components(self):
        message = "moved"
        raise RuntimeError(message)

    @property
    def device(self):
        message = "moved"
        raise RuntimeError(message)

    @device.setter
    def device(self, value):
        pass

    @property
    def scheduler(self):
        return object()

    @scheduler.setter
    def scheduler(self, value):
        pass

    def __call__(self, *_things, **options):
        return {"pictures": []} if options.get("nothing") else [paint(4, 4, 9)]


def test_what_a_version_to_come_spells_otherwise_loses_only_that(desk):
    pipe = Strange()
    with desk.record(pipe, with_steps=True):
        assert len(pipe("a crane", colour=float("nan"))) == 1
        assert pipe(nothing=True) == {"pictures": []}
    kinds = desk.drain()
    assert kinds == ["prompted", "generated", "prompted", "attempted"]
    facts = desk.said(Kind.PROMPTED, PartType.ENVIRONMENT, Environment)[0].facts
    assert "moved" in facts["components_unreadable"]
    assert desk.fields()["diffusers:colour"].value == "nan"


class Mute(Noise):
    def get_state(self):
        message = "this generator tells \udc80 nothing"
        raise RuntimeError(message)


class Hostile:
    @property
    def shape(self):
        message = "do not look at me"
        raise RuntimeError(message)

    images = mode = getbands = shape


def test_what_cannot_be_looked_at_is_said_to_be_unreadable(desk, pipe):
    with desk.record(pipe):
        pipe("a crane", generator=Mute(), image=Hostile())
    assert desk.drain() == ["prompted", "generated"]
    assert str(desk.fields()["seed"].state) == "unreadable"
    assert "do not look at me" in desk.fields()["diffusers:image"].value


def test_an_error_of_the_recorder_is_a_gap_and_the_program_gets_its_result(desk, capsys):
    class Wild(Pipeline):
        def __call__(self, _prompt):
            return Hostile()

    pipe = Wild()
    with desk.record(pipe):
        assert isinstance(pipe("a crane"), Hostile)
    assert desk.drain() == ["prompted"]
    gaps = own_facts(desk.archive, Kind.GAP)
    assert [facts["why"] for facts in gaps] == ["hook_error"]
    assert "do not look at me" in gaps[0]["message"]
    assert "do not look at me" in capsys.readouterr().err


def test_pictures_there_is_no_room_for_are_counted(desk, pipe):
    desk.memory = Memory(desk.memory.weights, Room(8 * 8 * 3))
    with desk.record(pipe):
        pipe("a crane", num_images_per_prompt=3)
        assert desk.journal.flush(20)
        pipe("a crane")
        assert desk.journal.flush(20)
        pipe("a crane", height=80)
    assert desk.drain() == ["prompted", "generated"] * 2 + ["prompted", "attempted"]
    report = desk.report(Kind.GENERATED)
    assert (report.outputs, report.facts["not_kept"]) == (3, 2)
    assert desk.report(Kind.ATTEMPTED).facts["not_kept"] == 1
    assert len(desk.pictures(Kind.GENERATED, 1)) == 1


def test_a_disk_that_takes_no_more_costs_the_record_and_not_the_picture(desk, pipe):
    spool = Path(desk.journal.stream.connection["spool"])
    with desk.record(pipe) as block:
        pipe("kept")
        assert block.flush()
        spool.rename(spool.with_name("away"))
        spool.write_text("a file where the folder was")
        assert len(pipe("lost").images) == 1
        assert block.flush()
        spool.unlink()
        spool.with_name("away").rename(spool)
        pipe("kept too")
    assert desk.drain() == ["prompted", "generated"] * 2
    assert [facts["lost"] for facts in own_facts(desk.archive, Kind.GAP)] == [2]


def test_the_state_a_modular_pipeline_returns_is_looked_into(desk):
    class Modular(Pipeline):
        def __call__(self, _state=None, output=None, **_inputs):
            return paint(4, 4, 9) if output else SimpleNamespace(values={"images": [paint(4, 4, 9)]})

    pipe = Modular()
    with desk.record(pipe):
        pipe(prompt="a crane", num_inference_steps=3)
        pipe(prompt="a crane", output="images")
    assert desk.drain() == ["prompted", "generated"] * 2
    assert desk.said(Kind.PROMPTED, PartType.PROMPT, Text)[0].effective == "a crane"
    assert desk.fields()["steps"].value == "3"


def test_an_argument_without_end_costs_neither_time_nor_memory(desk, pipe):
    endless = [1.5]
    endless.append(endless)
    with desk.record(pipe):
        pipe(prompt_embeds=[[[0.25] * 1_000] * 1_000] * 1_000, image=endless)
    desk.drain()
    embedded = desk.fields()["diffusers:prompt_embeds"].value
    assert "cut: 1000 items" in embedded
    assert len(embedded) < 20_001
    assert desk.fields()["diffusers:image"].value.startswith("[1.5, [1.5, [1.5")


def test_what_cannot_be_called_or_has_no_archive_is_refused_before_anything_runs(tmp_path, monkeypatch, pipe):
    monkeypatch.setenv("MAKINGOF_ARCHIVE", str(tmp_path / "none"))
    with pytest.raises(UsageError, match="cannot be called"):
        record(object())
    with pytest.raises(UsageError, match="there is no archive"):
        record(pipe)
    with pytest.raises(UsageError, match="cannot be listened to"), listen_to_calls(len, print):
        pass


PROGRAM = """
import sys, os, signal
sys.path.insert(0, {root!r})
from tests.recorded_pipelines import open_desk
from tests.pipelines import Pipeline, Noise
import makingof
pipe = Pipeline()
recorded = makingof.record(pipe)
recorded("first", generator=Noise().manual_seed(1))
{then}
"""


def run_program(archive, then):
    env = {
        **os.environ,
        "MAKINGOF_STATE": str(archive.home.state),
        "MAKINGOF_ARCHIVE": str(archive.home.path),
    }
    code = PROGRAM.format(root=str(Path(__file__).parents[1]), then=then)
    return subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_program_killed_in_the_middle_of_a_job_leaves_the_request(desk):
    then = (
        "pipe.inside = lambda: (recorded.flush(), os.kill(os.getpid(), signal.SIGKILL)); recorded('second')"
    )
    assert run_program(desk.archive, then).returncode == -9
    assert desk.drain() == ["prompted", "generated", "prompted"]
    assert events(desk.archive, "closed") == []


def test_a_program_that_just_ends_loses_nothing_and_loads_no_torch(desk):
    done = run_program(desk.archive, "assert not {'torch', 'diffusers', 'numpy'} & set(sys.modules)")
    assert (done.returncode, done.stderr) == (0, "")
    assert desk.drain() == ["prompted", "generated"]
    assert (desk.archive.home.state / "weights.json").exists() is False
