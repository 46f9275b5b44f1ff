"""Proposals for what a picture was made from. A person confirms; likeness and names decide nothing."""

from pathlib import Path

from makingof.archive.archive import Archive
from makingof.archive.inputs import InputFinder, read_sheet
from makingof.archive.picture import Picture
from makingof.digest import Digest
from makingof.errors import MakingofError, SourceError
from makingof.pictures import compare, find_size

_CANDIDATES = 48
_PROPOSALS = 3


def propose_sources(archive: Archive, after: Path) -> list[Picture]:
    """Return what the records of `after` name as its source, then the recorded pictures nearest to it.

    Nearest are those of its size of which less than half of the pixels changed. Only the
    newest outputs are looked at: an edit follows its source within days.
    """
    try:
        data = after.read_bytes()
    except OSError as err:
        message = f"{after} cannot be read: {err.strerror or err}"
        raise SourceError(message) from err
    size, itself = find_size(data), Digest.of(data)
    named = [Picture.of(row) for row in InputFinder(archive).proposed(*read_sheet(data, after.name))]
    found: list[tuple[int, Picture]] = []
    for file in archive.index.newest_outputs(_CANDIDATES):
        if file.blob is None or file.blob == itself or not archive.store.has(file.blob):
            continue
        # Decoding dozens of pictures for each that arrives would take longer than making it.
        if size is not None and size != (file.width, file.height):
            continue
        try:
            difference = compare(archive.store.read(file.blob), data)
        except MakingofError:
            continue  # damaged or no picture: then it cannot be proposed, and nothing is lost by that
        if difference.differing is not None and difference.differing * 2 < difference.total:
            found.append((difference.differing, Picture.of(file)))
    found.sort(key=lambda pair: pair[0])
    proposals = [*named[:_PROPOSALS], *(picture for _, picture in found[:_PROPOSALS])]
    return list({picture.blob: picture for picture in proposals if picture.blob != itself}.values())
