"""`init`: an archive, its key, its people, and the authorities it may ask."""

import sys
from pathlib import Path
from typing import Any

import click

from makingof.archive.archive import Archive, Plan, create_archive
from makingof.archive.home import Home
from makingof.archive.succession import EARLIER, open_successor
from makingof.cli.command import argument, command, option
from makingof.cli.terminal import Terminal
from makingof.config import ARCHIVE_FOLDER, Settings, user_archive_path
from makingof.errors import UsageError
from makingof.keys.recovery import RecoveryKey
from makingof.stamp.trust import built_in_trust
from makingof.texts import say

_PROPOSED = ("digicert", "globalsign")  # two operators, both reached from most countries


@command("init")
@argument("folder", metavar="[DIR]", required=False, type=click.Path(file_okay=False, path_type=Path))
@option("--owner", help="help.option_owner")
@option("--authority", "authorities", multiple=True, help="help.option_authority")
@option("--no-stamps", is_flag=True, help="help.option_no_stamps")
@option("--recovery", is_flag=True, help="help.option_recovery")
@option("--keyring", is_flag=True, help="help.option_keyring")
@option("--successor", is_flag=True, help="help.option_successor")
def init(
    terminal: Terminal,
    folder: Path | None,
    owner: str | None,
    authorities: tuple[str, ...],
    no_stamps: bool,
    recovery: bool,
    keyring: bool,
    successor: bool,
) -> None:
    """Make an archive; see `help.init`."""
    home = Home(folder / ARCHIVE_FOLDER if folder else _own_place(terminal), terminal.state_path)
    answered = owner and (successor or no_stamps or authorities)
    if not answered and not _someone_answers():
        raise UsageError(say("cli.nobody_answers"), hint=say("cli.nobody_answers_hint"))
    name = owner or _ask(terminal, "cli.ask_owner")
    if successor:
        typed = _ask(terminal, "cli.ask_recovery", default="") if recovery else ""
        key = RecoveryKey.parse(typed) if typed else None
        archive, new_key = open_successor(home, terminal.clock, owner=name, recovery=key)
    else:
        settings = Settings(authorities=() if no_stamps else authorities or _agreed_authorities(terminal))
        plan = Plan(name, settings, takes_recovery_key=recovery, uses_keyring=keyring)
        archive, new_key = create_archive(home, terminal.clock, plan)
    with archive:
        _report(terminal, archive, new_key)
        if successor:
            terminal.say("cli.earlier_log", path=home.path / EARLIER)


def _own_place(terminal: Terminal) -> Path:
    """Without DIR: `--archive`, else this user's own archive, never one that happens to lie above."""
    return terminal.archive or user_archive_path(terminal.env)


def _someone_answers() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _ask(terminal: Terminal, key: str, **settings: Any) -> str:
    answer: str = click.prompt(terminal.text(say(key)), err=True, **settings)
    return answer


def _agreed_authorities(terminal: Terminal) -> tuple[str, ...]:
    """Name the authorities that would be asked and what they would be sent, and ask first."""
    trust = built_in_trust()
    proposed = [name for name in _PROPOSED if trust.find(name)]
    terminal.notice(say("cli.authorities_proposed", names=", ".join(proposed)))
    if click.confirm(terminal.text(say("cli.authorities_agree")), default=True, err=True):
        return tuple(proposed)
    return ()


def _report(terminal: Terminal, archive: Archive, recovery: RecoveryKey | None) -> None:
    terminal.say("cli.made", path=archive.home.path, origin=archive.log.origin)
    terminal.say("cli.key_lies", path=archive.home.state)
    names = ", ".join(archive.settings.authorities)
    terminal.say("cli.will_stamp" if names else "cli.will_not_stamp", names=names)
    if recovery is not None:
        terminal.notice(say("cli.recovery_key", text=recovery.text))
    terminal.say("cli.next_import")
    terminal.json(
        {
            "archive": str(archive.home.path),
            "origin": archive.log.origin,
            "authorities": list(archive.settings.authorities),
        }
    )
