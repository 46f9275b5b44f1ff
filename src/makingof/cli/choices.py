"""`keep` and `reject`: one picture or a whole folder, with reasons and alternatives."""

from makingof.archive import acts
from makingof.archive.archive import Archive
from makingof.archive.names import Namer
from makingof.archive.picture import Picture
from makingof.cli.command import argument, command, option
from makingof.cli.printing import show_recorded
from makingof.cli.reading_text import text_from
from makingof.cli.terminal import Terminal
from makingof.cli.writing import report_new, teller_of, writing
from makingof.event import Kind


@command("keep")
@argument("pictures", nargs=-1, required=True)
@option("--reason", "-r", help="help.option_reason")
@option("--among", multiple=True, help="help.option_among")
@option("--final", is_flag=True, help="help.option_final")
@option("--title", help="help.option_title")
@option("--when", help="help.option_when")
def keep(
    terminal: Terminal,
    pictures: tuple[str, ...],
    reason: str | None,
    among: tuple[str, ...],
    final: bool,
    title: str | None,
    when: str | None,
) -> None:
    """Choose pictures; see `help.keep`."""
    with writing(terminal) as archive:
        namer = Namer(archive)
        judged = namer.pictures(pictures)
        observation = acts.choose(
            Kind.SELECTED,
            judged,
            _table(archive, namer, judged, among),
            (teller := teller_of(terminal, archive, when)),
            reason=text_from(reason),
            final=final,
            title=title,
        )
        report_new(terminal, namer)
        show_recorded(
            terminal, "cli.kept", archive.record([observation], means=teller.means), pictures=judged
        )


@command("reject")
@argument("pictures", nargs=-1, required=True)
@option("--reason", "-r", help="help.option_reason")
@option("--among", multiple=True, help="help.option_among")
@option("--when", help="help.option_when")
def reject(
    terminal: Terminal,
    pictures: tuple[str, ...],
    reason: str | None,
    among: tuple[str, ...],
    when: str | None,
) -> None:
    """Turn pictures down; see `help.reject`."""
    with writing(terminal) as archive:
        namer = Namer(archive)
        judged = namer.pictures(pictures)
        table = _table(archive, namer, judged, among)
        teller = teller_of(terminal, archive, when)
        observation = acts.choose(Kind.REJECTED, judged, table, teller, reason=text_from(reason))
        report_new(terminal, namer)
        show_recorded(
            terminal, "cli.rejected", archive.record([observation], means=teller.means), pictures=judged
        )


def _table(archive: Archive, namer: Namer, judged: list[Picture], among: tuple[str, ...]) -> acts.Table:
    """What lay on the table: as given, else the batch of the one picture judged; never guessed beyond."""
    if among:
        return acts.Table(tuple(namer.pictures(among)), "given")
    if len(judged) == 1:
        siblings = archive.index.siblings_of(judged[0].event)
        batch = [Picture.of(file) for file in siblings if file.blob is not None]
        if len(batch) > 1:
            return acts.Table(tuple(batch), "batch")
    return acts.Table()
