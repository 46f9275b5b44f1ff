"""`connect`, `disconnect`, `drain`, `doctor`: recording without being asked for."""

import os
from contextlib import suppress
from pathlib import Path

import click

from makingof.archive.archive import open_archive
from makingof.archive.connecting import connect as connect_hook
from makingof.archive.connecting import disconnect as disconnect_hook
from makingof.archive.connecting import plan_connection
from makingof.archive.doctor import Examined, examine
from makingof.archive.draining import Drained
from makingof.archive.draining import drain as drain_spool
from makingof.archive.following import SecondLook, look_again
from makingof.archive.upkeep import start_due_stamping
from makingof.capture.local_http import LocalHost
from makingof.cli.command import argument, command, option
from makingof.cli.opening import home_of, reading, writing
from makingof.cli.terminal import Terminal
from makingof.errors import ConflictError
from makingof.texts import say

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@command("connect")
@argument("tool")
@argument("folder", metavar="DIR", type=_FOLDER)
@option("--dry-run", is_flag=True, help="help.option_dry_run")
def connect(terminal: Terminal, tool: str, folder: Path, dry_run: bool) -> None:
    """Hook a generator in; see `help.connect`."""
    plan = plan_connection(tool, folder)
    terminal.say("recording.plan", tool=tool, root=plan.root, folder=plan.folder)
    for name, data in plan.files.items():
        terminal.say("recording.plan_file", name=name, size=len(data))
    terminal.json({"tool": tool, "folder": str(plan.folder), "files": list(plan.files), "dry_run": dry_run})
    if dry_run:
        terminal.say("recording.dry_run")
        return
    with writing(terminal) as archive:
        recorded = connect_hook(archive, plan)
    terminal.say("recording.connected", tool=tool, event=f"e{recorded.position}")
    terminal.say("recording.connected_next")


@command("disconnect")
@argument("tool")
@argument("folder", metavar="DIR", type=_FOLDER)
def disconnect(terminal: Terminal, tool: str, folder: Path) -> None:
    """Take a hook out again; see `help.disconnect`."""
    with writing(terminal) as archive:
        done = disconnect_hook(archive, tool, folder)
    terminal.say("recording.disconnected", tool=tool, event=f"e{done.recorded.position}")
    for path in done.left:
        terminal.say("recording.left", path=path)
    terminal.json({"tool": tool, "event": done.recorded.name, "left": [str(path) for path in done.left]})


@command("drain")
@argument("folder", required=False, type=_FOLDER)
@option("--background", is_flag=True, help="help.option_background")
def drain(terminal: Terminal, folder: Path | None, background: bool) -> None:
    """Record what hooks have handed over; see `help.drain`."""
    if background:
        _drain_in_background(terminal)
        return
    with reading(terminal) as archive:
        archive.require_writable()
        done = drain_spool(archive, folder)
        start_due_stamping(archive)
    show_drained(terminal, done)


def _drain_in_background(terminal: Terminal) -> None:
    """What a hook starts: last in line for the processor, silent, and gone when the spool is empty."""
    with suppress(AttributeError, OSError):
        os.nice(10)
    # Somebody who drains already will take this too.
    with suppress(ConflictError), open_archive(home_of(terminal), terminal.clock) as archive:
        drain_spool(archive, wait_seconds=0)
        start_due_stamping(archive)


def show_drained(terminal: Terminal, done: Drained) -> None:
    """Say what a drain found."""
    by_means = {means.value: count for means, count in done.events.items()}
    terminal.json({"events": by_means, "already": done.already, "gaps": done.gaps})
    if not done.events:
        terminal.say("recording.drained_nothing")
    for means, count in by_means.items():
        terminal.say("recording.drained", count=count, means=terminal.text(say(f"package.means_{means}")))
    if done.gaps:
        terminal.say("recording.drained_gaps", count=done.gaps)


@command("doctor")
@option("--url", help="help.option_url_of_host")
def doctor(terminal: Terminal, url: str | None) -> int:
    """Try whether recording works; see `help.doctor`. Returns 1 if something does not."""
    with writing(terminal) as archive:
        found = examine(archive, url)
        second = None if url is None or not _answers(found) else look_again(archive, LocalHost.parse(url))
    if not found:
        terminal.say("recording.no_hooks")
    for item in found:
        _show_examined(terminal, item)
    if second is not None:
        show_second_look(terminal, second)
    return 0 if all(item.is_well for item in found) and not (second and second.missing) else 1


def _answers(found: list[Examined]) -> bool:
    return any(item.host == "attached" for item in found)


def show_second_look(terminal: Terminal, found: SecondLook) -> None:
    """Say which of the host's own jobs the log has, and why not the others."""
    terminal.say("recording.second_look", recorded=found.recorded, jobs=found.jobs)
    for job, why in found.missing.items():
        terminal.say(f"recording.why_{why}", job=job)
    terminal.json({"jobs": found.jobs, "recorded": found.recorded, "missing": dict(found.missing)})


def _show_examined(terminal: Terminal, item: Examined) -> None:
    terminal.say("recording.hook", tool=item.hook.tool, path=item.hook.folder)
    if item.changed is None:
        terminal.say("recording.hook_gone")
    for name in item.changed or ():
        terminal.say("recording.hook_changed", name=name)
    terminal.say(f"recording.round_trip_{item.round_trip}")
    terminal.say(f"recording.host_{item.host}", listening=", ".join(item.listening))
    terminal.json(
        {
            "hook": item.hook.id,
            "tool": item.hook.tool,
            "changed": None if item.changed is None else list(item.changed),
            "round_trip": item.round_trip,
            "host": item.host,
            "well": item.is_well,
        }
    )
