"""Reads a package into values. They are well-formed; whether they are true is for `verify` to find out."""

from collections.abc import Mapping
from dataclasses import dataclass

from makingof.bundle import layout
from makingof.bundle.container import Container, read_file
from makingof.bundle.description import MAX_DESCRIPTION_BYTES, Description
from makingof.bundle.description import Receipt as DescribedReceipt
from makingof.bundle.disclosed import read_entries, require_cited
from makingof.bundle.lines import MAX_LINES_BYTES, split_lines
from makingof.bundle.manifest import DECLARATION, MAX_MANIFEST_BYTES, parse_manifest
from makingof.bundle.pem import parse_pem
from makingof.bundle.ranges import MAX_RANGES_BYTES, ProvenRange, parse_ranges
from makingof.bundle.record import Record
from makingof.digest import Digest
from makingof.errors import MalformedError
from makingof.keys.signing import PublicKey
from makingof.stamp.base import Beside, Kind, Receipt, Role
from makingof.texts import say
from makingof.tlog.checkpoint import read_checkpoint
from makingof.tlog.note import NoteKey

MAX_SMALL_BYTES = 1 << 20
MAX_RECEIPT_BYTES = 32 << 20
_ROLES = {"tsq": Role.REQUEST, "crl": Role.CRL, "header": Role.HEADER, "json": Role.DETAILS}


@dataclass(frozen=True, slots=True)
class Bag:
    """The two manifests: name → SHA-256 in hex, for the payload and for what lies beside it."""

    payload: Mapping[str, str]
    tags: Mapping[str, str]
    manifest: bytes

    @property
    def name(self) -> Digest:
        """The payload's digest, by which the package is called."""
        return Digest.of(self.manifest)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A package: its files, its two manifests, and what it says."""

    container: Container
    bag: Bag
    record: Record

    def read(self, name: str, limit: int = MAX_SMALL_BYTES) -> bytes:
        """Return one of its smaller files."""
        return read_file(self.container, name, limit)


def read_bundle(container: Container) -> Bundle:
    """Read all of a package but its larger files; anything out of shape is a `MalformedError`."""
    bag = read_bag(container)
    bundle = Bundle(container, bag, read_record(container))
    require_explained(bag, bundle.record.description)
    return bundle


def read_bag(container: Container) -> Bag:
    """Read the manifests, which must list every file there is, and no other. Digests are not compared."""
    if read_file(container, layout.BAG_DECLARATION, MAX_SMALL_BYTES) != DECLARATION:
        raise MalformedError(say("package.not_a_bag"))
    tag_manifest = read_file(container, layout.TAG_MANIFEST, MAX_MANIFEST_BYTES)
    manifest = read_file(container, layout.MANIFEST, MAX_MANIFEST_BYTES)
    bag = Bag(
        payload=parse_manifest(manifest, layout.MANIFEST),
        tags=parse_manifest(tag_manifest, layout.TAG_MANIFEST),
        manifest=manifest,
    )
    listed = bag.payload.keys() | bag.tags.keys() | {layout.TAG_MANIFEST}
    if missing := sorted(listed - container.names):
        raise MalformedError(say("package.file_missing", name=missing[0]))
    if extra := sorted(container.names - listed):
        raise MalformedError(say("package.file_unlisted", name=extra[0]))
    if wrong := [name for name in bag.payload if not name.startswith(layout.PAYLOAD)]:
        raise MalformedError(say("package.manifest_malformed", name=wrong[0]))
    if missing := sorted((layout.TAG_FILES - bag.tags.keys()) | (layout.PAYLOAD_FILES - bag.payload.keys())):
        raise MalformedError(say("package.file_missing", name=missing[0]))
    return bag


def read_key(container: Container) -> PublicKey:
    """Read the log's key. That the other spellings beside it are the same key is not checked here."""
    text = read_file(container, layout.KEY_VKEY, MAX_SMALL_BYTES)
    parsed = NoteKey.parse(text.decode("latin-1").removesuffix("\n"))
    if f"{parsed}\n".encode() != text or parsed.public.origin != parsed.name:
        message = "key.vkey is not the key of a makingof log"
        raise MalformedError(message)
    return parsed.public


def read_record(container: Container) -> Record:
    """Read log, parts and description together."""
    description = read_description(container)
    placed = read_placed(container, read_ranges(container))
    lines = read_part_lines(container)
    entries = read_entries(placed, {Digest.of(line): line for line in lines})
    require_cited(entries, lines)
    checkpoint = read_checkpoint(read_file(container, layout.CHECKPOINT, MAX_SMALL_BYTES))
    return Record(read_key(container), checkpoint, description, tuple(entries))


def read_description(container: Container) -> Description:
    """Read what the exporter says the package is."""
    return Description.parse(read_file(container, layout.DESCRIPTION, MAX_DESCRIPTION_BYTES))


def read_placed(container: Container, ranges: tuple[ProvenRange, ...]) -> list[tuple[int, bytes]]:
    """Read the entries and give each its position."""
    lines = split_lines(read_file(container, layout.ENTRIES, MAX_LINES_BYTES), layout.ENTRIES)
    count = sum(map(len, ranges))
    if count != len(lines):
        message = f"entries.jsonl has {len(lines)} lines, and ranges have {count} positions"
        raise MalformedError(message)
    positions = (index for item in ranges for index in range(item.start, item.end))
    return list(zip(positions, lines, strict=True))


def read_part_lines(container: Container) -> list[bytes]:
    """Read the parts that are shown."""
    return split_lines(read_file(container, layout.PARTS, MAX_LINES_BYTES), layout.PARTS)


def read_ranges(container: Container) -> tuple[ProvenRange, ...]:
    """Read where the entries stand in the log."""
    return parse_ranges(read_file(container, layout.RANGES, MAX_RANGES_BYTES))


def read_receipt(container: Container, described: DescribedReceipt, subject: Digest) -> Receipt:
    """Read one receipt about `subject`, with the documents beside it."""
    try:
        kind = Kind(described.kind)
    except ValueError as err:
        message = f"receipt {described.name} is of the unknown kind {described.kind[:40]!r}"
        raise MalformedError(message) from err
    beside = [document for name in described.beside for document in _read_beside(container, name)]
    data = read_file(container, described.name, MAX_RECEIPT_BYTES)
    return Receipt(kind, described.authority, subject, data, tuple(beside))


def require_explained(bag: Bag, description: Description) -> None:
    """Refuse, as `MalformedError`, a payload file the description does not account for, or lacks."""
    named = {*layout.PAYLOAD_FILES, *(file.name for file in description.files if file.name)}
    named |= {layout.proof_path(index) for index in description.lineage}
    for stamp in description.stamps:
        named.add(stamp.subject)
        if stamp.size is not None:
            named.add(layout.stamp_path(stamp.size, "consistency"))
        for receipt in stamp.receipts:
            named |= {receipt.name, *receipt.beside}
    if strange := sorted(bag.payload.keys() - named - {layout.FINDINGS}):
        raise MalformedError(say("package.file_unexplained", name=strange[0]))
    if missing := sorted(named - bag.payload.keys()):
        raise MalformedError(say("package.file_missing", name=missing[0]))


def _read_beside(container: Container, name: str) -> list[Beside]:
    suffix = name.rpartition(".")[2]
    data = read_file(container, name, MAX_RECEIPT_BYTES)
    if suffix == "pem":
        return [Beside(Role.CERTIFICATE, der) for der in parse_pem(data)]
    if suffix not in _ROLES:
        message = f"{name} lies beside a receipt and is of no known kind"
        raise MalformedError(message)
    return [Beside(_ROLES[suffix], data)]
