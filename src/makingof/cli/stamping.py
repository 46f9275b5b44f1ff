"""`stamp`: ask the authorities now, do what is due, or attach a certificate somebody else issued."""

from pathlib import Path

import click

from makingof.archive.archive import open_archive
from makingof.archive.authorities import authorities_of
from makingof.archive.stamping import Deposit, Problem, Stamped, log_deposit, stamp_log
from makingof.archive.upkeep import stamp_due
from makingof.cli.command import command, option
from makingof.cli.opening import home_of
from makingof.cli.terminal import Terminal
from makingof.cli.writing import writing
from makingof.errors import UsageError
from makingof.texts import Message, say

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@command("stamp")
@option("--due", is_flag=True, help="help.option_due")
@option("--deposit", type=_FILE, help="help.option_deposit")
@option("--about", type=_FILE, help="help.option_deposit_about")
@option("--platform", help="help.option_platform")
@option("--number", help="help.option_deposit_number")
@option("--time", "told", help="help.option_deposit_time")
def stamp(
    terminal: Terminal,
    due: bool,
    deposit: Path | None,
    about: Path | None,
    platform: str | None,
    number: str | None,
    told: str | None,
) -> int:
    """Have the log stamped; see `help.stamp`. Returns 1 if an authority did not answer."""
    if due:
        with open_archive(home_of(terminal), terminal.clock) as archive:
            stamp_due(archive)
        return 0
    with writing(terminal) as archive:
        if deposit is not None:
            if about is None or platform is None or number is None or told is None:
                raise UsageError(say("stamping.deposit_lacks"))
            log_deposit(archive, deposit, about, Deposit(platform, number, told))
            terminal.say("cli.deposit_attached", platform=platform, number=number)
            return 0
        authorities = authorities_of(archive)
        if not authorities:
            raise UsageError(say("stamping.none_set"), hint=say("stamping.none_set_hint"))
        return show_stamped(terminal, stamp_log(archive, authorities))


def show_stamped(terminal: Terminal, stamped: Stamped) -> int:
    """Say who stamped and who did not answer; return 1 if somebody did not."""
    for receipt in stamped.receipts:
        terminal.say("cli.stamped_by", authority=receipt.authority, size=stamped.size)
    for problem in stamped.problems:
        terminal.notice(
            say(
                "cli.not_stamped_by", authority=problem.authority, reason=terminal.text(problem.error.message)
            )
        )
    terminal.json(
        {
            "size": stamped.size,
            "receipts": [
                {"authority": item.authority, "kind": item.kind, "digest": item.digest}
                for item in stamped.receipts
            ],
            "problems": [
                {"authority": item.authority, "message": str(item.error)} for item in stamped.problems
            ],
        }
    )
    return 1 if stamped.problems else 0


def not_stamped(terminal: Terminal, problem: Problem) -> Message:
    """Say who gave no stamp, and why."""
    reason = terminal.text(problem.error.message)
    return say("cli.not_stamped_by", authority=problem.authority, reason=reason)
