"""Row: a package verified, beside every byte of it hashed and nothing else."""

import shutil
import subprocess
import zipfile
from pathlib import Path

from bench import peers
from bench.importing import corpus
from bench.logs import environment
from bench.measuring import OUT, Contender, measure, ours
from bench.rows import Row, Scale, Target

OURS, HASH = "makingof verify", "hashlib alone"


def measure_package(scale: Scale) -> Row:
    """Measure checking a package whole, and what other checkers make of the same bytes unpacked."""
    package, unpacked = _package(scale.packed_pictures)
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
    measured = measure("package", contenders, scale.rounds)
    size = package.stat().st_size
    title = f"Verify a package of {scale.packed_pictures:,} pictures, {size / 1e6:.0f} MB"
    row = Row("package", title, "MB", measured)
    row.counts = {item.name: round(size / 1e6) for item in measured}
    slower = row.ratio(HASH, OURS)
    row.targets = [Target("time, beside hashlib over the same bytes", 1.3, slower, at_least=False, unit="×")]
    row.notes = [
        "Ours checks the zip, every digest, the signature, every entry, proof and part, streams and views."
    ]
    return row


def _package(count: int) -> tuple[Path, Path]:
    folder = OUT / "made" / "package"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    package, unpacked = folder / "package.zip", folder / "unpacked"
    command = ours("make_package", corpus(count), package)
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
