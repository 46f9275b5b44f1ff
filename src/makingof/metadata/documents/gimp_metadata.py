"""`gimp-image-metadata`: Exif, IPTC and XMP of the picture a GIMP image was made from.

GIMP keeps them as XML, one element per tag under the tag's Exiv2 name. Bytes stand
there as decimal numbers ("85 78 73 …"), some values as base64. What a generator
wrote into a JPEG's comment thus survives in the XCF, two encodings deep.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from makingof.containers.exif_text import decode_user_comment
from makingof.errors import MalformedError
from makingof.metadata.documents.document import Claim, Damage, History, Step
from makingof.metadata.documents.markup import parse_xml
from makingof.metadata.documents.xmp_history import MAX_STEPS
from makingof.metadata.record import Record, text_field
from makingof.reading import Field, Reading, State

METADATA = "gimp-image-metadata"
READER = "gimp-metadata/1"
MAX_TAGS = 20_000

_DECIMALS = re.compile(r"\d{1,3}( \d{1,3})*")
_STEP = re.compile(r"Xmp\.xmpMM\.History\[(\d{1,6})\]/stEvt:(\w+)")
_ANCESTOR = re.compile(r"Xmp\.photoshop\.DocumentAncestors(\[\d+\])?")
_GIMP = re.compile(r"GIMP\b", re.IGNORECASE)
_RECORD_TAGS = ("Exif.Photo.UserComment", "Exif.Image.UserComment", "Exif.Image.ImageDescription")
_CLAIMS = {
    "Exif.Photo.DateTimeOriginal": "tool:DateTimeOriginal",
    "Exif.Image.DateTime": "modified_at",
    "Xmp.xmp.CreateDate": "created_at",
    "Xmp.xmp.ModifyDate": "modified_at",
    "Xmp.xmp.CreatorTool": "tool:CreatorTool",
    "Exif.Image.Software": "tool:Software",
    "Exif.Image.Artist": "creator",
    "Xmp.dc.title": "title",
    "Xmp.dc.creator": "creator",
    "Xmp.dc.description": "description",
}


class GimpPast(NamedTuple):
    """What the metadata says; `records` are those a generator may have written."""

    records: tuple[Record, ...] = ()
    readings: tuple[Reading, ...] = ()
    history: History = History()
    claims: tuple[Claim, ...] = ()
    tool_version: str | None = None
    damage: tuple[Damage, ...] = ()


def read_gimp_metadata(records: Iterable[Record]) -> GimpPast:
    """Read the parasite among `records`; without one nothing is said."""
    parasite = next((record for record in records if record.key == METADATA), None)
    if parasite is None:
        return GimpPast()
    try:
        root = parse_xml(parasite.raw.rstrip(b"\0"))
    except MalformedError as err:
        broken = Reading("gimp", parasite.locator, State.UNREADABLE, parasite.raw, reader=READER)
        return GimpPast(readings=(broken,), damage=(Damage(parasite.place, str(err)),))
    tags: dict[str, str] = {}
    damage: list[Damage] = []
    for node in list(root.find_all("tag"))[:MAX_TAGS]:
        tag = node.attributes.get("name", "")
        try:
            tags.setdefault(tag, _plain(node.text, node.attributes.get("encoding")))
        except MalformedError as err:
            damage.append(Damage(f"{parasite.place} {tag}", str(err)))
    return GimpPast(
        records=tuple(_records(tags, parasite)),
        readings=(_reading(tags, parasite),),
        history=_history(tags, parasite.place),
        claims=tuple(_claims(tags, parasite.place)),
        tool_version=_version(tags),
        damage=tuple(damage),
    )


def _plain(text: str, encoding: str | None) -> str:
    if encoding != "base64":
        return text
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError) as err:
        message = f"value is no base64: {err}"
        raise MalformedError(message) from err


def _records(tags: dict[str, str], parasite: Record) -> Iterator[Record]:
    """Make of some tags the records they were in the picture, for the readers of generators."""
    for tag in _RECORD_TAGS:
        value = tags.get(tag)
        if value is None:
            continue
        key = tag.rpartition(".")[2]
        place = f"{parasite.place} {tag}"
        raw = _bytes(value)
        if raw is None:
            yield Record("xcf", place, key, value.encode("utf-8", "replace"), value, None, "utf-8")
        else:
            text, rule = decode_user_comment(raw)
            yield Record("xcf", place, key, raw, text, None, rule)


def _bytes(value: str) -> bytes | None:
    """Undo the spelling of bytes as decimal numbers; a text is no such spelling."""
    if len(value) < 8 or not _DECIMALS.fullmatch(value):  # noqa: PLR2004 - a character code has 8 bytes
        return None
    numbers = [int(number) for number in value.split()]
    return bytes(numbers) if max(numbers) < 256 else None  # noqa: PLR2004 - bytes


def _reading(tags: dict[str, str], parasite: Record) -> Reading:
    """Keep every tag: what is no record of a generator may still matter."""
    fields: dict[str, Field] = {
        f"tool:{tag}": text_field(value, f"{parasite.place} {tag}") for tag, value in tags.items()
    }
    return Reading("gimp", parasite.locator, State.PRESENT, parasite.raw, fields, reader=READER)


def _claims(tags: dict[str, str], place: str) -> Iterator[Claim]:
    for tag, claim in _CLAIMS.items():
        if tags.get(tag):
            yield Claim(claim, tags[tag], f"{place} {tag}")


def _history(tags: dict[str, str], place: str) -> History:
    steps: dict[int, dict[str, str]] = {}
    for tag, value in tags.items():
        found = _STEP.fullmatch(tag)
        if found and len(steps) < MAX_STEPS:
            steps.setdefault(int(found[1]), {})[found[2]] = value
    return History(
        steps=tuple(
            Step(
                action=said.get("action"),
                when=said.get("when"),
                agent=said.get("softwareAgent"),
                instance=said.get("instanceID"),
                changed=said.get("changed"),
                parameters=said.get("parameters"),
                source=f"{place} History[{number}]",
            )
            for number, said in sorted(steps.items())
        ),
        log=tags.get("Xmp.photoshop.History"),
        document_id=tags.get("Xmp.xmpMM.DocumentID"),
        original_id=tags.get("Xmp.xmpMM.OriginalDocumentID"),
        instance_id=tags.get("Xmp.xmpMM.InstanceID"),
        derived_from=_derived_from(tags),
        ancestors=tuple(value for tag, value in tags.items() if value and _ANCESTOR.fullmatch(tag)),
    )


def _derived_from(tags: dict[str, str]) -> tuple[str, ...]:
    names = ("documentID", "instanceID", "originalDocumentID")
    found = (tags.get(f"Xmp.xmpMM.DerivedFrom/stRef:{name}") for name in names)
    return tuple(value for value in found if value)


def _version(tags: dict[str, str]) -> str | None:
    """GIMP's own name and version, where it has put them: `GIMP 2.10`."""
    makers = (tags.get("Xmp.xmp.CreatorTool"), tags.get("Exif.Image.Software"))
    return next((maker for maker in makers if maker and _GIMP.match(maker)), None)
