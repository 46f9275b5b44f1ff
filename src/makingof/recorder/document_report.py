"""What a layered document says of itself, as `report` parts of bounded size."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from makingof import canonical
from makingof.metadata.documents.describe import describe_document, describe_layer
from makingof.metadata.documents.document import Document, Job, Layer
from makingof.observation import Draft
from makingof.part import PartType, Report, body_of, escaped
from makingof.recorder.inside import Kept

_CHUNK_BYTES = 400_000
_MAX_REPORTS = 64
_MAX_TEXT = 50_000  # of one value; the record it was read from is kept whole beside it
_MAX_WHOLE = 1 << 53
_EDITOR_CLAIMS = frozenset({"prompt_in_editor", "negative_in_editor"})
_LISTS = ("layers", "pictures", "steps", "claims", "jobs", "recordings", "damage", "not_taken_out")


def worded_by_prompts(document: Document) -> dict[str, str]:
    """Return what repeats prompts outside the jobs: layers named by the plug-in, the prompt box.

    These go where prompts go, into parts that are sealed with them.
    """
    found = {claim.name: claim.value for claim in document.claims if claim.name in _EDITOR_CLAIMS}
    for number, layer in enumerate(document.walk()):
        if document.jobs and _is_named_by_plugin(layer):
            found[f"layer_prompt/{number}"] = layer.name
    return found


def _is_named_by_plugin(layer: Layer) -> bool:
    """The plug-in names what it puts on the canvas `[Generated] …`, `[Preview] …`, with the prompt behind."""
    return layer.name.startswith("[")


def document_reports(document: Document, kept: Kept) -> list[Draft]:
    """Say what `document` says: one part with its head, and its lists in as many as they need.

    What repeats prompts is left to `worded_by_prompts`. Lists are flat: a layer's `depth`
    counts the groups it lies in. What would be more than `_MAX_REPORTS` parts is counted and
    left out; the document itself holds it.
    """
    document = replace(
        document, claims=tuple(claim for claim in document.claims if claim.name not in _EDITOR_CLAIMS)
    )
    said = _plain(describe_document(document))
    history = said.pop("history") or {}
    lists = {name: said.pop(name) for name in ("pictures", "claims", "recordings", "damage")}
    lists |= {
        "layers": _plain(list(_layers(document.layers, 0, hides=bool(document.jobs)))),
        "steps": history.pop("steps", []),
        "jobs": _plain([_job(job) for job in document.jobs]),
        "not_taken_out": _plain(kept.left),
    }
    head = {name: value for name, value in said.items() if name not in lists and value is not None}
    if history:
        head["history"] = {name: value for name, value in history.items() if value}
    head["counts"] = {name: len(lists[name]) for name in _LISTS}
    return _reports(document.format, head, lists)


def _reports(origin: str, head: dict[str, Any], lists: dict[str, list[Any]]) -> list[Draft]:
    facts: dict[str, Any] = {"document": head}
    size = len(canonical.to_bytes(head))
    reports: list[Draft] = []
    for name in _LISTS:
        for number, item in enumerate(lists[name]):
            item_size = len(canonical.to_bytes(item))
            if size + item_size > _CHUNK_BYTES:
                reports.append(_draft(origin, facts))
                if len(reports) == _MAX_REPORTS:
                    return reports
                facts, size = {"from": {name: number}}, 0
            facts.setdefault(name, []).append(item)
            size += item_size
    return [*reports, _draft(origin, facts)]


def _draft(origin: str, facts: dict[str, Any]) -> Draft:
    return Draft(PartType.REPORT, body_of(Report(facts=facts)), origin)


def _layers(layers: tuple[Layer, ...], depth: int, *, hides: bool) -> Iterator[dict[str, Any]]:
    for layer in layers:
        name = "" if hides and _is_named_by_plugin(layer) else layer.name
        yield describe_layer(replace(layer, name=name, children=())) | {"depth": depth}
        yield from _layers(layer.children, depth + 1, hides=hides)


def _job(job: Job) -> dict[str, Any]:
    applied = [result.number for result in job.results if result.applied]
    known = all(result.applied is not None for result in job.results)
    # Its name is the beginning of its prompt, and stands in the job's own event.
    return {
        "id": job.id,
        "kind": job.kind,
        "results": len(job.results),
        "applied": applied if known else None,
    }


def _plain(value: Any) -> Any:
    """Make a value fit our own format: no floats, no numbers beyond 2^53, no half characters."""
    match value:
        case str():
            text = escaped(value)
            return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]} … ({len(text)})"
        case bool() | None:
            return value
        case int():
            return value if -_MAX_WHOLE < value < _MAX_WHOLE else str(value)
        case dict():
            return {str(_plain(key)): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return str(value)
