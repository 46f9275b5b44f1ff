"""The payload of a package: log, parts, files and receipts, in memory or waiting to be opened."""

import base64
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import metadata, resources

from makingof.bundle import layout
from makingof.bundle.description import Description, File, Log, Receipt, Shows, Stamp
from makingof.bundle.disclosed import order_parts, read_entries
from makingof.bundle.lines import join_lines
from makingof.bundle.package_input import FileInput, PackageInput
from makingof.bundle.pem import format_pem
from makingof.bundle.ranges import ProvenRange, format_ranges
from makingof.bundle.record import Record
from makingof.bundle.zip_writer import Member
from makingof.digest import Digest
from makingof.errors import UsageError
from makingof.keys.signing import PublicKey
from makingof.keys.sshsig import PACKAGE_NAMESPACE, allowed_signers
from makingof.stamp.base import Beside, Kind, Role
from makingof.stamp.base import Receipt as StampReceipt
from makingof.stamp.sm3 import digest_stream
from makingof.tlog.checkpoint import verify_checkpoint
from makingof.tlog.proof import TlogProof

_RECEIPT_SUFFIXES = {Kind.RFC3161: "tsr", Kind.OTS: "ots", Kind.DEPOSIT: "deposit"}
_BESIDE_SUFFIXES = {Role.REQUEST: "tsq", Role.CRL: "crl", Role.HEADER: "header", Role.DETAILS: "json"}
_CHAIN_SUFFIX = "pem"


@dataclass(frozen=True, slots=True)
class Payload:
    """Files by name, and what they say together."""

    files: Mapping[str, Member]
    record: Record


@dataclass(frozen=True, slots=True)
class Installation:
    """What of this installation goes into a package: its name, and the verifiers it carries."""

    made_with: str
    carried: Mapping[str, bytes]


def this_installation() -> Installation:
    """Return this version of makingof."""
    return Installation(f"makingof {metadata.version('makingof')}", load_carried())


def make_payload(package: PackageInput, installation: Installation) -> Payload:
    """Lay out everything below `data/` but the crate, which is made from it."""
    checkpoint = verify_checkpoint(package.checkpoint, package.key)
    placed = [
        (item.start + number, data) for item in package.ranges for number, data in enumerate(item.entries)
    ]
    entries = read_entries(placed, package.parts)
    files = [_describe_file(number, file) for number, file in enumerate(package.files, 1)]
    stamps, stamp_files = _lay_out_stamps(package, files)
    description = Description(
        format=layout.FORMAT,
        made_with=installation.made_with,
        log=Log(checkpoint.origin, checkpoint.size, Digest.from_raw(checkpoint.head.root)),
        pictures=package.pictures,
        lineage_rule=package.lineage_rule,
        lineage=package.lineage,
        options=package.options,
        files=tuple(files),
        stamps=tuple(stamps),
        carried={name: Digest.of(data) for name, data in installation.carried.items()},
    )
    small = {
        layout.DESCRIPTION: description.to_bytes(),
        layout.PARTS: join_lines(package.parts[digest] for digest in order_parts(entries)),
        layout.ENTRIES: join_lines(data for _, data in placed),
        layout.RANGES: format_ranges(
            tuple(
                ProvenRange(item.start, item.start + len(item.entries), item.proof) for item in package.ranges
            )
        ),
        layout.CHECKPOINT: package.checkpoint,
        **format_key_files(package.key),
        **stamp_files,
        **{
            layout.proof_path(index): TlogProof(index, proof, package.checkpoint).to_bytes()
            for index, proof in package.inclusions.items()
        },
    }
    if package.findings is not None:
        small[layout.FINDINGS] = package.findings
    members = {name: small_file(name, data) for name, data in small.items()}
    members |= {
        file.name: _member(file, given) for file, given in zip(files, package.files, strict=True) if file.name
    }
    return Payload(members, Record(package.key, checkpoint, description, tuple(entries)))


def small_file(name: str, data: bytes) -> Member:
    """Return a file whose bytes are at hand."""
    return Member(name, len(data), Digest.of(data), partial(io.BytesIO, data))


def format_key_files(key: PublicKey) -> dict[str, bytes]:
    """Spell the log's key for the three tools that check with it."""
    return {
        layout.KEY_VKEY: f"{key.vkey}\n".encode(),
        layout.KEY_PEM: key.pem,
        layout.ALLOWED_SIGNERS: allowed_signers(key.origin, key, PACKAGE_NAMESPACE).encode(),
    }


def load_carried() -> dict[str, bytes]:
    """Read the verifiers of this release."""
    folder = resources.files("makingof.bundle") / "carried"
    return {name: (folder / name).read_bytes() for name in (layout.CARRIED_SCRIPT, layout.CARRIED_PAGE)}


def _describe_file(number: int, file: FileInput) -> File:
    if file.open is None or file.digest is None:
        return File(number=number, parts=file.parts, shows=Shows.NOTHING, why=file.why)
    mark = "" if file.shows is Shows.ORIGINAL else f"-{file.shows}"
    sm3 = None
    if file.shows is not Shows.PREVIEW:
        with file.open() as stream:
            sm3 = digest_stream(stream).sm3
    return File(
        number=number,
        parts=file.parts,
        shows=file.shows,
        name=f"{layout.FILES}{number:04d}{mark}.{file.suffix}",
        size=file.size,
        sha256=file.digest,
        sm3=sm3,
        why=file.why,
        copy=file.copy,
    )


def _member(file: File, given: FileInput) -> Member:
    if file.name is None or given.open is None or given.digest is None:
        message = f"file {file.number} of the package has no bytes"
        raise UsageError(message)
    return Member(file.name, given.size, given.digest, given.open)


def _lay_out_stamps(package: PackageInput, files: list[File]) -> tuple[list[Stamp], dict[str, bytes]]:
    stamps: list[Stamp] = []
    laid: dict[str, bytes] = {}
    for stamp in sorted(package.stamps, key=lambda item: item.size):
        subject = layout.stamp_path(stamp.size, "checkpoint")
        laid[subject] = stamp.checkpoint
        laid[layout.stamp_path(stamp.size, "consistency")] = format_hashes(stamp.consistency)
        receipts = _lay_out_receipts(subject.rpartition("/")[0], stamp.receipts, laid)
        stamps.append(Stamp(subject, receipts, stamp.size))
    for number, item in enumerate(package.file_stamps, 1):
        folder = f"{layout.STAMPS}file-{number:04d}"
        subject = _subject(item.number, files) if item.number else f"{folder}/sheet.txt"
        if item.sheet is not None:
            laid[subject] = item.sheet
        stamps.append(Stamp(subject, _lay_out_receipts(folder, item.receipts, laid)))
    return stamps, laid


def _subject(number: int, files: list[File]) -> str:
    name = files[number - 1].name
    if name is None:
        message = f"file {number} was stamped and is not in the package"
        raise UsageError(message)
    return name


def _lay_out_receipts(
    folder: str, receipts: tuple[StampReceipt, ...], laid: dict[str, bytes]
) -> tuple[Receipt, ...]:
    described = []
    for number, receipt in enumerate(receipts, 1):
        name = f"{folder}/{number}.{_RECEIPT_SUFFIXES[receipt.kind]}"
        laid[name] = receipt.data
        beside = dict(_lay_out_beside(f"{folder}/{number}", receipt.beside))
        laid |= beside
        described.append(Receipt(receipt.kind, receipt.authority, name, tuple(beside)))
    return tuple(described)


def _lay_out_beside(stem: str, documents: tuple[Beside, ...]) -> Iterator[tuple[str, bytes]]:
    certificates = [document.data for document in documents if document.role is Role.CERTIFICATE]
    if certificates:
        yield f"{stem}.{_CHAIN_SUFFIX}", format_pem(certificates)
    for role, suffix in _BESIDE_SUFFIXES.items():
        found = [document.data for document in documents if document.role is role]
        for number, data in enumerate(found, 1):
            yield f"{stem}-{number}.{suffix}", data


def format_hashes(hashes: tuple[bytes, ...]) -> bytes:
    """Spell the hashes of a proof, one base64 a line."""
    return "".join(base64.b64encode(value).decode() + "\n" for value in hashes).encode()
