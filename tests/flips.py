"""A small package with everything in it, and what happens when one byte of it is another."""

import io
import zipfile
from collections.abc import Iterator

from tests.histories import PROGRAM, choice, own, prompt, reason
from tests.packages import KEY, Archive, ask, packed, sealed_again, unpack
from tests.records import a1111_png
from tests.stamping import make_local

from makingof.bundle.payload import Installation
from makingof.bundle.request import Request
from makingof.event import Kind
from makingof.part import Means
from makingof.stamp.trust import Trust
from makingof.verify.check import check_bundle
from makingof.verify.report import Report

TINY = Installation("makingof tests", {"verify.py": b"#\n", "check.html": b"<p>\n"})
ONE, TWO = make_local("one"), make_local("two")
TRUST = Trust("tests", (ONE.authority(), TWO.authority()))
NOBODY = Trust("nobody", ())  # checks no token, and is quick
# What the log commits to: its owner cannot change a byte of these even if he signs again.
COMMITTED = (
    "data/log/allowed_signers", "data/log/checkpoint", "data/log/entries.jsonl", "data/log/key.pem",
    "data/log/key.vkey", "data/log/proofs/", "data/log/ranges", "data/parts.jsonl",
    "/checkpoint", "/consistency",
)  # fmt: skip


def small_package() -> bytes:
    """Enrolment, a picture, a choice, a stamp by two authorities."""
    archive = Archive()
    archive.history.tell(Kind.ENROLLED, own(log_key=KEY.public.vkey), means=Means.OWN, source=PROGRAM)
    made = archive.generate(a1111_png("a cat", seed=1), prompt("a cat"))
    archive.history.tell(Kind.SELECTED, choice([made.file()]), reason("light"), actor="a1", source=PROGRAM)
    note = archive.checkpoint(3)
    archive.stamp(ask(ONE, note), ask(TWO, note))
    return archive.write(Request((made.file(),), archive.history.size()), installation=TINY)


def check(package: bytes, trust: Trust = NOBODY) -> Report:
    return check_bundle(package, trust=trust)


def flipped(data: bytes, at: int, mask: int = 1) -> bytes:
    return data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]


def flips_in_place(package: bytes, step: int = 1) -> Iterator[tuple[str, int, bytes]]:
    """The package with one byte of one file changed, as damage or a stranger would do it."""
    for name, data in unpack(package).items():
        start = find_content(package, name)
        for at in range(0, len(data), step):
            yield name, at, flipped(package, start + at)


def flips_signed_again(package: bytes, step: int = 1) -> Iterator[tuple[str, int, bytes]]:
    """The package with one byte changed of what the log commits to, as its owner would do it."""
    files = unpack(package)
    for name, data in files.items():
        if name.startswith(COMMITTED) or name.endswith(COMMITTED):
            for at in range(0, len(data), step):
                yield name, at, packed(sealed_again({**files, name: flipped(data, at)}))


def find_content(package: bytes, name: str) -> int:
    """Where a stored file's bytes begin in the zip."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        [info] = [info for info in archive.infolist() if info.filename.endswith("/" + name)]
    return info.header_offset + 30 + len(info.filename)
