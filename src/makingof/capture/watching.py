"""Watching folders: which files appeared, were replaced, renamed or deleted, once they are whole.

The system's notices are hints: they say where to look, and some never come (a folder made
and filled at once). What counts is what lies there, compared with what lay there: after
each hint, for a new folder its whole subtree, and now and then everything. A file is told
of when it has stopped changing and, for pictures that have an end, when its end is there.
"""

import os
import stat
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import watchfiles

from makingof.capture.folder import reason_to_leave_out
from makingof.config import ARCHIVE_FOLDER

SETTLE_SECONDS = 0.25  # unchanged for so long: nobody is writing any more
UNFINISHED_SECONDS = 10.0  # without its end for so long: it will have none
RECONCILE_SECONDS = 30.0
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_TAIL_BYTES = 12


class What(StrEnum):
    """What happened to a file, or to a folder that is watched."""

    APPEARED = "appeared"
    REPLACED = "replaced"
    RENAMED = "renamed"
    DELETED = "deleted"
    FOLDER_VANISHED = "folder_vanished"
    FOLDER_BACK = "folder_back"


@dataclass(frozen=True, slots=True)
class Change:
    """One change; `was` is the earlier path of a renamed file."""

    what: What
    path: Path
    was: Path | None = None


@dataclass(frozen=True, slots=True)
class _State:
    size: int
    modified_ns: int
    file_id: tuple[int, int]


@dataclass(slots=True)
class _Pending:
    state: _State | None
    since: float
    first: float


@dataclass(slots=True)
class Tracker:
    """What lay under the folders at the last look. `clock` gives seconds that only go forward."""

    folders: tuple[Path, ...]
    clock: Callable[[], float] = time.monotonic
    _known: dict[Path, _State] = field(default_factory=dict)
    _pending: dict[Path, _Pending] = field(default_factory=dict)
    _gone: set[Path] = field(default_factory=set)
    _tops: set[Path] = field(default_factory=set)  # folders that files were known in, at any depth

    def start(self) -> int:
        """Take what lies there as known; return how many files that is."""
        for folder in self.folders:
            for path, state in _scan(folder).items():
                self._know(path, state)
        return len(self._known)

    def note(self, path: Path) -> None:
        """Something happened at `path`; a folder is looked through, for its files may never be told of."""
        if path.is_dir() and not path.is_symlink():
            found = _scan(path)
            for file, state in found.items():
                self._compare(file, state)
            self._miss(path, found)
            return
        now = _look(path)
        self._compare(path, now)
        if now is None and path in self._tops:
            self._miss(path, {})  # it was a folder

    def reconcile(self) -> list[Change]:
        """Look through everything; tell of folders that vanished or are back.

        A folder that is gone as a whole is a drive taken out more often than pictures
        deleted: its files are not told of as deleted.
        """
        changes = []
        for folder in self.folders:
            if not folder.is_dir():
                if folder not in self._gone:
                    self._gone.add(folder)
                    changes.append(Change(What.FOLDER_VANISHED, folder))
                continue
            if folder in self._gone:
                self._gone.discard(folder)
                changes.append(Change(What.FOLDER_BACK, folder))
            self.note(folder)
        return changes

    def settled(self) -> list[Change]:
        """Return the changes that are over, and forget that they were pending."""
        now, changes = self.clock(), []
        lost: dict[tuple[int, int], Path] = {}
        for path, pending in list(self._pending.items()):
            if pending.state is None and now - pending.since >= SETTLE_SECONDS and not self._is_in_gone(path):
                lost[self._known[path].file_id] = path
        for path, pending in list(self._pending.items()):
            if pending.state is not None and self._is_over(path, pending, now):
                del self._pending[path]
                changes.append(self._change(path, pending.state, lost))
        for path in lost.values():
            if path in self._pending:
                del self._pending[path]
                del self._known[path]
                changes.append(Change(What.DELETED, path))
        return changes

    @property
    def waiting(self) -> int:
        """How many files something happened to that is not over yet."""
        return len(self._pending)

    def _compare(self, path: Path, state: _State | None) -> None:
        if state == self._known.get(path):
            self._pending.pop(path, None)
            return
        if state is None and path not in self._known:
            self._pending.pop(path, None)
            return
        pending = self._pending.get(path)
        if pending is None:
            self._pending[path] = _Pending(state, self.clock(), self.clock())
        elif pending.state != state:
            pending.state, pending.since = state, self.clock()

    def _know(self, path: Path, state: _State) -> None:
        self._known[path] = state
        for folder in path.parents:
            if folder in self._tops:
                break
            self._tops.add(folder)

    def _miss(self, top: Path, found: "dict[Path, _State]") -> None:
        """Note what is known to have lain under `top` and does not any more."""
        prefix = f"{top}{os.sep}"
        for path in [*self._known]:
            if path not in found and str(path).startswith(prefix):
                self._compare(path, None)

    def _is_over(self, path: Path, pending: _Pending, now: float) -> bool:
        if (state := _look(path)) != pending.state:
            self._compare(path, state)
            return False
        if now - pending.since < SETTLE_SECONDS:
            return False
        return now - pending.first >= UNFINISHED_SECONDS or _has_its_end(path)

    def _change(self, path: Path, state: _State, lost: "dict[tuple[int, int], Path]") -> Change:
        known = self._known.get(path)
        self._know(path, state)
        if known is not None:
            return Change(What.REPLACED, path)
        was = lost.get(state.file_id)
        # A number of the file system is used again: only the very same file was renamed.
        if was is not None and was in self._pending and self._known[was] == state:
            del self._pending[was], self._known[was]
            return Change(What.RENAMED, path, was)
        return Change(What.APPEARED, path)

    def _is_in_gone(self, path: Path) -> bool:
        return any(path.is_relative_to(folder) for folder in self.folders if not folder.is_dir())


def watch_folders(tracker: Tracker, stop: threading.Event) -> Iterator[list[Change]]:
    """Yield changes as they settle, until `stop`; an empty list now and then, so that others get a turn."""
    reconciled = tracker.clock()
    while not stop.is_set():
        roots = [folder for folder in tracker.folders if folder.is_dir()]
        for hints in _hints(roots, stop):
            for path in hints:
                tracker.note(path)
            changes = tracker.settled()
            is_due = tracker.clock() - reconciled >= RECONCILE_SECONDS
            roots_changed = roots != [folder for folder in tracker.folders if folder.is_dir()]
            if is_due or roots_changed:
                reconciled = tracker.clock()
                changes = tracker.reconcile() + changes
            yield changes
            if roots_changed:
                break


def _hints(roots: Sequence[Path], stop: threading.Event) -> Iterator[list[Path]]:
    if not roots:
        while not stop.wait(0.1):
            yield []
        return
    watching = watchfiles.watch(
        *roots,
        watch_filter=None,
        debounce=100,
        step=20,
        rust_timeout=100,
        yield_on_timeout=True,
        raise_interrupt=False,
        stop_event=stop,
        ignore_permission_denied=True,
    )
    for found in watching:
        yield list(dict.fromkeys(Path(path) for _, path in sorted(found)))


def _scan(top: Path) -> dict[Path, _State]:
    found: dict[Path, _State] = {}
    folders = [top]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                inside = list(entries)
        except OSError:
            continue  # gone or closed to us meanwhile: the next look tells
        for entry in inside:
            if entry.is_dir(follow_symlinks=False):
                if entry.name != ARCHIVE_FOLDER:
                    folders.append(Path(entry.path))
            elif (state := _look(path := Path(entry.path))) is not None:
                found[path] = state
    return found


def _look(path: Path) -> _State | None:
    """Return what a file is now, or None for what is not there or not to be taken."""
    try:
        found = path.lstat()
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode) or reason_to_leave_out(path) or ARCHIVE_FOLDER in path.parts:
        return None
    return _State(found.st_size, found.st_mtime_ns, (found.st_dev, found.st_ino))


def _has_its_end(path: Path) -> bool:
    """Tell whether a picture whose format marks its end has it; other files are taken as they are."""
    try:
        with path.open("rb") as stream:
            head = stream.read(len(_PNG))
            if not head:
                return False  # made, and not written yet
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - _TAIL_BYTES))
            tail = stream.read()
    except OSError:
        return False
    if head == _PNG:
        return b"IEND" in tail
    return not head.startswith(_JPEG) or tail.rstrip(b"\x00").endswith(b"\xff\xd9")
