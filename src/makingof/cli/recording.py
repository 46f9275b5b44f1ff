"""`connect`, `drain`, `watch`, `start`, `stop`, `doctor`: recording without being asked for."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from makingof.archive.archive import Archive, open_archive
from makingof.archive.at_login import LoginItem, install_login_item, login_item, remove_login_item
from makingof.archive.connecting import (
    Disconnected,
    connect_python,
    disconnect_python,
    layout_of,
    plan_connection,
)
from makingof.archive.connecting import connect as connect_hook
from makingof.archive.connecting import disconnect as disconnect_hook
from makingof.archive.doctor import Examined, examine
from makingof.archive.draining import Drained, waits
from makingof.archive.draining import drain as drain_spool
from makingof.archive.following import Following, look_again
from makingof.archive.presence import is_running
from makingof.archive.running import Told, ask_to_stop, record_on, watched_folders
from makingof.archive.unasked_looks import look_where_news
from makingof.archive.upkeep import start_due_stamping
from makingof.capture.generators import WhoeverAnswers, find_generator
from makingof.capture.local_http import LocalHost
from makingof.cli.command import argument, command, option
from makingof.cli.opening import home_of
from makingof.cli.second_looks import second_look_lines
from makingof.cli.terminal import Terminal
from makingof.cli.writing import writing
from makingof.config import TOKEN
from makingof.errors import ConflictError, SourceError, UsageError
from makingof.event import Kind
from makingof.lineage.second_looks import SecondLook
from makingof.spool.carried import start_detached
from makingof.spool.hook import PYTHON
from makingof.texts import say

_START_SECONDS = 15.0
_STOP_SECONDS = 15.0
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@command("connect")
@argument("tool")
@argument("folder", metavar="DIR", type=_FOLDER, required=False)
@option("--dry-run", is_flag=True, help="help.option_dry_run")
def connect(terminal: Terminal, tool: str, folder: Path | None, dry_run: bool) -> None:
    """Hook a generator in; see `help.connect`."""
    if tool == PYTHON:
        _connect_python(terminal, dry_run=dry_run)
        return
    plan = plan_connection(tool, _named(folder, tool))
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


def _connect_python(terminal: Terminal, *, dry_run: bool) -> None:
    terminal.json({"tool": PYTHON, "folder": None, "files": [], "dry_run": dry_run})
    terminal.say("recording.plan_python")
    if dry_run:
        terminal.say("recording.dry_run")
        return
    with writing(terminal) as archive:
        recorded = connect_python(archive)
    terminal.say("recording.connected", tool=PYTHON, event=f"e{recorded.position}")
    terminal.say("recording.connected_python_next")


def _named(folder: Path | None, tool: str) -> Path:
    if folder is None:
        layout_of(tool)  # first whether there is a hook at all
        raise UsageError(say("recording.which_folder", tool=tool), hint=say("recording.which_folder_hint"))
    return folder


@command("disconnect")
@argument("tool")
@argument("folder", metavar="DIR", type=_FOLDER, required=False)
def disconnect(terminal: Terminal, tool: str, folder: Path | None) -> None:
    """Take a hook out again; see `help.disconnect`."""
    with writing(terminal) as archive:
        if tool == PYTHON:
            done = Disconnected(disconnect_python(archive), ())
        else:
            done = disconnect_hook(archive, tool, _named(folder, tool))
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
    with open_archive(home_of(terminal), terminal.clock) as archive:
        archive.require_writable()
        done = drain_spool(archive, folder)
        start_due_stamping(archive)
    show_drained(terminal, done)


def _drain_in_background(terminal: Terminal) -> None:
    """What a hook starts: last in line for the processor, silent, and gone when the spool is empty."""
    with suppress(AttributeError, OSError):
        os.nice(10)
    # Who drains already may have looked before this was handed over: it is waited for.
    with suppress(ConflictError), open_archive(home_of(terminal), terminal.clock) as archive:
        while waits(archive):
            drain_spool(archive)
        look_where_news(archive, None)
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


@command("watch")
@argument("folders", nargs=-1, metavar="[DIR]…", type=_FOLDER)
@option("--url", help="help.option_url_followed")
@option("--root", type=_FOLDER, help="help.option_root_followed")
@option("--background", is_flag=True, help="help.option_background")
def watch(
    terminal: Terminal, folders: tuple[Path, ...], url: str | None, root: Path | None, background: bool
) -> None:
    """Record from now on; see `help.watch`."""
    if (url is None) != (root is None):
        raise UsageError(say("recording.url_and_root"))
    stop = threading.Event()
    with writing(terminal) as archive, _ending_quietly(stop):
        watched = watched_folders(archive, folders)
        following = (
            None if url is None or root is None else _following(archive, url, root, terminal.env.get(TOKEN))
        )
        if not background:
            for folder in watched:
                terminal.say("recording.watching", path=folder)
            if following is not None and following.follower.remark is not None:
                terminal.line(following.follower.remark)
            terminal.say("recording.until_stopped")
        said = ""
        for told in record_on(archive, watched, following, stop):
            _show_told(terminal, told)
            said = _show_problem(terminal, told, said)


def _following(archive: Archive, url: str, root: Path, token: str | None) -> Following:
    follower = WhoeverAnswers(LocalHost.parse(url, token), root.absolute())
    with suppress(SourceError):  # told at the first look, and asked again at each
        follower.find()
    return Following(archive, follower)


@contextmanager
def _ending_quietly(stop: threading.Event) -> Iterator[None]:
    """Let control-C and a request to end close the stream in order."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda *_: stop.set())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _show_told(terminal: Terminal, told: Told) -> None:
    for noted in told.noted:
        if noted.kind is None:
            continue
        kind = terminal.text(say(f"package.kind_{noted.kind}"))
        terminal.say("recording.noted", kind=kind, path=noted.change.path)
        for proposal in noted.proposals:
            terminal.say("recording.proposal", path=noted.change.path, source=proposal)
        terminal.json(
            {"kind": noted.kind.value, "file": str(noted.change.path), "what": noted.change.what.value}
        )
    if told.drained is not None and told.drained.events:
        show_drained(terminal, told.drained)
    if told.followed:
        terminal.say("recording.followed", count=told.followed)
    for look in told.looks:
        show_second_look(terminal, look)


def _show_problem(terminal: Terminal, told: Told, said: str) -> str:
    """Say what went wrong, once and not at every turn until it is over; return what is said by now."""
    if told.problem is None:
        return "" if told.followed or told.noted else said
    text = terminal.text(told.problem.message)
    if text != said:
        terminal.notice(text)
        if told.problem.hint is not None:
            terminal.notice(say("errors.hint", hint=terminal.text(told.problem.hint)))
    return text


@command("start")
@argument("folders", nargs=-1, metavar="[DIR]…", type=_FOLDER)
@option("--at-login", is_flag=True, help="help.option_at_login")
@option("--yes", is_flag=True, help="help.option_yes")
def start(terminal: Terminal, folders: tuple[Path, ...], at_login: bool, yes: bool) -> int:
    """Record in the background; see `help.start`. Returns 1 if it does not come up."""
    with writing(terminal) as archive:
        watched_folders(archive, folders)
        command_line = _background_command(archive)
        if at_login and not _install_login_item(terminal, archive, command_line, yes=yes):
            return 1
        is_up = is_running(archive) or _start_background(archive, command_line)
    terminal.say("recording.started" if is_up else "recording.not_started")
    terminal.json({"running": is_up})
    return 0 if is_up else 1


@command("stop")
@option("--at-login", is_flag=True, help="help.option_stop_at_login")
def stop(terminal: Terminal, at_login: bool) -> int:
    """End the recorder in the background; see `help.stop`. Returns 1 if it does not end."""
    with open_archive(home_of(terminal), terminal.clock) as archive:
        if at_login:
            _remove_login_item(terminal, archive)
        was_running = is_running(archive)
        has_ended = ask_to_stop(archive, _STOP_SECONDS)
    key = "recording.stopped" if was_running else "recording.was_not_running"
    terminal.say(key if has_ended else "recording.does_not_end")
    terminal.json({"running": not has_ended})
    return 0 if has_ended else 1


def _background_command(archive: Archive) -> tuple[str, ...]:
    path = str(archive.home.path.absolute())
    return (sys.executable, "-m", "makingof", "watch", "--background", "--archive", path)


def _start_background(archive: Archive, command_line: tuple[str, ...]) -> bool:
    start_detached(command_line, {"MAKINGOF_STATE": str(archive.home.state.absolute())})
    deadline = time.monotonic() + _START_SECONDS
    while not is_running(archive) and time.monotonic() < deadline:
        time.sleep(0.05)
    return is_running(archive)


def _login_item(terminal: Terminal, archive: Archive, command_line: tuple[str, ...]) -> LoginItem:
    home = Path(terminal.env["HOME"]) if "HOME" in terminal.env else Path.home()
    environment = {**terminal.env, "MAKINGOF_STATE": str(archive.home.state.absolute())}
    item = login_item(sys.platform, home, command_line, environment)
    if item is None:
        raise UsageError(say("recording.no_login_item", system=sys.platform))
    return item


def _install_login_item(
    terminal: Terminal, archive: Archive, command_line: tuple[str, ...], *, yes: bool
) -> bool:
    """Show what would be written, ask, and write it."""
    item = _login_item(terminal, archive, command_line)
    terminal.notice(say("recording.login_item", path=item.path))
    encoding = "utf-16" if item.data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    terminal.notice(item.data.decode(encoding))
    if item.enable:
        terminal.notice(say("recording.login_command", command=" ".join(item.enable)))
    if not yes and not click.confirm(terminal.text(say("recording.login_agree")), default=True, err=True):
        return False
    install_login_item(item)
    archive.record_own(Kind.CONFIGURED, {"what": "starts_at_login"})
    terminal.say("recording.login_done", path=item.path)
    return True


def _remove_login_item(terminal: Terminal, archive: Archive) -> None:
    item = _login_item(terminal, archive, _background_command(archive))
    if remove_login_item(item):
        archive.require_writable()
        archive.record_own(Kind.CONFIGURED, {"what": "does_not_start_at_login"})
        terminal.say("recording.login_removed", path=item.path)


@command("doctor")
@option("--url", help="help.option_url_of_host")
def doctor(terminal: Terminal, url: str | None) -> int:
    """Try whether recording works; see `help.doctor`. Returns 1 if something does not."""
    with writing(terminal) as archive:
        found = examine(archive, url)
        host = None if url is None else LocalHost.parse(url, terminal.env.get(TOKEN))
        second = None if host is None else _second_look(terminal, archive, found, host)
    if not found and second is None:
        terminal.say("recording.no_hooks")
    for item in found:
        _show_examined(terminal, item)
    if second is not None:
        show_second_look(terminal, second)
    return 0 if all(item.is_well for item in found) and not (second and second.missing) else 1


def _second_look(
    terminal: Terminal, archive: Archive, found: list[Examined], host: LocalHost
) -> SecondLook | None:
    """Compare with what the host itself lists, unless a hook should be in it and is not."""
    try:
        generator = find_generator(host)
    except SourceError:
        if found:  # that nothing answered for the hook is told with the hook
            return None
        raise
    hooked = [item for item in found if item.hook.tool == generator.tool]
    if not hooked:
        terminal.say("recording.followed_only", tool=generator.tool, url=host.url)
    elif not any(item.host == "attached" for item in hooked):
        return None
    return look_again(archive, host, generator)


def show_second_look(terminal: Terminal, found: SecondLook) -> None:
    """Say which of the host's own jobs the log has, and why not the others."""
    for line in second_look_lines(found):
        terminal.line(line)
    terminal.json({"jobs": found.jobs, "recorded": found.recorded, "missing": dict(found.missing)})


def _show_examined(terminal: Terminal, item: Examined) -> None:
    key = "recording.hook" if item.hook.folder else "recording.hook_python"
    terminal.say(key, tool=item.hook.tool, path=item.hook.folder)
    if item.changed is None:
        terminal.say("recording.hook_gone")
    for name in item.changed or ():
        terminal.say("recording.hook_changed", name=name)
    terminal.say(f"recording.round_trip_{item.round_trip}")
    if item.hook.tool != PYTHON:  # such programs come and go, and none listens anywhere
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
