"""A .procreate, synthesised: the layout is that of public viewers' source, no genuine file was at hand."""

import plistlib
from plistlib import UID
from uuid import UUID

from tests.documents.drawing import DRAWING, HEIGHT, WIDTH, Drawn, merged, png
from tests.documents.zipped import write_zip

SEGMENTS = {number: b"\0\0\0\x18ftypmp42 segment " + bytes([number]) * 60 for number in (1, 2, 10)}


class _Table:
    """The objects of a keyed archive; the first is the null object."""

    def __init__(self) -> None:
        self.objects: list[object] = ["$null"]
        self._classes: dict[str, UID] = {}

    def add(self, value) -> UID:
        self.objects.append(value)
        return UID(len(self.objects) - 1)

    def of_class(self, name: str) -> UID:
        if name not in self._classes:
            self._classes[name] = self.add({"$classname": name, "$classes": [name, "NSObject"]})
        return self._classes[name]

    def array(self, references) -> UID:
        return self.add({"NS.objects": list(references), "$class": self.of_class("NSMutableArray")})


def write_procreate(layers=DRAWING, *, archive=None, segments=SEGMENTS, without=(), **said) -> bytes:
    members = [
        ("Document.archive", keyed_archive(layers, **said) if archive is None else archive),
        ("QuickLook/Thumbnail.png", png(merged().resize((48, 40)))),
        *((f"video/segments/segment-{number}.mp4", data) for number, data in segments.items()),
        *((f"{uuid(drawn)}/0~0.chunk", b"LZO" + drawn.name.encode()) for drawn in _leaves(layers)),
    ]
    return write_zip([member for member in members if member[0] not in without])


def uuid(drawn: Drawn) -> str:
    return str(UUID(int=drawn.id)).upper()


def keyed_archive(layers=DRAWING, *, tree=True, **said) -> bytes:
    table = _Table()
    root: dict[str, object] = {}
    top = table.add(root)
    key = "unwrappedLayers" if tree else "layers"
    root |= {
        "$class": table.of_class("SilicaDocument"),
        "size": table.add(f"{{{WIDTH}, {HEIGHT}}}"),
        "name": table.add("猫 cat"),
        "authorName": UID(0),
        "strokeCount": table.add(1423),
        "SilicaDocumentTrackedTimeKey": 5421.25,
        "videoEnabled": True,
        "SilicaDocumentVideoPurgedKey": False,
        "orientation": 1,
        "version": 1,
        key: table.array(_layer(table, drawn) for drawn in layers),
    }
    root |= said
    return plistlib.dumps(
        {
            "$version": 100000,
            "$archiver": "NSKeyedArchiver",
            "$top": {"root": top},
            "$objects": table.objects,
        },
        fmt=plistlib.FMT_BINARY,
    )


def _layer(table: _Table, drawn: Drawn) -> UID:
    if drawn.children is not None:
        return table.add(
            {
                "$class": table.of_class("SilicaGroup"),
                "name": table.add(drawn.name),
                "isHidden": not drawn.visible,
                "opacity": drawn.opacity / 255,
                "children": table.array(_layer(table, child) for child in drawn.children),
            }
        )
    return table.add(
        {
            "$class": table.of_class("SilicaLayer"),
            "name": table.add(drawn.name),
            "UUID": table.add(uuid(drawn)),
            "hidden": not drawn.visible,
            "opacity": drawn.opacity / 255,
            "blend": 0,
            "extendedBlend": 0,
            "mask": UID(0) if drawn.mask is None else table.add({"$class": table.of_class("SilicaLayer")}),
        }
    )


def _leaves(layers):
    for drawn in layers:
        if drawn.children is None:
            yield drawn
        else:
            yield from _leaves(drawn.children)
