"""Recording a pipeline from inside the program that calls it.

One call is handed over as `prompted` before the pipeline runs, then as `generated` with
every picture, or as `attempted` with why there is none. In the program's own thread only
references and copies are taken; spelling, hashing, encoding and the disk are the journal's.

    with makingof.record(pipe):
        pipe("a crane at dusk").images[0].save("crane.png")
"""

import functools
import platform
import secrets
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from makingof.config import environment, find_archive_path
from makingof.live.journal import Journal, Statement, Ticket, open_journal
from makingof.live.pipelines.arguments import (
    TOOL,
    Arguments,
    batch_shape,
    bind,
    parameters_part,
    pictures_given,
    text_parts,
)
from makingof.live.pipelines.calls import (
    Inner,
    call_heard,
    find_signature,
    listen_to_calls,
    require_callable,
    running_calls,
)
from makingof.live.pipelines.components import Setting, adapter_names, origin_name, setting_of
from makingof.live.pipelines.copies import Room, plain
from makingof.live.pipelines.generators import Noises, find_noise
from makingof.live.pipelines.loading import find_adapter_files
from makingof.live.pipelines.returned import Returned, input_file, take
from makingof.live.pipelines.weights import WEIGHTS, Weights, files_of, open_weights
from makingof.part import Parameter, escaped
from makingof.spool.carried import Json, now_ms

END_SECONDS = 10.0  # how long the end of a block waits for the disk
WEIGHTS_SECONDS = 3.0  # how long, once, the first picture's record waits for digests being taken
MAX_STEPS = 1_000
MAX_ERROR = 2_000
_LIBRARIES = (
    "torch",
    "diffusers",
    "transformers",
    "accelerate",
    "safetensors",
    "peft",
    "numpy",
    "PIL",
    "xformers",
)
_CALLBACK = "callback_on_step_end"


def record(pipe: object, *, steps: bool = False, archive: Path | str | None = None) -> "Recording":
    """Return a recording of `pipe`: a block to call the pipeline in, or a thing to call in its stead.

    `with record(pipe):` records every call of this very object until the block ends,
    from any thread; `recorded = record(pipe)` and `recorded(...)` records that call alone.
    What the pipeline returns and raises is untouched. `steps` notes when each step ended.
    The record goes to `archive`, else to the archive a command here would use.

    Raises:
        UsageError: there is no archive, or `pipe` cannot be called.
    """
    require_callable(pipe)
    place = find_archive_path(environment(), Path.cwd()) if archive is None else Path(archive)
    return Recording(pipe, _journal(place.absolute()), _memory(), with_steps=steps)


@dataclass(frozen=True, slots=True)
class Memory:
    """What all recordings of a program share: digests of weights, and room for copies."""

    weights: Weights
    room: Room


class Recording:
    """Records the calls of one pipeline into one journal. Opening may raise; nothing after that does."""

    def __init__(self, pipe: object, journal: Journal, memory: Memory, *, with_steps: bool = False) -> None:
        self._pipe = pipe
        self._journal = journal
        self._with_steps = with_steps
        self._memory = memory
        memory.weights.ask(
            [file for folder in setting_of(pipe).folders.values() for file in files_of(folder)]
        )
        self._signature = find_signature(pipe)
        self._running = 0
        self._lock = threading.Lock()
        self._blocks: list[ExitStack] = []

    def __enter__(self) -> Self:
        """Listen to the pipeline's calls."""
        block = ExitStack()
        block.enter_context(listen_to_calls(self._pipe, self._around))
        self._blocks.append(block)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening; wait a moment for what was seen to be on disk."""
        self._blocks.pop().close()
        self._journal.flush(END_SECONDS)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the pipeline and record it."""
        return call_heard(self._pipe, self._around, args, kwargs)

    def flush(self, seconds: float = END_SECONDS) -> bool:
        """Wait until everything seen so far is on disk; tell whether it is, within `seconds`."""
        return self._journal.flush(seconds)

    def _around(self, call: Inner, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        with self._lock:
            self._running += 1
            running = self._running
        job = Job(self._pipe, self._journal, self._memory)
        try:
            job.safely("prompted", lambda: job.ask(self._signature, args, kwargs, beside=running - 1))
            call, args, kwargs = self._stepping(job, call, args, kwargs)
            try:
                result = call(*args, **kwargs)
            except BaseException as err:
                # No name of ours for it outlives this: with its frames it holds what the program wants freed.
                job.safely("attempted", functools.partial(job.fail, err))
                raise
            job.safely("generated", lambda: job.give(result))
            return result
        finally:
            with self._lock:
                self._running -= 1

    def _stepping(
        self, job: "Job", call: Inner, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[Inner, tuple[Any, ...], Mapping[str, Any]]:
        if not self._with_steps or self._signature is None or _CALLBACK not in self._signature.parameters:
            return call, args, kwargs
        try:
            bound = self._signature.bind(*args, **kwargs)
            theirs = bound.arguments.get(_CALLBACK)
            wanted = getattr(theirs, "tensor_inputs", None)
        except Exception:  # noqa: BLE001 - wrong arguments, or a callback of another shape: the call itself will say
            return call, args, kwargs
        if wanted:
            # The pipeline asks diffusers' own callbacks, and no function of ours, which tensors they need.
            bound.arguments[f"{_CALLBACK}_tensor_inputs"] = wanted
        bound.arguments[_CALLBACK] = functools.partial(job.step, theirs)
        return call, bound.args, bound.kwargs


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was seen before the pipeline ran; everything in it is our own copy."""

    arguments: Arguments
    noises: Noises
    setting: Setting
    facts: Json


class Job:
    """One call. `safely` keeps every error of ours out of the program and puts it into the record."""

    def __init__(self, pipe: Any, journal: Journal, memory: Memory) -> None:
        self._pipe = pipe
        self._journal = journal
        self._weights = memory.weights
        self._room = memory.room
        self._name = secrets.token_hex(8)
        self._begun = time.perf_counter()
        self._request: Ticket | None = None
        self._asked: _Asked | None = None
        self._steps: list[Json] = []
        self._unhashed: Mapping[str, Path] = {}  # files whose digest the request could not tell yet

    def safely(self, kind: str, act: Callable[[], None]) -> None:
        """Do `act`; what goes wrong becomes a gap in place of the `kind` it should have been."""
        try:
            act()
        except Exception as err:  # noqa: BLE001 - a recorder must not break its host; the journal says what failed
            failed = RuntimeError(f"{kind}: {_said_by(err)}")
            self._journal.tell(kind, functools.partial(_raise, failed))

    def ask(self, signature: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], *, beside: int) -> None:
        """Look at what goes in and hand it over before anything comes out."""
        moment = now_ms()
        arguments = bind(signature, args, kwargs, self._room)
        generator = kwargs.get("generator", _positional(signature, args, "generator"))
        noises = find_noise(generator)
        facts = noises.facts()
        if not arguments.fits:
            facts["arguments"] = "they do not fit the pipeline's signature"
        if beside:
            facts["calls_running_beside"] = beside
        if (depth := running_calls()) > 1:
            facts["called_inside_another_call"] = depth - 1
        self._asked = asked = _Asked(arguments, noises, setting_of(self._pipe), facts)
        carried = adapter_names(asked.setting)
        files = {
            f"adapter {name}": path
            for name, path in find_adapter_files(self._pipe).items()
            if name in carried
        }
        self._request = self._journal.tell(
            "prompted",
            functools.partial(self._request_statement, asked, origin_name(self._pipe), files),
            occurred=(moment, "hook"),
        )

    def fail(self, err: BaseException) -> None:
        """Hand over that no picture came of it, and what the pipeline raised."""
        outcome = "failed" if isinstance(err, Exception) else "interrupted"
        text = escaped(_said_by(err))[:MAX_ERROR]
        report = self._report({}, outcome=outcome, text=text)
        self._tell("attempted", lambda: Statement([report]))

    def give(self, result: Any) -> None:
        """Hand over what came out; `generated` only where there is a picture."""
        output_type = None if self._asked is None else self._asked.arguments.find("output_type")
        returned = take(result, output_type, self._room)
        report = self._report({"stopped_early": bool(getattr(self._pipe, "_interrupt", False))})
        kind = "generated" if returned.has_pictures() else "attempted"
        self._tell(kind, functools.partial(self._result_statement, returned, report))

    def step(self, theirs: Any, pipe: Any, number: Any, timestep: Any, tensors: Any) -> Any:
        """Note that a step ended, after the program's own callback, whose answer is passed on."""
        answer = tensors if theirs is None else theirs(pipe, number, timestep, tensors)
        if len(self._steps) < MAX_STEPS:
            self._steps.append({"step": number, "timestep": timestep, "ms": self._passed_ms()})
        return answer

    def _tell(self, kind: str, statement: Callable[[], Statement]) -> None:
        requests = [] if self._request is None else [self._request]
        self._journal.tell(kind, statement, requests=requests, occurred=(now_ms(), "hook"))

    def _report(self, facts: Json, **said: Any) -> Json:
        facts["took_ms"] = self._passed_ms()
        if self._steps:
            facts["steps"] = [step | {"timestep": _number(step["timestep"])} for step in self._steps]
        return {"type": "report", "from": "call", "body": {"job": self._name, "facts": plain(facts), **said}}

    def _passed_ms(self) -> int:
        return int((time.perf_counter() - self._begun) * 1000)

    # In the journal's thread

    def _request_statement(
        self, asked: _Asked, origin: str | None, adapter_files: Mapping[str, Path]
    ) -> Statement:
        further = dict(asked.noises.fields())
        scheduler = asked.setting.facts.get("scheduler")
        if isinstance(scheduler, dict):
            further["sampler"] = Parameter(plain(scheduler["class"]).rpartition(".")[2], source="scheduler")
        if origin is not None:
            further["model"] = Parameter(plain(origin), source="name_or_path")
        facts = plain(asked.setting.facts | {"batch": batch_shape(asked.arguments)})
        facts |= self._files(_files_by_place({**asked.setting.folders, **adapter_files}))
        parts = [
            *text_parts(asked.arguments),
            parameters_part(asked.arguments, further),
            {"type": "environment", "from": "host", "body": {"facts": facts}},
            {"type": "report", "from": "call", "body": {"job": self._name, "facts": plain(asked.facts)}},
        ]
        files = [input_file(picture, role, name) for name, role, picture in pictures_given(asked.arguments)]
        return Statement(parts, [file for file in files if file is not None])

    def _result_statement(self, returned: Returned, report: Json) -> Statement:
        returned.write_files()
        body = report["body"]
        asked = self._asked
        facts = body["facts"] | returned.facts
        if asked is not None and (seeds := asked.noises.seeds) is not None:
            facts["seeds"] = seeds
        if returned.left_out:
            facts["not_kept"] = returned.left_out
        body = body | {"outputs": len(returned.files) + returned.left_out, "facts": plain(facts)}
        parts = [{**report, "body": body}]
        if self._unhashed:
            self._weights.wait_once(WEIGHTS_SECONDS)
            facts = self._files(self._unhashed)
            parts.append({"type": "environment", "from": "host", "body": {"facts": facts}})
        return Statement(parts, returned.files)

    def _files(self, found: Mapping[str, Path]) -> Json:
        """Say which files the components came from: `models` those known by their full digest."""
        self._weights.ask(list(found.values()))
        told = {place: self._weights.facts(path) | {"place": place} for place, path in found.items()}
        known = {place for place, facts in told.items() if "sha256" in facts}
        self._unhashed = {place: path for place, path in found.items() if place not in known}
        models = [place for place in told if place in known and found[place].suffix in WEIGHTS]
        listed = {
            "models": [told[place] for place in models],
            "other_files": [facts for place, facts in told.items() if place not in models],
        }
        return {name: plain(facts) for name, facts in listed.items() if facts}


def _files_by_place(folders: Mapping[str, Path]) -> dict[str, Path]:
    return {f"{name}/{path.name}": path for name, folder in folders.items() for path in files_of(folder)}


def _positional(signature: Any, args: tuple[Any, ...], name: str) -> Any:
    names = [] if signature is None else list(signature.parameters)
    number = names.index(name) if name in names else len(args)
    return args[number] if number < len(args) else None


def _number(value: Any) -> Any:
    """Return a tensor of one as its number; only once the steps are over, for it waits for the device."""
    return value.item() if hasattr(value, "item") else value


def _said_by(err: BaseException) -> str:
    try:
        return f"{type(err).__name__}: {err}"
    except Exception:  # noqa: BLE001 - an exception of the program's that cannot be spelled is named
        return type(err).__name__


def _raise(err: Exception) -> Statement:
    raise err


@functools.cache
def _journal(archive: Path) -> Journal:
    """Return this program's one journal for an archive: a stream is a run of the program, not of a block."""
    version = getattr(sys.modules.get("diffusers"), "__version__", None)
    return open_journal(TOOL, version, host_facts, archive=archive)


@functools.cache
def _memory() -> Memory:
    return Memory(open_weights(), Room())


def host_facts() -> Json:
    """Return what the whole program runs on, as far as it is loaded already; nothing is imported for it."""
    facts: Json = {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
    }
    for name in _LIBRARIES:
        version = getattr(sys.modules.get(name), "__version__", None)
        if version is not None:
            facts[name] = str(version)
    torch = sys.modules.get("torch")
    if torch is not None:
        facts["cuda"] = str(torch.version.cuda or "")
        if torch.cuda.is_initialized():
            facts["devices"] = [torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count())]
    return dict(plain(facts))
