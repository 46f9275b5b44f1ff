"""`verify`: a package checked, by anybody, without an archive."""

from pathlib import Path

import click

from makingof.cli.command import argument, command, option
from makingof.cli.spelling import visible
from makingof.cli.terminal import Terminal
from makingof.stamp.openssl import find_openssl
from makingof.stamp.trust import built_in_trust, load_trust
from makingof.verify.check import check_bundle
from makingof.verify.openings import read_openings

_FILE = click.Path(exists=True, path_type=Path)


@command("verify")
@argument("package", type=_FILE)
@option("--trust", type=_FILE, help="help.option_trust")
@option("--open", "openings", multiple=True, type=_FILE, help="help.option_open")
@option("--sm3", is_flag=True, help="help.option_sm3")
def verify(
    terminal: Terminal, package: Path, trust: Path | None, openings: tuple[Path, ...], sm3: bool
) -> int:
    """Check a package; see `help.verify`. Returns 1 if something is wrong."""
    report = check_bundle(
        package,
        trust=load_trust(trust) if trust else built_in_trust(),
        openssl=find_openssl(),
        openings=read_openings(openings),
        computes_sm3=sm3,
    )
    terminal.json(report.to_builtins(terminal.language))
    for line in report.lines(terminal.language):
        terminal.line(visible(line))
    return report.exit_code
