"""`init`: an archive, its key, its people, and the authorities it may ask."""

from pathlib import Path

import click

from makingof.archive.archive import Archive, Home, Plan, create_archive
from makingof.archive.succession import open_successor
from makingof.cli.command import argument, command, option
from makingof.cli.terminal import Terminal
from makingof.config import ARCHIVE_FOLDER, Settings, user_archive_path
from makingof.keys.recovery import RecoveryKey
from makingof.stamp.trust import builtin_authorities
from makingof.texts import say


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
    no_stamps: bool,  # noqa: FBT001 - click passes options by name
    recovery: bool,  # noqa: FBT001
    keyring: bool,  # noqa: FBT001
    successor: bool,  # noqa: FBT001
) -> None:
    """Make an archive; see `help.init`."""
    home = Home(_place(terminal, folder), terminal.state_path)
    if successor:
        _succeed(terminal, home)
        return
    plan = Plan(
        owner=owner or _ask_owner(terminal),
        settings=Settings(authorities=() if no_stamps else authorities or _ask_authorities(terminal)),
        takes_recovery_key=recovery,
        uses_keyring=keyring,
    )
    archive, key = create_archive(home, terminal.clock, plan)
    with archive:
        _report(terminal, archive, key)
