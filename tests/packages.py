"""Packages of a small, made-up session: entries, parts, pictures and proofs, the same bytes every time."""

import io
import zipfile
from dataclasses import dataclass, field
from typing import Any

from tests.histories import (
    PROGRAM,
    History,
    Said,
    Told,
    job,
    negative,
    note,
    own,
    parameters,
    place,
    prompt,
    reason,
)
from tests.records import a1111_png, png

from makingof.bundle import layout
from makingof.bundle.collect import collect_package
from makingof.bundle.description import Options
from makingof.bundle.manifest import format_manifest
from makingof.bundle.payload import Installation, small_file
from makingof.bundle.request import Request, Sources
from makingof.bundle.write import write_package
from makingof.bundle.zip_writer import write_zip
from makingof.containers.pieces import segments
from makingof.digest import Digest
from makingof.event import Kind
from makingof.keys.signing import SigningKey
from makingof.keys.sshsig import PACKAGE_NAMESPACE, sign_ssh
from makingof.part import (
    FileBody,
    FilePieces,
    Means,
    PartType,
    People,
    Person,
    Piece,
    Pieces,
    Role,
    body_of,
    piece_salt,
)
from makingof.stamp.authority import RemoteAuthority
from makingof.stamp.base import Receipt
from makingof.stamp.kept import keep_receipt, kept_to_facts
from makingof.stamp.local import LocalAuthority
from makingof.tlog import merkle
from makingof.tlog.checkpoint import sign_checkpoint

KEY = SigningKey.from_seed(b"package key of the tests".ljust(32, b"."))
PROMPT = "a crystal pendant in the shape of a cat, moonlight, 水晶吊坠"
NEGATIVE = "blurry hands, watermark"


@dataclass
class Archive:
    """What a package is collected from: a history, the bytes it names, and the log's key."""

    history: History = field(default_factory=lambda: History(seed="package"))
    blobs: dict[Digest, bytes] = field(default_factory=dict)
    key: SigningKey = KEY

    def put(self, data: bytes) -> Digest:
        digest = Digest.of(data)
        self.blobs[digest] = data
        return digest

    # What a log reader answers beside what a history does.

    @property
    def public(self):
        return self.key.public

    def entries(self, start, end):
        return self.history.entries(start, end)

    def parts(self, index):
        return self.history.parts(index)

    def node(self, level: int, index: int) -> bytes:
        if level == 0:
            return self.history.leaf(index)
        return merkle.node_hash(self.node(level - 1, 2 * index), self.node(level - 1, 2 * index + 1))

    def inclusion_proof(self, index, size):
        return merkle.make_inclusion_proof(index, size, self.node)

    def range_proof(self, start, end, size):
        return merkle.make_range_proof(start, end, size, self.node)

    def consistency_proof(self, old, new):
        return merkle.make_consistency_proof(old, new, self.node)

    def checkpoint(self, size: int) -> bytes:
        return sign_checkpoint(merkle.read_head(size, self.node), self.key).to_bytes()

    # Telling.

    def picture(self, data: bytes, role: Role = Role.OUTPUT, *, apart: bool = True) -> list[Said]:
        """A file part as the recorder writes it."""
        digest = self.put(data)
        key = digest.raw[:16].hex() if apart else None
        body = FileBody(
            role=role,
            digest=digest,
            size=len(data),
            media_type="image/png",
            width=8,
            height=8,
            pieces_key=key,
        )
        return [Said(PartType.FILE, body_of(body))]

    def pieces_of(self, data: bytes, file_part: Digest) -> Said:
        key = Digest.of(data).raw[:16]
        pieces = tuple(
            Piece(
                piece.name,
                piece.size_bytes,
                Digest.of(piece_salt(key, number) + data[piece.offset : piece.offset + piece.size_bytes]),
            )
            for number, piece in enumerate(segments(data))
        )
        return Said(PartType.PIECES, body_of(Pieces((FilePieces(file_part, "png", pieces),))))

    def generate(self, data: bytes, *said: Said, **more: Any) -> Told:
        """One picture made by a generator, with its pieces."""
        history = self.history
        file = self.picture(data)[0]
        salts = history._salts
        part = history._salted(file, more.get("means", Means.LIVE))
        history._salts = salts  # told once more, with the same salt, in its event
        return history.tell(Kind.GENERATED, file, self.pieces_of(data, Digest.of(part)), *said, **more)

    def stamp(self, *receipts: Receipt) -> Told:
        """A `stamped` event over everything so far."""
        size = self.history.size()
        note_bytes = self.checkpoint(size)
        kept = [kept_to_facts(keep_receipt(receipt, "checkpoint", self.put)) for receipt in receipts]
        facts = own(
            size=size,
            root=Digest.from_raw(self.history.head().root),
            checkpoint=note_bytes.decode(),
            receipts=kept,
            problems=[],
        )
        return self.history.tell(Kind.STAMPED, facts, means=Means.OWN, source=PROGRAM)

    def sources(self, **bent: Any) -> Sources:
        given = {
            "log": self,
            "graph": self.history.graph(),
            "checkpoint": self.checkpoint,
            "open_blob": self.open_blob,
            "stamped": [told.position for told in self.history.told if self.kind(told) is Kind.STAMPED],
            "make_preview": lambda data: b"\xff\xd8\xffpreview of " + str(len(data)).encode(),
            "has_pixel_data": lambda _: False,
        }
        return Sources(**{**given, **bent})

    def open_blob(self, digest: Digest):
        data = self.blobs.get(digest)
        return None if data is None else io.BytesIO(data)

    def kind(self, told: Told) -> Kind:
        return self.history.entry_at(told.position).kind

    def sign(self, manifest: bytes) -> bytes:
        return sign_ssh(self.key, manifest, PACKAGE_NAMESPACE)

    def package(self, *pictures: Digest, size: int | None = None, **options: Any) -> bytes:
        """The package of `pictures`, as bytes."""
        return self.write(Request(pictures, size or self.history.size(), Options(**options)))

    def write(self, request: Request, *, installation: Installation | None = None, **bent: Any) -> bytes:
        out = io.BytesIO()
        package = collect_package(self.sources(**bent), request)
        write_package(out, package, sign=self.sign, installation=installation)
        return out.getvalue()


@dataclass
class Session:
    """A session with a brief, two jobs, a rejection, a choice and an edit, and where its pictures are."""

    archive: Archive
    chosen: Told
    other: Told
    final: Digest


def make_session(archive: Archive | None = None) -> Session:
    """Tell the session."""
    archive = archive or Archive()
    history = archive.history
    people = People((Person(id="a1", name="A. Person", role="owner"),))
    history.tell(
        Kind.ENROLLED,
        own(log_key=archive.public.vkey, recovery=None, previous=None),
        Said(PartType.PEOPLE, body_of(people)),
        means=Means.OWN,
        source=PROGRAM,
    )
    history.brief("pendant", "a cat that shines")
    history.open("run")
    said = [
        prompt(PROMPT),
        negative(NEGATIVE),
        parameters(seed="1234567890", steps="20"),
        job("job-1"),
        place("/home/a/out/a.png"),
    ]
    first = archive.generate(a1111_png(PROMPT, NEGATIVE, seed=1), *said, stream="run")
    second = archive.generate(
        a1111_png(PROMPT, NEGATIVE, seed=2, colour=(10, 90, 160)), prompt(PROMPT), job("job-2"), stream="run"
    )
    history.close("run")
    history.reject(second.file(), among=[first.file(), second.file()], said=[reason("the eyes are wrong")])
    history.keep(first.file(), among=[first.file(), second.file()], said=[reason("light on the stone")])
    edited = png(width=8, height=8, colour=(200, 10, 10))
    file = archive.picture(edited, Role.FINAL)[0]
    done = history.tell(
        Kind.EDITED, file, note("darker background"), cites=[first], actor="a1", source=PROGRAM
    )
    history.keep(done.file(), final=True)
    return Session(archive, first, second, done.file())


def ask(authority: LocalAuthority, message: bytes) -> Receipt:
    """Have `message` stamped by an authority in this process, as over the wire."""
    trusted = authority.authority("http://127.0.0.1/")
    return RemoteAuthority(trusted, lambda _, query, **__: authority.respond(query), None).request(message)


def unpack(package: bytes) -> dict[str, bytes]:
    """A package's files by name, as any zip program unpacks them."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}


def sealed_again(files: dict[str, bytes], key: SigningKey = KEY) -> dict[str, bytes]:
    """The files with manifests and signature made anew: what an owner who lies would hand over."""
    payload = {name: data for name, data in files.items() if name.startswith("data/")}
    manifest = format_manifest({name: Digest.of(data).hex for name, data in payload.items()})
    tags = {name: data for name, data in files.items() if name not in payload and name != layout.TAG_MANIFEST}
    tags |= {layout.MANIFEST: manifest, layout.SIGNATURE: sign_ssh(key, manifest, PACKAGE_NAMESPACE)}
    tag_manifest = format_manifest({name: Digest.of(data).hex for name, data in tags.items()})
    return {**payload, **tags, layout.TAG_MANIFEST: tag_manifest}


def packed(files: dict[str, bytes], base: str = "makingof-0000000000000000/") -> bytes:
    """Put files into a zip as makingof does."""
    out = io.BytesIO()
    write_zip(out, [small_file(base + name, files[name]) for name in sorted(files)])
    return out.getvalue()
