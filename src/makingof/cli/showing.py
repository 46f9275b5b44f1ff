"""Drawing a lineage on a terminal: who wanted what, what came of it, what was chosen, what was done by hand."""

from makingof.archive.archive import Archive
from makingof.cli.terminal import Terminal
from makingof.lineage.lineage import Lineage
from makingof.texts import say


def show_lineage(terminal: Terminal, archive: Archive, lineage: Lineage) -> None:
    for member in lineage.members:
        terminal.line(f"   e{member.entry.position} {member.entry.kind} {member.entry.means} ({member.why})")


def lineage_to_builtins(archive: Archive, lineage: Lineage) -> dict[str, object]:
    return {}
