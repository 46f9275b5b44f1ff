"""`erase`: for good, with the question asked first and what else holds the same shown."""

from collections.abc import Sequence

import click

from makingof.archive.archive import Archive
from makingof.archive.erasing import Erasure, apply_erasures
from makingof.archive.erasing import erase as erase_for_good
from makingof.archive.known_names import KnownNamer
from makingof.cli.command import argument, command, option
from makingof.cli.printing import show_recorded
from makingof.cli.reading_text import text_from
from makingof.cli.spelling import short, visible
from makingof.cli.terminal import Terminal
from makingof.cli.writing import teller_of, writing
from makingof.digest import Digest
from makingof.errors import UsageError
from makingof.part import PartType
from makingof.texts import say

_TYPES = [part_type.value for part_type in PartType if part_type is not PartType.OWN]


@command("erase")
@argument("names", nargs=-1)
@option("--part", "part_types", multiple=True, type=click.Choice(_TYPES), help="help.option_erase_part")
@option("--reason", "-r", help="help.option_reason")
@option("--yes", is_flag=True, help="help.option_yes")
@option("--again", is_flag=True, help="help.option_erase_again")
def erase(
    terminal: Terminal,
    names: tuple[str, ...],
    part_types: tuple[str, ...],
    reason: str | None,
    yes: bool,
    again: bool,
) -> None:
    """Erase parts of events, or pictures; see `help.erase`."""
    with writing(terminal) as archive:
        if again:
            terminal.say("cli.erased_again", count=apply_erasures(archive))
            return
        if not names:
            raise UsageError(say("erasing.nothing"), hint=say("erasing.nothing_hint"))
        namer = KnownNamer(archive)
        wanted = _wanted(archive, namer, names, part_types)
        why = text_from(reason) or click.prompt(terminal.text(say("cli.ask_erase_reason")), err=True)
        _say_what_goes(terminal, archive, wanted)
        _say_what_stays(terminal, archive, wanted)
        if not yes:
            click.confirm(terminal.text(say("cli.erase_sure")), abort=True, err=True)
        recorded = erase_for_good(archive, wanted, teller_of(terminal, archive), why)
        show_recorded(terminal, "cli.erased", [recorded], names=", ".join(names))
        terminal.say("cli.erased_not_beyond")


def _wanted(
    archive: Archive, namer: KnownNamer, names: tuple[str, ...], part_types: tuple[str, ...]
) -> Erasure:
    """With `--part`, those parts of the events named; else the pictures named, bytes and all."""
    if not part_types:
        return Erasure(files=tuple(picture.file_part for picture in namer.pictures(names)))
    types = [PartType(name) for name in part_types]
    events = [namer.event(name) for name in names]
    parts = [part for event in events for part in archive.index.parts_of_type(event, types)]
    if not parts:
        raise UsageError(
            say("erasing.no_such_part", names=", ".join(names), types=", ".join(part_types)),
            hint=say("erasing.no_such_part_hint", types=", ".join(_types_of(archive, events))),
        )
    return Erasure(parts=tuple(parts))


def _types_of(archive: Archive, events: Sequence[Digest]) -> list[str]:
    return [kind for kind in PartType if any(archive.index.parts_of_type(event, [kind]) for event in events)]


def _say_what_goes(terminal: Terminal, archive: Archive, wanted: Erasure) -> None:
    """Count what goes, and say what else of it stays: the same bytes elsewhere, and events that cite it."""
    twins = {twin for file in wanted.files for twin in archive.index.twins_of(file)} - set(wanted.files)
    terminal.notice(say("cli.erase_counts", parts=len(wanted.parts), files=len(wanted.files)))
    if twins:
        terminal.notice(say("cli.erase_twins", count=len(twins)))
    for event in archive.index.events_of_parts([*wanted.parts, *wanted.files]):
        position = archive.index.position_of(event)
        terminal.notice(say("cli.erase_event", event=f"e{position}", name=short(event)))


def _say_what_stays(terminal: Terminal, archive: Archive, wanted: Erasure) -> None:
    """A prompt stands twice, in its part and in the picture's own text fields: each is erased by itself."""
    if wanted.files:
        terminal.notice(say("cli.erase_statements_stay"))
        return
    events = archive.index.events_of_parts(wanted.parts)
    files = {file.part: file for event in events for file in archive.index.outputs_of(event)}
    if files:
        names = ", ".join(file.name or short(file.part) for file in files.values())
        terminal.notice(say("cli.erase_words_stay", pictures=visible(names)))
