"""`inspect`: everything stray files say about themselves, without an archive."""

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from makingof.capture.exports.recognise import Damaged, may_be_export, read_export
from makingof.capture.exports.told import Export
from makingof.capture.folder import list_files
from makingof.capture.zipped import ZippedFolder, opened_zip
from makingof.cli.command import argument, command
from makingof.cli.inspecting_page import show_file
from makingof.cli.spelling import visible
from makingof.cli.terminal import Terminal
from makingof.containers.headed import HeadedFile
from makingof.containers.source import Source
from makingof.containers.zip import Member
from makingof.errors import MalformedError
from makingof.metadata.facts import describe_examined, examine
from makingof.metadata.inputs import Input, find_inputs
from makingof.metadata.record import Sheet
from makingof.texts import say

_MAX_MEMBER_BYTES = 1 << 30
_READ_BYTES = 1 << 20


@command("inspect")
@argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
def inspect(terminal: Terminal, files: tuple[Path, ...]) -> int:
    """Say what files say; see `help.inspect`. Returns 1 if a file could not be read."""
    listing = list_files(files)
    looking = _Looking(terminal)
    for path, error in listing.failed:
        looking.failed(path, terminal.text(error.message))
    for path in listing.files:
        try:
            looking.look(path)
        except BrokenPipeError:  # whoever reads our output has gone; the file is none the worse
            raise
        except OSError as err:
            looking.failed(path, err.strerror or str(err))
    looking.summarise()
    return 1 if looking.failures else 0


@dataclass(slots=True)
class _Looking:
    """One run over files."""

    terminal: Terminal
    tools: Counter[str | None] = field(default_factory=Counter)
    warned: int = 0
    failures: int = 0

    def look(self, path: Path) -> None:
        with opened_zip(path) as zipped:
            if zipped is not None:
                self._look_into(zipped)
                return
        with HeadedFile(path) as data:
            self._show(data, path)

    def failed(self, path: Path, reason: str) -> None:
        self.failures += 1
        self.terminal.notice(say("storage.source_unreadable", path=path, reason=reason))

    def summarise(self) -> None:
        count = sum(self.tools.values())
        if count <= 1:
            return
        self.terminal.say("inspecting.summary", count=count)
        for tool, files in self.tools.most_common():
            if tool is not None:
                self.terminal.say("inspecting.summary_tool", tool=visible(tool), count=files)
        if self.tools[None]:
            self.terminal.say("inspecting.summary_nothing", count=self.tools[None])
        if self.warned:
            self.terminal.say("inspecting.summary_warned", count=self.warned)

    def _look_into(self, zipped: ZippedFolder) -> None:
        self.terminal.say("inspecting.zip", path=visible(str(zipped.path)), count=len(zipped.members))
        for damage in zipped.damage:
            self.failed(zipped.path, damage)
        for member in zipped.members:
            place = zipped.folder
            try:
                place = zipped.place(member)
                if zipped.wants(member):
                    self._show(_unpacked(zipped, member), place)
            except MalformedError as err:
                self.failed(place, str(err))

    def _show(self, data: Source, path: Path) -> None:
        examined = examine(data, str(path))
        facts = describe_examined(examined, str(path))
        width, height = examined.size or (None, None)
        inputs = find_inputs(examined.readings, Sheet(examined.container, path.name, width, height, ()))
        export = None
        if not examined.readings and may_be_export(path.name):
            export = read_export(data, path.name)
        facts |= {
            "container": examined.container,
            "width": width,
            "height": height,
            "size": len(data),
            "digest": _digest(data),
            "inputs": [_as_json(item) for item in inputs],
            "export": None if export is None else _export_as_json(export),
        }
        self.tools[facts["tool"] or (export.source if export else None)] += 1
        self.warned += bool(examined.secrets or examined.contradictions)
        self.terminal.json(facts)
        if sum(self.tools.values()) > 1:
            self.terminal.line()
        show_file(self.terminal, facts, examined, inputs)
        self._show_export(export)

    def _show_export(self, export: Export | Damaged | None) -> None:
        if export is None:
            return
        source = say(f"exports.source_{export.source.replace('-', '_')}")
        if isinstance(export, Damaged):
            self.terminal.say("inspecting.export_damaged", source=source, reason=visible(export.reason))
            return
        self.terminal.say("inspecting.export", source=source, count=len(export.told))
        for kind, count in Counter(told.observation.kind for told in export.told).most_common():
            self.terminal.say("inspecting.export_kind", kind=say(f"exports.kind_{kind}"), count=count)


def _digest(data: Source) -> str:
    state = hashlib.sha256()
    for at in range(0, len(data), _READ_BYTES):
        state.update(data[at : at + _READ_BYTES])
    return f"sha256:{state.hexdigest()}"


def _unpacked(zipped: ZippedFolder, member: Member) -> bytes:
    if member.size_bytes > _MAX_MEMBER_BYTES:
        message = f"zip member {member.name!r} is too large to be looked at in the zip"
        raise MalformedError(message)
    with zipped.open(member) as stream:
        return stream.read()


def _as_json(item: Input) -> dict[str, Any]:
    return {
        "where": item.where,
        "role": item.role.value,
        "sha256": item.sha256,
        "pixels_md5": item.pixels_md5,
        "name": item.name,
    }


def _export_as_json(export: Export | Damaged) -> dict[str, Any]:
    if isinstance(export, Damaged):
        return {"source": export.source, "error": export.reason}
    kinds = Counter(str(told.observation.kind) for told in export.told)
    return {"source": export.source, "events": dict(kinds), "problems": list(export.problems)}
