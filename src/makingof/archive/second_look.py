"""What the newest comparison with a generator's own history said, read back from the log.

Apart from `following`, which makes such comparisons: to read one needs no capture.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from makingof.archive.reader import ArchiveReader
from makingof.event import Kind
from makingof.part import Own, Part, PartType


@dataclass(frozen=True, slots=True)
class SecondLook:
    """What the host's own history says beside the log: job → why it is not recorded."""

    jobs: int
    missing: Mapping[str, str]

    @property
    def recorded(self) -> int:
        return self.jobs - len(self.missing)


def last_second_look(archive: ArchiveReader) -> SecondLook | None:
    """Return what the newest comparison recorded, or None where there was none."""
    for position in reversed(archive.index.positions_of_kind(Kind.CHECKED)):
        for facts in own_facts_at(archive, position):
            told = facts.get("second_look")
            if not isinstance(told, dict):
                continue
            missing = [item for item in told.get("missing", ()) if isinstance(item, dict)]
            return SecondLook(
                int(told["jobs"]), {str(item.get("job")): str(item.get("why")) for item in missing}
            )
    return None


def own_facts(archive: ArchiveReader, kind: Kind) -> list[dict[str, object]]:
    """Return what the recorder said of itself in every event of `kind`, oldest first."""
    positions = archive.index.positions_of_kind(kind)
    return [facts for position in positions for facts in own_facts_at(archive, position)]


def own_facts_at(archive: ArchiveReader, position: int) -> list[dict[str, object]]:
    """Return the recorder's own facts in one event."""
    parts = [Part.parse(stored.data) for stored in archive.log.parts(position) if stored.data is not None]
    return [part.read(Own).facts for part in parts if part.type is PartType.OWN]
