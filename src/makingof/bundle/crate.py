"""`data/ro-crate-metadata.json`: a minimal RO-Crate 1.2 of the package's files, generated from its entries.

A view: it says nothing that the entries do not say, and verifying makes it
again and compares the bytes.
"""

from typing import Any

import msgspec

from makingof import canonical
from makingof.bundle import layout
from makingof.bundle.description import File, Shows
from makingof.bundle.record import Record
from makingof.event import Kind
from makingof.lineage.entry import Entry
from makingof.part import Choice, PartType, Role

_CONTEXT = "https://w3id.org/ro/crate/1.2/context"
_PROFILE = "https://w3id.org/ro/crate/1.2"
_METADATA = layout.CRATE.removeprefix(layout.PAYLOAD)
_MEDIA_TYPES = {
    "png": "image/png", "jpg": "image/jpeg", "webp": "image/webp", "gif": "image/gif",
    "tif": "image/tiff", "avif": "image/avif", "txt": "text/plain", "mp4": "video/mp4",
}  # fmt: skip
_ACTIONS = {
    Kind.GENERATED: "CreateAction",
    Kind.EDITED: "CreateAction",
    Kind.SELECTED: "ChooseAction",
    Kind.REJECTED: "AssessAction",
}
_INPUTS = frozenset({Role.INIT, Role.REFERENCE, Role.MASK, Role.CONTROL, Role.LAYER})


def make_crate(record: Record) -> bytes:
    """Write the crate's metadata document."""
    files = [_file(file) for file in record.description.files if file.name]
    actions = [action for entry in record.lineage if (action := _action(record, entry))]
    tools = sorted({name for entry in record.lineage if (name := _tool(entry))})
    graph = [
        {"@id": _METADATA, "@type": "CreativeWork", "about": {"@id": "./"}, "conformsTo": {"@id": _PROFILE}},
        _root(record, files, actions),
        *files,
        *actions,
        *({"@id": _tool_id(name), "@type": "SoftwareApplication", "name": name} for name in tools),
        *_people(record),
    ]
    document = canonical.to_bytes({"@context": _CONTEXT, "@graph": graph})
    return msgspec.json.format(document, indent=1) + b"\n"


def _root(record: Record, files: list[dict[str, Any]], actions: list[dict[str, Any]]) -> dict[str, Any]:
    log = record.description.log
    newest = max((entry.event.header.recorded_at for entry in record.entries), default="")
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": f"makingof package of {log.origin} at size {log.size}",
        "description": "Generated from the log entries in this package. It is a view and proves nothing.",
        "datePublished": newest,
        "license": "not stated in this package",
        "hasPart": [{"@id": item["@id"]} for item in files],
        "mentions": [{"@id": item["@id"]} for item in actions],
    }


def _file(file: File) -> dict[str, Any]:
    name = (file.name or "").removeprefix(layout.PAYLOAD)
    described = {
        Shows.ORIGINAL: "original bytes",
        Shows.COPY: "copy without the withheld segments",
        Shows.PREVIEW: "preview made for this package, not evidence",
        Shows.NOTHING: "",
    }[file.shows]
    return {
        "@id": name,
        "@type": "File",
        "name": f"file {file.number}",
        "description": described,
        "encodingFormat": _MEDIA_TYPES.get(name.rpartition(".")[2], "application/octet-stream"),
        "contentSize": str(file.size),
        "sha256": file.sha256.hex if file.sha256 else "",
    }


def _action(record: Record, entry: Entry) -> dict[str, Any] | None:
    kind = _ACTIONS.get(entry.kind)
    if kind is None:
        return None
    header = entry.event.header
    action: dict[str, Any] = {
        "@id": f"#e{entry.position}",
        "@type": kind,
        "name": f"{entry.kind} (event {entry.position}, {entry.means})",
        "identifier": entry.name,
    }
    if header.occurred_at:
        action["endTime"] = header.occurred_at
    if header.actor:
        action["agent"] = {"@id": f"#{header.actor}"}
    if tool := _tool(entry):
        action["instrument"] = {"@id": _tool_id(tool)}
    result, used = _files_of(record, entry)
    if result:
        action["result"] = result
    if used:
        action["object"] = used
    return action


def _files_of(record: Record, entry: Entry) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Return what the action made, and what it was done to, as far as the package has files of them."""
    statements = entry.files()
    made = [item.digest for item in statements if item.body.role not in _INPUTS]
    used = [item.digest for item in statements if item.body.role in _INPUTS]
    judged = entry.first(PartType.CHOICE, Choice)
    if judged is not None:
        made, used = [], [*judged.judged]
    return _references(record, made), _references(record, used)


def _references(record: Record, parts: list[Any]) -> list[dict[str, str]]:
    names = [record.files[digest].name for digest in parts if digest in record.files]
    return [{"@id": name.removeprefix(layout.PAYLOAD)} for name in dict.fromkeys(names) if name]


def _tool(entry: Entry) -> str | None:
    source = entry.event.header.source
    return " ".join(filter(None, (source.tool, source.tool_version))) or None


def _tool_id(name: str) -> str:
    return "#tool-" + "".join(
        letter if letter.isascii() and letter.isalnum() else "-" for letter in name.lower()
    )


def _people(record: Record) -> list[dict[str, str]]:
    actors = {entry.event.header.actor for entry in record.lineage if _ACTIONS.get(entry.kind)} - {None}
    return [
        {
            "@id": f"#{actor}",
            "@type": "Person" if actor.startswith("a") else "SoftwareApplication",
            "name": actor,
        }
        for actor in sorted(filter(None, actors))
    ]
