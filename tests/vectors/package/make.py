"""Writes the package vectors: `python -m tests.vectors.package.make` from the root.

`packages.tar.xz` holds packages to accept and to refuse, `cases.json` says of
each which step must fail, or none, and which verifiers do that step. All are
made from one made-up session by keys everybody knows. The verifiers inside are
not those of any release, so that the vectors outlive them.
"""

import io
import json
import lzma
import tarfile
from collections.abc import Iterator

from tests.vectors.package.accepted import accepted
from tests.vectors.package.packages import FOLDER, Case
from tests.vectors.package.recorded import entries, files, lineages, parts, stamps, streams
from tests.vectors.package.signed import listings, signatures
from tests.vectors.package.zips import zips


def cases() -> Iterator[Case]:
    """Every case, in order of name within its group."""
    yield from accepted()
    yield from zips()
    yield from listings()
    yield from signatures()
    yield from entries()
    yield from parts()
    yield from files()
    yield from streams()
    yield from stamps()
    yield from lineages()


def main() -> None:
    """Write both files."""
    made = list(cases())
    listing = [{"name": case.name, "fails": case.fails, "verifiers": list(case.verifiers)} for case in made]
    text = "[\n" + ",\n".join(json.dumps(item) for item in listing) + "\n]\n"
    (FOLDER / "cases.json").write_text(text, "utf-8")
    (FOLDER / "packages.tar.xz").write_bytes(pack_cases(made))


def pack_cases(made: list[Case]) -> bytes:
    """One archive of all: they are alike, and together they pack to a fraction."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for case in made:
            info = tarfile.TarInfo(f"{case.name}.zip")
            info.size = len(case.data)
            archive.addfile(info, io.BytesIO(case.data))
    return lzma.compress(out.getvalue(), preset=9)


if __name__ == "__main__":
    main()
