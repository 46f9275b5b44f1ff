"""OpenRaster, after the specification 0.0.6 (freedesktop.org): a zip with `stack.xml` and a PNG per layer.

The format has no place for a program's name, a date or a history; what a program
writes there all the same is not read.
"""

from makingof.containers.source import Source
from makingof.containers.zip import Zip
from makingof.metadata.documents.document import Document, Layer, LayerKind, PictureRole
from makingof.metadata.documents.markup import Node
from makingof.metadata.documents.zipped import Archive

STACK = "stack.xml"
_COMPOSITE = "mergedimage.png"
_THUMBNAIL = "Thumbnails/thumbnail.png"
_KINDS = {"layer": LayerKind.PAINT, "stack": LayerKind.GROUP, "text": LayerKind.TEXT}


def read_ora(source: Source, archive: Zip, name: str | None = None) -> Document:
    """Read an OpenRaster document out of its listed archive; what is damaged is said, the rest is read."""
    inside = Archive("ora", source, archive)
    image = inside.xml(STACK)
    if image is not None and image.tag != "image":
        inside.hurt(STACK, f"begins with {image.tag!r} instead of image")
    root = image.find("stack") if image else None
    layers = _layers(root, inside) if root else ()
    entries = [entry for layer in layers for entry in layer.walk()]
    known = {_COMPOSITE, _THUMBNAIL} | {entry.stored.locator.place for entry in entries if entry.stored}
    pictures = [inside.picture(_THUMBNAIL, PictureRole.PREVIEW)]
    pictures += [
        inside.picture(other, PictureRole.REFERENCE) for other in inside.pictures() if other not in known
    ]
    return Document(
        format="ora",
        name=name,
        width=image.number("w") if image else None,
        height=image.number("h") if image else None,
        layers=layers,
        composite=inside.picture(_COMPOSITE, PictureRole.COMPOSITE),
        pictures=tuple(picture for picture in pictures if picture),
        damage=inside.all_damage(),
    )


def _layers(stack: Node, inside: Archive) -> tuple[Layer, ...]:
    """Read one stack, whose first entry is the topmost one."""
    return tuple(_layer(node, inside) for node in stack.children if node.tag in _KINDS)


def _layer(node: Node, inside: Archive) -> Layer:
    """Read one entry. Visibility has a default in the specification; opacity is only quoted."""
    said = node.attributes
    source = said.get("src", "")
    member = inside.find(source) if source else None
    if source and member is None:
        inside.hurt(source, "is named by a layer and not in the archive")
    return Layer(
        name=said.get("name", ""),
        kind=_KINDS[node.tag],
        visible=said.get("visibility", "visible") == "visible",
        opacity=said.get("opacity"),
        blend=said.get("composite-op"),
        at=node.position(),
        stored=inside.place(member) if member else None,
        mark=inside.mark(member) if member else None,
        children=_layers(node, inside) if node.tag == "stack" else (),
    )
