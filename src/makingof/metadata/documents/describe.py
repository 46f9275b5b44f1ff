"""A document as JSON values, for `inspect --json` and for parts of events: texts and whole numbers only."""

from typing import Any

from makingof.metadata.documents.difference import LayerChange
from makingof.metadata.documents.document import Document, History, Job, Layer, Picture, Recording
from makingof.metadata.documents.stored import Stored


def describe_document(document: Document) -> dict[str, Any]:
    """Spell a document; its readings are described where all readings are."""
    return {
        "format": document.format,
        "tool": document.tool,
        "tool_version": document.tool_version,
        "width": document.width,
        "height": document.height,
        "layers": [describe_layer(layer) for layer in document.layers],
        "composite": _picture(document.composite) if document.composite else None,
        "pictures": [_picture(picture) for picture in document.pictures],
        "history": None if document.history.is_empty else _history(document.history),
        "jobs": [_job(job) for job in document.jobs],
        "claims": [
            {"name": claim.name, "value": claim.value, "source": claim.source} for claim in document.claims
        ],
        "recordings": [_recording(recording) for recording in document.recordings],
        "damage": [str(damage) for damage in document.damage],
    }


def describe_layer(layer: Layer) -> dict[str, Any]:
    """Spell one layer and what is in it; what the file does not state is left out."""
    said: dict[str, Any] = {
        "name": layer.name,
        "kind": str(layer.kind),
        "visible": layer.visible,
        "opacity": layer.opacity,
        "blend": layer.blend,
        "id": layer.id,
        "at": list(layer.at) if layer.at else None,
        "size": list(layer.size) if layer.size else None,
        "masks": list(layer.masks) or None,
        "made_at": layer.made_at,
        "stored": _place(layer.stored),
        "mark": layer.mark,
        "layers": [describe_layer(child) for child in layer.children] or None,
    }
    return {key: value for key, value in said.items() if value is not None}


def describe_change(change: LayerChange) -> dict[str, Any]:
    """Spell one change between two saves."""
    said = {
        "change": str(change.change),
        "path": change.path,
        "id": change.id,
        "before": change.before,
        "after": change.after,
    }
    return {key: value for key, value in said.items() if value is not None}


def _place(stored: Stored | None) -> str | None:
    return None if stored is None else str(stored.locator)


def _picture(picture: Picture) -> dict[str, Any]:
    return {
        "role": str(picture.role),
        "stored": _place(picture.stored),
        "size": picture.stored.size_bytes,
        "media_type": picture.media_type,
        "width": picture.width,
        "height": picture.height,
    }


def _history(history: History) -> dict[str, Any]:
    return {
        "steps": [
            {
                "action": step.action,
                "when": step.when,
                "agent": step.agent,
                "instance": step.instance,
                "changed": step.changed,
                "parameters": step.parameters,
            }
            for step in history.steps
        ],
        "log": history.log,
        "document_id": history.document_id,
        "original_id": history.original_id,
        "instance_id": history.instance_id,
        "derived_from": list(history.derived_from),
        "ancestors": list(history.ancestors),
    }


def _job(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "kind": job.kind,
        "name": job.name,
        "reading": job.reading,
        "results": [
            {
                "number": result.number,
                "applied": result.applied,
                "picture": _picture(result.picture) if result.picture else None,
            }
            for result in job.results
        ],
    }


def _recording(recording: Recording) -> dict[str, Any]:
    return {
        "number": recording.number,
        "stored": _place(recording.stored),
        "media_type": recording.media_type,
        "size": recording.size_bytes,
    }
