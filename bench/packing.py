"""The package that is verified: every picture of an import in whole, none withheld."""

from pathlib import Path

from makingof.archive.archive import Archive
from makingof.archive.export import write_request
from makingof.archive.imports import import_files
from makingof.bundle.description import Options
from makingof.bundle.request import Request


def make(archive: Archive, pictures: list[Path], package: Path) -> None:
    """Import `pictures` and write the package of all of them."""
    done = list(import_files(archive, pictures))
    parts = tuple(archive.index.files_of(item.digest)[0].part for item in done if item.digest)
    request = Request(pictures=parts, size=archive.log.size(), options=Options(full=True))
    write_request(archive, request, package)
