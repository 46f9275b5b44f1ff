"""What people do to pictures InvokeAI has: stars, boards, results saved from the canvas, deletions.

Two looks are compared. A star or a place on a board is told once, under the key that an
import of the same database tells it by; taken off again, what told it is withdrawn.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from makingof.capture.exports.told import choice, note, place, portable, report
from makingof.capture.follower import Seen, place_of
from makingof.capture.invokeai_rows import LATER, board_key, star_key
from makingof.capture.invokeai_tables import Picture
from makingof.event import Kind, Source
from makingof.observation import Draft, Observation
from makingof.part import Means

_AT_ONCE = timedelta(seconds=2)  # less than LATER will do where somebody looked meanwhile


@dataclass(frozen=True, slots=True)
class Traces:
    """Turns differences between two looks into what is to be recorded."""

    source: Source
    means: Means

    def compare(
        self, before: Mapping[str, Picture], now: Mapping[str, Picture], boards: Mapping[str, str]
    ) -> Iterator[Seen]:
        """Tell what changed between two looks."""
        for name, picture in now.items():
            yield from self._changed(before.get(name), picture, boards)
        for name, picture in before.items():
            if name not in now:
                yield self._removed(picture)

    def standing(self, now: Mapping[str, Picture], boards: Mapping[str, str]) -> Iterator[Seen]:
        """Tell what stood there at the first look."""
        for picture in now.values():
            if picture.is_starred:
                yield self._starred(picture)
            if picture.board is not None and _was_put(picture, LATER):
                yield self._on_board(picture, picture.board, boards)

    def _changed(self, before: Picture | None, picture: Picture, boards: Mapping[str, str]) -> Iterator[Seen]:
        if picture.is_starred and not (before and before.is_starred):
            yield self._starred(picture)
        if before is None:
            if picture.board is not None and _was_put(picture, _AT_ONCE):
                yield self._on_board(picture, picture.board, boards)
            return
        if before.is_starred and not picture.is_starred:
            yield self._taken_back(picture, "the star was taken off", star_key(portable(picture.name)))
        if before.is_intermediate and not picture.is_intermediate:
            yield self._chosen(picture, "saved to the gallery")
        if picture.board != before.board:
            yield from self._moved(before, picture, boards)

    def _moved(self, before: Picture, picture: Picture, boards: Mapping[str, str]) -> Iterator[Seen]:
        if before.board is not None:
            key = board_key(portable(before.board), portable(picture.name))
            yield self._taken_back(picture, "taken off a board", key)
        if picture.board is not None and (before.board is not None or _was_put(picture, _AT_ONCE)):
            yield self._on_board(picture, picture.board, boards)

    def _starred(self, picture: Picture) -> Seen:
        return self._chosen(picture, "starred", star_key(portable(picture.name)))

    def _on_board(self, picture: Picture, board: str, boards: Mapping[str, str]) -> Seen:
        where = f"board_images {portable(picture.name)}"
        title = note(where, boards.get(board, ""), title="board")
        key = board_key(portable(board), portable(picture.name))
        return self._chosen(picture, "put on a board", key, title)

    def _chosen(self, picture: Picture, what: str, key: str | None = None, *also: Draft) -> Seen:
        where = f"images {portable(picture.name)}"
        drafts = (choice(where, [0]), report(where, text=what), place(where, picture.name), *also)
        return self._seen(Kind.SELECTED, picture, drafts, key=key)

    def _taken_back(self, picture: Picture, what: str, key: str) -> Seen:
        drafts = (note(f"images {portable(picture.name)}", what),)
        return self._seen(Kind.WITHDRAWN, picture, drafts, undoes=key)

    def _removed(self, picture: Picture) -> Seen:
        where = f"images {portable(picture.name)}"
        lay = place(where, picture.name) if picture.path is None else place_of(picture.path, where, None)
        drafts = (lay, report(where, text="deleted in InvokeAI"))
        return self._seen(Kind.REMOVED, picture, drafts)

    def _seen(
        self,
        kind: Kind,
        picture: Picture,
        drafts: tuple[Draft, ...],
        *,
        key: str | None = None,
        undoes: str | None = None,
    ) -> Seen:
        about = () if picture.path is None else (picture.path,)
        return Seen(picture.session, Observation(kind, self.source, drafts), self.means, about, key, undoes)


def _was_put(picture: Picture, later: timedelta) -> bool:
    return picture.put_after is not None and picture.put_after > later
