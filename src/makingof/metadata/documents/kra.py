"""Krita's .kra: a zip with an XML tree of layers, the merged picture, and what plug-ins left beside it.

The layout is Krita's own (`libs/ui/kra`), seen in files of Krita 5.1. The document
holds no undo history. Of its making it says: how many seconds it was open for
editing, how often it was saved, two dates without an offset, and a name.
"""

from makingof.containers.source import Source
from makingof.containers.zip import Zip
from makingof.metadata.documents.ai_diffusion import read_ai_history
from makingof.metadata.documents.document import (
    Claim,
    Document,
    Layer,
    LayerKind,
    Picture,
    PictureRole,
)
from makingof.metadata.documents.markup import Node
from makingof.metadata.documents.zipped import Archive

MAINDOC = "maindoc.xml"
_INFO = "documentinfo.xml"

_KINDS = {
    "paintlayer": LayerKind.PAINT,
    "grouplayer": LayerKind.GROUP,
    "adjustmentlayer": LayerKind.ADJUSTMENT,
    "generatorlayer": LayerKind.FILL,
    "clonelayer": LayerKind.CLONE,
    "filelayer": LayerKind.EMBEDDED,
    "shapelayer": LayerKind.VECTOR,
}
_OPAQUE = 255
_ABOUT = {
    "title": "title",
    "description": "description",
    "abstract": "comment",
    "initial-creator": "creator",
    "editing-cycles": "editing_cycles",
    "editing-time": "editing_seconds",
    "date": "modified_at",
    "creation-date": "created_at",
    "keyword": "tool:keyword",
    "subject": "tool:subject",
    "license": "tool:license",
}
_AUTHOR = ("full-name", "creator-first-name", "creator-last-name", "company", "contact")


def read_kra(source: Source, archive: Zip, name: str | None = None) -> Document:
    """Read a Krita document out of its listed archive; what is damaged is said, the rest is read."""
    inside = Archive("kra", source, archive)
    root = inside.xml(MAINDOC)
    image = root.find("IMAGE") if root else None
    if root is not None and image is None:
        inside.hurt(MAINDOC, "no IMAGE in it")
    layers = _layers(image.find("layers"), inside, _folder(image)) if image else ()
    history = read_ai_history(inside)
    editor = root.attributes.get("editor", "Krita").lower() if root else "krita"
    return Document(
        format="kra",
        name=name,
        tool=editor,
        tool_version=root.attributes.get("kritaVersion") if root else None,
        width=image.number("width") if image else None,
        height=image.number("height") if image else None,
        layers=layers,
        composite=inside.picture("mergedimage.png", PictureRole.COMPOSITE),
        pictures=_pictures(inside, history.slots),
        jobs=history.jobs,
        claims=_claims(inside, image) + history.claims,
        readings=history.readings,
        damage=inside.all_damage(),
    )


def _folder(image: Node) -> str:
    """Layers lie in a folder named like the image inside, whatever the file is called."""
    return image.attributes.get("name", "")


def _layers(stack: Node | None, inside: Archive, folder: str) -> tuple[Layer, ...]:
    """Read one stack; Krita writes the topmost layer first."""
    if stack is None:
        return ()
    return tuple(_layer(node, inside, folder) for node in stack.find_all("layer"))


def _layer(node: Node, inside: Archive, folder: str) -> Layer:
    said = node.attributes
    kind = said.get("nodetype") or said.get("layertype", "")
    opacity = said.get("opacity")
    visible = said.get("visible")
    masks = node.find("masks")
    filename = said.get("filename", "")
    member = inside.find(f"{folder}/layers/{filename}") if filename else None
    return Layer(
        name=said.get("name", ""),
        kind=_KINDS.get(kind, LayerKind.OTHER),
        visible=None if visible is None else visible != "0",
        opacity=None if opacity is None else f"{opacity}/{_OPAQUE}",
        blend=said.get("compositeop"),
        id=said.get("uuid"),
        at=node.position(),
        masks=tuple(mask.attributes.get("name", "") for mask in masks.children) if masks else (),
        stored=inside.place(member) if member else None,
        mark=inside.mark(member) if member else None,
        children=_layers(node.find("layers"), inside, folder),
    )


def _claims(inside: Archive, image: Node | None) -> tuple[Claim, ...]:
    info = inside.xml(_INFO) if inside.find(_INFO) else None
    about = info.find("about") if info else None
    author = info.find("author") if info else None
    claims = [
        Claim(_ABOUT[node.tag], node.text, f"{_INFO} about/{node.tag}")
        for node in (about.children if about else ())
        if node.tag in _ABOUT and node.text.strip()
    ]
    claims += [
        Claim(f"tool:author/{node.tag}", node.text, f"{_INFO} author/{node.tag}")
        for node in (author.children if author else ())
        if node.tag in _AUTHOR and node.text.strip()
    ]
    if image and image.attributes.get("description"):
        claims.append(Claim("tool:image description", image.attributes["description"], MAINDOC))
    return tuple(claims)


def _pictures(inside: Archive, slots: frozenset[str]) -> tuple[Picture, ...]:
    """List the preview and every other picture, except the generator's results, which belong to jobs."""
    known = {"mergedimage.png", "preview.png"}
    found = [inside.picture("preview.png", PictureRole.PREVIEW)]
    found += [
        inside.picture(name, PictureRole.REFERENCE)
        for name in inside.pictures()
        if name not in known and name not in slots
    ]
    return tuple(picture for picture in found if picture)
