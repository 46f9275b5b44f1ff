"""The steps by hand on the page "Verify a package you received", run as written there on a real package."""

import io
import re
import subprocess
import zipfile
from pathlib import Path

import pytest
from tests.packages import make_session
from tests.stamping import NOON, make_pair, respond

from makingof.digest import Digest
from makingof.stamp.base import Beside, Kind, Receipt, Role
from makingof.stamp.chain import to_der, to_pem

pytestmark = pytest.mark.integration

PAGE = Path(__file__).parent.parent.parent / "docs" / "howto" / "verify.md"
SECONDS = str(int(NOON.timestamp()))


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """A stamped package, unpacked, with the authority's root beside it, as a reader would have got it."""
    session = make_session()
    archive = session.archive
    root, signer = make_pair()
    about = Digest.of(archive.checkpoint(archive.history.size()))
    answer = respond(signer, digest=about)
    archive.stamp(
        Receipt(
            Kind.RFC3161,
            "one",
            about,
            answer,
            (
                Beside(Role.CERTIFICATE, to_der(signer.certificate)),
                Beside(Role.CERTIFICATE, to_der(root.certificate)),
            ),
        )
    )
    folder = tmp_path_factory.mktemp("reader")
    with zipfile.ZipFile(io.BytesIO(archive.package(session.final))) as package:
        package.extractall(folder)
    (inside,) = sorted(folder.iterdir())
    (folder / "roots.pem").write_bytes(to_pem([root.certificate]))
    return inside


def by_hand():
    """Every command of the section, and none of those for Windows."""
    section = PAGE.read_text("utf-8").partition("## By hand")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return [block for block in blocks if "certutil" not in block]


def fill_in(block, folder):
    """Put in what the page leaves for the reader to put in."""
    (token,) = sorted(folder.rglob("*.tsr"))
    (chain,) = sorted(token.parent.glob("*.pem"))
    origin = (folder / "data/log/allowed_signers").read_text().split()[0]
    names = {
        "ORIGIN": origin,
        "TOKEN.tsr": str(token.relative_to(folder)),
        "CHECKPOINT": str((token.parent / "checkpoint").relative_to(folder)),
        "CHAIN.pem": str(chain.relative_to(folder)),
        "ROOTS": "../roots.pem",
        "SECONDS": SECONDS,
    }
    for placeholder, value in names.items():
        block = block.replace(placeholder, value)
    return block


@pytest.mark.parametrize("block", by_hand(), ids=lambda block: block.split("\n")[0][:40])
def test_the_steps_by_hand_hold_as_the_page_writes_them(block, unpacked):
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", fill_in(block, unpacked)],
        cwd=unpacked,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAILED" not in done.stdout


def test_the_name_is_printed_for_both_spellings_of_the_key(unpacked):
    block = next(block for block in by_hand() if "sha256sum\n" in block and "AAAA" in block)
    done = subprocess.run(["bash", "-c", block], cwd=unpacked, capture_output=True, text=True, check=True)
    name = (unpacked / "data/log/allowed_signers").read_text().split()[0].removeprefix("makingof/")
    assert [line[:32] for line in done.stdout.splitlines()] == [name, name]


def test_a_changed_byte_is_seen_by_hand(unpacked):
    checkpoint = unpacked / "data/log/checkpoint"
    kept = checkpoint.read_bytes()
    try:
        checkpoint.write_bytes(kept.replace(b"\n1", b"\n2", 1))
        for block in by_hand():
            if "sha256sum -c" in block or "pkeyutl" in block:
                done = subprocess.run(
                    ["bash", "-e", "-c", block], cwd=unpacked, capture_output=True, check=False
                )
                assert done.returncode != 0
    finally:
        checkpoint.write_bytes(kept)
