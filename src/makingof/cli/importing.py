"""`import`: files and folders, with the cost said first and a summary that explains itself."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import click

from makingof.archive.archive import Archive
from makingof.archive.exports import ExportTold, import_exports
from makingof.archive.imports import import_files
from makingof.archive.inputs import link_inputs
from makingof.archive.zips import import_zip
from makingof.capture.folder import Listing, list_files
from makingof.capture.zipped import ZippedFolder, opened_zip
from makingof.cli.command import argument, command, option
from makingof.cli.terminal import Terminal
from makingof.cli.writing import writing
from makingof.errors import MakingofError
from makingof.recorder.importing import Imported, Outcome
from makingof.texts import say

_ASK_ABOVE_BYTES = 2 << 30
_SHOWN = 10


@command("import")
@argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@option("--in-place", is_flag=True, help="help.option_in_place")
@option("--yes", is_flag=True, help="help.option_yes")
def import_(
    terminal: Terminal,
    paths: tuple[Path, ...],
    in_place: bool,
    yes: bool,
) -> int:
    """Record files and folders; see `help.import`. Returns 1 if some file was not recorded."""
    with writing(terminal) as archive:
        listing = list_files(paths)
        zips = _take_zips(listing)
        _say_cost(terminal, archive, listing, zips, in_place=in_place)
        if not yes and not in_place and listing.size_bytes > _ASK_ABOVE_BYTES:
            click.confirm(terminal.text(say("cli.import_sure")), abort=True, err=True)
        done = _run(terminal, archive, listing, in_place=in_place)
        for path in zips:
            done += _run_zip(terminal, archive, path, in_place=in_place)
        told = _tell_exports(terminal, archive, done, in_place=in_place)
        linked = link_inputs(archive, done)
    code = _summarise(terminal, listing, done)
    for item in told:
        _say_told(terminal, item)
    if linked:
        terminal.say("exports.linked", count=linked)
        terminal.json({"outcome": "linked", "events": linked})
    return code or int(any(item.damaged is not None for item in told))


def _run(terminal: Terminal, archive: Archive, listing: Listing, *, in_place: bool) -> list[Imported]:
    done = []
    with terminal.progress(say("cli.importing"), len(listing.files)) as progress:
        for imported in import_files(archive, listing.files, in_place=in_place):
            done.append(imported)
            progress(len(done), len(listing.files))
            terminal.json(_as_json(imported))
    return done


def _take_zips(listing: Listing) -> dict[Path, int]:
    """Take out of the listing the zips that are read like folders; return how many files each may give."""
    zips: dict[Path, int] = {}
    for path in listing.files:
        with opened_zip(path) as zipped:  # one at a time: a folder may hold more than can be open at once
            if zipped is not None:
                zips[path] = 1 + len(zipped.likely)
                listing.size_bytes += sum(member.size_bytes for member in zipped.likely) - zipped.file_bytes
    listing.files = [path for path in listing.files if path not in zips]
    return zips


def _run_zip(terminal: Terminal, archive: Archive, path: Path, *, in_place: bool) -> list[Imported]:
    with opened_zip(path) as zipped:
        if zipped is None:  # replaced since it was listed: then it is a file like any other
            return list(import_files(archive, [path], in_place=in_place))
        return _run_members(terminal, archive, zipped, in_place=in_place)


def _run_members(
    terminal: Terminal, archive: Archive, zipped: ZippedFolder, *, in_place: bool
) -> list[Imported]:
    done: list[Imported] = []
    stays: list[bool] = []
    with terminal.progress(say("cli.importing_zip", path=zipped.path), len(zipped.members)) as progress:

        def seen(does_stay: bool) -> None:
            stays.append(does_stay)
            progress(len(stays), len(zipped.members))

        for imported in import_zip(archive, zipped, in_place=in_place, seen=seen):
            done.append(imported)
            terminal.json(_as_json(imported))
    if left := sum(stays):
        terminal.say("cli.import_zip_left", path=zipped.path, count=left)
    return done


def _tell_exports(
    terminal: Terminal, archive: Archive, done: list[Imported], *, in_place: bool
) -> list[ExportTold]:
    """Record what exports among the files tell."""
    told = []
    for item in import_exports(archive, done, in_place=in_place):
        told.append(item)
        terminal.json(_export_as_json(item))
    return told


def _say_told(terminal: Terminal, item: ExportTold) -> None:
    source = say(f"exports.source_{item.source.replace('-', '_')}")
    if item.damaged is not None:
        terminal.notice(say("exports.told_damaged", source=source, path=item.path, reason=item.damaged))
        return
    key = "exports.told" if item.events else "exports.told_nothing_new"
    terminal.say(key, source=source, path=item.path, count=sum(item.events.values()))
    for kind, count in item.events.most_common():
        terminal.say("exports.told_kind", kind=say(f"exports.kind_{kind}"), count=count)
    if item.known:
        terminal.say("exports.told_known", count=item.known)
    if item.missing:
        terminal.say("exports.told_missing", count=item.missing)
    for problem in item.problems[:_SHOWN]:
        terminal.say("exports.told_problem", what=problem)


def _export_as_json(item: ExportTold) -> dict[str, object]:
    return {
        "file": str(item.path),
        "outcome": "export",
        "source": item.source,
        "events": {str(kind): count for kind, count in item.events.items()},
        "known": item.known,
        "missing": item.missing,
        "problems": item.problems,
        "error": item.damaged,
    }


def _say_cost(
    terminal: Terminal,
    archive: Archive,
    listing: Listing,
    zips: Mapping[Path, int],
    *,
    in_place: bool,
) -> None:
    key = "cli.import_in_place" if in_place else "cli.import_cost"
    count = len(listing.files) + sum(zips.values())
    terminal.say(
        key if count else "cli.import_nothing",
        count=count,
        size=megabytes(listing.size_bytes),
        archive=archive.home.path,
    )


def _summarise(terminal: Terminal, listing: Listing, done: list[Imported]) -> int:
    counts = Counter(item.outcome for item in done)
    tools = Counter(item.tool for item in done if item.outcome is Outcome.RECOGNISED)
    for outcome in Outcome:
        if counts[outcome]:
            terminal.say(f"cli.import_{outcome}", count=counts[outcome])
        for tool, count in tools.most_common() if outcome is Outcome.RECOGNISED else ():
            terminal.say("cli.import_tool", tool=tool, count=count)
    for reason, count in Counter(reason for _, reason in listing.left_out).items():
        terminal.say(f"cli.left_out_{reason}", count=count)
    failures: list[tuple[Path, MakingofError]] = list(listing.failed)
    failures += [(item.path, item.error) for item in done if item.error is not None]
    for path, error in failures[:_SHOWN]:
        terminal.notice(say("cli.import_failed_file", path=path, error=terminal.text(error.message)))
    if len(failures) > _SHOWN:
        terminal.notice(say("cli.and_more", count=len(failures) - _SHOWN))
    return 1 if failures else 0


def _as_json(item: Imported) -> dict[str, object]:
    return {
        "file": str(item.path),
        "outcome": item.outcome.value,
        "digest": item.digest,
        "tool": item.tool,
        "error": None if item.error is None else str(item.error),
    }


def megabytes(size_bytes: int) -> str:
    """Spell a size for people."""
    if size_bytes < 1_000_000:  # noqa: PLR2004 - below, megabytes would all be 0.0
        return f"{size_bytes / 1000:,.0f} kB"
    return f"{size_bytes / 1_000_000:,.1f} MB"
