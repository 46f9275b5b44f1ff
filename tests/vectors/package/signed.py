"""Lists of files, signatures and keys that are not what was signed."""

import base64
from collections.abc import Iterator

from tests.packages import KEY, packed, sealed_again
from tests.vectors.package.packages import (
    OTHER,
    Case,
    Files,
    altered,
    joined,
    lied,
    lines_of,
    told,
    whole,
)

from makingof.digest import Digest
from makingof.keys.sshsig import PACKAGE_NAMESPACE, sign_ssh
from makingof.tlog.checkpoint import Checkpoint, sign_checkpoint
from makingof.tlog.merkle import TreeHead
from makingof.tlog.note import sign_note

# Lists of files


def listings() -> Iterator[Case]:
    files = whole()
    yield Case("list_extra_file", packed({**files, "data/files/0009.png": b"x"}), "listed")
    yield Case("list_extra_beside", packed({**files, "more.txt": b"x"}), "listed")
    yield Case(
        "list_missing_file", packed({k: v for k, v in files.items() if k != "data/files/0001.png"}), "listed"
    )
    yield Case(
        "list_other_bag",
        packed(altered(files, "bagit.txt", lambda data: data.replace(b"1.0", b"0.97"))),
        "listed",
    )
    yield Case("list_upper_case", packed(altered(files, "manifest-sha256.txt", bytes.upper)), "listed")
    yield Case(
        "list_reordered",
        packed(altered(files, "manifest-sha256.txt", lambda d: joined(lines_of(d)[::-1]))),
        "listed",
    )
    yield Case("list_unexplained", packed(sealed_again({**files, "data/files/0009.png": b"x"})), "listed")
    yield Case(
        "list_unfinished", packed(altered(files, "tagmanifest-sha256.txt", lambda data: data[:-1])), "listed"
    )
    yield Case(
        "description_of_a_later_version",
        told(files, lambda d: d.update(format="makingof-package/2")),
        "listed",
    )
    yield Case(
        "description_not_canonical", lied(files, "data/package.json", lambda data: data + b" "), "listed"
    )
    yield Case("description_without_pictures", told(files, lambda d: d.update(pictures=[])), "listed")
    yield Case("description_misnumbered", told(files, lambda d: d["files"][0].update(number=2)), "listed")
    yield Case("changed_picture", packed(altered(files, "data/files/0001.png", flip_last)), "hashes")
    yield Case("changed_front_page", packed(altered(files, "00-READ-ME-FIRST.html", flip_last)), "hashes")
    yield Case("changed_verifier", packed(altered(files, "verify.py", lambda _: b"print('ok')\n")), "hashes")
    yield Case("replaced_verifier", packed(retagged({**files, "verify.py": b"print('ok')\n"})), "carried")


def flip_last(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def retagged(files: Files) -> Files:
    """What somebody can make who does not have the log's key: a new list of what lies beside the payload."""
    again = sealed_again(files)
    signature = files["manifest-sha256.txt.sig"]
    again["manifest-sha256.txt.sig"] = signature
    tags = {
        name: Digest.of(data).hex
        for name, data in again.items()
        if not name.startswith("data/") and name != "tagmanifest-sha256.txt"
    }
    lines = "".join(f"{tags[name]}  {name}\n" for name in sorted(tags))
    return {**again, "tagmanifest-sha256.txt": lines.encode()}


# Signatures and keys


def signatures() -> Iterator[Case]:
    files = whole()
    manifest = files["manifest-sha256.txt"]
    other = sign_ssh(OTHER, manifest, PACKAGE_NAMESPACE)
    elsewhere = sign_ssh(KEY, manifest, "file")
    yield Case(
        "signed_by_another", packed(retagged({**files, "manifest-sha256.txt.sig": other})), "signature"
    )
    yield Case(
        "signed_for_another_purpose",
        packed(retagged({**files, "manifest-sha256.txt.sig": elsewhere})),
        "signature",
    )
    yield Case("signed_other_list", packed(retagged({**files, "data/files/0001.png": b"x"})), "signature")
    yield Case(
        "signature_flipped",
        packed(retagged({**files, "manifest-sha256.txt.sig": bent_base64(files["manifest-sha256.txt.sig"])})),
        "signature",
    )
    yield Case(
        "signature_of_nothing", packed(retagged({**files, "manifest-sha256.txt.sig": b""})), "signature"
    )
    yield Case(
        "key_of_another",
        lied(files, "data/log/key.vkey", lambda _: f"{OTHER.public.vkey}\n".encode()),
        "checkpoint",
    )
    yield Case(
        "key_not_its_name",
        lied(files, "data/log/key.vkey", lambda data: data.replace(b"makingof/", b"makinGof/")),
        "checkpoint",
    )
    yield Case(
        "key_pem_of_another", lied(files, "data/log/key.pem", lambda _: OTHER.public.pem), "checkpoint"
    )
    yield Case(
        "key_of_small_order", lied(files, "data/log/key.vkey", lambda _: small_order_key()), "checkpoint"
    )
    yield Case(
        "head_of_another_log",
        lied(files, "data/log/checkpoint", lambda _: foreign_checkpoint()),
        "checkpoint",
    )
    yield Case(
        "head_unsigned",
        lied(files, "data/log/checkpoint", lambda data: data.partition(b"\n\n")[0] + b"\n\n"),
        "checkpoint",
    )
    yield Case(
        "head_with_another_root", lied(files, "data/log/checkpoint", lambda _: false_root(10)), "checkpoint"
    )
    yield Case(
        "head_with_a_line_more", lied(files, "data/log/checkpoint", lambda _: extended()), "checkpoint"
    )
    yield Case(
        "head_flipped",
        lied(files, "data/log/checkpoint", lambda data: data.replace(b"\n10\n", b"\n11\n")),
        "checkpoint",
    )


def bent_base64(armoured: bytes) -> bytes:
    """Another signature in the same armour."""
    lines = armoured.decode().split("\n")
    blob = bytearray(base64.b64decode("".join(lines[1:-2])))
    blob[-1] ^= 1
    text = base64.b64encode(blob).decode()
    wrapped = [text[start : start + 70] for start in range(0, len(text), 70)]
    return "\n".join([lines[0], *wrapped, *lines[-2:]]).encode()


def small_order_key() -> bytes:
    raw = b"\x01" + bytes(31)
    origin = "makingof/" + Digest.of(raw).hex[:32]
    key_id = Digest.of(origin.encode() + b"\n\x01" + raw).hex[:8]
    return f"{origin}+{key_id}+{base64.b64encode(bytes([1]) + raw).decode()}\n".encode()


def foreign_checkpoint() -> bytes:
    return sign_checkpoint(TreeHead(10, bytes(32)), OTHER).to_bytes()


def false_root(size: int) -> bytes:
    return sign_checkpoint(TreeHead(size, bytes(32)), KEY).to_bytes()


def extended() -> bytes:
    text = str(Checkpoint(KEY.origin, TreeHead(10, bytes(32)), ("one line more",)))
    return sign_note(text, KEY).to_bytes()
