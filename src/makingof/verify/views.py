"""Whether tables say what the record says, and whether the verifiers in a package are genuine."""

from dataclasses import dataclass

from makingof.bundle import layout
from makingof.bundle.container import Container, read_file
from makingof.bundle.crate import make_crate
from makingof.bundle.front import make_front_page
from makingof.bundle.manifest import MAX_MANIFEST_BYTES, format_bag_info
from makingof.bundle.payload import load_carried, this_installation
from makingof.bundle.read import Bag
from makingof.bundle.record import Record
from makingof.bundle.releases import known_carried
from makingof.digest import Digest
from makingof.errors import IntegrityError

VIEWS = (layout.FRONT_PAGE, layout.BAG_INFO, layout.CRATE)


def is_ours(record: Record) -> bool:
    """Tell whether this version of makingof made the package; another one may word its tables differently."""
    return record.description.made_with == this_installation().made_with


def find_false_views(container: Container, bag: Bag, record: Record) -> list[str]:
    """Make the tables and listings again, and return those that are not the same."""
    sizes = [container.size(name) for name in bag.payload]
    made = {
        layout.FRONT_PAGE: make_front_page(record, bag.manifest, layout.folder_name(bag.name.hex)),
        layout.BAG_INFO: format_bag_info(record, sizes),
        layout.CRATE: make_crate(record),
    }
    return [name for name in VIEWS if read_file(container, name, MAX_MANIFEST_BYTES) != made[name]]


@dataclass(frozen=True, slots=True)
class Carried:
    """Whether the verifiers in a package are known; unknown ones may be of a newer release."""

    known: bool


def verify_carried(bag: Bag, record: Record) -> Carried:
    """Compare the verifiers with those of this and earlier releases.

    Raises:
        IntegrityError: they are not the ones the exporter signed for, or not those of
            a version this program knows.
    """
    known = known_carried()
    all_known = True
    for name in load_carried():
        found = Digest.parse("sha256:" + bag.tags[name])
        if record.description.carried.get(name) != found:
            message = f"{name} is not the one the exporter signed for"
            raise IntegrityError(message)
        all_known = all_known and found in known[name]
    if not all_known and is_ours(record):
        message = "a verifier says it is of this version of makingof, and is not"
        raise IntegrityError(message)
    return Carried(all_known)
