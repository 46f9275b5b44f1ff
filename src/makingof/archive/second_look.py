"""What the newest comparisons with generators' own histories said, read back from the log.

Apart from `following`, which makes such comparisons: to read one needs no capture.
"""

from makingof.archive.reader import ArchiveReader
from makingof.event import Kind
from makingof.lineage.second_looks import SecondLook, read_second_look
from makingof.part import Own, Part, PartType


def last_second_looks(archive: ArchiveReader) -> list[SecondLook]:
    """Return what the newest comparison with each generator recorded."""
    positions = archive.index.last_second_looks()
    facts = [told for position in positions for told in own_facts_at(archive, position)]
    return [look for told in facts if (look := read_second_look(told)) is not None]


def own_facts(archive: ArchiveReader, kind: Kind) -> list[dict[str, object]]:
    """Return what the recorder said of itself in every event of `kind`, oldest first."""
    positions = archive.index.positions_of_kind(kind)
    return [facts for position in positions for facts in own_facts_at(archive, position)]


def own_facts_at(archive: ArchiveReader, position: int) -> list[dict[str, object]]:
    """Return the recorder's own facts in one event."""
    parts = [Part.parse(stored.data) for stored in archive.log.parts(position) if stored.data is not None]
    return [part.read(Own).facts for part in parts if part.type is PartType.OWN]
