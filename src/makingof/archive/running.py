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
from makingof.capture.local_http import LocalHost
from makingof.capture.watching import Tracker, watch_folders
from makingof.config import Settings
from makingof.errors import ConflictError, MakingofError, UsageError
from makingof.event import Kind
from makingof.keys.mark import hold_lock
from makingof.lineage.second_looks import SecondLook
from makingof.spool.folder import RECORDER
from makingof.texts import say

STOP = "stop"
SHOW_SECONDS = 5.0
FOLLOW_SECONDS = 2.0
STAMP_SECONDS = 15.0
NEWS_SECONDS = 60.0


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
    show, follow, stamp = _Every(SHOW_SECONDS), _Every(FOLLOW_SECONDS), _Every(STAMP_SECONDS)
    news, look = _Every(NEWS_SECONDS), look_at_hosts
    for changes in watch_folders(tracker, stop):
        if show.is_over():
            show_itself(archive)
        if waits(archive):
            yield _tried(lambda: Told(drained=drain(archive)))
        if watch is not None and changes:
            yield _tried(lambda found=changes: Told(noted=tuple(watch.record(found))))  # type: ignore[misc]
        if following is not None and follow.is_over():
            yield _tried(lambda: Told(followed=following.look()))
        if news.is_over():
            yield _tried(lambda look=look: Told(looks=tuple(look(archive, _followed(following)))))  # type: ignore[misc]
            look = look_where_news
        if stamp.is_over():
            record_health(archive)
            start_due_stamping(archive)
            publish_nonce(archive)
        if (spool_path(archive) / STOP).exists():
            stop.set()
        yield Told()


def _tried(act: Callable[[], Told]) -> Told:
    """A disk that is full or a host that does not answer is told of; the next turn tries again."""
    try:
        return act()
    except MakingofError as err:
        return Told(problem=err)


def _followed(following: Following | None) -> LocalHost | None:
    return None if following is None else following.follower.host


def _close(archive: Archive, watch: Watch | None, following: Following | None) -> None:
    # Before the streams close, so that it stands within them: who shows a run whole shows the look too.
    with suppress(MakingofError):
        if following is not None:
            following.look()
        look_where_news(archive, _followed(following), apart_seconds=0)
    for stream in (watch, following):
        if stream is not None:
            # A stream left open says itself that nobody closed it.
            with suppress(MakingofError):
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
