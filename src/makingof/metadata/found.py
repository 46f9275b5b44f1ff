"""Found: what a reader hands back."""

from typing import NamedTuple

from makingof.metadata.record import Record
from makingof.reading import Reading


class Found(NamedTuple):
    """Readings, and the records they were made of, which later readers then leave alone."""

    readings: list[Reading]
    used: list[Record]


NOTHING = Found([], [])
