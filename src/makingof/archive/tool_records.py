"""What a hook handed over as a tool's own bytes, read by the readers that read files.

Hooks describe and do not interpret: a ComfyUI hook hands over the graph, byte for byte,
as a `raw` part. Read here, its prompts and parameters get the event's means, for they
stand in the very bytes the hook saw.
"""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import replace

from makingof.canonical import convert
from makingof.event import Kind
from makingof.metadata.comfyui import read_graph
from makingof.metadata.record import Record, Sheet
from makingof.observation import Draft, Observation
from makingof.part import Means, PartType, Raw, Text, body_of
from makingof.reading import Reading, State
from makingof.recorder.found import reading_drafts

GRAPHS = ("api:/prompt", "queue:prompt")  # submitted, and executed where it differs
_SAYING = frozenset({Kind.PROMPTED, Kind.GENERATED, Kind.ATTEMPTED})
_TEXTS = frozenset({PartType.PROMPT, PartType.NEGATIVE})


def with_tool_records(observation: Observation, means: Means) -> Observation:
    """Return `observation` with what its raw tool records say, unless the hook said it itself."""
    types = {draft.type for draft in observation.drafts}
    if observation.kind not in _SAYING or PartType.PROMPT in types:
        return observation
    raws = [
        (convert(_plain(draft), Raw, "raw part"), draft.means or means)
        for draft in observation.drafts
        if draft.type is PartType.RAW
    ]
    graphs = [(raw, by) for raw, by in raws if raw.tool == "comfyui" and raw.locator in GRAPHS]
    name = next((item.name for item in observation.attachments if item.name), None)
    # Executed speaks before submitted: it is what the pictures were made from.
    drafts = [
        draft
        for raw, by in graphs[-1:]
        for draft in _drafts(_read(raw, name), by, has_files=bool(observation.attachments))
    ]
    if observation.kind is Kind.PROMPTED and not any(draft.type is PartType.PROMPT for draft in drafts):
        drafts.append(Draft(PartType.PROMPT, body_of(Text(state=State.ABSENT)), "tool"))
    return replace(observation, drafts=(*observation.drafts, *drafts))


def _read(raw: Raw, name: str | None) -> list[Reading]:
    try:
        data = base64.b64decode(raw.base64 or "", validate=True)
        text = data.decode("utf-8", "surrogatepass")
    except (binascii.Error, ValueError):
        return []
    record = Record("api", raw.locator, "prompt", data, text)
    return read_graph(record, Sheet(None, name, None, None, (record,)))


def _drafts(readings: list[Reading], means: Means, *, has_files: bool) -> Iterator[Draft]:
    for draft in reading_drafts(readings, means, copy_raw=False):
        if draft.type is PartType.RAW:
            continue
        if has_files or draft.type in _TEXTS:
            yield draft
        else:
            yield replace(draft, body={name: value for name, value in draft.body.items() if name != "file"})


def _plain(draft: Draft) -> dict[str, object]:
    return {name: value for name, value in draft.body.items() if name != "file"}
