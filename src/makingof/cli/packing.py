"""`export`: the package, written, repeated, opened."""

from contextlib import closing
from pathlib import Path

import click

from makingof import durable
from makingof.archive.archive import Archive
from makingof.archive.authorities import authorities_of
from makingof.archive.export import export_package, part_bytes, repeat_request, write_request
from makingof.archive.known_names import KnownNamer
from makingof.archive.names import Namer
from makingof.archive.reader import ArchiveReader
from makingof.archive.stamping import stamp_log
from makingof.bundle.container import open_container
from makingof.bundle.description import Options
from makingof.bundle.disclose import disclose
from makingof.bundle.lines import join_lines
from makingof.bundle.read import read_record
from makingof.bundle.request import Request
from makingof.cli.command import argument, command, option
from makingof.cli.opening import reading
from makingof.cli.stamping import not_stamped
from makingof.cli.terminal import Terminal
from makingof.cli.writing import report_new, writing
from makingof.digest import Digest
from makingof.errors import IntegrityError, UsageError
from makingof.part import PartType
from makingof.texts import say
from makingof.tlog.checkpoint import read_checkpoint

_NEW_FILE = click.Path(dir_okay=False, path_type=Path)


@command("export")
@argument("pictures", nargs=-1)
@option("--project", help="help.option_export_project")
@option("--output", "-o", type=_NEW_FILE, required=True, help="help.option_output")
@option("--withhold", multiple=True, help="help.option_withhold")
@option("--full", is_flag=True, help="help.option_full")
@option("--repeat", metavar="EVENT", help="help.option_repeat")
@option("--refresh", metavar="EVENT", help="help.option_refresh")
@option("--disclose", "disclosed", multiple=True, metavar="PACKAGE|EVENT[:PART]", help="help.option_disclose")
@option("--no-stamp", is_flag=True, help="help.option_no_stamp")
def export(
    terminal: Terminal,
    pictures: tuple[str, ...],
    project: str | None,
    output: Path,
    withhold: tuple[str, ...],
    full: bool,
    repeat: str | None,
    refresh: str | None,
    disclosed: tuple[str, ...],
    no_stamp: bool,
) -> None:
    """Write a package; see `help.export`."""
    if repeat is not None:
        _repeat(terminal, repeat, output)
        return
    if disclosed:
        _disclose(terminal, disclosed, output)
        return
    if _export_read_only(terminal, pictures, project, Options(withhold, full), output):
        return
    with writing(terminal) as archive:
        namer = Namer(archive)
        wanted = _wanted(archive, namer, pictures, project, refresh)
        report_new(terminal, namer)
        if not no_stamp:
            _stamp_first(terminal, archive)
        request = _request(archive, wanted, Options(_withheld(archive, namer, withhold), full), refresh)
        done = export_package(archive, request, output)
        terminal.say("cli.exported", path=output, event=f"e{done.recorded.position}", payload=done.payload)
        terminal.json({"package": str(output), "payload": done.payload, "event": str(done.recorded.name)})


def _export_read_only(
    terminal: Terminal, pictures: tuple[str, ...], project: str | None, options: Options, output: Path
) -> bool:
    """Export from an archive that cannot be appended to, if its key is here; return whether it is one.

    A log that has a successor, or was restored, stays evidence. The package is made at its
    last signed checkpoint; that it was made cannot be noted in it any more.
    """
    with reading(terminal) as archive:
        if archive.log.read_only is None:
            return False
        namer = KnownNamer(archive)
        withheld = _withheld(archive, namer, options.withhold)
        wanted = _wanted(archive, namer, pictures, project, None)
        size = read_checkpoint(archive.log.checkpoint()).size
        payload = write_request(archive, Request(wanted, size, Options(withheld, options.full)), output)
    terminal.say("cli.exported_unlogged", path=output, payload=payload)
    terminal.json({"package": str(output), "payload": payload, "event": None})
    return True


def _wanted(
    archive: ArchiveReader,
    namer: KnownNamer,
    pictures: tuple[str, ...],
    project: str | None,
    refresh: str | None,
) -> tuple[Digest, ...]:
    """Return the file parts the package is about."""
    if refresh is not None:
        return ()
    if project is not None:
        found = archive.index.project_finals(archive.index.find_project(project))
        if not found:
            raise UsageError(say("cli.no_finals", project=project), hint=say("cli.no_finals_hint"))
        return tuple(found)
    if not pictures:
        raise UsageError(say("cli.nothing_to_export"), hint=say("cli.nothing_to_export_hint"))
    return tuple(picture.file_part for picture in namer.pictures(pictures))


def _withheld(archive: ArchiveReader, namer: KnownNamer, withhold: tuple[str, ...]) -> tuple[str, ...]:
    """Spell `e41:reason` with the event's own name, so that the package says the same for ever."""
    spelled = set()
    for item in withhold:
        event, colon, part_type = item.rpartition(":")
        spelled.add(f"{_event_with(archive, namer, event, part_type)}:{part_type}" if colon else item)
    return tuple(sorted(spelled))


def _event_with(archive: ArchiveReader, namer: KnownNamer, event: str, part_type: str) -> Digest:
    """Name an event that has such a part: sealing nothing in silence would leave something shown."""
    name = namer.event(event)
    if not archive.index.parts_of_type(name, [PartType(part_type)] if part_type in set(PartType) else []):
        raise UsageError(say("export.no_such_part", name=event, part=part_type))
    return name


def _disclose(terminal: Terminal, wanted: tuple[str, ...], output: Path) -> None:
    """Write parts that were sealed in a package, for `verify --open` beside it."""
    with reading(terminal) as archive:
        data = b"".join(_opened(archive, item) for item in wanted)
    durable.write_new(output, data, mode=durable.SHARED)
    count = data.count(b"\n")
    terminal.say("cli.disclosed", path=output, count=count)
    terminal.json({"file": str(output), "parts": count})


def _opened(archive: ArchiveReader, item: str) -> bytes:
    """Everything a package sealed, or the parts of one event."""
    if Path(item).exists():
        with closing(open_container(Path(item))) as container:
            return disclose(read_record(container), archive.log)
    event, _, part_type = item.partition(":")
    return join_lines(part_bytes(archive, KnownNamer(archive).event(event), part_type))


def _stamp_first(terminal: Terminal, archive: Archive) -> None:
    """Have the newest checkpoint stamped, or say that the package will not be dated."""
    authorities = authorities_of(archive)
    if not authorities:
        terminal.notice(say("cli.not_dated"))
        return
    stamped = stamp_log(archive, authorities)
    for problem in stamped.problems:
        terminal.notice(not_stamped(terminal, problem))
    if not stamped.receipts:
        terminal.notice(say("cli.not_dated"))


def _request(
    archive: ArchiveReader, pictures: tuple[Digest, ...], options: Options, refresh: str | None
) -> Request:
    if refresh is None:
        return Request(pictures=pictures, size=archive.log.size(), options=options)
    earlier, _ = repeat_request(archive, KnownNamer(archive).event(refresh))
    later = tuple(position for position in archive.index.stamped_positions() if position >= earlier.size)
    return Request(earlier.pictures, earlier.size, earlier.options, later)


def _repeat(terminal: Terminal, event: str, output: Path) -> None:
    """Make an earlier package again, and say whether it has the payload it had then."""
    with reading(terminal) as archive:
        request, payload = repeat_request(archive, KnownNamer(archive).event(event))
        made = write_request(archive, request, output)
    if made != payload:
        durable.remove(output)
        raise IntegrityError(
            say("cli.repeat_differs", made=made, payload=payload), hint=say("cli.repeat_differs_hint")
        )
    terminal.say("cli.repeated", path=output, payload=made)
    terminal.json({"package": str(output), "payload": made})
