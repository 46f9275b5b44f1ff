"""`demo`: the main job in seconds, offline, in a folder of its own.

Everything is real but the pictures, which a script draws, and the two time-stamping
authorities, which run on this machine for as long as the demonstration and are
trusted by nobody else.
"""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from makingof.archive import acts
from makingof.archive.archive import Archive, Home, Plan, create_archive
from makingof.archive.export import export_package
from makingof.archive.imports import import_files
from makingof.archive.names import Namer
from makingof.archive.stamping import stamp_log
from makingof.bundle.request import Options
from makingof.cli.command import command, option
from makingof.cli.demo_drafts import write_drafts, write_edit
from makingof.cli.packing import show_report
from makingof.cli.showing import show_lineage
from makingof.cli.terminal import Terminal
from makingof.clock import Clock
from makingof.config import Settings
from makingof.event import Kind
from makingof.stamp.authority import RemoteAuthority
from makingof.stamp.base import Authority
from makingof.stamp.http import HttpFetch
from makingof.stamp.local import LocalAuthority, serve
from makingof.stamp.openssl import find_openssl
from makingof.stamp.trust import format_trust, parse_trust
from makingof.texts import say
from makingof.verify.verifier import check_bundle

_AUTHORITIES = ("demonstration authority A", "demonstration authority B")


@command("demo")
@option("--keep", type=click.Path(file_okay=False, path_type=Path), help="help.option_keep_demo")
def demo(terminal: Terminal, keep: Path | None) -> int:
    """Show the main job; see `help.demo`. Returns 1 if the demonstration did not go as told."""
    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="makingof-demo-")))
        folder.mkdir(parents=True, exist_ok=True)
        authorities = [stack.enter_context(_authority(name, terminal.clock)) for name in _AUTHORITIES]
        return _Demonstration(terminal, folder, authorities).run()
