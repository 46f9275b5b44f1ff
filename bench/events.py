"""Events of five parts, and logs of headers alone, to append and to verify."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

from makingof.event import Kind, Source
from makingof.keys.folder import create_key
from makingof.observation import Draft, Observation, Position
from makingof.part import Environment, Parameter, Parameters, PartType, Report, Text, body_of
from makingof.tlog.log import EncodedEntry, Log, Pending, create_log

_SOURCE = Source("bench", "1", "comfyui", "0.8.0")
_SETTINGS = {
    "sampler": "euler",
    "scheduler": "normal",
    "steps": "20",
    "guidance": "7.0",
    "width": "1024",
    "height": "1024",
    "model": "pendant_v2.safetensors",
}
_MACHINE = {
    "device": "cpu",
    "driver": "none",
    "libraries": {"torch": "2.13.0", "numpy": "2.4.6"},
    "threads": 2,
}
_BATCH = 1_000


def observations(count: int) -> Iterator[Observation]:
    """Yield jobs without a picture, so that nothing but the log is measured: five parts, some 2 kB each."""
    stream = secrets.token_hex(16)
    for number in range(count):
        yield Observation(
            kind=Kind.ATTEMPTED,
            source=_SOURCE,
            drafts=_drafts(number),
            position=Position(stream, number),
        )


def _drafts(number: int) -> tuple[Draft, ...]:
    fields = {name: Parameter(value) for name, value in _SETTINGS.items()}
    fields["seed"] = Parameter(str(2**40 + number))
    prompt = f"studio product photo of a jade pendant, dark silk, soft light, variation {number}"
    report = Report(outcome="refused", job=f"job-{number}", outputs=0)
    return (
        Draft(PartType.PROMPT, body_of(Text(effective=prompt)), "CLIPTextEncode"),
        Draft(PartType.NEGATIVE, body_of(Text(effective="blurry, watermark, text")), "CLIPTextEncode"),
        Draft(PartType.PARAMETERS, body_of(Parameters(tool="comfyui", fields=fields)), "KSampler"),
        Draft(PartType.ENVIRONMENT, body_of(Environment(facts=_MACHINE)), "hook"),
        Draft(PartType.REPORT, body_of(report), "history"),
    )


def header(number: int) -> bytes:
    """An entry as long as an event's header."""
    return json.dumps({"number": number, "filler": "0123456789abcdef" * 60}).encode()


def new_log(folder: Path) -> Log:
    folder.mkdir(parents=True, exist_ok=True)
    state = folder / "state"
    return create_log(folder / "log.sqlite", state, create_key(state))


def append_headers(log: Log, count: int) -> None:
    """Append entries without parts, a thousand to a commit."""
    start = log.size()
    for first in range(start, start + count, _BATCH):
        numbers = range(first, min(first + _BATCH, start + count))
        log.append([Pending(key=None, encode=_encode(number)) for number in numbers])


def plain_log(folder: Path, count: int) -> None:
    with new_log(folder) as log:
        append_headers(log, count)


def _encode(number: int):
    return lambda _head: EncodedEntry(header(number), [])
