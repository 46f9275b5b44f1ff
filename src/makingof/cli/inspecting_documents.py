"""`inspect` of a layered document: its layers as a tree, its history, jobs, recordings and damage."""

from makingof.cli.spelling import visible
from makingof.cli.terminal import Terminal
from makingof.metadata.documents.document import Document, Job, Layer, LayerKind
from makingof.texts import say

_MAX_LINES = 200  # of each list; --json gives all
_MAX_DEPTH = 20
_WIDTH = 300


def show_document(terminal: Terminal, document: Document) -> None:
    """Print what a layered document says."""
    _Page(terminal).show(document)


class _Page:
    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def show(self, document: Document) -> None:
        layers = list(_with_depth(document.layers, 0))
        self._say(
            "exports.document",
            format=document.format,
            width=document.width if document.width is not None else "?",
            height=document.height if document.height is not None else "?",
            layers=len(layers),
        )
        self._list([self._layer(layer, depth) for layer, depth in layers])
        for claim in document.claims[:_MAX_LINES]:
            name = claim.name.removeprefix("tool:")
            self._line(f"{name}: {claim.value}", 3)
        self._show_history(document)
        for job in document.jobs[:_MAX_LINES]:
            self._show_job(job, document)
        self._show_rest(document)

    def _show_history(self, document: Document) -> None:
        history = document.history
        if history.is_empty:
            return
        self._say("exports.document_history", steps=len(history.steps), ancestors=len(history.ancestors))
        steps = [
            " · ".join(filter(None, (step.when, step.action, step.agent, step.changed)))
            for step in history.steps
        ]
        self._list(["  " + step for step in steps])
        if history.derived_from:
            self._say("exports.document_derived", ids=", ".join(history.derived_from[:10]))
        if history.log:
            self._line(history.log, 3)

    def _show_job(self, job: Job, document: Document) -> None:
        reading = document.readings[job.reading]
        if any(result.applied is None for result in job.results):
            applied = self._terminal.text(say("exports.job_applied_unknown"))
        else:
            numbers = ", ".join(str(result.number + 1) for result in job.results if result.applied)
            applied = numbers or self._terminal.text(say("exports.job_applied_none"))
        prompt = reading.value("prompt") or job.name
        self._say(
            "exports.document_job", job=job.id, prompt=prompt, results=len(job.results), applied=applied
        )

    def _show_rest(self, document: Document) -> None:
        if document.recordings:
            size = sum(recording.size_bytes or 0 for recording in document.recordings)
            self._say(
                "exports.document_recordings", count=len(document.recordings), size=f"{size / 1e6:,.1f} MB"
            )
        for damage in document.damage[:_MAX_LINES]:
            self._say("exports.document_damage", what=str(damage))

    def _layer(self, layer: Layer, depth: int) -> str:
        marks = [] if layer.kind is LayerKind.PAINT else [str(layer.kind)]
        if layer.visible is False:
            marks.append(self._terminal.text(say("exports.layer_hidden")))
        marks += [text for text in (layer.opacity, layer.blend) if text]
        if layer.masks:
            marks.append(self._terminal.text(say("exports.layer_masks", count=len(layer.masks))))
        return "  " * min(depth, _MAX_DEPTH) + f"- {layer.name}  ({', '.join(marks)})"

    def _list(self, lines: list[str]) -> None:
        for line in lines[:_MAX_LINES]:
            self._line(line, 3)
        if len(lines) > _MAX_LINES:
            self._say("cli.and_more", count=len(lines) - _MAX_LINES)

    def _say(self, key: str, **values: object) -> None:
        self._line(self._terminal.text(say(key, **values)), 1)

    def _line(self, text: str, indent: int) -> None:
        shown = visible(text)
        cut = shown if len(shown) <= _WIDTH else f"{shown[:_WIDTH]} …"
        self._terminal.line("  " * indent + cut)


def _with_depth(layers: tuple[Layer, ...], depth: int) -> list[tuple[Layer, int]]:
    found = []
    for layer in layers:
        found.append((layer, depth))
        found += _with_depth(layer.children, depth + 1)
    return found
