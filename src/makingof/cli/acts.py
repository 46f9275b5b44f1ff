"""`brief`, `edit`, `note`, `film`, `publish`, `undo`: what people do and tell."""

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from makingof.archive import acts
from makingof.archive.edits import propose_sources
from makingof.archive.names import Namer
from makingof.archive.picture import Picture
from makingof.cli.command import argument, command, option
from makingof.cli.printing import show_recorded
from makingof.cli.reading_text import text_from
from makingof.cli.spelling import short
from makingof.cli.terminal import Terminal
from makingof.cli.writing import report_new, teller_of, writing
from makingof.errors import UsageError
from makingof.observation import Observation
from makingof.texts import say

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@command("brief")
@argument("name")
@argument("files", nargs=-1, type=_FILE)
@option("--text", "-t", default="", help="help.option_text")
@option("--when", help="help.option_when")
def brief(terminal: Terminal, name: str, files: tuple[Path, ...], text: str, when: str | None) -> None:
    """Open a project; see `help.brief`."""
    with writing(terminal) as archive:
        teller = teller_of(terminal, archive, when)
        observation = acts.brief(name, text_from(text) or "", files, teller)
        show_recorded(terminal, "cli.briefed", archive.record([observation], means=teller.means), name=name)


@command("note")
@argument("pictures", nargs=-1)
@option("--text", "-t", required=True, help="help.option_text")
@option("--title", help="help.option_title")
@option("--when", help="help.option_when")
def note(
    terminal: Terminal, pictures: tuple[str, ...], text: str, title: str | None, when: str | None
) -> None:
    """Write something down; see `help.note`."""
    with writing(terminal) as archive:
        namer = Namer(archive)
        about = namer.pictures(pictures)
        teller = teller_of(terminal, archive, when)
        observation = acts.note(text_from(text) or "", about, teller, title=title)
        report_new(terminal, namer)
        show_recorded(
            terminal, "cli.noted", archive.record([observation], means=teller.means), pictures=about
        )


@command("edit")
@argument("after", type=_FILE)
@option("--from", "before", multiple=True, help="help.option_from")
@option("--layers", multiple=True, type=_FILE, help="help.option_layers")
@option("--note", "-t", "text", help="help.option_note")
@option("--when", help="help.option_when")
@option("--yes", is_flag=True, help="help.option_yes")
def edit(
    terminal: Terminal,
    after: Path,
    before: tuple[str, ...],
    layers: tuple[Path, ...],
    text: str | None,
    when: str | None,
    yes: bool,
) -> None:
    """Record manual work; see `help.edit`."""
    with writing(terminal) as archive:
        namer = Namer(archive)
        sources = (
            namer.pictures(before) if before else _confirmed(terminal, propose_sources(archive, after), yes)
        )
        teller = teller_of(terminal, archive, when)
        observation = acts.edit(after, sources, layers, teller, text=text_from(text))
        report_new(terminal, namer)
        show_recorded(
            terminal,
            "cli.edited",
            archive.record([observation], means=teller.stated),
            pictures=sources,
            after=after.name,
        )


def _confirmed(terminal: Terminal, proposals: list[Picture], yes: bool) -> list[Picture]:
    """Show what the picture may come from and let the person decide; nobody's likeness decides for them."""
    if not proposals:
        raise UsageError(say("cli.no_proposal"), hint=say("cli.no_proposal_hint"))
    for picture in proposals:
        terminal.notice(say("cli.proposal", picture=picture.name or short(picture.blob)))
    if not yes and not click.confirm(terminal.text(say("cli.proposal_right")), err=True):
        raise click.Abort
    return proposals


@command("film")
@argument("recording", type=_FILE)
@argument("pictures", nargs=-1)
@option("--note", "-t", "text", help="help.option_note")
@option("--when", help="help.option_when")
def film(
    terminal: Terminal, recording: Path, pictures: tuple[str, ...], text: str | None, when: str | None
) -> None:
    """Record a recording of the work; see `help.film`."""

    def describe(about: Sequence[Picture], teller: acts.Teller) -> Observation:
        return acts.film(recording, about, teller, text=text_from(text))

    _record_told(terminal, "cli.filmed", pictures, when, describe, recording=recording.name)


@command("publish")
@argument("pictures", nargs=-1, required=True)
@option("--where", "url", required=True, help="help.option_url")
@option("--note", "-t", "text", help="help.option_note")
@option("--when", help="help.option_when")
def publish(
    terminal: Terminal, pictures: tuple[str, ...], url: str, text: str | None, when: str | None
) -> None:
    """Record a publication; see `help.publish`."""

    def describe(published: Sequence[Picture], teller: acts.Teller) -> Observation:
        return acts.publish(published, url, teller, text=text_from(text))

    _record_told(terminal, "cli.published", pictures, when, describe, url=url)


def _record_told(
    terminal: Terminal,
    key: str,
    names: tuple[str, ...],
    when: str | None,
    describe: Callable[[Sequence[Picture], acts.Teller], Observation],
    **values: object,
) -> None:
    """Record what happened elsewhere and is only told here, about the pictures named, and say so."""
    with writing(terminal) as archive:
        namer = Namer(archive)
        pictures = namer.pictures(names)
        teller = teller_of(terminal, archive, when)
        observation = describe(pictures, teller)
        report_new(terminal, namer)
        recorded = archive.record([observation], means=teller.stated)
        show_recorded(terminal, key, recorded, pictures=pictures, **values)


@command("undo")
@argument("events", nargs=-1, required=True)
@option("--reason", "-r", help="help.option_reason")
def undo(terminal: Terminal, events: tuple[str, ...], reason: str | None) -> None:
    """Take events back; see `help.undo`."""
    with writing(terminal) as archive:
        namer = Namer(archive)
        names = [namer.event(name) for name in events]
        teller = teller_of(terminal, archive)
        observation = acts.withdraw(names, teller, reason=text_from(reason))
        recorded = archive.record([observation], means=teller.means)
        show_recorded(terminal, "cli.withdrawn", recorded, events=", ".join(events))
