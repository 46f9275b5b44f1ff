"""`assess`, `packs`, `challenge`, `cases`: what authorities asked for, and what the record shows of it."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from makingof.archive.authorities import trust_of
from makingof.archive.cases import Judges, run_cases
from makingof.archive.judging import evidence_of
from makingof.archive.names import Namer
from makingof.assess.cases.case import MAX_CASE_BYTES, Case
from makingof.assess.challenge import challenge as ask_all
from makingof.assess.completeness import describe_completeness
from makingof.assess.engine import assess_all
from makingof.assess.evidence import Evidence
from makingof.assess.finding import message_to_builtins
from makingof.assess.pack import MAX_PACK_BYTES, Pack, check_pack
from makingof.assess.people import list_contributions
from makingof.assess.registry import load_probes
from makingof.assess.shipped import shipped_cases, shipped_packs
from makingof.cli.command import argument, command, option
from makingof.cli.judging_lines import (
    assessment_lines,
    benchmark_lines,
    benchmark_to_builtins,
    challenge_lines,
    contribution_line,
    pack_line,
    pack_lines,
    summary_lines,
)
from makingof.cli.terminal import Terminal
from makingof.cli.writing import report_new, writing
from makingof.errors import SourceError, UsageError
from makingof.stamp.openssl import find_openssl
from makingof.stamp.trust import built_in_trust, load_trust
from makingof.texts import say
from makingof.verify.evidence import read_evidence

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)


@command("assess")
@argument("pictures", nargs=-1, required=True)
@option("--pack", "names", multiple=True, metavar="ID|FILE", help="help.option_pack")
@option("--all", "side_by_side", is_flag=True, help="help.option_all_packs")
@option("--trust", type=_FILE, help="help.option_trust")
def assess(
    terminal: Terminal,
    pictures: tuple[str, ...],
    names: tuple[str, ...],
    side_by_side: bool,
    trust: Path | None,
) -> None:
    """Say what the record shows of what authorities asked for; see `help.assess`."""
    chosen = [find_pack(name) for name in names]
    packs = list(shipped_packs()) if side_by_side or not chosen else chosen
    probes = load_probes()
    with _evidence(terminal, pictures, trust) as evidence:
        done = assess_all(evidence, packs, probes)
        sentences = describe_completeness(evidence)
        people = list_contributions(evidence)
    for one in done:
        terminal.json(one.to_builtins())
        for line in assessment_lines(terminal, one) if chosen else summary_lines(terminal, one):
            terminal.line(line)
    terminal.json({"people": [one.to_builtins() for one in people]})
    terminal.line()
    terminal.say("judging.people")
    for contribution in people:
        terminal.line(contribution_line(terminal, contribution))
    terminal.json({"completeness": [message_to_builtins(sentence) for sentence in sentences]})
    terminal.line()
    terminal.say("judging.completeness")
    for sentence in sentences:
        terminal.line("  " + terminal.text(sentence))
    if not chosen:
        terminal.say("judging.with_pack", id=packs[0].id)
    terminal.say("judging.no_advice")


@command("challenge")
@argument("pictures", nargs=-1, required=True)
@option("--trust", type=_FILE, help="help.option_trust")
def challenge(terminal: Terminal, pictures: tuple[str, ...], trust: Path | None) -> None:
    """Ask what an opponent would ask; see `help.challenge`."""
    with _evidence(terminal, pictures, trust) as evidence:
        asked = ask_all(evidence, load_probes())
    for one in asked:
        terminal.json(one.to_builtins())
        for line in challenge_lines(terminal, one):
            terminal.line(line)
    terminal.say("judging.no_advice")


@command("packs")
@argument("words", nargs=-1, metavar="[ID | check FILE]")
def packs(terminal: Terminal, words: tuple[str, ...]) -> int:
    """List, show or check packs; see `help.packs`. Returns 1 if a pack checked is not whole."""
    if words[:1] == ("check",):
        return _check(terminal, words[1:])
    shown = [find_pack(name) for name in words]
    for pack in shown or shipped_packs():
        terminal.json(pack.to_builtins())
        for line in pack_lines(terminal, pack) if shown else [pack_line(terminal, pack)]:
            terminal.line(line)
    return 0


def _check(terminal: Terminal, paths: Sequence[str]) -> int:
    if len(paths) != 1:
        raise UsageError(say("judging.check_what"))
    data = _read(Path(paths[0]), MAX_PACK_BYTES)
    problems = check_pack(data, frozenset(load_probes()))
    terminal.json({"file": paths[0], "problems": problems})
    for problem in problems:
        terminal.say("judging.pack_problem", problem=problem)
    if not problems:
        terminal.say("judging.pack_good", path=paths[0], count=len(Pack.parse(data).requirements))
    return 1 if problems else 0


@command("cases")
@argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@option("--keep", type=_FOLDER, help="help.option_keep_cases")
def cases(terminal: Terminal, folder: Path | None, keep: Path | None) -> int:
    """Replay decided cases; see `help.cases`. Returns 1 if something is neither agreed nor explained."""
    found = [Case.parse(data) for data in (_case_files(folder) if folder else shipped_cases())]
    judges = Judges(shipped_packs(), load_probes())
    sound = True
    with _workplace(keep) as place, terminal.progress(say("judging.case_running", count=len(found))) as bar:
        for number, (case, done) in enumerate(zip(found, run_cases(found, place, judges), strict=True), 1):
            bar(number, len(found))
            sound &= done.is_sound
            terminal.json(benchmark_to_builtins(case, done))
            for line in benchmark_lines(terminal, case, done):
                terminal.line(line)
    terminal.say("judging.case_limits")
    return 0 if sound else 1


@contextmanager
def _workplace(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        if keep.exists() and any(keep.iterdir()):
            raise UsageError(say("judging.not_empty", path=keep))
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="makingof-cases-") as place:
        yield Path(place)


def _case_files(folder: Path) -> list[bytes]:
    return [_read(path, MAX_CASE_BYTES) for path in sorted(folder.glob("*.toml"))]


def find_pack(name: str) -> Pack:
    """Return a pack of this release by its id, or one read from a file of the reader's own."""
    for pack in shipped_packs():
        if pack.id == name:
            return pack
    if not Path(name).exists():
        names = ", ".join(pack.id for pack in shipped_packs())
        raise UsageError(say("judging.no_pack", name=name), hint=say("judging.no_pack_hint", names=names))
    return Pack.parse(_read(Path(name), MAX_PACK_BYTES))


def _read(path: Path, limit: int) -> bytes:
    """Read a file no further than what would be refused for its size anyway."""
    try:
        with path.open("rb") as stream:
            return stream.read(limit + 1)
    except OSError as err:
        raise SourceError(say("judging.no_file", path=path, reason=err.strerror or err)) from err


@contextmanager
def _evidence(terminal: Terminal, names: tuple[str, ...], trust: Path | None) -> Iterator[Evidence]:
    """Read what pictures of the archive show, or one package."""
    packages = [Path(name) for name in names if _is_package(Path(name))]
    if packages:
        if len(names) > 1:
            raise UsageError(say("judging.one_package"))
        reader = load_trust(trust) if trust else built_in_trust()
        yield read_evidence(packages[0], trust=reader, openssl=find_openssl())
        return
    with writing(terminal) as archive:
        namer = Namer(archive)
        found = [picture.file_part for picture in namer.pictures(names)]
        report_new(terminal, namer)
        reader = load_trust(trust) if trust else trust_of(archive.home.path, archive.settings)
        yield evidence_of(archive, found, reader, find_openssl())


def _is_package(path: Path) -> bool:
    """Tell a package by its suffix or by what lies in an unpacked one; whether it is one, reading says."""
    return (path.suffix.lower() == ".zip" and path.is_file()) or (path / "bagit.txt").is_file()
