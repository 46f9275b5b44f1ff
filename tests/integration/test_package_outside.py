"""Programs that are not ours check a package: coreutils, bagit.py, OpenSSH, OpenSSL, Go, ro-crate-py.

The commands are those the first page of a package prints, run as they stand there.
"""

import base64
import html
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from itertools import islice
from pathlib import Path

import pytest
from tests.flips import check, flips_in_place, flips_signed_again, small_package
from tests.packages import KEY, Archive, ask, make_session, unpack
from tests.stamping import NOON, make_local

from makingof.bundle.layout import FRONT_PAGE
from makingof.bundle.pem import format_pem
from makingof.bundle.zip_reader import read_directory
from makingof.bundle.zip_writer import Member, write_zip
from makingof.digest import Digest
from makingof.tlog.merkle import leaf_hash

pytestmark = pytest.mark.integration
bagit = pytest.importorskip("bagit", reason="requirements/integration.txt brings it")
rocrate = pytest.importorskip("rocrate.rocrate", reason="requirements/integration.txt brings it")

GO = Path(__file__).parents[1] / "vectors" / "tlog" / "main.go"
ONE, TWO = make_local("one"), make_local("two", NOON + timedelta(seconds=9))


@pytest.fixture
def folder(tmp_path):
    """A package with two receipts, unpacked by somebody else's program."""
    session = make_session(Archive())
    archive = session.archive
    note = archive.checkpoint(archive.history.size())
    archive.stamp(ask(ONE, note), ask(TWO, note))
    archive.history.keep(session.final, final=True)
    (tmp_path / "package.zip").write_bytes(archive.package(session.final))
    with zipfile.ZipFile(tmp_path / "package.zip") as zipped:
        assert zipped.testzip() is None
        zipped.extractall(tmp_path)
    return next(path for path in tmp_path.iterdir() if path.is_dir())


def run(command: str, folder: Path) -> subprocess.CompletedProcess:
    return subprocess.run(["bash", "-ec", command], cwd=folder, capture_output=True, text=True, check=False)


def commands(folder: Path) -> list[str]:
    """The commands on the package's first page."""
    page = (folder / FRONT_PAGE).read_text("utf-8")
    return [html.unescape(block) for block in re.findall(r"<pre>(.*?)</pre>", page, re.DOTALL)]


def command_with(folder: Path, word: str) -> str:
    return next(command for command in commands(folder) if word in command)


def test_sha256sum_checks_both_lists_and_notices_a_change(folder):
    command = command_with(folder, "sha256sum").partition("\n")[2]
    for name in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        assert run(command.replace("manifest-sha256.txt", name), folder).returncode == 0
    (folder / "data/files/0001.png").write_bytes(b"another picture")
    result = run(command, folder)
    assert result.returncode == 1
    assert "data/files/0001.png: FAILED" in result.stdout


def test_bagit_validates_and_notices_a_change(folder):
    bagit.Bag(str(folder)).validate()
    (folder / "data/files/0001.png").write_bytes(b"another picture")
    with pytest.raises(bagit.BagValidationError):
        bagit.Bag(str(folder)).validate()


def test_openssh_verifies_the_list_and_no_altered_one(folder):
    command = command_with(folder, "ssh-keygen")
    good = run(command, folder)
    assert good.returncode == 0, good.stderr
    assert f'Good "makingof-package" signature for {KEY.origin}' in good.stdout
    assert run(command.replace("-n makingof-package", "-n file"), folder).returncode != 0
    manifest = folder / "manifest-sha256.txt"
    manifest.write_bytes(manifest.read_bytes().replace(b"0001.png", b"0004.png"))
    assert run(command, folder).returncode != 0


def test_openssl_verifies_the_head_and_no_altered_one(folder):
    command = command_with(folder, "pkeyutl")
    assert "Signature Verified Successfully" in run(command, folder).stdout
    checkpoint = folder / "data/log/checkpoint"
    checkpoint.write_bytes(re.sub(rb"\n([0-9]+)\n", rb"\n1\1\n", checkpoint.read_bytes(), count=1))
    assert run(command, folder).returncode != 0


def token_seconds(folder: Path, receipt: str) -> int:
    said = run(f"openssl ts -reply -in {receipt} -text", folder).stdout
    moment = re.search(r"Time stamp: (.*)", said)[1]
    return int(run(f"date -d '{moment}' +%s", folder).stdout)


def test_openssl_verifies_the_time_stamps_as_the_first_page_says(folder):
    command = command_with(folder, "openssl ts -verify")
    receipt = re.search(r"-in (\S+)", command)[1]
    roots = folder.parent / "roots.pem"
    roots.write_bytes(format_pem([ONE.authority().roots[0]]))
    command = command.replace("ROOTS-OF-YOUR-OWN.pem", str(roots))
    at = token_seconds(folder, receipt)
    good = run(command.replace("SECONDS", str(at)), folder)
    assert "Verification: OK" in good.stdout + good.stderr
    roots.write_bytes(format_pem([TWO.authority().roots[0]]))
    assert run(command.replace("SECONDS", str(at)), folder).returncode != 0
    roots.write_bytes(format_pem([ONE.authority().roots[0]]))
    (folder / re.search(r"-data (\S+)", command)[1]).write_bytes(b"another head")
    assert run(command.replace("SECONDS", str(at)), folder).returncode != 0


def test_the_script_in_the_package_runs_as_the_first_page_says(folder):
    command = command_with(folder, "verify.py").replace("PACKAGE.zip", "../package.zip")
    result = run(command.replace("python3", sys.executable), folder)
    assert result.returncode == 0, result.stdout


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    """Go's `sumdb/tlog` and `sumdb/note`."""
    folder = tmp_path_factory.mktemp("go")
    environment = {
        "PATH": os.environ["PATH"],
        "GO111MODULE": "off",
        "GOPATH": f"{folder}/none:/usr/share/gocode",
        "GOCACHE": str(folder / "cache"),
        "GOFLAGS": "",
    }
    binary = folder / "judge"
    subprocess.run(["go", "build", "-o", binary, GO], check=True, env=environment)

    def accepted(cases: list[dict]) -> set[str]:
        given = json.dumps(cases).encode()
        verdicts = json.loads(
            subprocess.run([binary, "judge"], input=given, capture_output=True, check=True).stdout
        )
        return {case["name"] for case in verdicts if case["accept"]}

    return accepted


def test_go_accepts_head_and_proofs_and_refuses_them_for_other_entries(judge, folder):
    vkey = (folder / "data/log/key.vkey").read_text().strip()
    start = int((folder / "data/log/ranges").read_text().split("\n")[1].split()[0])
    entries = (folder / "data/log/entries.jsonl").read_bytes().splitlines()
    assert start == 0
    cases = []
    for path in sorted((folder / "data/log/proofs").iterdir()):
        index = int(path.name.partition(".")[0])
        leaf = base64.b64encode(leaf_hash(entries[index])).decode()
        other = base64.b64encode(leaf_hash(entries[index - 1])).decode()
        case = {"kind": "tlog-proof", "note": base64.b64encode(path.read_bytes()).decode(), "keys": [vkey]}
        cases += [
            case | {"name": f"good {index}", "leaf": leaf},
            case | {"name": f"bad {index}", "leaf": other},
        ]
    for path in (folder / "data/log/checkpoint", *sorted((folder / "data/stamps").glob("*/checkpoint"))):
        note = base64.b64encode(path.read_bytes()).decode()
        cases.append({"name": f"good {path}", "kind": "note", "note": note, "keys": [vkey]})
    assert judge(cases) == {case["name"] for case in cases if case["name"].startswith("good")}


def test_go_accepts_that_a_stamped_head_grew_into_the_packages_own(judge, folder):
    [stamp] = (folder / "data/stamps").iterdir()
    old, new = ((path / "checkpoint").read_text().split("\n") for path in (stamp, folder / "data/log"))
    case = {
        "name": "good",
        "kind": "consistency",
        "index": int(old[1]),
        "size": int(new[1]),
        "leaf": old[2],
        "root": new[2],
        "proof": (stamp / "consistency").read_text().split(),
    }
    bad = case | {"name": "bad", "leaf": base64.b64encode(bytes(32)).decode()}
    assert judge([case, bad]) == {"good"}


def test_ro_crate_py_reads_the_crate(folder):
    crate = rocrate.ROCrate(str(folder / "data"))
    files = {entity.id for entity in crate.data_entities}
    assert {"files/0001.png", "files/0002.png", "files/0003.png"} <= files
    made = [entity for entity in crate.get_entities() if entity.type == "CreateAction"]
    assert made
    assert all(entity["result"] for entity in made)


def test_a_file_over_four_gigabytes_is_written_and_read(tmp_path):
    size = (1 << 32) + 4096
    large = tmp_path / "large"
    with large.open("wb") as stream:
        stream.truncate(size)
    with large.open("rb") as stream:
        digest, _ = Digest.of_stream(stream)
    members = [
        Member("bagit.txt", 1, Digest.of(b"x"), lambda: io.BytesIO(b"x")),
        Member("large", size, digest, lambda: large.open("rb")),
        Member("small", 1, Digest.of(b"y"), lambda: io.BytesIO(b"y")),
    ]
    packed = tmp_path / "packed.zip"
    with packed.open("wb") as out:
        write_zip(out, members)
    with packed.open("rb") as stream:
        found = read_directory(stream)
    assert [(member.name, member.size) for member in found] == [
        ("bagit.txt", 1),
        ("large", size),
        ("small", 1),
    ]
    with zipfile.ZipFile(packed) as archive:
        assert [(info.filename, info.file_size) for info in archive.infolist()] == [
            (m.name, m.size) for m in found
        ]
        assert archive.read("small") == b"y"


# Every byte of every file


def _missed(which: str, part: int, parts: int) -> list[str]:
    """Try every flip whose number belongs to this part; return those nobody caught."""
    flips = {"in place": flips_in_place, "signed again": flips_signed_again}[which]
    package = _PACKAGE
    return [
        f"{name} at {at}"
        for name, at, bad in islice(flips(package), part, None, parts)
        if not check(bad).failures
    ]


_PACKAGE = small_package()


@pytest.mark.parametrize("which", ["in place", "signed again"])
def test_every_byte_of_every_file_is_caught(which):
    workers = os.cpu_count() or 1
    with ProcessPoolExecutor(workers) as pool:
        missed = [
            item
            for found in pool.map(_missed, [which] * workers, range(workers), [workers] * workers)
            for item in found
        ]
    assert missed == []
    assert sum(map(len, unpack(_PACKAGE).values())) > 20_000
