"""Archive: a folder with a log, a store and an index, opened together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from makingof import durable
from makingof.archive.acts import PROGRAM
from makingof.archive.home import INDEX_FILE, SETTINGS_FILE, Home, holds_log
from makingof.archive.reader import ArchiveReader, open_parts
from makingof.clock import Clock
from makingof.config import Settings
from makingof.digest import Digest
from makingof.errors import UsageError
from makingof.event import Kind
from makingof.index.queries import Index
from makingof.keys.folder import create_key, create_key_in_keyring
from makingof.keys.recovery import RecoveryKey
from makingof.observation import Draft, Observation
from makingof.part import Means, PartType, People, Person, body_of
from makingof.recorder.write import Recorded, Recorder, own_observation
from makingof.texts import say
from makingof.tlog.log import Log, create_log
from makingof.tlog.place import find_unsafe_place


class Archive(ArchiveReader):
    """An open archive. Everything that writes goes through `record`; reading goes through `index`."""

    def __init__(self, home: Home, clock: Clock, settings: Settings, log: Log, index: Index) -> None:
        super().__init__(home, clock, settings, log, index)
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
    return Archive(home, clock, *open_parts(home))


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
