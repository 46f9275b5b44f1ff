"""What a hook handed over as a tool's own bytes, read by the readers that read files.

Hooks describe and do not interpret: a ComfyUI hook hands over the graph, byte for byte,
as a `raw` part, a hook in AUTOMATIC1111 the text that the program wrote for each picture.
Read here, prompts and parameters get the event's means, for they stand in the very bytes
the hook saw.
"""

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from makingof.canonical import convert
from makingof.event import Kind
from makingof.metadata import invokeai_graph
from makingof.metadata.a1111 import read_infotext
from makingof.metadata.comfyui import read_graph
from makingof.metadata.record import Record, Sheet
from makingof.observation import Attached, Draft, Observation
from makingof.part import Means, PartType, Raw, Text, body_of
from makingof.reading import Reading, State
from makingof.recorder.found import reading_drafts

GRAPHS = ("api:/prompt", "queue:prompt")  # submitted, and executed where it differs
INFOTEXTS = "processed.infotexts"
_READERS: Mapping[tuple[str | None, str], Callable[[Record, Sheet], list[Reading]]] = {
    **{("comfyui", locator): read_graph for locator in GRAPHS},
    ("invokeai", "queue:graph"): lambda record, _sheet: invokeai_graph.read_graph(record),
}
_SAYING = frozenset({Kind.PROMPTED, Kind.GENERATED, Kind.ATTEMPTED})
_TEXTS = frozenset({PartType.PROMPT, PartType.NEGATIVE})


def with_tool_records(observation: Observation, means: Means) -> Observation:
    """Return `observation` with what its raw tool records say, unless the hook said it itself."""
    if observation.kind not in _SAYING:
        return observation
    said = {draft.type for draft in observation.drafts}
    drafts = [*_graph_drafts(observation, means), *_infotext_drafts(observation, means)]
    drafts = [draft for draft in drafts if draft.type not in said]
    said |= {draft.type for draft in drafts}
    if observation.kind is Kind.PROMPTED and PartType.PROMPT not in said:
        drafts.append(Draft(PartType.PROMPT, body_of(Text(state=State.ABSENT)), "tool"))
    return replace(observation, drafts=(*observation.drafts, *drafts))


def _graph_drafts(observation: Observation, means: Means) -> list[Draft]:
    raws = _raws(observation, means)
    graphs = [(raw, by) for raw, _, by in raws if (raw.tool, raw.locator) in _READERS]
    name = next((item.name for item in observation.attachments if item.name), None)
    # Executed speaks before submitted: it is what the pictures were made from.
    return [
        draft
        for raw, by in graphs[-1:]
        for draft in _drafts(_read_graph(raw, name), by, has_files=bool(observation.attachments))
    ]


def _infotext_drafts(observation: Observation, means: Means) -> Iterator[Draft]:
    """Read each picture's text; it speaks of the picture it was handed over with."""
    for raw, file, by in _raws(observation, means):
        if raw.locator.startswith(INFOTEXTS):
            reading = read_infotext(_record(raw, "parameters"))
            found = [] if reading is None else [reading]
            for draft in _drafts(found, by, has_files=file is not None):
                yield draft if "file" not in draft.body else replace(draft, body={**draft.body, "file": file})


def _raws(observation: Observation, means: Means) -> Iterator[tuple[Raw, Attached | None, Means]]:
    for draft in observation.drafts:
        if draft.type is PartType.RAW:
            file = draft.body.get("file")
            raw = convert(_plain(draft), Raw, "raw part")
            yield raw, file if isinstance(file, Attached) else None, draft.means or means


def _record(raw: Raw, key: str) -> Record:
    """Return a record whose bytes are no text as one without text, which every reader passes over."""
    try:
        data = base64.b64decode(raw.base64 or "", validate=True)
        text = data.decode("utf-8", "surrogatepass")
    except (binascii.Error, ValueError):
        return Record("api", raw.locator, key, b"", None)
    return Record("api", raw.locator, key, data, text)


def _read_graph(raw: Raw, name: str | None) -> list[Reading]:
    record = _record(raw, "prompt")
    if record.text is None:
        return []
    return _READERS[raw.tool, raw.locator](record, Sheet(None, name, None, None, (record,)))


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
