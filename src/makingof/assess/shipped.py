"""What ships with this release: packs and decided cases, read from the package at the edge."""

from functools import cache
from importlib import resources

from makingof.assess.pack import Pack

_PACKS = (
    "cn-courts", "us-registration", "us-evidence", "de-courts", "cz-courts", "eu", "jp", "kr", "uk",
    "forensic",
)  # fmt: skip


@cache
def shipped_packs() -> tuple[Pack, ...]:
    """Return the packs of this release, in a fixed order."""
    folder = resources.files("makingof.assess") / "packs"
    return tuple(Pack.parse((folder / f"{name}.toml").read_bytes()) for name in _PACKS)


@cache
def shipped_cases() -> tuple[bytes, ...]:
    """Return the decided cases of this release as they lie on disk, by file name."""
    folder = resources.files("makingof.assess") / "cases"
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name
    )
    return tuple(file.read_bytes() for file in files)
