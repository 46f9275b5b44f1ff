"""Procreate's .procreate: a zip with an object archive, tiles of the layers, and a time-lapse.

The format is not published. The layout was learned from the source of public
viewers (jaromvogel/ProcreateViewer, redstrate/procreate-viewer and relatives); no
genuine file was to be had. Tiles are LZO-packed and stay so.
"""

import re
import zlib
from collections.abc import Iterator
from typing import Any

from makingof.containers.source import Source
from makingof.containers.zip import Zip
from makingof.errors import MalformedError
from makingof.metadata.documents.document import Claim, Document, Layer, LayerKind, PictureRole, Recording
from makingof.metadata.documents.keyed_archive import MAX_ARCHIVE_BYTES, KeyedArchive
from makingof.metadata.documents.zipped import Archive

ARCHIVE = "Document.archive"
MAX_LAYERS = 20_000
MAX_DEPTH = 100
_THUMBNAIL = "QuickLook/Thumbnail.png"
_SEGMENT = re.compile(r"video/segments/segment-(\d{1,9})\.(mp4|mov|m4v)", re.IGNORECASE)
_SIZE = re.compile(r"\{(\d{1,9}), ?(\d{1,9})\}")
_GROUP = "SilicaGroup"

_CLAIMS = {
    "name": "title",
    "authorName": "creator",
    "strokeCount": "strokes",
    "SilicaDocumentTrackedTimeKey": "editing_seconds",
    "videoEnabled": "recording_enabled",
    "SilicaDocumentVideoPurgedKey": "recording_purged",
    "orientation": "tool:orientation",
    "SilicaDocumentArchiveDPIKey": "tool:dpi",
    "videoResolutionKey": "tool:videoResolutionKey",
    "videoQualityKey": "tool:videoQualityKey",
    "version": "tool:version",
}


def read_procreate(source: Source, archive: Zip, name: str | None = None) -> Document:
    """Read a Procreate document out of its listed archive; what is damaged is said, the rest is read."""
    inside = Archive("procreate", source, archive)
    objects = _objects(inside)
    width, height = _size(objects)
    known = {_THUMBNAIL}
    pictures = [inside.picture(_THUMBNAIL, PictureRole.PREVIEW)]
    pictures += [
        inside.picture(other, PictureRole.REFERENCE) for other in inside.pictures() if other not in known
    ]
    return Document(
        format="procreate",
        name=name,
        tool="procreate",
        width=width,
        height=height,
        layers=_LayerReader(objects, inside).layers() if objects else (),
        pictures=tuple(picture for picture in pictures if picture),
        claims=tuple(_claims(objects)) if objects else (),
        recordings=_recordings(inside),
        damage=inside.all_damage(),
    )


def _objects(inside: Archive) -> KeyedArchive | None:
    data = inside.unpack(ARCHIVE, limit_bytes=MAX_ARCHIVE_BYTES)
    if data is None:
        return None
    try:
        objects = KeyedArchive.parse(data)
    except MalformedError as err:
        inside.hurt(ARCHIVE, err)
        return None
    if not isinstance(objects.root, dict):
        inside.hurt(ARCHIVE, "has no document in it")
        return None
    return objects


def _size(objects: KeyedArchive | None) -> tuple[int | None, int | None]:
    """Read the canvas as it lies in the file, before the document's orientation turns it."""
    said = objects.get(objects.root, "size") if objects else None
    found = _SIZE.fullmatch(said) if isinstance(said, str) else None
    return (int(found[1]), int(found[2])) if found else (None, None)


def _claims(objects: KeyedArchive) -> Iterator[Claim]:
    for key, claim in _CLAIMS.items():
        value = objects.get(objects.root, key)
        text = _spell(value)
        if text is not None:
            yield Claim(claim, text, f"{ARCHIVE} {key}")


def _spell(value: Any) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return repr(value)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else None


def _recordings(inside: Archive) -> tuple[Recording, ...]:
    """List the time-lapse's pieces by number; a number that is missing shows by its gap."""
    found = []
    for name in inside.names():
        member = inside.find(name)
        segment = _SEGMENT.fullmatch(name)
        if segment and member:
            media_type = "video/quicktime" if segment[2].lower() == "mov" else "video/mp4"
            found.append(Recording(int(segment[1]), inside.place(member), media_type, member.size_bytes))
    return tuple(sorted(found, key=lambda recording: recording.number))


class _LayerReader:
    """Follows the tree of layers once; an archive whose objects hold each other in a ring is cut."""

    def __init__(self, objects: KeyedArchive, inside: Archive) -> None:
        self._objects = objects
        self._inside = inside
        self._count = 0
        self._marks = _tile_marks(inside)

    def layers(self) -> tuple[Layer, ...]:
        """Return the tree, or the flat list of old documents; Procreate lists the topmost layer first."""
        root = self._objects.root
        listed = self._objects.entries(root, "unwrappedLayers") or self._objects.entries(root, "layers")
        return self._branch(listed, 1)

    def _branch(self, listed: list[Any], depth: int) -> tuple[Layer, ...]:
        layers = []
        for reference in listed:
            holder = self._objects.follow(reference)
            if not isinstance(holder, dict):
                self._inside.hurt(ARCHIVE, "a layer is not there")
                continue
            self._count += 1
            if self._count > MAX_LAYERS or depth > MAX_DEPTH:
                self._inside.hurt(ARCHIVE, f"more than {MAX_LAYERS} layers or {MAX_DEPTH} groups in groups")
                break
            layers.append(self._layer(holder, depth))
        return tuple(layers)

    def _layer(self, holder: dict[str, Any], depth: int) -> Layer:
        is_group = self._objects.class_name(holder) == _GROUP or "children" in holder
        identity = _spell(self._objects.get(holder, "UUID"))
        hidden = self._objects.get(holder, "isHidden" if is_group else "hidden")
        blend = self._objects.get(holder, "extendedBlend")
        if blend is None:
            blend = self._objects.get(holder, "blend")
        return Layer(
            name=_spell(self._objects.get(holder, "name")) or "",
            kind=self._kind(holder, is_group=is_group),
            visible=None if hidden is None else not hidden,
            opacity=_spell(self._objects.get(holder, "opacity")),
            blend=_spell(blend),
            id=identity,
            masks=("",) if self._objects.get(holder, "mask") is not None else (),
            mark=self._marks.get(identity or ""),
            children=self._branch(self._objects.entries(holder, "children"), depth + 1) if is_group else (),
        )

    def _kind(self, holder: dict[str, Any], *, is_group: bool) -> LayerKind:
        if is_group:
            return LayerKind.GROUP
        if self._objects.get(holder, "text") is not None:
            return LayerKind.TEXT
        return LayerKind.PAINT


def _tile_marks(inside: Archive) -> dict[str, str]:
    """Sum up the directory's check sums of each layer's tiles, which lie in a folder named like its id."""
    sums: dict[str, tuple[int, int]] = {}
    for name in sorted(inside.names()):
        folder, _, tile = name.rpartition("/")
        member = inside.find(name)
        if member and tile.endswith((".chunk", ".lz4")):
            checked, count = sums.get(folder, (0, 0))
            line = f"{tile} {member.crc32:08x} {member.size_bytes}\n".encode("utf-8", "replace")
            sums[folder] = zlib.crc32(line, checked), count + 1
    return {folder: f"tiles:{checked:08x}/{count}" for folder, (checked, count) in sums.items()}
