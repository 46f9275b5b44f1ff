"""Record: what a package says once its parts are read together; views are functions of it alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from makingof.bundle.description import Description, File
from makingof.digest import Digest
from makingof.event import Kind
from makingof.keys.signing import PublicKey
from makingof.lineage.entry import Entry
from makingof.part import Choice, FileBody, PartType
from makingof.tlog.checkpoint import Checkpoint


@dataclass(frozen=True)
class Record:
    """Entries with the parts that are shown, and what the exporter says of the files.

    Nothing in it depends on the files' bytes. Whether they are what the record
    says is for `verify` to find out.
    """

    key: PublicKey
    checkpoint: Checkpoint
    description: Description
    entries: tuple[Entry, ...]

    @cached_property
    def by_position(self) -> Mapping[int, Entry]:
        """Entries by their place in the log."""
        return {entry.position: entry for entry in self.entries}

    @cached_property
    def lineage(self) -> tuple[Entry, ...]:
        """The entries the exporter counts to the lineage, in log order."""
        wanted = set(self.description.lineage)
        return tuple(entry for entry in self.entries if entry.position in wanted)

    @cached_property
    def file_parts(self) -> Mapping[Digest, tuple[Entry, FileBody | None]]:
        """Every file part by name: the entry it belongs to, and what it says where it is shown."""
        found: dict[Digest, tuple[Entry, FileBody | None]] = {}
        for entry in self.entries:
            shown = {statement.digest: statement.body for statement in entry.files()}
            for digest, part_type in entry.types.items():
                if part_type is PartType.FILE:
                    found.setdefault(digest, (entry, shown.get(digest)))
        return found

    @cached_property
    def files(self) -> Mapping[Digest, File]:
        """The package's files by the file parts that speak of them."""
        return {digest: file for file in self.description.files for digest in file.parts}

    @cached_property
    def judgements(self) -> Mapping[Digest, list[tuple[Entry, Choice]]]:
        """The choices of the lineage by the file parts they judge."""
        found: dict[Digest, list[tuple[Entry, Choice]]] = {}
        for entry in self.lineage:
            if entry.kind in (Kind.SELECTED, Kind.REJECTED):
                for choice in entry.statements(PartType.CHOICE, Choice):
                    for part in choice.body.judged:
                        found.setdefault(part, []).append((entry, choice.body))
        return found

    def entries_of(self, file: File) -> list[Entry]:
        """Return the entries whose file parts speak of `file`, in log order."""
        found = {
            entry.position: entry
            for digest in file.parts
            if digest in self.file_parts
            for entry in [self.file_parts[digest][0]]
        }
        return [found[position] for position in sorted(found)]
