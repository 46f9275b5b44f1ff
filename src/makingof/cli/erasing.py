"""`erase`: for good, with the question asked first and what else holds the same shown."""

import click

from makingof.archive.erasing import Erasure, apply_erasures, erase as erase_for_good
from makingof.archive.names import Namer
from makingof.cli.command import argument, command, option
from makingof.cli.opening import teller_of, writing
from makingof.cli.printing import short, show_recorded
from makingof.cli.reading_text import text_from
from makingof.cli.terminal import Terminal
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
        namer = Namer(archive)
        if part_types:
            wanted = Erasure(
                parts=tuple(archive.index.parts_of_type(namer.event(name), part_types) for name in names)
            )
        else:
            wanted = Erasure(files=tuple(picture.file_part for picture in namer.pictures(names)))
