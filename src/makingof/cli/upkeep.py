"""`fsck`, `reindex`, `backup`, `restore`: keeping an archive sound."""

from pathlib import Path

import click

from makingof.archive.authorities import trust_of
from makingof.archive.backup import back_up, restore_backup
from makingof.archive.fsck import ArchiveReport, check_archive
from makingof.cli.command import argument, command
from makingof.cli.opening import home_of, reading
from makingof.cli.terminal import Terminal
from makingof.stamp.openssl import find_openssl
from makingof.texts import say

_FOLDER = click.Path(file_okay=False, path_type=Path)


@command("fsck")
def fsck(terminal: Terminal) -> int:
    """Check the archive; see `help.fsck`. Returns 1 if something is wrong."""
    with reading(terminal) as archive, terminal.progress(say("cli.checking")) as progress:
        trust = trust_of(archive.home.path, archive.settings)
        report = check_archive(archive, trust, openssl=find_openssl(), progress=progress)
    _show(terminal, report)
    return 0 if report.is_sound else 1


def _show(terminal: Terminal, report: ArchiveReport) -> None:
    for step in report.steps:
        reason = terminal.text(step.skipped)
        terminal.say(
            f"cli.step_{step.outcome}",
            name=terminal.text(say(f"fsck.step_{step.name}")),
            count=step.count,
            reason=reason,
        )
        for problem in step.problems:
            terminal.line("    " + terminal.text(problem.message))
            if problem.hint is not None:
                terminal.line("      " + terminal.text(say("errors.hint", hint=terminal.text(problem.hint))))
        for note in step.notes:
            terminal.line("    " + terminal.text(note))
        terminal.json(
            {
                "step": step.name,
                "outcome": step.outcome.value,
                "count": step.count,
                "problems": [str(problem) for problem in step.problems],
                "notes": [str(note) for note in step.notes],
                "skipped": str(step.skipped),
            }
        )
    terminal.say("cli.sound" if report.is_sound else "cli.not_sound")


@command("reindex")
def reindex(terminal: Terminal) -> None:
    """Build the index again; see `help.reindex`."""
    with reading(terminal) as archive:
        archive.index.rebuild(archive.log)
        terminal.say("cli.reindexed", count=archive.log.size())
        terminal.json({"entries": archive.log.size()})


@command("backup")
@argument("folder", type=_FOLDER)
def backup(terminal: Terminal, folder: Path) -> None:
    """Copy the archive without its key; see `help.backup`."""
    with reading(terminal) as archive, terminal.progress(say("cli.copying")) as progress:
        done = back_up(archive, folder, progress)
    terminal.say("cli.backed_up", path=folder, blobs=done.blobs, new=done.new_blobs, size=done.entries)
    terminal.json({"folder": str(folder), "entries": done.entries, "blobs": done.blobs})


@command("restore")
@argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def restore(terminal: Terminal, folder: Path) -> None:
    """Put a backup back; see `help.restore`."""
    with terminal.progress(say("cli.copying")) as progress:
        done = restore_backup(folder, home_of(terminal), terminal.clock, progress)
    terminal.say("cli.restored", path=home_of(terminal).path, blobs=done.blobs, size=done.entries)
    terminal.say("cli.restored_goes_on" if done.goes_on else "cli.restored_next")
    terminal.json({"archive": str(home_of(terminal).path), "entries": done.entries, "blobs": done.blobs})
