"""Writes the package vectors: `python -m tests.vectors.package.make` from the root.

`packages.tar.xz` holds packages to accept and to refuse, `cases.json` says of
each which step must fail, or none, and which verifiers do that step. All are
made from one made-up session by keys everybody knows. The verifiers inside are
not those of any release, so that the vectors outlive them.
"""

import base64
import io
import json
import lzma
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tests.histories import job, own, prompt
from tests.packages import KEY, NEGATIVE, PROMPT, Archive, Session, make_session, packed, sealed_again, unpack
from tests.records import a1111_png

from makingof.bundle.description import Options
from makingof.bundle.payload import Installation
from makingof.bundle.request import Request
from makingof.digest import Digest
from makingof.event import Kind
from makingof.keys.signing import SigningKey
from makingof.keys.sshsig import PACKAGE_NAMESPACE, sign_ssh
from makingof.lineage.memory import MemoryGraph
from makingof.part import Means, Part
from makingof.stamp.deposit import attach_deposit
from makingof.stamp.sm3 import digest_stream
from makingof.tlog.checkpoint import Checkpoint, sign_checkpoint
from makingof.tlog.merkle import TreeHead
from makingof.tlog.note import sign_note

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


def cases() -> Iterator[Case]:
    """Every case, in order of name within its group."""
    yield from accepted()
    yield from zips()
    yield from listings()
    yield from signatures()
    yield from entries()
    yield from parts()
    yield from files()
    yield from streams()
    yield from stamps()
    yield from lineages()


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


# To accept


def accepted() -> Iterator[Case]:
    yield Case("whole", package(make_session()))
    yield Case("withheld", package(make_session(), withhold=("prompts",)))
    yield Case("withheld_reason_of_one_event", package(make_session(), withhold=(reason_of_one(),)))
    yield Case("full", package(make_session(), full=True))
    yield Case("deposited", packed(stamped()))
    yield Case("open_stream_and_gap", package(session_with_gap()))
    yield Case("second_looks", package(session_looked_at()))
    yield Case("imported", package(imported_session()))
    yield Case("without_a_folder", packed(whole(), base=""))
    yield Case("packed_anew_deflated", deflated(whole()))
    yield Case("packed_anew_with_folders_and_descriptors", streamed(whole()))


def session_looked_at() -> Session:
    """Two generators compared, one of them twice; a third look has a shape nobody wrote."""
    session = make_session()
    history = session.archive.history
    history.look(2, early="before_hook")
    history.open("another run")
    history.look(2, "invokeai", "http://127.0.0.1:9090")
    odd = own(second_look={"tool": "comfyui", "url": 1, "jobs": 2, "missing": []})
    history.tell(Kind.CHECKED, odd, means=Means.OWN)
    same = a1111_png(PROMPT, NEGATIVE, seed=1)
    session.archive.generate(same, prompt(PROMPT), job("job-3"), stream="another run")
    history.look(3, lost="hook_lost", early="before_hook")
    history.close("another run")
    return session


def reason_of_one() -> str:
    session = make_session()
    rejected = next(
        item for item in session.archive.history.told if session.archive.kind(item) is Kind.REJECTED
    )
    return f"{rejected.name}:reason"


def session_with_gap() -> Session:
    """A run that was never closed, one of whose numbers never arrived, which a `gap` says."""
    session = make_session()
    history = session.archive.history
    history.open("second")
    session.archive.generate(a1111_png(PROMPT, seed=5), prompt(PROMPT), job("job-5"), stream="second", seq=2)
    gap = own(why="number_missing", stream=history.stream("second"), missing=[[1, 1]])
    history.tell(Kind.GAP, gap, means=Means.OWN)
    stamp_by_deposit(session.archive)
    return session


def imported_session() -> Session:
    session = make_session()
    history = session.archive.history
    history.open("import", of="import")
    for seed in (7, 8):
        session.archive.generate(
            a1111_png(PROMPT, seed=seed), prompt(PROMPT), stream="import", means=Means.RECOVERED
        )
    history.close("import")
    return session


def deflated(files: Files) -> bytes:
    """As another program packs a folder."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files, reverse=True):
            archive.writestr(
                zipfile.ZipInfo(BASE + name, (2026, 3, 1, 0, 0, 0)), files[name], zipfile.ZIP_DEFLATED
            )
    return out.getvalue()


class _Unseekable(io.RawIOBase):
    """Makes `zipfile` write data descriptors, as a program does that cannot go back."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:
        self.data += data
        return len(data)


def streamed(files: Files) -> bytes:
    out = _Unseekable()
    with zipfile.ZipFile(out, "w") as archive:
        for folder in ("", "data/", "data/log/"):
            archive.writestr(zipfile.ZipInfo(BASE + folder, (2026, 3, 1, 0, 0, 0)), b"")
        for name in sorted(files):
            info = zipfile.ZipInfo(BASE + name, (2026, 3, 1, 0, 0, 0))
            archive.writestr(info, files[name], zipfile.ZIP_DEFLATED)
    return bytes(out.data)


# Zips two programs could read differently

BAD_NAMES = {
    "parent": "../evil.txt",
    "parent_inside": "data/../../evil.txt",
    "absolute": "/evil.txt",
    "drive": "C:evil.txt",
    "backslash": "data\\evil.txt",
    "device": "data/con.txt",
    "trailing_dot": "data/evil.",
    "space": "data/ev il",
    "hidden": "data/.evil",
    "double_slash": "data//evil",
    "long": "data/" + "x" * 100,
    "control": "data/e\x1bvil",
}


def zips() -> Iterator[Case]:
    good = packed(whole())
    files = whole()

    def case(name: str, data: bytes, fails: str = "container") -> Case:
        assert data != good
        return Case(f"zip_{name}", data, fails)

    yield case("cut_off", good[:-40])
    yield case("appended", good + b"\n")
    yield case("before", b"MZ" + good)
    yield case("comment", good[:-2] + b"\x05\x00hello")
    yield case("empty", b"PK\x05\x06" + bytes(18), "listed")
    yield case("not_a_zip", b"\x89PNG\r\n\x1a\n" + bytes(100))
    yield case("split_over_disks", patched_end(good, 4, 1))
    yield case("fewer_than_counted", patched_end(good, 8, 3))
    yield case("encrypted", patched_everywhere(good, "data/parts.jsonl", 6, 8, 1))
    yield case("strange_method", patched_everywhere(good, "data/parts.jsonl", 8, 10, 12))
    yield case("two_names", good.replace(b"data/parts.jsonl", b"data/Parts.jsonl", 1))
    yield case("two_sizes", patched_local(good, "data/parts.jsonl", 22, 7))
    yield case("hidden_between", with_hidden_bytes(good))
    yield case("overlapping", overlapping(files))
    yield case("twice", twice(files))
    yield case("case_twins", packed({**files, "data/Parts.jsonl": b"x"}))
    for name, path in BAD_NAMES.items():
        yield case(f"name_{name}", packed({**files, path: b"x"}))
    yield case(
        "name_look_alike", packed({**files, "data/p#rts.jsonl": b"x"}).replace(b"p#rts", "pаrts".encode()[:5])
    )
    yield case("bomb", bomb(files))
    yield case("deflated_to_less", deflated_lie(files, -1), "hashes")
    yield case("deflated_to_more", deflated_lie(files, 1), "hashes")


def patched_end(data: bytes, offset: int, value: int) -> bytes:
    end = bytearray(data[-22:])
    struct.pack_into("<H", end, offset, value)
    return data[:-22] + bytes(end)


def find_headers(data: bytes, name: str) -> tuple[int, int]:
    """Where the local and the central header of a member begin."""
    path = (BASE + name).encode()
    return data.index(path) - 30, data.rindex(path) - 46


def patched_everywhere(data: bytes, name: str, local: int, central: int, value: int) -> bytes:
    changed = bytearray(data)
    for start, offset in zip(find_headers(data, name), (local, central), strict=True):
        struct.pack_into("<H", changed, start + offset, value)
    return bytes(changed)


def patched_local(data: bytes, name: str, offset: int, value: int) -> bytes:
    changed = bytearray(data)
    struct.pack_into("<I", changed, find_headers(data, name)[0] + offset, value)
    return bytes(changed)


def with_hidden_bytes(data: bytes) -> bytes:
    """Bytes between the last file and the directory, which the end record is told of."""
    size, start = struct.unpack_from("<II", data, len(data) - 10)
    end = bytearray(data[-22:])
    struct.pack_into("<I", end, 16, start + 6)
    return data[:start] + b"hidden" + data[start : start + size] + bytes(end)


def overlapping(files: Files) -> bytes:
    """Two directory records that point at one file's bytes."""
    data = packed({**files, "data/parts.jsonm": files["data/parts.jsonl"]})
    local, _ = find_headers(data, "data/parts.jsonl")
    _, central = find_headers(data, "data/parts.jsonm")
    changed = bytearray(data)
    struct.pack_into("<I", changed, central + 42, local)
    return bytes(changed)


def twice(files: Files) -> bytes:
    data = packed({**files, "data/parts.jsonk": files["data/parts.jsonl"]})
    return data.replace(b"data/parts.jsonk", b"data/parts.jsonl")


def bomb(files: Files) -> bytes:
    """A file of a few bytes that says it unpacks to two gigabytes."""
    data = deflated({**files, "data/findings.json": b"0" * 4000})
    local, central = find_headers(data, "data/findings.json")
    changed = bytearray(data)
    struct.pack_into("<I", changed, local + 22, 2**31)
    struct.pack_into("<I", changed, central + 24, 2**31)
    return bytes(changed)


def deflated_lie(files: Files, by: int) -> bytes:
    data = deflated(files)
    size = len(files["data/ro-crate-metadata.json"])
    local, central = find_headers(data, "data/ro-crate-metadata.json")
    changed = bytearray(data)
    struct.pack_into("<I", changed, local + 22, size + by)
    struct.pack_into("<I", changed, central + 24, size + by)
    return bytes(changed)


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


# Entries


def entries() -> Iterator[Case]:
    files = whole()
    name, ranges = "data/log/entries.jsonl", "data/log/ranges"
    yield Case("entries_swapped", lied(files, name, lambda d: joined(swap(lines_of(d)))), "entries")
    yield Case(
        "entry_altered",
        lied(files, name, lambda d: d.replace(b'"kind":"rejected"', b'"kind":"selected"', 1)),
        "entries",
    )
    yield Case("entry_taken_out", lied(files, name, lambda d: joined(lines_of(d)[:-1])), "entries")
    yield Case("entry_doubled", lied(files, name, lambda d: d + joined(lines_of(d)[-1:])), "entries")
    yield Case("entry_unfinished", lied(files, name, lambda d: d[:-1]), "entries")
    yield Case(
        "entry_respelled", lied(files, name, lambda d: d.replace(b'{"actor"', b'{ "actor"', 1)), "entries"
    )
    yield Case(
        "entry_deep",
        lied(files, name, lambda d: joined([*lines_of(d)[:-1], b"[" * 9000 + b"]" * 9000])),
        "entries",
    )
    yield Case("range_longer", lied(files, ranges, lambda d: d.replace(b"0 10", b"0 11")), "entries")
    yield Case("range_backwards", lied(files, ranges, lambda d: d.replace(b"0 10", b"5 5")), "entries")
    yield Case("range_elsewhere", lied(files, ranges, lambda d: d.replace(b"0 10", b"1 11")), "entries")
    yield Case(
        "range_huge", lied(files, ranges, lambda d: d.replace(b"0 10", b"0 9999999999999999")), "entries"
    )
    yield Case(
        "range_with_a_hash_more",
        lied(files, ranges, lambda d: d + base64.b64encode(bytes(32)) + b"\n"),
        "entries",
    )
    yield Case("number_twice", package(session_with_a_number_twice()), "entries")
    yield Case("of_another_archive", packed(sealed_again(mixed())), "entries")
    name = "data/log/proofs/000000008.tlog-proof"
    yield Case(
        "proof_of_another",
        lied(files, name, lambda _: files["data/log/proofs/000000009.tlog-proof"]),
        "proofs",
    )
    yield Case(
        "proof_bent",
        lied(
            files, name, lambda d: d.replace(b"index 8\n", b"index 8\n" + base64.b64encode(bytes(32)) + b"\n")
        ),
        "proofs",
    )
    yield Case(
        "proof_with_extra",
        lied(files, name, lambda d: d.replace(b"index", b"extra eA==\nindex", 1)),
        "proofs",
    )


def swap(lines: list[bytes]) -> list[bytes]:
    return [*lines[:6], lines[7], lines[6], *lines[8:]]


def session_with_a_number_twice() -> Session:
    session = make_session()
    session.archive.history.keep(session.final, final=True, stream="again", seq=0)
    session.archive.history.keep(session.final, final=True, stream="again", seq=0)
    return session


def mixed() -> Files:
    """The pictures and statements of one archive under the log of another."""
    theirs = make_session(Archive(key=OTHER))
    theirs.archive.history.seed = "theirs"
    mine = whole()
    other = unpack(package(theirs))
    return {
        **mine,
        "data/log/entries.jsonl": other["data/log/entries.jsonl"],
        "data/parts.jsonl": other["data/parts.jsonl"],
    }


# Statements


def parts() -> Iterator[Case]:
    files = whole()
    name = "data/parts.jsonl"
    yield Case("part_altered", lied(files, name, lambda d: d.replace(b"moonlight", b"sunlight ")), "parts")
    yield Case(
        "part_added",
        lied(
            files,
            name,
            lambda d: (
                d + Part.parse(lines_of(d)[0]).to_bytes().replace(b'"salt":"', b'"salt":"0')[:-2] + b"}\n"
            ),
        ),
        "parts",
    )
    yield Case("parts_reordered", lied(files, name, lambda d: joined(lines_of(d)[::-1])), "parts")
    yield Case("part_doubled", lied(files, name, lambda d: d + joined(lines_of(d)[-1:])), "parts")
    yield Case("part_of_nobody", lied(files, name, lambda d: d + stranger()), "parts")


def stranger() -> bytes:
    body = {"body": {"text": "nobody said this"}, "from": "person", "means": "live", "salt": "0" * 32,
            "type": "reason", "vouched": None}  # fmt: skip
    return json.dumps(body, sort_keys=True, separators=(",", ":")).encode() + b"\n"


# Files


def files() -> Iterator[Case]:
    good, sealed = whole(), withheld()
    other = a1111_png("somebody else's picture")
    yield Case("another_picture", with_file(good, 0, other), "files")
    yield Case("another_picture_called_original", with_file(sealed, 2, other), "files")
    yield Case("copy_with_other_pixels", with_file(sealed, 0, sealed["data/files/0002-copy.png"]), "files")
    yield Case("copy_with_the_text_again", with_file(sealed, 0, a1111_png(PROMPT, seed=1)), "files")
    yield Case(
        "copy_with_another_salt",
        told(sealed, lambda d: d["files"][0]["copy"]["shown"][0].update(salt="0" * 32)),
        "files",
    )
    yield Case(
        "copy_with_a_piece_less", told(sealed, lambda d: d["files"][0]["copy"]["shown"].pop()), "files"
    )
    yield Case("copy_out_of_order", told(sealed, lambda d: d["files"][0]["copy"]["shown"].reverse()), "files")
    yield Case(
        "copy_of_unknown_pieces",
        told(sealed, lambda d: d["files"][0]["copy"].update(pieces="sha256:" + "0" * 64)),
        "files",
    )
    yield Case("copy_called_original", told(sealed, call_original), "files")
    yield Case(
        "one_picture_two_files",
        told(good, lambda d: d["files"][0]["parts"].extend(d["files"][1]["parts"])),
        "files",
    )
    yield Case(
        "a_picture_of_nobody",
        told(good, lambda d: d["files"][0]["parts"].append("sha256:" + "0" * 64)),
        "files",
    )
    yield Case("a_picture_forgotten", forgotten(good), "files")


def with_file(files: Files, number: int, data: bytes) -> bytes:
    """Put other bytes in a file's place, and describe them truly."""
    description = json.loads(files["data/package.json"])
    file = description["files"][number]
    file.update(sha256=Digest.of(data), size=len(data))
    text = json.dumps(description, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return packed(sealed_again({**files, file["name"]: data, "data/package.json": text}))


def call_original(description: dict) -> None:
    file = description["files"][0]
    del file["copy"], file["why"]
    file["shows"] = "original"


def forgotten(files: Files) -> bytes:
    """The last file is neither in the package nor spoken of."""
    description = json.loads(files["data/package.json"])
    file = description["files"].pop()
    text = json.dumps(description, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    rest = {name: data for name, data in files.items() if name != file["name"]}
    return packed(sealed_again({**rest, "data/package.json": text}))


# Runs, stamps, lineage


def streams() -> Iterator[Case]:
    session = make_session()
    more = prompt(PROMPT), job("job-9")
    late = session.archive.generate(a1111_png(PROMPT, seed=9), *more, stream="run")
    yield Case("run_goes_on_after_its_close", package(replace(session, final=late.file())), "streams")


def stamps() -> Iterator[Case]:
    good = stamped()
    folder = "data/stamps/000000010/"
    yield Case(
        "stamp_on_another_history", lied(good, folder + "checkpoint", lambda _: false_root(10)), "stamps"
    )
    yield Case(
        "stamp_by_another_log", lied(good, folder + "checkpoint", lambda _: foreign_checkpoint()), "stamps"
    )
    yield Case(
        "stamp_with_another_proof",
        lied(good, folder + "consistency", lambda d: joined(lines_of(d)[::-1])),
        "stamps",
    )
    yield Case("stamp_without_a_proof", lied(good, folder + "consistency", lambda _: b""), "stamps")
    yield Case(
        "stamp_about_something_else",
        told(good, lambda d: d["stamps"][0].update(subject="data/log/checkpoint")),
        "listed",
    )
    yield Case("receipt_of_an_unknown_kind", told(good, of_a_new_kind), "stamps")


def of_a_new_kind(description: dict) -> None:
    description["stamps"][0]["receipts"][0]["kind"] = "oracle"


def lineages() -> Iterator[Case]:
    files = whole()
    yield Case("event_left_out", told_without(files, 6), "lineage", ("makingof",))
    yield Case("alternative_left_out", alternative_left_out(), "lineage", ("makingof",))
    yield Case("picture_held_back_as_needless", held_back(files), "lineage", ("makingof",))


def alternative_left_out() -> bytes:
    """An exporter whose program does not see what else lay on the table."""
    archive = Archive()
    history = archive.history
    history.tell(Kind.ENROLLED, own(log_key=KEY.public.vkey), means=Means.OWN)
    other = archive.generate(a1111_png(PROMPT, seed=1), prompt(PROMPT))
    kept = archive.generate(a1111_png(PROMPT, seed=2), prompt(PROMPT))
    history.keep(kept.file(), among=[other.file(), kept.file()])
    seen = (history.entry_at(at) for at in range(history.size()) if at != other.position)
    request = Request((kept.file(),), history.size())
    return archive.write(request, installation=INSTALLATION, graph=MemoryGraph(seen))


def held_back(files: Files) -> bytes:
    """An exporter who shows the picture small, and says that none needs it whole."""
    description = json.loads(files["data/package.json"])
    file = next(file for file in description["files"] if description["pictures"][0] in file["parts"])
    name = file["name"].replace(".png", "-preview.png")
    rest = {name if path == file["name"] else path: data for path, data in files.items()}
    file.update(name=name, shows="preview", why="brief")
    return told(rest, lambda found: found.update(description))


def told_without(files: Files, position: int) -> bytes:
    """An exporter who does not count the rejection."""
    description = json.loads(files["data/package.json"])
    description["lineage"].remove(position)
    text = json.dumps(description, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    rest = {name: data for name, data in files.items() if f"{position:09d}" not in name}
    return packed(sealed_again({**rest, "data/package.json": text}))


def main() -> None:
    """Write both files."""
    made = list(cases())
    listing = [{"name": case.name, "fails": case.fails, "verifiers": list(case.verifiers)} for case in made]
    text = "[\n" + ",\n".join(json.dumps(item) for item in listing) + "\n]\n"
    (FOLDER / "cases.json").write_text(text, "utf-8")
    (FOLDER / "packages.tar.xz").write_bytes(pack_cases(made))


def pack_cases(made: list[Case]) -> bytes:
    """One archive of all: they are alike, and together they pack to a fraction."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for case in made:
            info = tarfile.TarInfo(f"{case.name}.zip")
            info.size = len(case.data)
            archive.addfile(info, io.BytesIO(case.data))
    return lzma.compress(out.getvalue(), preset=9)


if __name__ == "__main__":
    main()
