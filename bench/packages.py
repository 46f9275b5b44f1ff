"""Row: a package verified, beside every byte of it hashed and nothing else."""

import shutil
import subprocess
import zipfile
from pathlib import Path

from bench import peers
from bench.corpus import LARGE, SMALL
from bench.importing import corpus
from bench.logs import environment
from bench.measuring import OUT, Contender, measure, ours
from bench.rows import Row, Scale, Target

OURS, HASH = "makingof verify", "hashlib alone"


def measure_package(scale: Scale) -> Row:
    """Measure checking a package whole, and what other checkers make of the same bytes unpacked."""
    return _measure(scale, "package", scale.packed_pictures, LARGE)


def measure_small_pictures(scale: Scale) -> Row:
    """The same with small pictures: the record weighs more, the bytes less."""
    return _measure(scale, "package-small", 2 * scale.packed_pictures, SMALL)


def _measure(scale: Scale, key: str, count: int, side: int) -> Row:
    package, unpacked = _package(key, count, side)
    seal = package.with_name("seal.json")
    contenders = [
        Contender(OURS, lambda _: ours("verify_package", package)),
        Contender(HASH, lambda _: ours("hash_file", package), note="one thread"),
        Contender(
            "bagit.py validate",
            lambda _: [
                peers.python("bagit"),
                peers.program("bagit", "bagit.py"),
                "--validate",
                "--quiet",
                str(unpacked),
            ],
            note="whole command, unpacked; hashes alone",
            rounds=scale.peer_rounds,
            peer="bagit",
        ),
        Contender(
            "bagit.py validate, 2 processes",
            lambda _: [
                peers.python("bagit"),
                peers.program("bagit", "bagit.py"),
                *("--validate", "--quiet", "--processes", "2", str(unpacked)),
            ],
            note="whole command, unpacked",
            rounds=scale.peer_rounds,
            peer="bagit",
        ),
        Contender(
            "evidence-seal verify",
            lambda _: [*_seal_command("verify"), str(unpacked), "--manifest", str(seal)],
            prepare=lambda _: _seal(unpacked, seal),
            note="whole command, unpacked; hashes alone",
            rounds=scale.peer_rounds,
            peer="evidence-seal",
        ),
    ]
    measured = measure(key, contenders, scale.rounds)
    size = package.stat().st_size
    each = "2 MB" if side == LARGE else "400 kB"
    title = f"Verify a package of {count:,} pictures of {each}, {size / 1e6:.0f} MB"
    row = Row(key, title, "MB", measured)
    row.counts = {item.name: round(size / 1e6) for item in measured}
    slower = row.ratio(HASH, OURS)
    row.targets = [Target("time, beside hashlib over the same bytes", 1.3, slower, at_least=False, unit="×")]
    row.notes = [
        "Ours checks the zip, every digest, the signature, every entry, proof and part, streams and views."
    ]
    return row


def _package(key: str, count: int, side: int) -> tuple[Path, Path]:
    folder = OUT / "made" / key
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    package, unpacked = folder / "package.zip", folder / "unpacked"
    command = ours("make_package", corpus(count, side), package)
    subprocess.run(command, cwd=folder, env=environment(), check=True, capture_output=True)
    with zipfile.ZipFile(package) as archive:
        archive.extractall(unpacked)
    return package, next(unpacked.iterdir())


def _seal_command(job: str) -> list[str]:
    return [peers.program("evidence-seal", "evidence-seal"), job]


def _seal(unpacked: Path, seal: Path) -> None:
    if not seal.exists():
        command = [*_seal_command("seal"), str(unpacked), "--out", str(seal)]
        subprocess.run(command, check=True, capture_output=True)
