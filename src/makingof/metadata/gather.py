"""From container to records: every text a file carries beside its pixels."""

import msgspec

from makingof.containers.png import parse_header, parse_text_chunk, walk_png
from makingof.containers.segment import Data, Segment
from makingof.containers.sniff import sniff
from makingof.errors import MalformedError
from makingof.metadata.record import Record, Sheet

MAX_RECORDS = 2_000
_PNG_TEXT_KINDS = frozenset({"tEXt", "zTXt", "iTXt", "comf"})


def gather(data: Data, name: str | None = None) -> Sheet:
    """Collect the records of a file, in file order. A file of an unknown kind has none.

    Damage stays with the record that has it; nothing here fails for the whole file.
    """
    container = sniff(data)
    if container == "png":
        return _gather_png(data, name)
    return Sheet(container, name, None, None, ())


def _gather_png(data: Data, name: str | None) -> Sheet:
    records = []
    for segment in walk_png(data):
        if segment.kind in _PNG_TEXT_KINDS:
            records.append(_png_text(data, segment))
            if len(records) == MAX_RECORDS:
                break
    try:
        header = parse_header(data)
    except MalformedError:
        return Sheet("png", name, None, None, tuple(records))
    return Sheet("png", name, header.width, header.height, tuple(records), header.has_alpha)


def _png_text(data: Data, segment: Segment) -> Record:
    raw = segment.payload(data)
    try:
        chunk = parse_text_chunk(segment.kind, raw)
    except MalformedError as err:
        keyword = decode_chunk_text(raw.partition(b"\0")[0][:79])[0]
        place = f"{segment.kind}:{keyword}"
        return Record(
            "png", place, keyword, raw, None, segment.payload_offset, "", segment.damage or str(err)
        )
    keyword, _ = decode_chunk_text(chunk.keyword)
    text, decoding = decode_chunk_text(chunk.text)
    return Record(
        "png",
        f"{segment.kind}:{keyword}",
        keyword,
        raw,
        text,
        segment.payload_offset,
        decoding,
        segment.damage,
    )


def decode_chunk_text(raw: bytes) -> tuple[str, str]:
    """Decode as UTF-8, else as latin-1, and say which.

    The PNG specification says latin-1 for `tEXt`, yet writers that put UTF-8 there
    exist; text that is valid UTF-8 with non-ASCII letters is practically never
    meant as latin-1.
    """
    try:
        return raw.decode(), "utf-8"
    except UnicodeDecodeError:
        return raw.decode("latin-1"), "latin-1"


def with_text(record: Record, text: str, decoding: str) -> Record:
    """Return the record with another reading of its bytes."""
    return msgspec.structs.replace(record, text=text, decoding=decoding)
