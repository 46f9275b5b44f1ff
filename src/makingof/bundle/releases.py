"""The verifiers that releases of makingof carried, by their digests."""

from importlib import resources

from makingof.bundle import layout
from makingof.bundle.payload import load_carried
from makingof.digest import Digest

_NAMES = (layout.CARRIED_SCRIPT, layout.CARRIED_PAGE)


def known_carried() -> dict[str, set[Digest]]:
    """Return the digests of the verifiers of this installation and of every release before it."""
    known: dict[str, set[Digest]] = {name: set() for name in _NAMES}
    for name, data in load_carried().items():
        known[name].add(Digest.of(data))
    for line in (
        (resources.files("makingof.bundle") / "carried" / "releases.txt").read_text("ascii").splitlines()
    ):
        if line and not line.startswith("#"):
            digest, name, _ = line.split()
            known[name].add(Digest.parse(digest))
    return known
