"""Printing what was recorded."""

from collections.abc import Sequence

from makingof.archive.picture import Picture
from makingof.cli.spelling import short
from makingof.cli.terminal import Terminal
from makingof.recorder.write import Recorded
from makingof.texts import say


def show_recorded(
    terminal: Terminal,
    key: str,
    recorded: Sequence[Recorded],
    *,
    pictures: Sequence[Picture] = (),
    **values: object,
) -> None:
    """Say what was recorded, as a line for people or an object for programs."""
    for done in recorded:
        names = ", ".join(picture.name or short(picture.blob) for picture in pictures)
        terminal.line(say(key, event=f"e{done.position}", pictures=names, **values))
        terminal.json(
            {
                "event": str(done.name),
                "position": done.position,
                "pictures": [str(picture.blob) for picture in pictures],
            }
        )
