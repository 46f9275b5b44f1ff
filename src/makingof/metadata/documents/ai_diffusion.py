"""The history that the plug-in "Krita AI Diffusion" keeps inside a .kra document.

`<image>/annotations/ai_diffusion/ui.json` lists the jobs that were not yet pruned,
oldest first: what was asked, with which settings, and which of the results were put
on the canvas (`in_use`). `result<slot>.webp` beside it holds all pictures of one job
one behind the other; `offsets` says where each begins. Despite the name they may be
PNG or JPEG, as the user chose. The layout was learned from the plug-in's source
(`persistence.py`, `jobs.py`) at several versions.

A job that is not listed may have been pruned or deleted: its absence says nothing.
"""

import re
from typing import Any, NamedTuple

from makingof.containers.zip import Member
from makingof.errors import MalformedError
from makingof.metadata.documents.document import Claim, Job, Picture, PictureRole, Result
from makingof.metadata.documents.markup import whole_number
from makingof.metadata.documents.zipped import Archive
from makingof.metadata.record import text_field
from makingof.metadata.tool_json import Number, parse_tool_object, spell
from makingof.reading import Check, Field, Locator, Reading, State

READER = "krita-ai-diffusion/1"
TOOL = "krita-ai-diffusion"
MAX_JOBS = 20_000
MAX_RESULTS = 1_000  # of one job; an animation is one job
_MAX_STATE_BYTES = 32 << 20
_FOLDER = "annotations/ai_diffusion/"

# In early versions the style's sampler, steps and scale stood in one text.
_OLD_SAMPLER = re.compile(r"(?P<sampler>.+) \((?P<steps>\d+) / (?P<guidance>[\d.]+)\)")

_SHARED = {
    "sampler": "sampler",
    "steps": "steps",
    "guidance": "guidance",
    "strength": "denoise",
    "checkpoint": "model",
    "loras": "adapters",
}
_PROMPTS = {"prompt": ("prompt", "typed_prompt"), "negative_prompt": ("negative", "typed_negative")}


class AiHistory(NamedTuple):
    """Jobs with a reading each, what stood in the prompt box, and the members the results lie in."""

    jobs: tuple[Job, ...] = ()
    readings: tuple[Reading, ...] = ()
    claims: tuple[Claim, ...] = ()
    slots: frozenset[str] = frozenset()


def read_ai_history(inside: Archive) -> AiHistory:
    """Read the plug-in's state; a document without it has an empty history."""
    members = _members(inside)
    name = _find(members, "ui.json")
    slots = frozenset(member for key, member in members.items() if key.startswith("result"))
    if name is None:
        return AiHistory(slots=slots)
    raw = inside.unpack(name, limit_bytes=_MAX_STATE_BYTES)
    if raw is None:
        return AiHistory(slots=slots)
    locator = Locator("kra", name)
    try:
        state, duplicates = parse_tool_object(raw.decode("utf-8", "replace"))
    except MalformedError as err:
        inside.hurt(name, err)
        check = Check("parses", held=False, detail=str(err))
        broken = Reading(TOOL, locator, State.UNREADABLE, raw, checks=(check,), reader=READER)
        return AiHistory(readings=(broken,), slots=slots)
    checks = _state_checks(duplicates)
    jobs, readings = [], []
    for number, entry in enumerate(_entries(state, inside, name)):
        if not isinstance(entry, dict) or not isinstance(entry.get("params"), dict):
            inside.hurt(name, f"history[{number}] is no job")
            continue
        readings.append(_reading(entry, number, raw, locator, checks))
        results = _results(entry, members, inside)
        jobs.append(_job(entry, len(readings) - 1, results))
    return AiHistory(tuple(jobs), tuple(readings), _claims(state, name), slots)


def _members(inside: Archive) -> dict[str, str]:
    """Map the plug-in's annotations to the members that hold them."""
    found: dict[str, str] = {}
    for name in inside.names():
        _, folder, key = name.rpartition(_FOLDER)
        if folder:
            found.setdefault(key, name)
    return found


def _find(members: dict[str, str], key: str) -> str | None:
    """Return the member of an annotation; early versions wrote it without a suffix."""
    return members.get(key) or members.get(key.rpartition(".")[0])


def _state_checks(duplicates: int) -> tuple[Check, ...]:
    if not duplicates:
        return ()
    return (Check("keys_unique", held=False, detail=f"{duplicates} keys came twice; the last one counts"),)


def _entries(state: dict[str, Any], inside: Archive, name: str) -> list[Any]:
    entries = state.get("history", [])
    if not isinstance(entries, list):
        inside.hurt(name, "history is no list")
        return []
    if len(entries) > MAX_JOBS:
        inside.hurt(name, f"history has {len(entries)} jobs, and {MAX_JOBS} were read")
    return entries[:MAX_JOBS]


def _reading(
    entry: dict[str, Any], number: int, raw: bytes, locator: Locator, checks: tuple[Check, ...]
) -> Reading:
    params: dict[str, Any] = entry["params"]
    where = f"history[{number}].params"
    # Before 1.26 there was no metadata: its fields stood in params itself.
    nested = isinstance(params.get("metadata"), dict)
    metadata: dict[str, Any] = params["metadata"] if nested else params
    inner = f"{where}.metadata" if nested else where
    fields = _prompt_fields(metadata, inner)
    for key, value in metadata.items():
        if not _is_prompt(key) and not (metadata is params and key in ("bounds", "seed", "metadata")):
            _put(fields, _SHARED.get(key, f"tool:{key}"), value, f"{inner}.{key}")
    for key, value in params.items() if nested else ():
        if key not in ("metadata", "bounds", "seed"):
            _put(fields, f"tool:{key}", value, f"{where}.{key}")
    _put(fields, "seed", params.get("seed"), f"{where}.seed")
    _put(fields, "job", entry.get("id") or None, f"history[{number}].id")
    _split_old_sampler(fields)
    _put_size(fields, params.get("bounds"), f"{where}.bounds")
    if "prompt_final" not in metadata and "prompt" in fields:
        detail = "the record keeps the prompt as typed; what the style added is not in it"
        checks = (*checks, Check("prompt_as_sent", held=None, detail=detail))
    return Reading(
        tool=TOOL,
        locator=locator,
        state=State.PRESENT,
        raw=raw,
        fields=fields,
        ordinal=number,
        checks=checks,
        reader=READER,
    )


def _is_prompt(key: str) -> bool:
    return key.removesuffix("_final") in _PROMPTS


def _prompt_fields(metadata: dict[str, Any], where: str) -> dict[str, Field]:
    """`prompt` is what the person typed; `prompt_final`, where it is there, what the model was given."""
    fields: dict[str, Field] = {}
    for key, (effective, typed) in _PROMPTS.items():
        final = f"{key}_final"
        if metadata.get(final) is None:
            _put(fields, effective, metadata.get(key), f"{where}.{key}")
            continue
        _put(fields, effective, metadata[final], f"{where}.{final}")
        _put(fields, typed, metadata.get(key), f"{where}.{key}")
    return fields


def _put(fields: dict[str, Field], name: str, value: Any, source: str) -> None:
    """Add a field in the tool's own spelling; null is absent."""
    if value is None:
        return
    try:
        fields[name] = text_field(spell(value), source)
    except MalformedError:
        fields[name] = Field(None, State.UNREADABLE, source)


def _split_old_sampler(fields: dict[str, Field]) -> None:
    field = fields.get("sampler")
    old = _OLD_SAMPLER.fullmatch(field.value) if field and field.value else None
    if field is None or old is None or "steps" in fields:
        return
    fields["tool:sampler"] = field
    for name in ("sampler", "steps", "guidance"):
        fields[name] = Field(old[name], source=field.source)


def _put_size(fields: dict[str, Field], bounds: Any, source: str) -> None:
    """`bounds` is x, y, width, height of the area on the canvas."""
    if isinstance(bounds, list) and len(bounds) == 4:  # noqa: PLR2004 - a rectangle
        _put(fields, "width", bounds[2], source)
        _put(fields, "height", bounds[3], source)
        _put(fields, "tool:bounds", bounds, source)


def _job(entry: dict[str, Any], reading: int, results: tuple[Result, ...]) -> Job:
    return Job(
        id=_plain(entry.get("id")),
        kind=_plain(entry.get("kind")) or "diffusion",  # the only kind before it was written down
        name=_plain(entry["params"].get("name")),
        results=results,
        reading=reading,
    )


def _plain(value: Any) -> str:
    """Return a text that can be written down anywhere; half a surrogate pair becomes a question mark."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _results(entry: dict[str, Any], members: dict[str, str], inside: Archive) -> tuple[Result, ...]:
    slot = entry.get("slot")
    offsets = entry.get("offsets")
    if not isinstance(offsets, list) or len(offsets) > MAX_RESULTS:
        inside.hurt(f"job {entry.get('id')!r}", "has no list of results that can be read")
        return ()
    in_use = entry.get("in_use")
    member_name = _find(members, f"result{slot}.webp") if isinstance(slot, Number) else None
    member = inside.find(member_name) if member_name else None
    if member is None:
        inside.hurt(f"job {entry.get('id')!r}", "its pictures are not in the document")
    starts = [whole_number(offset) if isinstance(offset, Number) else None for offset in offsets]
    return tuple(
        Result(number, _applied(in_use, number), _slice(inside, member, starts, number))
        for number in range(len(starts))
    )


def _applied(in_use: Any, number: int) -> bool | None:
    """Whether a result was put on the canvas; early versions did not write it down: unknown, not "no"."""
    if not isinstance(in_use, dict):
        return None
    used = in_use.get(str(number), False)
    return used if isinstance(used, bool) else None


def _slice(inside: Archive, member: Member | None, starts: list[int | None], number: int) -> Picture | None:
    """Cut one picture out of its slot: it ends where the next begins, the last one at the end."""
    if member is None:
        return None
    start = starts[number]
    end = starts[number + 1] if number + 1 < len(starts) else member.size_bytes
    if start is None or end is None or not 0 <= start < end <= member.size_bytes:
        inside.hurt(member.name, f"picture {number} does not lie inside")
        return None
    return Picture(PictureRole.RESULT, inside.place(member, start=start, size_bytes=end - start))


def _claims(state: dict[str, Any], name: str) -> tuple[Claim, ...]:
    """What stood in the prompt box when the document was saved: asked of nobody yet, as far as this says."""
    root = state.get("root")
    texts = root if isinstance(root, dict) else state
    positive = texts.get("positive", state.get("prompt"))
    negative = texts.get("negative", state.get("negative_prompt"))
    found = (("prompt_in_editor", positive, "positive"), ("negative_in_editor", negative, "negative"))
    return tuple(
        Claim(claim, _plain(text), f"{name} {key}")
        for claim, text, key in found
        if isinstance(text, str) and text and not isinstance(text, Number)
    )
