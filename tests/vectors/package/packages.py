"""What the package vectors are made from: one made-up session, and ways to alter what came of it."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.packages import Archive, Session, make_session, packed, sealed_again, unpack

from makingof.bundle.description import Options
from makingof.bundle.payload import Installation
from makingof.bundle.request import Request
from makingof.keys.signing import SigningKey
from makingof.stamp.deposit import attach_deposit
from makingof.stamp.sm3 import digest_stream

FOLDER = Path(__file__).parent
OTHER = SigningKey.from_seed(b"another package key".ljust(32, b"."))
INSTALLATION = Installation(
    "makingof vectors", {"verify.py": b"# none\n", "check.html": b"<!DOCTYPE html>\n"}
)
ALL = ("makingof", "verify.py", "check.html")
BASE = "makingof-0000000000000000/"
Files = dict[str, bytes]


@dataclass(frozen=True)
class Case:
    """A package, the step that must fail (None: none may), and the verifiers that do the step."""

    name: str
    data: bytes
    fails: str | None = None
    verifiers: tuple[str, ...] = ALL


def package(session: Session, *, stamped: tuple[int, ...] = (), **options: object) -> bytes:
    request = Request((session.final,), session.archive.history.size(), Options(**options), stamped)
    return session.archive.write(request, installation=INSTALLATION)


def whole() -> Files:
    return unpack(package(make_session()))


def withheld() -> Files:
    return unpack(package(make_session(), withhold=("prompts",)))


def stamped() -> Files:
    session = make_session()
    archive = session.archive
    stamp_by_deposit(archive)
    archive.history.keep(session.final, final=True)
    return unpack(package(session))


def stamp_by_deposit(archive: Archive) -> None:
    """A receipt nobody can check offline, and the only kind whose bytes are the same every time."""
    note = archive.checkpoint(archive.history.size())
    digests = digest_stream(io.BytesIO(note))
    archive.stamp(
        attach_deposit(b"a certificate", digests, platform="a platform", number="1", time="2026-03-01")
    )


def altered(files: Files, name: str, change: Callable[[bytes], bytes]) -> Files:
    assert change(files[name]) != files[name], name
    return {**files, name: change(files[name])}


def lied(files: Files, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """The package an owner would make who changes one file and signs again."""
    return packed(sealed_again(altered(files, name, change)))


def told(files: Files, change: Callable[[dict], None]) -> bytes:
    """The package with another description, signed again."""
    description = json.loads(files["data/package.json"])
    change(description)
    text = json.dumps(description, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return packed(sealed_again({**files, "data/package.json": text.encode()}))


def lines_of(data: bytes) -> list[bytes]:
    return data.removesuffix(b"\n").split(b"\n")


def joined(lines: list[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)
