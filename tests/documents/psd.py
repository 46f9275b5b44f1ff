"""A writer of PSD and PSB after Adobe's specification, small and complete enough for other programs."""

import struct

from tests.documents.drawing import DRAWING, HEIGHT, WIDTH, Drawn, merged

XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/"
 xmlns:stEvt="http://ns.adobe.com/xap/1.0/sType/ResourceEvent#" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
 xmlns:stRef="http://ns.adobe.com/xap/1.0/sType/ResourceRef#"
 xmp:CreatorTool="Adobe Photoshop 26.1 (Windows)" xmp:CreateDate="2026-03-01T10:00:00+08:00"
 xmp:ModifyDate="2026-03-01T11:30:00+08:00" xmpMM:DocumentID="xmp.did:two" xmpMM:InstanceID="xmp.iid:three"
 xmpMM:OriginalDocumentID="xmp.did:one" photoshop:History="2026-03-01&#9;打开 a.png&#10;画笔工具">
<xmpMM:DerivedFrom stRef:documentID="xmp.did:one" stRef:instanceID="xmp.iid:one"/>
<xmpMM:History><rdf:Seq>
<rdf:li stEvt:action="created" stEvt:instanceID="xmp.iid:one" stEvt:when="2026-03-01T10:00:00+08:00"
 stEvt:softwareAgent="Adobe Photoshop 26.1 (Windows)"/>
<rdf:li stEvt:action="saved" stEvt:instanceID="xmp.iid:three" stEvt:when="2026-03-01T11:30:00+08:00"
 stEvt:softwareAgent="Adobe Photoshop 26.1 (Windows)" stEvt:changed="/"/>
</rdf:Seq></xmpMM:History>
<photoshop:DocumentAncestors><rdf:Bag><rdf:li>xmp.did:pasted</rdf:li><rdf:li>0A1B2C</rdf:li></rdf:Bag>
</photoshop:DocumentAncestors>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>""".encode()

GROUP_END = "</Layer group>"


def write_psd(
    layers=DRAWING,
    *,
    big=False,
    depth=8,
    xmp=XMP,
    thumbnail=b"",
    real_composite=True,
    resources=(),
    blocks=(),
    trailing_null=False,
) -> bytes:
    """Return a whole document; at 16 bits the layers lie in the block Lr16, as Photoshop writes them."""
    made = (
        [*resources, (1057, version_info(real=real_composite)), (1060, xmp)]
        if xmp is not None
        else [*resources]
    )
    if thumbnail:
        head = struct.pack(">6I2H", 1, 16, 16, 48, 768, len(thumbnail), 24, 1)
        made.append((1036, head + thumbnail))
    head = struct.pack(">4sH6xHIIHH", b"8BPS", 2 if big else 1, 4, HEIGHT, WIDTH, depth, 3)
    content = b"".join(resource(number, data) for number, data in made)
    return b"".join(
        (
            head,
            struct.pack(">I", 0),
            struct.pack(">I", len(content)) + content,
            layer_section(layers, big=big, depth=depth, blocks=blocks, trailing_null=trailing_null),
            composite(depth),
        )
    )


def version_info(*, real: bool) -> bytes:
    writer, reader = "Adobe Photoshop\0", "Adobe Photoshop 2026\0"
    return (
        struct.pack(">IB", 1, real)
        + struct.pack(">I", len(writer)) + writer.encode("utf-16-be")
        + struct.pack(">I", len(reader)) + reader.encode("utf-16-be")
        + struct.pack(">I", 1)
    )  # fmt: skip


def resource(number: int, data: bytes, signature=b"8BIM") -> bytes:
    return signature + struct.pack(">HHI", number, 0, len(data)) + data + b"\0" * (len(data) % 2)


def block(key: bytes, data: bytes, *, big=False, align=1) -> bytes:
    """One tagged block; in a PSB the length of the large ones has 64 bits."""
    wide = big and key in (b"Lr16", b"Lr32", b"Layr", b"lnk2", b"LMsk", b"Mt16")
    return (
        b"8BIM" + key + struct.pack(">Q" if wide else ">I", len(data)) + data + b"\0" * (-len(data) % align)
    )


def layer_section(layers, *, big=False, depth=8, blocks=(), trailing_null=False) -> bytes:
    info = layer_info(layers, big=big, depth=depth, trailing_null=trailing_null)
    length = ">Q" if big else ">I"
    extra = b"".join(block(key, data, big=big, align=4) for key, data in blocks)
    if depth == 8:
        content = struct.pack(length, len(info)) + info + struct.pack(">I", 0) + extra
    else:
        deep = block(b"Lr16", info, big=big, align=4)
        content = struct.pack(length, 0) + struct.pack(">I", 0) + deep + extra
    return struct.pack(length, len(content)) + content


def layer_info(layers, *, big=False, depth=8, trailing_null=False) -> bytes:
    records, pixels = [], []
    for drawn, divider in _from_the_bottom(layers):
        record, packed = _record(drawn, divider, big=big, depth=depth, trailing_null=trailing_null)
        records.append(record)
        pixels.append(packed)
    info = struct.pack(">h", len(records)) + b"".join(records) + b"".join(pixels)
    return info + b"\0" * (-len(info) % 4)


def _from_the_bottom(layers):
    """Yield layers as the file has them: a group's end first, then what is in it, then its head."""
    for drawn in reversed(layers):
        if drawn.children is None:
            yield drawn, 0
            continue
        yield Drawn(GROUP_END, size=(0, 0)), 3
        yield from _from_the_bottom(drawn.children)
        yield Drawn(drawn.name, size=(0, 0), visible=drawn.visible, opacity=drawn.opacity, id=drawn.id), 1


def _record(drawn: Drawn, divider: int, *, big: bool, depth: int, trailing_null: bool):
    width, height = drawn.size
    left, top = drawn.at
    sample = depth // 8
    channels = []
    for number, value in zip((-1, 0, 1, 2), (drawn.colour[3], *drawn.colour[:3]), strict=True):
        packed = struct.pack(">H", 0) + bytes([value]) * (width * height * sample)
        channels.append((number, packed))
    shape = ">hQ" if big else ">hI"
    lengths = b"".join(struct.pack(shape, number, len(packed)) for number, packed in channels)
    head = struct.pack(">4iH", top, left, top + height, left + width, len(channels)) + lengths
    flags = 0 if drawn.visible else 2
    mask = struct.pack(">4iBB2x", 0, 0, 0, 0, 0, 0) if drawn.mask is not None else b""
    name = drawn.name.encode("ascii", "replace")[:255]
    old = bytes([len(name)]) + name
    old += b"\0" * (-len(old) % 4)
    extra = struct.pack(">I", len(mask)) + mask + struct.pack(">I", 0) + old
    text = drawn.name + ("\0" if trailing_null else "")
    extra += block(
        b"luni", struct.pack(">I", len(text.encode("utf-16-be")) // 2) + text.encode("utf-16-be"), align=2
    )
    if drawn.id:
        extra += block(b"lyid", struct.pack(">I", drawn.id))
        extra += block(b"shmd", layer_time(1_772_330_400.5 + drawn.id))
    if divider:
        extra += block(b"lsct", struct.pack(">I", divider))
    blend = struct.pack(">4s4sBBBB", b"8BIM", b"norm", drawn.opacity, 0, flags, 0)
    return head + blend + struct.pack(">I", len(extra)) + extra, b"".join(packed for _, packed in channels)


def layer_time(seconds: float) -> bytes:
    """The descriptor Photoshop keeps with a layer, holding one double."""
    descriptor = struct.pack(">IIHI8sI", 16, 1, 0, 0, b"metadata"[:4] + b"\0\0\0\1", 9)
    descriptor += b"layerTime" + b"doub" + struct.pack(">d", seconds)
    return struct.pack(">I4s4sB3xI", 1, b"8BIM", b"cust", 0, len(descriptor)) + descriptor


def composite(depth: int) -> bytes:
    """The merged picture, channel by channel, not packed."""
    planes = [plane.tobytes() for plane in merged().split()]
    return struct.pack(">H", 0) + b"".join(
        bytes(b for b in plane for _ in range(depth // 8)) for plane in planes
    )
