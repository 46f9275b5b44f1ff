"""Row: a thousand pictures taken in so that a power cut takes nothing back."""

import shutil
import subprocess
from pathlib import Path

from bench import peers
from bench.corpus import SMALL, make_corpus
from bench.measuring import OUT, Contender, measure, ours
from bench.rows import Row, Scale, Target

HELD, IN_PLACE = "makingof, held", "makingof, in place"
COPY, HASH = "cp, sync, hash", "hashlib alone"
_GIT = ["git", "-c", "user.name=bench", "-c", "user.email=bench@localhost", "-c", "gc.auto=0"]

_NOTE = (
    "Every other picture carries an A1111 record, the others ComfyUI's. Ours reads the records, writes one"
    " event of seven or eight parts per picture with salted digests of the file's segments, so that every"
    " byte is hashed twice, and brings the index up to date; the others store or hash bytes."
)


def corpus(count: int, side: int = SMALL) -> Path:
    """Return a folder of `count` pictures, read once so that nobody pays for the first look."""
    folder = OUT / f"corpus-{count}-{side}"
    for path in make_corpus(folder, count, side):
        path.read_bytes()
    return folder


def measure_import(scale: Scale) -> Row:
    """Measure our two ways to import beside what versioning and sealing tools do with the same files."""
    pictures = corpus(scale.pictures)
    few = scale.peer_rounds
    contenders = [
        Contender(HELD, lambda _: ours("import_held", pictures), durable=True),
        Contender(IN_PLACE, lambda _: ours("import_in_place", pictures), durable=True),
        Contender(COPY, lambda _: ours("copy_sync_hash", pictures), durable=True),
        Contender(HASH, lambda _: ours("hash_alone", pictures), note="nothing written"),
        Contender(
            "git add, commit",
            lambda _: ["sh", "-c", "git add . && " + " ".join(_GIT) + " commit -q -m bench"],
            prepare=lambda folder: _repository(folder, pictures),
            note="whole command, once; fsync as git has it by default",
            rounds=1,
            durable=True,
        ),
        Contender(
            "dvc add",
            lambda _: [peers.program("dvc", "dvc"), "add", "-q", "pictures"],
            prepare=lambda folder: _dvc(folder, pictures),
            note="whole command, once",
            rounds=1,
            peer="dvc",
            durable=True,
        ),
        Contender(
            "evidence-seal seal",
            lambda folder: [
                peers.program("evidence-seal", "evidence-seal"),
                "seal",
                str(pictures),
                "--out",
                str(folder / "seal.json"),
            ],
            note="whole command; hashes in place",
            rounds=few,
            peer="evidence-seal",
            durable=True,
        ),
    ]
    measured = measure("import", contenders, scale.rounds)
    row = Row("import", f"Import {scale.pictures:,} PNG of 400 kB, durable", "pictures", measured)
    row.counts = {item.name: scale.pictures for item in measured}
    row.targets = [
        Target(f"held, beside {COPY}", 0.8, row.ratio(HELD, COPY), at_least=True, unit="×"),
        Target("in place, beside hashing alone", 0.8, row.ratio(IN_PLACE, HASH), at_least=True, unit="×"),
    ]
    row.notes = [_NOTE]
    return row


def _repository(folder: Path, pictures: Path) -> None:
    subprocess.run(["git", "init", "-q", "."], cwd=folder, check=True, capture_output=True)
    shutil.copytree(pictures, folder / "pictures")


def _dvc(folder: Path, pictures: Path) -> None:
    _repository(folder, pictures)
    dvc = peers.program("dvc", "dvc")
    subprocess.run([dvc, "init", "-q"], cwd=folder, check=True, capture_output=True)
    subprocess.run([dvc, "config", "core.analytics", "false"], cwd=folder, check=True, capture_output=True)
