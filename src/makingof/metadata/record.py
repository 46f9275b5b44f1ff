"""Record: one text or block as it lies in a file, before anybody says what it means.

`gather` (PNG, JPEG, WebP…) makes records out of a container; readers turn records
into readings. A record keeps its bytes and where they lie, so that every reading
can be made again from the stored original.
"""

import msgspec

from makingof.containers.xmp import Packet
from makingof.reading import Check, Field, Locator, State


class Record(msgspec.Struct, frozen=True, gc=False):
    """One text chunk, EXIF tag, comment or XMP packet."""

    container: str  # png, jpeg, webp…
    place: str  # "tEXt:parameters", "EXIF:UserComment"
    key: str  # "parameters", "UserComment": what the tool called it
    raw: bytes
    text: str | None  # None where the bytes are no text or do not decode
    offset: int | None = None  # of `raw` in the file; None where it has no single span
    decoding: str = ""  # which rule made text of the bytes
    damage: str = ""

    @property
    def locator(self) -> Locator:
        """Where it lies, as readings say it."""
        size = None if self.offset is None else len(self.raw)
        return Locator(self.container, self.place, self.offset, size)

    @property
    def checks(self) -> tuple[Check, ...]:
        """Damage seen on the way to the text, as a check that did not hold."""
        return (Check("segment_whole", held=False, detail=self.damage),) if self.damage else ()


class Sheet(msgspec.Struct, frozen=True):
    """All records of one file, with what the container says about the picture."""

    container: str | None
    name: str | None  # file name without folder, if the caller knows one
    width: int | None
    height: int | None
    records: tuple[Record, ...]
    packets: tuple[tuple[Record, Packet], ...] = ()  # XMP, parsed
    has_alpha: bool = False  # room for text hidden in the alpha channel, losslessly

    def find(self, *keys: str) -> Record | None:
        """Return the first record with one of `keys`, or None."""
        return next((record for record in self.records if record.key in keys), None)

    def find_all(self, *keys: str) -> list[Record]:
        """Return every record with one of `keys`, in file order."""
        return [record for record in self.records if record.key in keys]


def with_text(record: Record, text: str) -> Record:
    """Return the record with another text, for what lies wrapped inside it."""
    return msgspec.structs.replace(record, text=text)


def text_field(value: str, source: str = "", state: State = State.PRESENT) -> Field:
    """Make a field of a tool's text; text with lone surrogates is no text and becomes `unreadable`.

    The bytes stay in the reading's `raw`; only this one value is not said.
    """
    if value.isascii() or is_valid_text(value):
        return Field(str(value), state, source)
    return Field(None, State.UNREADABLE, source)


def is_valid_text(value: str) -> bool:
    """Whether `value` can be written as UTF-8."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
