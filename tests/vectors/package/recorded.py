"""Entries, parts, files, runs, stamps and lineages that do not go together."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace

from tests.histories import job, own, prompt
from tests.packages import KEY, PROMPT, Archive, Session, make_session, packed, sealed_again, unpack
from tests.records import a1111_png
from tests.vectors.package.packages import (
    INSTALLATION,
    OTHER,
    Case,
    Files,
    joined,
    lied,
    lines_of,
    package,
    stamped,
    told,
    whole,
    withheld,
)
from tests.vectors.package.signed import false_root, foreign_checkpoint

from makingof.bundle.request import Request
from makingof.digest import Digest
from makingof.event import Kind
from makingof.lineage.memory import MemoryGraph
from makingof.part import Means, Part

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
