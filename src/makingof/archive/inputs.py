"""Linking pictures to those they were made from, where a record names these by digest.

A name alone links nothing: it is proposed to a person, by `edit` without `--from`. What is
linked becomes an event of its own, `generated` by means `recovered`, that gives the picture
and uses the other: the order in which the two were recorded does not matter.
"""

from collections.abc import Iterable, Sequence
from pathlib import PurePath

from makingof.archive.archive import Archive
from makingof.archive.exports import Telling
from makingof.archive.named_files import NamedFiles, read_recorded
from makingof.capture.exports.told import Export, Told, Wanted, content_key, observe, report
from makingof.containers.segment import Data
from makingof.digest import Digest
from makingof.errors import MakingofError, MalformedError
from makingof.event import Kind
from makingof.index.values import FileRow
from makingof.metadata.inputs import Input, find_inputs
from makingof.metadata.record import Sheet
from makingof.metadata.registry import read_records
from makingof.pictures import find_size, md5_of_pixels
from makingof.reading import Reading
from makingof.recorder.files import mapped
from makingof.recorder.importing import Imported, Outcome

_TOOLS = frozenset({"comfyui", "civitai", "tensorart", "swarmui", "a1111", "forge", "reforge", "sdnext"})
# Only these words can name a picture by digest; reading every picture twice would cost more than it brings.
_SIGNS = (b'"is_changed"', b"Init image hash", b"I\0n\0i\0t\0 \0i\0m\0a\0g\0e\0 \0h\0a\0s\0h\0")


def link_inputs(archive: Archive, imported: Iterable[Imported]) -> int:
    """Link the pictures just imported, and return how many links are new.

    Pictures that were known before count too: what they were made from may have come since.
    """
    finder = InputFinder(archive)
    items = [item for item in imported if item.digest is not None and _may_name(item)]
    told = [link for item in items if (link := _link_of(archive, finder, item)) is not None]
    if not told:
        return 0
    telling = Telling(archive, NamedFiles(archive), Imported(items[0].path, Outcome.RECOGNISED))
    return sum(telling.tell(Export("inputs", tuple(told))).events.values())


class InputFinder:
    """Finds among recorded pictures those that a picture's records name."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._by_name: dict[str, list[Digest]] | None = None

    def linked(self, readings: Sequence[Reading], sheet: Sheet) -> list[tuple[FileRow, Input]]:
        """Return the pictures that are named by digest."""
        found = ((self._by_digest(item), item) for item in find_inputs(readings, sheet))
        return [(row, item) for row, item in found if row is not None]

    def proposed(self, readings: Sequence[Reading], sheet: Sheet) -> list[FileRow]:
        """Return the pictures that are named at all, those known by nothing but a name included."""
        rows: list[FileRow] = []
        for item in find_inputs(readings, sheet):
            row = self._by_digest(item)
            named = self._named(PurePath(item.name.replace("\\", "/")).name) if item.name else []
            rows += [row] if row is not None else named
        return rows

    def _by_digest(self, item: Input) -> FileRow | None:
        if item.sha256 is not None:
            return next(iter(self._archive.index.files_of(item.sha256)), None)
        if item.pixels_md5 is None:
            return None
        # A1111 keeps what it was given under a name that is the hash; the pixels have to agree.
        named = self._named(f"{item.pixels_md5}.png")
        return next((row for row in named if self._has_pixels(row, item.pixels_md5)), None)

    def _has_pixels(self, row: FileRow, md5: str) -> bool:
        if row.blob is None or not self._archive.store.has(row.blob):
            return False
        try:
            return md5_of_pixels(self._archive.store.read(row.blob)) == md5
        except MakingofError:
            return False  # damaged, so it shows nothing

    def _named(self, name: str) -> list[FileRow]:
        if self._by_name is None:
            self._by_name = {}
            for known, _, part in self._archive.index.named_files():
                self._by_name.setdefault(known, []).append(part)
        rows = (self._archive.index.file_part(part) for part in self._by_name.get(name, ()))
        return [row for row in rows if row is not None]


def read_sheet(data: Data, name: str) -> tuple[list[Reading], Sheet]:
    """Read a picture's records, and say of it what its inputs depend on."""
    readings = list(read_records(data, name))
    container = next((reading.locator.container for reading in readings), None)
    try:
        width, height = find_size(data) or (None, None)
    except MalformedError:
        width, height = None, None
    return readings, Sheet(container, name, width, height, ())


def _may_name(item: Imported) -> bool:
    """Tell what is worth reading again; of files known before nobody says here which tool wrote them."""
    if item.outcome in (Outcome.FAILED, Outcome.UNRECOGNISED):
        return False
    return item.tool is None or item.tool in _TOOLS


def _link_of(archive: Archive, finder: InputFinder, item: Imported) -> Told | None:
    if item.digest is None:
        return None
    if archive.store.has(item.digest):
        with archive.store.open(item.digest) as stream, mapped(stream) as data:
            return _told(finder, item.digest, data, item.path.name)
    left = read_recorded(archive, item.digest, item.path)
    return None if left is None else _told(finder, item.digest, left, item.path.name)


def _told(finder: InputFinder, picture: Digest, data: Data, name: str) -> Told | None:
    if not any(data.find(sign) >= 0 for sign in _SIGNS):
        return None
    readings, sheet = read_sheet(data, name)
    links = finder.linked(readings, sheet)
    inputs = {row.blob: link for row, link in reversed(links) if row.blob not in (None, picture)}
    if not inputs:
        return None
    tool = next((reading.tool for reading in readings if reading.main and reading.tool), "unknown")
    drafts = [
        report(link.where, text="the record names this picture by its digest", role=link.role.value)
        for link in inputs.values()
    ]
    used = (Wanted(digest=blob, role=link.role) for blob, link in inputs.items())
    return Told(
        key=content_key("inputs", "links", "\n".join([picture, *sorted(map(str, inputs))])),
        observation=observe(Kind.GENERATED, tool, drafts),
        wanted=(Wanted(digest=picture), *used),
    )
