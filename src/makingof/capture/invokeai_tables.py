"""InvokeAI's database while InvokeAI writes it: what stands in it at one moment, and whether that is new."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from makingof.capture.follower import path_inside
from makingof.capture.invokeai_rows import (
    BOARD_IMAGES,
    OUTPUTS,
    QUEUE,
    board_names,
    put_after,
    role_of,
    texts,
)
from makingof.capture.invokeai_session import Session, parse_session
from makingof.errors import MalformedError, SourceError
from makingof.metadata.documents.database import Database
from makingof.part import Role
from makingof.texts import say

DATABASE = "databases/invokeai.db"  # under InvokeAI's root
_MAX_PICTURES = 200_000
_MAX_ITEMS = 100_000
_IMAGES = (
    "image_name", "image_origin", "image_category", "session_id", "is_intermediate", "created_at",
    "starred", "image_subfolder",
)  # fmt: skip
_ITEMS = (*QUEUE, "retried_from_item_id", "parent_item_id", "device", "user_id")
_WAITING = frozenset({"pending", "in_progress", "waiting"})


@dataclass(frozen=True, slots=True)
class Item:
    """One job in the queue."""

    id: int
    session: str
    said: Mapping[str, str]

    @property
    def is_over(self) -> bool:
        return self.said.get("status") not in _WAITING


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture InvokeAI has; `path` is None where its name leads out of InvokeAI's folder."""

    name: str
    path: Path | None
    session: str
    role: Role
    is_upload: bool
    is_intermediate: bool
    is_starred: bool
    board: str | None
    put_after: timedelta | None  # how long after it was made it came onto its board


@dataclass(frozen=True, slots=True)
class State:
    """What the tables say at one moment."""

    items: tuple[Item, ...]
    pictures: Mapping[str, Picture]
    boards: Mapping[str, str]  # id → name


@dataclass(slots=True)
class Tables:
    """The database of the InvokeAI whose files lie under `root`.

    It is read only when it may have changed. A commit in the very tick of the file system's
    clock in which the last look began leaves no trace there; so every change is looked
    at once more at the next look.
    """

    root: Path
    _last: State | None = None
    _marks: tuple[object, ...] = ()
    _is_settled: bool = False

    @property
    def path(self) -> Path:
        return self.root / DATABASE

    @property
    def identity(self) -> tuple[int, int] | None:
        """Say which file it is: InvokeAI set up anew begins another."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def read(self, after: int) -> State:
        """Return what stands there; items up to `after` are left out, for nothing of them can change.

        The same object is returned while nothing has changed.

        Raises:
            SourceError: it is not there, locked, damaged or no database of InvokeAI's.
        """
        marks = (after, *map(_mark, (self.path, self.path.with_name(f"{self.path.name}-wal"))))
        if self._last is not None and marks == self._marks and self._is_settled:
            return self._last
        self._is_settled = marks == self._marks
        self._marks = marks
        self._last = self._read(after)
        return self._last

    def sessions(self, items: Iterable[Item]) -> dict[int, Session | None]:
        """Return the sessions of some items; of those gone meanwhile, None."""
        try:
            with Database.open_live(self.path) as database:
                return {
                    item.id: parse_session(database.text("session_queue", "session", item.id))
                    for item in items
                }
        except MalformedError as err:
            raise self._unreadable(err) from err

    def _read(self, after: int) -> State:
        if not self.path.is_file():
            raise SourceError(
                say("recording.no_database", path=self.path), hint=say("recording.no_database_hint")
            )
        try:
            with Database.open_live(self.path) as database:
                _require_tables(database)
                return State(_items(database, after), _pictures(database, self.root), board_names(database))
        except MalformedError as err:
            raise self._unreadable(err) from err

    def _unreadable(self, err: MalformedError) -> SourceError:
        return SourceError(say("recording.database_unreadable", path=self.path, reason=str(err)))


def _require_tables(database: Database) -> None:
    wanted = {"session_queue": "session", "images": "starred", "board_images": "board_id"}
    for table, column in wanted.items():
        if column not in database.columns(table):
            message = f"it has no {table}.{column} as InvokeAI's has"
            raise MalformedError(message)


def _items(database: Database, after: int) -> tuple[Item, ...]:
    found = []
    for row in database.each("session_queue", _ITEMS, after=after):
        said, number = texts(row), row["item_id"]
        if isinstance(number, int) and (session := said.get("session_id")):
            found.append(Item(number, session, said))
        if len(found) > _MAX_ITEMS:
            message = f"its queue lists more than {_MAX_ITEMS} jobs"
            raise MalformedError(message)
    return tuple(found)


def _pictures(database: Database, root: Path) -> dict[str, Picture]:
    put = {
        said["image_name"]: said
        for said in map(texts, database.each("board_images", BOARD_IMAGES))
        if "image_name" in said
    }
    found: dict[str, Picture] = {}
    for row in database.each("images", _IMAGES):
        said = texts(row)
        if name := said.get("image_name"):
            found[name] = _picture(name, said, put.get(name), root)
        if len(found) > _MAX_PICTURES:
            message = f"it lists more than {_MAX_PICTURES} pictures"
            raise MalformedError(message)
    return found


def _picture(name: str, said: Mapping[str, str], put: Mapping[str, str] | None, root: Path) -> Picture:
    return Picture(
        name=name,
        path=path_inside(root / OUTPUTS, said.get("image_subfolder", "").strip("/"), name),
        session=said.get("session_id", ""),
        role=role_of(said),
        is_upload=said.get("image_origin") == "external",
        is_intermediate=said.get("is_intermediate") == "1",
        is_starred=said.get("starred") == "1",
        board=None if put is None else put.get("board_id"),
        put_after=None if put is None else put_after(put, said.get("created_at", "")),
    )


def _mark(path: Path) -> tuple[int, ...] | None:
    try:
        found: os.stat_result = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
