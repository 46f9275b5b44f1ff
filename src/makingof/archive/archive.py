"""Archive: a folder with a log, a store and an index, opened together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from makingof import durable
from makingof.archive.acts import PROGRAM
from makingof.clock import Clock
from makingof.config import Settings
from makingof.digest import Digest
from makingof.errors import MalformedError, StorageError, UsageError
from makingof.event import Kind
from makingof.index.queries import Index
from makingof.keys.folder import create_key, create_key_in_keyring
from makingof.keys.recovery import RecoveryKey
from makingof.observation import Draft, Observation
from makingof.part import Means, PartType, People, Person, body_of
from makingof.recorder.write import Recorded, Recorder, own_observation
from makingof.store.files import FileStore
from makingof.texts import say
from makingof.tlog.log import Log, create_log, open_log
from makingof.tlog.place import find_unsafe_place

LOG_FILE = "log.sqlite"
INDEX_FILE = "index.sqlite"
SETTINGS_FILE = "makingof.toml"


@dataclass(frozen=True, slots=True)
class Home:
    """Where things lie for one user: the archive, and the state folder with keys and marks beside it."""

    path: Path
    state: Path

    @property
    def log_path(self) -> Path:
        return self.path / LOG_FILE


class Archive:
    """An open archive. Everything that writes goes through `record`; reading goes through `index`."""

    def __init__(self, home: Home, clock: Clock, settings: Settings, log: Log, index: Index) -> None:
        self.home = home
        self.clock = clock
        self.settings = settings
        self.log = log
        self.store = FileStore(home.path / settings.blobs)
        self.index = index
        self.recorder = Recorder(log, self.store, clock)

    def record(
        self, observations: Sequence[Observation], *, means: Means, project: Digest | None = None
    ) -> list[Recorded]:
        """Record `observations` in one commit, in the current project unless they name another.

        When this returns, they are durable and the index shows them.
        """
        self.require_writable()
        recorded = self.recorder.record(
            observations, means=means, project=project or self.index.current_project()
        )
        self.index.follow(self.log)
        return recorded

    def record_own(self, kind: Kind, facts: dict[str, object], drafts: Sequence[Draft] = ()) -> Recorded:
        """Record one event of the recorder about itself, in no project."""
        self.require_writable()
        observation = own_observation(kind, PROGRAM, facts, drafts=drafts)
        recorded = self.recorder.record([observation], means=Means.OWN)
        self.index.follow(self.log)
        return recorded[0]

    def require_writable(self) -> None:
        """Raise what says why this archive can only be read, if so."""
        if self.log.read_only is not None:
            raise self.log.read_only.to_error()

    def close(self) -> None:
        self.index.close()
        self.log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a new archive starts from."""

    owner: str
    settings: Settings
    takes_recovery_key: bool = False
    uses_keyring: bool = False
    previous: Callable[[str], dict[str, object]] | None = None  # what entry 0 says of the log it succeeds


def create_archive(home: Home, clock: Clock, plan: Plan) -> tuple[Archive, RecoveryKey | None]:
    """Make an archive with its key and entry 0, and open it.

    Returns the recovery key where the plan takes one: it is shown once, printed by
    the person, and kept nowhere. Places where a log is not safe (network drives,
    synced folders) are refused before anything is written.
    """
    if holds_log(home.path):
        raise UsageError(say("archive.exists", path=home.path), hint=say("archive.exists_hint"))
    if unsafe := find_unsafe_place(home.path):
        raise UsageError(unsafe, hint=say("archive.unsafe_hint"))
    durable.make_folders(home.path)
    make = create_key_in_keyring if plan.uses_keyring else create_key
    key = make(home.state)
    recovery = RecoveryKey.make() if plan.takes_recovery_key else None
    durable.replace(home.path / SETTINGS_FILE, plan.settings.to_text().encode())
    log = create_log(home.log_path, home.state, key)
    archive = Archive(home, clock, plan.settings, log, Index.open(home.path / INDEX_FILE))
    archive.recorder.record([_entry_zero(archive, plan, recovery)], means=Means.OWN)
    archive.index.follow(log)
    return archive, recovery


def open_archive(home: Home, clock: Clock) -> Archive:
    """Open an archive, and bring its index up to date with its log.

    An archive that can only be read opens too; `log.read_only` says why. Where the
    index cannot be written (a read-only disk), one in memory takes its place.
    """
    if not holds_log(home.path):
        raise UsageError(say("archive.none", path=home.path), hint=say("archive.none_hint"))
    settings = read_settings(home.path)
    log = open_log(home.log_path, home.state)
    index = _open_index(home.path / INDEX_FILE)
    index.follow(log)
    return Archive(home, clock, settings, log, index)


def holds_log(folder: Path) -> bool:
    """Tell whether `folder` is an archive; a folder that may not be entered is a `StorageError`."""
    try:
        return (folder / LOG_FILE).exists()
    except OSError as err:
        raise StorageError(
            say("archive.no_entry", path=folder, reason=err.strerror or str(err)),
            hint=say("archive.no_entry_hint"),
        ) from err


def read_settings(folder: Path) -> Settings:
    """Read an archive's settings; one without a file has the defaults."""
    path = folder / SETTINGS_FILE
    try:
        return Settings.parse(path.read_text("utf-8")) if path.exists() else Settings()
    except UnicodeDecodeError as err:
        message = f"{path} is not UTF-8"
        raise MalformedError(message) from err


def _open_index(path: Path) -> Index:
    try:
        return Index.open(path)
    except StorageError:
        return Index.in_memory()


def _entry_zero(archive: Archive, plan: Plan, recovery: RecoveryKey | None) -> Observation:
    """What every log begins with: its own key, the recovery key's hash, and who keeps it."""
    owner = Person(id=plan.settings.owner, name=plan.owner, role="owner")
    facts: dict[str, object] = {
        "log_key": archive.log.public.vkey,
        "recovery": None if recovery is None else recovery.public_digest,
        "previous": None if plan.previous is None else plan.previous(archive.log.origin),
    }
    people = Draft(PartType.PEOPLE, body_of(People(people=(owner,))), "person", Means.STATED)
    return own_observation(Kind.ENROLLED, PROGRAM, facts, drafts=[people])
