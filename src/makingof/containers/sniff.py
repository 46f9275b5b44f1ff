"""What a file is, by its first bytes and never by its suffix."""

from makingof.containers.source import Source

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "jxl"),
    (b"\xff\x0a", "jxl"),
    (b"8BPS", "psd"),
    (b"PK\x03\x04", "zip"),
)
_ISO_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), "avif"),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"), "heif"),
}


def sniff(data: Source) -> str | None:
    """Name the container, or None where it is none known here.

    One of `png jpeg webp gif tiff avif heif jxl psd zip`.
    """
    head = data[:64]
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    return _iso_brand(head) if head[4:8] == b"ftyp" else None


def _iso_brand(head: bytes) -> str | None:
    """Look at the major brand, then at the compatible ones (many writers put `mif1` first)."""
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, min(len(head), head[3]), 4))]
    named = [_ISO_BRANDS[brand] for brand in brands if brand in _ISO_BRANDS]
    return "avif" if "avif" in named else next(iter(named), None)
