"""`log`, `status`, `search`: looking at what is recorded."""

from datetime import UTC, datetime

import click
import msgspec

from makingof.archive.hooks import hook_folder
from makingof.archive.presence import is_running
from makingof.archive.reader import ArchiveReader
from makingof.archive.second_look import last_second_looks
from makingof.cli.command import argument, command, option
from makingof.cli.opening import reading
from makingof.cli.second_looks import second_look_lines
from makingof.cli.spelling import visible
from makingof.cli.terminal import Terminal
from makingof.errors import UsageError
from makingof.event import Kind
from makingof.index.values import EventFilter, EventRow, Status
from makingof.part import Means
from makingof.texts import say

_TEXT_WIDTH = 72


@command("log")
@option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice([kind.value for kind in Kind]),
    help="help.option_kind",
)
@option(
    "--means",
    "means",
    multiple=True,
    type=click.Choice([item.value for item in Means]),
    help="help.option_means",
)
@option("--actor", help="help.option_actor")
@option("--project", help="help.option_log_project")
@option("--since", help="help.option_since")
@option("--until", help="help.option_until")
@option("--text", "-t", help="help.option_log_text")
@option("--own/--no-own", "own", default=True, help="help.option_own")
@option("--limit", "-n", type=click.IntRange(1), default=50, show_default=True, help="help.option_limit")
def log(
    terminal: Terminal,
    kinds: tuple[str, ...],
    means: tuple[str, ...],
    actor: str | None,
    project: str | None,
    since: str | None,
    until: str | None,
    text: str | None,
    own: bool,
    limit: int,
) -> None:
    """List events; see `help.log`."""
    with reading(terminal) as archive:
        wanted = EventFilter(
            kinds=tuple(map(Kind, kinds)),
            means=tuple(map(Means, means)),
            actor=actor,
            project=archive.index.find_project(project) if project else None,
            since=_moment(since),
            until=_moment(until),
            text=text,
            own=own,
        )
        rows = archive.index.events(wanted, limit=limit)
        for row in reversed(rows):
            terminal.line(_line(terminal, row))
            terminal.json(_to_builtins(row))
        if not rows:
            terminal.say("cli.log_none")
        total = archive.index.count_events(wanted)
        if total > len(rows):
            terminal.say("cli.log_more", count=total - len(rows))


def _moment(text: str | None) -> datetime | None:
    """Read a moment a person types: without an offset it is this computer's own time."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as err:
        raise UsageError(say("cli.not_a_moment", text=text), hint=say("cli.not_a_moment_hint")) from err
    return moment.astimezone(UTC)


def _line(terminal: Terminal, row: EventRow) -> str:
    kind = terminal.text(say(f"package.kind_{row.kind}"))
    means = terminal.text(say(f"package.means_{row.means}"))
    mark = terminal.text(say("cli.withdrawn_mark")) if row.withdrawn else ""
    files = terminal.text(say("cli.files_mark", count=row.files)) if row.files else ""
    text = visible(row.text or "")
    text = text if len(text) <= _TEXT_WIDTH else text[:_TEXT_WIDTH] + "…"
    told = "  ".join(part for part in (row.actor or "", files, text, mark) if part)
    return f"e{row.position:<6} {row.recorded_at[:19].replace('T', ' ')}  {kind} ({means})  {told}".rstrip()


@command("search")
@argument("words", nargs=-1, required=True)
@option("--limit", "-n", type=click.IntRange(1), default=20, show_default=True, help="help.option_limit")
def search(terminal: Terminal, words: tuple[str, ...], limit: int) -> int:
    """Find events by their words; see `help.search`. Returns 1 if nothing was found."""
    with reading(terminal) as archive:
        rows = archive.index.events(EventFilter(text=" ".join(words)), limit=limit)
        for row in rows:
            terminal.line(_line(terminal, row))
            terminal.json(_to_builtins(row))
    if not rows:
        terminal.say("cli.nothing_found")
    return 0 if rows else 1


@command("status")
def status(terminal: Terminal) -> None:
    """Say what stands open; see `help.status`."""
    with reading(terminal) as archive:
        found = archive.index.status()
        terminal.json(
            {
                "archive": str(archive.home.path),
                "origin": archive.log.origin,
                "recording": is_running(archive),
            }
            | _to_builtins(found)
            | {"second_looks": msgspec.to_builtins(last_second_looks(archive))}
        )
        terminal.say("cli.archive_used", path=archive.home.path)
        if archive.log.read_only is not None:
            terminal.line(archive.log.read_only.message)
            terminal.line(archive.log.read_only.hint)
        _show_status(terminal, found, names=archive.settings.authorities)
        _show_recording(terminal, archive)


def _show_status(terminal: Terminal, found: Status, *, names: tuple[str, ...]) -> None:
    terminal.say("cli.status_counts", events=found.events, pictures=found.pictures)
    project = found.project.title if found.project else None
    terminal.say("cli.status_project" if project else "cli.status_no_project", project=visible(project or ""))
    if found.stamped_at is None:
        terminal.say("cli.status_never_stamped")
    else:
        terminal.say(
            "cli.status_stamped", at=f"{found.stamped_at:%Y-%m-%d %H:%M:%S} UTC", size=found.stamped_size
        )
    if not names:
        terminal.say("cli.status_no_authority")
    for key in ("undated", "unjudged", "finals_without_choice", "open_streams", "missing_numbers", "gaps"):
        if count := getattr(found, key):
            terminal.say(f"cli.status_{key}", count=count)


def _show_recording(terminal: Terminal, archive: ArchiveReader) -> None:
    """Say whether anything records by itself, and whether all of a generator's own jobs were recorded."""
    terminal.say("recording.status_running" if is_running(archive) else "recording.status_not_running")
    if hooks := hook_folder(archive).all():
        terminal.say("recording.status_hooks", tools=", ".join(hook.tool for hook in hooks))
    for look in last_second_looks(archive):
        for line in second_look_lines(look):
            terminal.line(line)


def _to_builtins(value: msgspec.Struct) -> dict[str, object]:
    built: dict[str, object] = msgspec.to_builtins(value, enc_hook=str)
    return built
