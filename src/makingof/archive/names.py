"""What a person means by a name in an act: what is not yet recorded is recorded first, and that is said."""

from collections.abc import Sequence
from pathlib import Path

from makingof.archive.archive import Archive
from makingof.archive.imports import import_files
from makingof.archive.known_names import KnownNamer


class Namer(KnownNamer):
    """Finds what names stand for; `newly_recorded` lists the pictures it had to record first.

    `erased_before` says of those whose place was recorded before which event erased
    what lay there.
    """

    def __init__(self, archive: Archive) -> None:
        super().__init__(archive)
        self._recording = archive
        self.newly_recorded: list[Path] = []
        self.erased_before: dict[Path, str] = {}

    def _take_in(self, missing: Sequence[Path]) -> None:
        """Record all bytes the names stand for that were never recorded, in one run."""
        for path in missing:
            if erased := self._erased_at(path):
                self.erased_before[path.absolute()] = erased
        for done in import_files(self._recording, missing, single=len(missing) == 1):
            if done.error is not None:
                raise done.error
            self.newly_recorded.append(done.path)
