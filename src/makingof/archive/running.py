"""The recorder that runs: folders, spool, a generator's history and stamps, one after another in one loop.

One process per archive. It shows itself in the spool, so that hooks need not start a
drain, and ends when a file there asks it to: no process is ever ended by its number,
which by then may be another's.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from makingof import durable
from makingof.archive.archive import Archive
from makingof.archive.draining import Drained, drain, waits
from makingof.archive.following import Following
from makingof.archive.home import SETTINGS_FILE
from makingof.archive.hooks import hook_state, publish_nonce, spool_path
from makingof.archive.presence import is_running, show_itself
from makingof.archive.unasked_looks import look_at_hosts, look_where_news
from makingof.archive.upkeep import record_health, start_due_stamping
from makingof.archive.watching import Noted, Watch, own_place
from makingof.capture.follower import Follower
from makingof.capture.watching import Change, Tracker, watch_folders
from makingof.config import Settings
from makingof.errors import ConflictError, MakingofError, UsageError
from makingof.event import Kind
from makingof.keys.mark import hold_lock
from makingof.lineage.second_looks import SecondLook
from makingof.spool.place import RECORDER
from makingof.texts import say

STOP = "stop"
SHOW_SECONDS = 5.0
FOLLOW_SECONDS = 2.0
STAMP_SECONDS = 15.0
NEWS_SECONDS = 60.0
AGAIN_SECONDS = 2.0
_PORTION = 64


@dataclass(frozen=True, slots=True)
class Told:
    """What the loop did in one turn, for whoever shows it."""

    noted: tuple[Noted, ...] = ()
    drained: Drained | None = None
    followed: int = 0
    looks: tuple[SecondLook, ...] = ()
    problem: MakingofError | None = None


@dataclass(slots=True)
class _Every:
    """Tells when so many seconds are over."""

    seconds: float
    last: float = field(default=-1e9)

    def is_over(self) -> bool:
        now = time.monotonic()
        if now - self.last < self.seconds:
            return False
        self.last = now
        return True


def record_on(
    archive: Archive, folders: Sequence[Path], following: Following | None, stop: threading.Event
) -> Iterator[Told]:
    """Record until `stop` is set or a file in the spool asks for it; yield what each turn gave.

    Raises:
        ConflictError: a recorder runs for this archive already.
    """
    with _alone(archive):
        record_health(archive)
        tracker = Tracker(tuple(folder.absolute() for folder in folders))
        known = tracker.start()
        watch = Watch(archive, tracker.folders) if folders else None
        if watch is not None:
            watch.open(known)
        try:
            yield from _turns(archive, tracker, watch, following, stop)
        finally:
            _close(archive, watch, following)


def _turns(
    archive: Archive,
    tracker: Tracker,
    watch: Watch | None,
    following: Following | None,
    stop: threading.Event,
) -> Iterator[Told]:
    beside = _Beside(archive, following, stop)
    left: list[Change] = []  # over and not recorded yet: there are many, or the disk is full
    again = _Every(AGAIN_SECONDS)
    for changes in watch_folders(tracker, stop):
        left += changes
        yield from beside.turn()
        while watch is not None and left and again.is_over() and not stop.is_set():
            told = _tried(partial(_record, watch, left[:_PORTION]))
            if told.problem is None:
                del left[:_PORTION]
                again.last = -1e9
            yield told
            # A folder filled at once must not make what hooks hand over late.
            yield from beside.turn()
        yield Told()
    tracker.reconcile()  # no notice is waited for any more
    if watch is not None and (count := len(left) + tracker.waiting):
        yield _tried(partial(_leave, watch, count))


@dataclass(slots=True)
class _Beside:
    """What has its turn whatever the folders do: spool, followed host, second looks, health, stamps."""

    archive: Archive
    following: Following | None
    stop: threading.Event
    show: _Every = field(default_factory=lambda: _Every(SHOW_SECONDS))
    follow: _Every = field(default_factory=lambda: _Every(FOLLOW_SECONDS))
    stamp: _Every = field(default_factory=lambda: _Every(STAMP_SECONDS))
    news: _Every = field(default_factory=lambda: _Every(NEWS_SECONDS))
    has_looked: bool = False

    def turn(self) -> Iterator[Told]:
        if self.show.is_over():
            show_itself(self.archive)
        if waits(self.archive):
            yield _tried(lambda: Told(drained=drain(self.archive)))
        if (following := self.following) is not None and self._is_due(following):
            yield _tried(lambda: Told(followed=following.look()))
        if self.news.is_over():
            yield _tried(self._look_back)
        if self.stamp.is_over():
            yield _tried(self._keep_up)
        if (spool_path(self.archive) / STOP).exists():
            self.stop.set()

    def _is_due(self, following: Following) -> bool:
        return following.follower.is_called or self.follow.is_over()

    def _look_back(self) -> Told:
        look, self.has_looked = look_where_news if self.has_looked else look_at_hosts, True
        return Told(looks=tuple(look(self.archive, _followed(self.following))))

    def _keep_up(self) -> Told:
        record_health(self.archive)
        start_due_stamping(self.archive)
        publish_nonce(self.archive)
        return Told()


def _record(watch: Watch, changes: Sequence[Change]) -> Told:
    return Told(noted=tuple(watch.record(changes)))


def _leave(watch: Watch, count: int) -> Told:
    watch.leave(count)
    return Told()


def _tried(act: Callable[[], Told]) -> Told:
    """A disk that is full or a host that does not answer is told of; the next turn tries again."""
    try:
        return act()
    except MakingofError as err:
        return Told(problem=err)


def _followed(following: Following | None) -> Follower | None:
    return None if following is None else following.follower


def _close(archive: Archive, watch: Watch | None, following: Following | None) -> None:
    # Before the streams close, so that it stands within them: who shows a run whole shows the look too.
    if following is not None:
        with suppress(MakingofError):  # a host that has ended: what it keeps is seen by the next look
            following.look()
    with suppress(MakingofError):  # a full disk: the next recorder looks when it begins
        look_where_news(archive, _followed(following), apart_seconds=0)
    for stream in (watch, following):
        if stream is not None:
            with suppress(MakingofError):  # a stream left open says itself that nobody closed it
                stream.close()


@contextmanager
def _alone(archive: Archive) -> Iterator[None]:
    spool = spool_path(archive)
    try:
        with hold_lock(hook_state(archive) / "recorder.lock", 0):
            durable.make_folders(spool)
            durable.remove(spool / STOP)
            try:
                yield
            finally:
                durable.remove(spool / RECORDER)
                durable.remove(spool / STOP)
    except ConflictError as err:
        raise ConflictError(say("recording.runs_already"), hint=say("recording.runs_already_hint")) from err


def ask_to_stop(archive: Archive, wait_seconds: float) -> bool:
    """Ask a recorder to end; return whether it has."""
    durable.make_folders(spool_path(archive))
    durable.replace(spool_path(archive) / STOP, b"")
    deadline = time.monotonic() + wait_seconds
    while is_running(archive) and time.monotonic() < deadline:
        time.sleep(0.05)
    durable.remove(spool_path(archive) / STOP)
    return not is_running(archive)


def watched_folders(archive: Archive, named: Sequence[Path]) -> list[Path]:
    """Return the folders to watch; those named are added to the settings, recorded as `configured`."""
    before = archive.settings.watched
    added = [str(folder.absolute()) for folder in named if str(folder.absolute()) not in before]
    for folder in named:
        if not folder.is_dir():
            raise UsageError(say("recording.no_folder", path=folder))
    if added:
        values = {name: getattr(archive.settings, name) for name in archive.settings.__dataclass_fields__}
        settings = Settings(**(values | {"watched": (*before, *added)}))
        durable.replace(archive.home.path / SETTINGS_FILE, settings.to_text().encode())
        archive.settings = settings
        places = [own_place(Path(folder)) for folder in added]
        archive.record_own(Kind.CONFIGURED, {"what": "watched", "folders": len(added)}, places)
    return [Path(folder) for folder in archive.settings.watched]
