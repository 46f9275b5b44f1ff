"""Rows: a whole log verified, and what a log costs as it grows."""

import os
import shutil
import subprocess
from pathlib import Path

from bench import peers
from bench.measuring import OUT, Contender, Measured, last_json, measure, ours
from bench.peers import SOURCES
from bench.rows import Row, Scale, Target

HEADERS, PARTS = "makingof, headers", "makingof, five parts each"

_NOTE = (
    "Ours hashes every entry of 1 kB and every part, makes every node of the tree again, holds it against the"
    " signed checkpoint and has SQLite check its file."
)


def measure_verify(scale: Scale) -> Row:
    """Measure going through every hash of a log again, beside the chain of attestroot."""
    headers = _filled("headers", scale.log_entries, 0) / "work" / "log.sqlite"
    events = _filled("events", scale.log_events, 5) / "archive" / "log.sqlite"
    home = OUT / f"attestroot-{scale.log_events}"
    contenders = {
        Contender(HEADERS, lambda _: ours("verify_log", headers)): scale.log_entries,
        Contender(PARTS, lambda _: ours("verify_log", events)): scale.log_events + 1,
        Contender(
            "attestroot, chain",
            lambda _: peers.worker("attestroot", "run_attestroot.py", "chain", home, scale.log_events),
            prepare=lambda _: _attestroot(home, scale.log_events),
            note="its index lines alone, the raw records not hashed",
            peer="attestroot",
        ): scale.log_events,
    }
    measured = measure("verify-log", contenders, scale.rounds)
    row = Row("verify-log", "Verify a whole log", "entries", measured)
    row.counts = {item.name: count for item, count in contenders.items()}
    row.targets = [Target("entries verified", 50_000, row.rate(HEADERS), at_least=True, unit="entries/s")]
    row.notes = [_NOTE]
    return row


def measure_growth(scale: Scale) -> Row:
    """Grow one log, and note at each step what an append and a proof cost."""
    found = Measured("makingof")
    folder = _empty("growth")
    done = subprocess.run(
        ours("grow_log", scale.grown),
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    points = last_json(done.stdout)["points"]
    row = Row("growth", f"Growth to {scale.grown:,} entries", "entries", [found], facts={"points": points})
    small, large = points[0], points[-1]
    ratio = large["single_us"] / small["single_us"]
    row.targets = [
        Target(
            f"hashes in a proof at {large['size']:,} entries",
            (large["size"] + 10_000).bit_length() + 1,
            large["proof_hashes"],
            at_least=False,
            unit="hashes",
        ),
        Target(f"one durable append, beside one at {small['size']:,}", 3.0, ratio, at_least=False, unit="×"),
    ]
    return row


def _filled(name: str, count: int, parts: int) -> Path:
    """Make a log to verify, anew in every run: it is this program that writes it."""
    folder = _empty(f"log-{name}")
    subprocess.run(
        ours("fill_log", count, parts), cwd=folder, env=environment(), check=True, capture_output=True
    )
    return folder


def _attestroot(home: Path, count: int) -> None:
    if not (home / "ready").exists():
        command = peers.worker("attestroot", "run_attestroot.py", "fill", home, count)
        subprocess.run(command, check=True, capture_output=True)
        (home / "ready").touch()


def _empty(name: str) -> Path:
    folder = OUT / "made" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def environment() -> dict[str, str]:
    return dict(os.environ) | {"PYTHONPATH": SOURCES}
