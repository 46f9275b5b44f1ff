"""Proposals for what an edited picture was made from. A person confirms; likeness decides nothing."""

from pathlib import Path

from makingof.archive.archive import Archive
from makingof.archive.picture import Picture
from makingof.digest import Digest
from makingof.errors import MakingofError, SourceError
from makingof.pictures import compare, find_size

_CANDIDATES = 48
_PROPOSALS = 3


def propose_sources(archive: Archive, after: Path) -> list[Picture]:
    """Return the recorded pictures nearest to `after`, of its size, less than half of the pixels changed.

    Only the newest outputs are looked at: an edit follows its source within days.
    """
    try:
        data = after.read_bytes()
    except OSError as err:
        message = f"{after} cannot be read: {err.strerror or err}"
        raise SourceError(message) from err
    size, itself = find_size(data), Digest.of(data)
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
    return [picture for _, picture in found[:_PROPOSALS]]
