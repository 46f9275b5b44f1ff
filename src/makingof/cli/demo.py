"""`demo`: the main job in seconds, offline, in a folder of its own.

Everything is real but the pictures, which a script draws, and the two time-stamping
authorities, which run on this machine for as long as the demonstration and are
trusted by nobody else.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from makingof.archive import acts
from makingof.archive.archive import Archive, Plan, create_archive
from makingof.archive.export import export_package
from makingof.archive.home import Home
from makingof.archive.imports import import_files
from makingof.archive.names import Namer
from makingof.archive.stamping import stamp_log
from makingof.bundle.request import Request
from makingof.cli.command import command, option
from makingof.cli.demo_drafts import write_drafts, write_edit
from makingof.cli.showing import show_lineage
from makingof.cli.terminal import Terminal
from makingof.clock import Clock
from makingof.config import Settings
from makingof.event import Kind
from makingof.observation import Observation
from makingof.part import Means
from makingof.stamp.authority import RemoteAuthority
from makingof.stamp.http import HttpFetch
from makingof.stamp.local import LocalAuthority, serve
from makingof.stamp.openssl import find_openssl
from makingof.stamp.trust import Trust
from makingof.texts import say
from makingof.verify.check import check_bundle
from makingof.verify.report import Report

_AUTHORITIES = ("demonstration A", "demonstration B")
_KEPT, _EDITED = "draft-3.png", "final.png"


@command("demo")
@option("--keep", type=click.Path(file_okay=False, path_type=Path), help="help.option_keep_demo")
def demo(terminal: Terminal, keep: Path | None) -> int:
    """Show the main job; see `help.demo`. Returns 1 if the demonstration did not go as told."""
    with ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="makingof-demo-")))
        folder.mkdir(parents=True, exist_ok=True)
        authorities = [stack.enter_context(_authority(name, terminal.clock)) for name in _AUTHORITIES]
        demonstration = _Demonstration(terminal, folder, authorities)
        sound, caught = demonstration.run()
    terminal.json({"sound": not sound.failures, "caught": bool(caught.failures)})
    if keep:
        terminal.say("demo.kept", folder=keep)
    terminal.say("demo.next")
    return 0 if not sound.failures and caught.failures else 1


@contextmanager
def _authority(name: str, clock: Clock) -> Iterator[RemoteAuthority]:
    """An authority that runs on this machine while the demonstration does."""
    local = LocalAuthority(name, clock)
    with serve(local) as url:
        yield RemoteAuthority(local.authority(url), HttpFetch(), find_openssl(), fetches_crls=False)


@dataclass(frozen=True, slots=True)
class _Demonstration:
    terminal: Terminal
    folder: Path
    authorities: Sequence[RemoteAuthority]

    def run(self) -> tuple[Report, Report]:
        """Go through the job; return the report on the package, and on the one tampered with."""
        package = self.folder / "cat-pendant.zip"
        home = Home(self.folder / "archive", self.folder / "state")
        plan = Plan(self.terminal.text(say("demo.owner")), Settings())
        archive, _ = create_archive(home, self.terminal.clock, plan)
        with archive:
            self._make(archive)
            self._stamp(archive)
            self._show(archive)
            self._export(archive, package)
        return self._verify(package), self._tamper(package)

    def _make(self, archive: Archive) -> None:
        self._step("demo.drafts")
        drafts = self.folder / "drafts"
        drafts.mkdir()
        owner = acts.Teller(archive.settings.owner)
        name = self.terminal.text(say("demo.brief_name"))
        self._record(archive, acts.brief(name, self.terminal.text(say("demo.brief_text")), [], owner))
        paths = write_drafts(drafts)
        for done in import_files(archive, paths):
            self.terminal.say("demo.imported", name=done.path.name, tool=done.tool)
        self._step("demo.choices")
        namer = Namer(archive)
        table = acts.Table(tuple(namer.pictures([str(path) for path in paths])), "given")
        kept = [picture for picture in table.among if picture.name == _KEPT]
        others = [picture for picture in table.among if picture.name != _KEPT]
        why, why_not = (self.terminal.text(say(f"demo.{key}")) for key in ("why_kept", "why_rejected"))
        self._record(archive, acts.choose(Kind.SELECTED, kept, table, owner, reason=why))
        self.terminal.say("demo.kept_one", name=_KEPT, reason=why)
        self._record(archive, acts.choose(Kind.REJECTED, others, table, owner, reason=why_not))
        self.terminal.say("demo.rejected_rest", count=len(others), reason=why_not)
        edited = drafts / _EDITED
        write_edit(drafts / _KEPT, edited)
        text = self.terminal.text(say("demo.edit_text"))
        self._record(archive, acts.edit(edited, kept, [], owner, text=text), Means.STATED)
        self.terminal.say("demo.edited", name=_EDITED, text=text)
        final = namer.pictures([str(edited)])
        title = self.terminal.text(say("demo.title"))
        self._record(archive, acts.choose(Kind.SELECTED, final, acts.Table(), owner, final=True, title=title))

    def _record(self, archive: Archive, observation: Observation, means: Means = Means.LIVE) -> None:
        archive.record([observation], means=means)

    def _stamp(self, archive: Archive) -> None:
        self._step("demo.stamping")
        for receipt in stamp_log(archive, self.authorities).receipts:
            self.terminal.say("demo.stamped", authority=receipt.authority)

    def _show(self, archive: Archive) -> None:
        self._step("demo.lineage")
        final = Namer(archive).picture(str(self.folder / "drafts" / _EDITED))
        show_lineage(self.terminal, archive, archive.index.lineage(archive.log, [final.file_part]))

    def _export(self, archive: Archive, package: Path) -> None:
        self._step("demo.packing")
        final = Namer(archive).picture(str(self.folder / "drafts" / _EDITED))
        done = export_package(archive, Request((final.file_part,), archive.log.size()), package)
        size = f"{package.stat().st_size / 1000:,.0f} kB"
        self.terminal.say("demo.packed", name=package.name, size=size, payload=done.payload.hex[:16])

    def _verify(self, package: Path) -> Report:
        self._step("demo.verifying")
        report = self._check(package)
        for step in report.steps:
            self.terminal.say(f"demo.step_{step.outcome}", title=step.title)
        return report

    def _tamper(self, package: Path) -> Report:
        """Change one byte in the middle of a picture and verify again."""
        self._step("demo.tampering")
        data = bytearray(package.read_bytes())
        at = data.index(b"IDAT") + 64
        data[at] ^= 1
        tampered = package.with_name("tampered.zip")
        tampered.write_bytes(data)
        self.terminal.say("demo.flipped", at=at)
        report = self._check(tampered)
        for step in report.failures:
            self.terminal.say("demo.caught", message=step.message)
        return report

    def _check(self, package: Path) -> Report:
        trust = Trust("demonstration", tuple(item.authority for item in self.authorities))
        return check_bundle(package, trust=trust, openssl=find_openssl())

    def _step(self, key: str) -> None:
        self.terminal.line()
        self.terminal.say(key)
