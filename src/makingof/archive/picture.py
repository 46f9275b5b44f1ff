"""Picture: what a name stands for, as acts and lineages take it."""

from dataclasses import dataclass
from typing import Self

from makingof.digest import Digest
from makingof.errors import UsageError
from makingof.index.values import FileRow
from makingof.texts import say


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as the record knows it: its bytes, one file part that names them, that part's event."""

    blob: Digest
    file_part: Digest
    event: Digest
    name: str | None = None
    held: bool = True

    @classmethod
    def of(cls, file: FileRow, name: str | None = None) -> Self:
        """Take a picture from the index; `file` must say which bytes it is."""
        if file.blob is None:
            raise UsageError(say("acts.picture_erased", name=name or file.part))
        return cls(file.blob, file.part, file.event, name or file.name, file.holding == "held")
