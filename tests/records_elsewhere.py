"""Records outside PNG text chunks, by their writers' rules: EXIF, XMP, JPEG, WebP, GIF, AVIF, hidden bits."""

import gzip
import hashlib
import io
import json
import struct
from collections.abc import Iterable, Mapping
from xml.sax.saxutils import escape

from PIL import Image

# EXIF, as piexif and Pillow lay it out: IFD0, then the Exif IFD, then the values.

USER_COMMENT = 0x9286
SUB_IFD = 0x8769


def exif(
    tags: Mapping[int, bytes],
    sub_tags: Mapping[int, bytes] | None = None,
    *,
    order: str = ">",
    kinds: Mapping[int, int] | None = None,
) -> bytes:
    """A TIFF block; values are given as bytes, typed ASCII (2), `UserComment` 7, or what `kinds` says."""
    kinds = {USER_COMMENT: 7} | dict(kinds or {})
    first = dict(tags)
    if sub_tags:
        first[SUB_IFD] = b""
    body = b"II*\0" if order == "<" else b"MM\0*"
    body += struct.pack(order + "I", 8)
    sub_at = 8 + 2 + 12 * len(first) + 4
    first_values_at = sub_at + ((2 + 12 * len(sub_tags) + 4) if sub_tags else 0)
    ifd, values = _ifd(first, first_values_at, order, kinds, sub_at)
    if not sub_tags:
        return body + ifd + values
    sub, sub_values = _ifd(sub_tags, first_values_at + len(values), order, kinds, 0)
    return body + ifd + sub + values + sub_values


def _ifd(tags, values_at, order, kinds, sub_at):
    ifd, values = struct.pack(order + "H", len(tags)), b""
    for tag, value in sorted(tags.items()):
        if tag == SUB_IFD:
            ifd += struct.pack(order + "HHII", tag, 4, 1, sub_at)
            continue
        kind = kinds.get(tag, 2)
        count = len(value) // {3: 2, 5: 8}.get(kind, 1)
        if len(value) <= 4:
            ifd += struct.pack(order + "HHI", tag, kind, count) + value.ljust(4, b"\0")
        else:
            ifd += struct.pack(order + "HHII", tag, kind, count, values_at + len(values))
            values += value
    return ifd + struct.pack(order + "I", 0), values


def comment_utf16(text: str, order: str = "be") -> bytes:
    """A `UserComment` in two-byte letters, as piexif (`be`) or ImageSharp (`le`) writes it."""
    return b"UNICODE\0" + text.encode(f"utf-16-{order}", "surrogatepass")


def comment_exif(text: str, order: str = "be") -> bytes:
    """The EXIF block of A1111 and its kin: one `UserComment` in the Exif IFD."""
    return exif({}, {USER_COMMENT: comment_utf16(text, order)})


# JPEG.


def jpeg_segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def jpeg(*segments: bytes, width: int = 16, height: int = 16) -> bytes:
    """A real JPEG with `segments` put behind its start of image."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), (90, 60, 30)).save(out, "JPEG")
    plain = out.getvalue()
    return plain[:2] + b"".join(segments) + plain[2:]


def exif_segment(block: bytes) -> bytes:
    return jpeg_segment(0xE1, b"Exif\0\0" + block)


def xmp_segment(packet: bytes) -> bytes:
    return jpeg_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + packet)


def extended_xmp(packet: bytes, part_bytes: int = 1000) -> tuple[str, list[bytes]]:
    """The GUID of an extended packet and its segments, in order."""
    guid = hashlib.md5(packet, usedforsecurity=False).hexdigest().upper()
    head = b"http://ns.adobe.com/xmp/extension/\0" + guid.encode()
    parts = [packet[at : at + part_bytes] for at in range(0, len(packet), part_bytes)]
    offsets = range(0, len(packet), part_bytes)
    return guid, [
        jpeg_segment(0xE1, head + struct.pack(">II", len(packet), at) + part)
        for at, part in zip(offsets, parts, strict=True)
    ]


# WebP.


def riff_chunk(kind: bytes, payload: bytes) -> bytes:
    return struct.pack("<4sI", kind, len(payload)) + payload + b"\0" * (len(payload) & 1)


def webp(*chunks: bytes, lossless: bool = False, image: Image.Image | None = None) -> bytes:
    """A real WebP in extended form, with `chunks` behind its pixels."""
    image = image or Image.new("RGB", (16, 16), (90, 60, 30))
    out = io.BytesIO()
    image.save(out, "WEBP", lossless=lossless, exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0", exact=True)
    body = out.getvalue()[12:]
    kept = []
    while body:
        size = 8 + int.from_bytes(body[4:8], "little") + (body[4] & 1)
        if body[:4] != b"EXIF":
            kept.append(body[:size])
        body = body[size:]
    whole = b"WEBP" + b"".join([*kept, *chunks])
    return b"RIFF" + struct.pack("<I", len(whole)) + whole


# GIF and AVIF.


def gif(*extensions: bytes) -> bytes:
    out = io.BytesIO()
    Image.new("P", (16, 16)).save(out, "GIF")
    plain = out.getvalue()
    head = 13 + (3 << ((plain[10] & 7) + 1) if plain[10] & 0x80 else 0)
    return plain[:head] + b"".join(extensions) + plain[head:]


def gif_comment(text: bytes) -> bytes:
    blocks = [text[at : at + 255] for at in range(0, len(text), 255)]
    return b"\x21\xfe" + b"".join([bytes([len(block)]) + block for block in blocks]) + b"\0"


def gif_xmp(packet: bytes) -> bytes:
    ladder = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
    return b"\x21\xff\x0bXMP DataXMP" + packet + ladder


def avif(*, exif_block: bytes | None = None, xmp_packet: bytes | None = None) -> bytes:
    """A real AVIF with EXIF and XMP as items, as libavif lays them out."""
    out = io.BytesIO()
    extra = {}
    if exif_block is not None:
        extra["exif"] = exif_block
    if xmp_packet is not None:
        extra["xmp"] = xmp_packet
    Image.new("RGB", (16, 16), (90, 60, 30)).save(out, "AVIF", **extra)
    return out.getvalue()


# XMP.

_NAMES = {
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpMM": "http://ns.adobe.com/xap/1.0/mm/",
    "stEvt": "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#",
    "xmpNote": "http://ns.adobe.com/xmp/note/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "iptcExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",  # Midjourney's prefix for the usual namespace
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "TC260": "http://www.tc260.org.cn/ns/AIGC/1.0/",
    "sdcpp": "https://github.com/leejet/stable-diffusion.cpp/ns/1.0/",
}


def xmp(properties: Mapping[str, str], *, elements: Iterable[str] = ()) -> bytes:
    """A packet; properties by prefixed name, `elements` as ready XML."""
    body = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in properties.items()) + "".join(
        elements
    )
    names = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in _NAMES.items() if f"{prefix}:" in body)
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about=""{names}>{body}</rdf:Description></rdf:RDF></x:xmpmeta>'
        '<?xpacket end="w"?>'
    ).encode()


def alternative(name: str, text: str) -> str:
    """A language alternative, the form of titles and comments."""
    return f'<{name}><rdf:Alt><rdf:li xml:lang="x-default">{escape(text)}</rdf:li></rdf:Alt></{name}>'


# Bits hidden in pixels, as the stealth extension and NovelAI write them.


def hide(text: str, mode: str = "stealth_pngcomp", *, width: int = 64, height: int = 64) -> Image.Image:
    """A picture with `text` in its lowest bits, column by column."""
    payload = text.encode()
    if mode.endswith("comp"):
        payload = gzip.compress(payload, mtime=0)
    data = mode.encode() + struct.pack(">I", 8 * len(payload)) + payload
    bits = [byte >> shift & 1 for byte in data for shift in range(7, -1, -1)]
    is_alpha = mode in ("stealth_pnginfo", "stealth_pngcomp")
    image = Image.new(
        "RGBA" if is_alpha else "RGB", (width, height), (90, 60, 30, 254)[: 4 if is_alpha else 3]
    )
    pixels = image.load()
    at = 0
    for x in range(width):
        for y in range(height):
            colour = list(pixels[x, y])
            for channel in (3,) if is_alpha else (0, 1, 2):
                bit = bits[at] if at < len(bits) else 0
                colour[channel] = colour[channel] & 0xFE | bit
                at += 1
            pixels[x, y] = tuple(colour)
    return image


def saved(image: Image.Image, container: str = "PNG", **how: object) -> bytes:
    out = io.BytesIO()
    image.save(out, container, **how)
    return out.getvalue()


# What particular tools write.


def swarm_parameters(prompt: str, negative: str | None = None, **extra: object) -> str:
    parameters: dict[str, object] = {"prompt": prompt}
    if negative is not None:
        parameters["negativeprompt"] = negative
    parameters |= {"model": "OfficialStableDiffusion/pendant", "seed": 7, "steps": 20, "cfgscale": 4.5}
    parameters |= {"width": 512, "height": 512, "swarm_version": "0.9.3.1"}
    return json.dumps(
        {"sui_image_params": parameters, "sui_extra_data": {"date": "2024-11-19", **extra}}, indent=2
    )


def novelai_comment(prompt: str, negative: str, **more: object) -> dict[str, object]:
    settings = {"steps": 28, "height": 64, "width": 64, "scale": 5.5, "cfg_rescale": 0.0, "seed": 2043807047}
    sampler = {
        "noise_schedule": "karras",
        "sampler": "k_euler_ancestral",
        "request_type": "PromptGenerateRequest",
    }
    return {"prompt": prompt, "uc": negative} | settings | sampler | more
