"""Programs that are not ours accept what the log writes, and refuse it when it was altered.

Go's `sumdb/tlog` and `sumdb/note` (Debian: golang-go, golang-golang-x-mod-dev), `openssl`, `ssh-keygen`,
and the file systems of Linux. The Go program lies beside the vectors.
"""

import base64
import json
import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_ssh_private_key
from tests.logs import KEY, OTHER_KEY, check_whole, fill, log_path, make_log, pending, reopen

from makingof.errors import StorageError
from makingof.keys.signing import SigningKey
from makingof.keys.sshsig import PACKAGE_NAMESPACE, allowed_signers, openssh_key, sign_ssh, verify_ssh
from makingof.tlog.merkle import leaf_hash
from makingof.tlog.note import cosign_note, parse_note, sign_note
from makingof.tlog.proof import TlogProof
from makingof.tlog.reader import open_reader
from makingof.tlog.readonly import ReadOnlyReason
from makingof.tlog.tiles import write_tiles

pytestmark = pytest.mark.integration

VECTORS = Path(__file__).parents[1] / "vectors" / "tlog"


@pytest.fixture(scope="module")
def go(tmp_path_factory):
    """Build the judge once; give a function that runs it."""
    folder = tmp_path_factory.mktemp("go")
    environment = {
        "PATH": os.environ["PATH"],
        "GO111MODULE": "off",
        "GOPATH": f"{folder}/none:/usr/share/gocode",
        "GOCACHE": str(folder / "cache"),
        "GOFLAGS": "",
    }
    binary = folder / "judge"
    subprocess.run(["go", "build", "-o", binary, VECTORS / "main.go"], check=True, env=environment)

    def run(act, given=b""):
        return subprocess.run([binary, act], input=given, capture_output=True, check=True).stdout

    return run


def judge(go, cases):
    """Return the names of the cases that Go accepts."""
    verdicts = json.loads(go("judge", json.dumps(cases).encode()))
    return {case["name"] for case in verdicts if case["accept"]}


def spell(data):
    return base64.b64encode(data).decode()


def names(cases, prefix):
    return {case["name"] for case in cases if case["name"].startswith(prefix)}


def test_the_vectors_are_what_go_makes_today(go):
    for act in ("merkle", "notes"):
        assert go(act) == (VECTORS / f"{act}.json").read_bytes()


def test_go_accepts_our_proofs_and_refuses_altered_ones(go, tmp_path):
    cases = []
    with fill(make_log(tmp_path), 3_000) as log:
        for size in (1, 2, 255, 256, 257, 2_047, 3_000):
            head = log.head_at(size)
            for index in {0, 1, size // 3, size - 2, size - 1} & set(range(size)):
                proof = log.inclusion_proof(index, size)
                case = {
                    "kind": "inclusion",
                    "index": index,
                    "size": size,
                    "leaf": spell(log.leaf(index)),
                    "root": spell(head.root),
                    "proof": [spell(item) for item in proof],
                }
                cases.append(case | {"name": f"good {size} {index}"})
                cases.append(case | {"name": f"bad {size} {index} leaf", "leaf": spell(leaf_hash(b"other"))})
                cases.append(
                    case | {"name": f"bad {size} {index} more", "proof": [*case["proof"], spell(bytes(32))]}
                )
            for old_size in {1, 2, size // 3, size - 1, size} & set(range(1, size + 1)):
                case = {
                    "kind": "consistency",
                    "index": old_size,
                    "size": size,
                    "leaf": spell(log.head_at(old_size).root),
                    "root": spell(head.root),
                    "proof": [spell(item) for item in log.consistency_proof(old_size, size)],
                }
                cases.append(case | {"name": f"good {old_size} to {size}"})
                cases.append(case | {"name": f"bad {old_size} to {size}", "leaf": spell(leaf_hash(b"other"))})
    assert judge(go, cases) == names(cases, "good")
    assert len(names(cases, "good")) > 50


def test_go_opens_our_checkpoints_and_notes_and_no_altered_ones(go, tmp_path):
    with fill(make_log(tmp_path), 5) as log:
        checkpoint = log.checkpoint()
    keys = [KEY.public.vkey]
    cosigned = cosign_note(parse_note(checkpoint), "witness.example/w", OTHER_KEY, 1_679_315_147).to_bytes()
    notes = {
        "good checkpoint": checkpoint,
        "good with a cosignature Go does not know": cosigned,
        "good text not in ASCII": sign_note("女孩\n\n光线\n", KEY).to_bytes(),
        "bad size": checkpoint.replace(b"\n5\n", b"\n6\n"),
        "bad signer": sign_note("text\n", OTHER_KEY).to_bytes(),
        "bad end": checkpoint + b"\n",
    }
    cases = [
        {"name": name, "kind": "note", "note": spell(note), "keys": keys} for name, note in notes.items()
    ]
    cases.append({"name": "good vkey", "kind": "vkey", "keys": keys})
    cases.append({"name": "bad vkey", "kind": "vkey", "keys": [keys[0][:-2] + "AA"]})
    assert judge(go, cases) == names(cases, "good")


def test_go_follows_our_proof_files(go, tmp_path):
    cases = []
    with fill(make_log(tmp_path), 1_000) as log:
        for index in (0, 511, 512, 999):
            proof = TlogProof(index, tuple(log.inclusion_proof(index, 1_000)), log.checkpoint()).to_bytes()
            case = {"kind": "tlog-proof", "leaf": spell(log.leaf(index)), "keys": [log.vkey]}
            cases.append(case | {"name": f"good {index}", "note": spell(proof)})
            moved = proof.replace(b"index %d\n" % index, b"index %d\n" % (index ^ 1))
            cases.append(case | {"name": f"bad index {index}", "note": spell(moved)})
            cases.append(
                case | {"name": f"bad leaf {index}", "note": spell(proof), "leaf": spell(leaf_hash(b""))}
            )
    assert judge(go, cases) == names(cases, "good")


def test_go_reads_our_tiles_and_notices_changed_ones(go, tmp_path):
    cases = []
    with fill(make_log(tmp_path), 70_000) as log:
        for size in (1, 256, 257, 70_000):
            folder = tmp_path / f"tiles {size}"
            write_tiles(log, folder, log.checkpoint(size))
            cases.append({"name": f"good {size}", "kind": "tiles", "folder": str(folder), "keys": [log.vkey]})
        for name in ("tile/0/100", "tile/1/001.p/17", "tile/entries/100", "checkpoint"):
            folder = tmp_path / f"bad {len(cases)}"
            shutil.copytree(tmp_path / "tiles 70000", folder)
            data = bytearray((folder / name).read_bytes())
            data[40] ^= 1
            (folder / name).write_bytes(data)
            cases.append({"name": f"bad {name}", "kind": "tiles", "folder": str(folder), "keys": [log.vkey]})
    assert judge(go, cases) == names(cases, "good")


def test_openssl_verifies_a_checkpoint_and_no_altered_one(tmp_path):
    with fill(make_log(tmp_path), 5) as log:
        checkpoint = log.checkpoint()
        (tmp_path / "key.pem").write_bytes(log.public.pem)
    # What a clerk does by hand: the text to its last newline; the base64 of the line, less its first 4 bytes.
    text, _, line = checkpoint.partition(b"\n\n")
    (tmp_path / "signature").write_bytes(base64.b64decode(line.split(b" ")[2])[4:])
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-rawin", "-in", "text"]
    for body, holds in (
        (text + b"\n", True),
        (text, False),
        (text.replace(b"\n5\n", b"\n6\n") + b"\n", False),
    ):
        (tmp_path / "text").write_bytes(body)
        done = subprocess.run(
            [*command, "-sigfile", "signature"], cwd=tmp_path, capture_output=True, check=False
        )
        assert (done.returncode == 0) is holds, done


def test_ssh_keygen_verifies_our_signatures_and_no_altered_ones(tmp_path):
    message = b"manifest\n"
    (tmp_path / "signers").write_text(allowed_signers(KEY.origin, KEY.public, PACKAGE_NAMESPACE))
    (tmp_path / "others").write_text(allowed_signers(KEY.origin, OTHER_KEY.public, PACKAGE_NAMESPACE))
    (tmp_path / "signature").write_bytes(sign_ssh(KEY, message, PACKAGE_NAMESPACE))

    def verify(signers="signers", namespace=PACKAGE_NAMESPACE, given=message):
        command = [
            "ssh-keygen",
            "-Y",
            "verify",
            "-f",
            signers,
            "-I",
            KEY.origin,
            "-n",
            namespace,
            "-s",
            "signature",
        ]
        return (
            subprocess.run(command, cwd=tmp_path, input=given, capture_output=True, check=False).returncode
            == 0
        )

    assert verify()
    assert not verify(given=message + b"x")
    assert not verify(namespace="file")
    assert not verify(signers="others")
    (tmp_path / "signature").write_bytes(sign_ssh(KEY, message, "file"))
    assert not verify()


def test_we_verify_what_ssh_keygen_signs_to_the_byte(tmp_path):
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", tmp_path / "key"], check=True
    )
    private = load_ssh_private_key((tmp_path / "key").read_bytes(), password=None)
    key = SigningKey.from_seed(private.private_bytes_raw())
    assert openssh_key(key.public, "test") == (tmp_path / "key.pub").read_text()
    (tmp_path / "message").write_bytes(b"manifest\n")
    sign = [
        "ssh-keygen",
        "-Y",
        "sign",
        "-q",
        "-f",
        tmp_path / "key",
        "-n",
        PACKAGE_NAMESPACE,
        tmp_path / "message",
    ]
    subprocess.run(sign, check=True, capture_output=True)
    signature = (tmp_path / "message.sig").read_bytes()
    verify_ssh(signature, b"manifest\n", key.public, PACKAGE_NAMESPACE)
    assert sign_ssh(key, b"manifest\n", PACKAGE_NAMESPACE) == signature


# File systems


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 2 MB that is really full when it is full. Needs root."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


def remount(folder, how):
    subprocess.run(["mount", "-o", f"remount,{how}", folder], check=True)


def append_until_refused(log):
    for number in range(1_000):
        log.append([pending(f"{number} {part}", "x" * 5_000) for part in range(3)])


def test_a_full_disk_refuses_whole_calls_and_goes_on_when_there_is_room(small_disk):
    make_log(small_disk).close()
    ballast = small_disk / "ballast"
    with reopen(small_disk) as log:
        with ballast.open("wb", buffering=0) as stream, suppress(OSError):
            while True:
                stream.write(bytes(4096))
        ballast.write_bytes(ballast.read_bytes()[:400_000])
        with pytest.raises(StorageError) as caught:
            append_until_refused(log)
        assert caught.value.hint
        size = log.size()
        assert size > 0
        assert size % 3 == 0
        check_whole(small_disk)
        ballast.unlink()
        fill(log, 1)
    report = check_whole(small_disk)
    assert report.head.size == size + 1


def test_a_read_only_disk_is_read_and_said_so(small_disk):
    with make_log(small_disk) as log:
        fill(log, 20)
    remount(small_disk, "ro")
    with reopen(small_disk) as log:
        assert log.read_only.reason is ReadOnlyReason.DISK
        assert [item.entry for item in log.entries()] == [b"entry %d" % number for number in range(20)]
        with pytest.raises(StorageError):
            log.append([pending("x")])
        with pytest.raises(StorageError):
            log.erase_part(0, 0)
    with open_reader(log_path(small_disk)) as reader:
        assert reader.head().size == 20
    remount(small_disk, "rw")
