"""Opening the archive for a command that writes, and what every such command does around its work."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from makingof.archive.acts import Teller, is_in_future
from makingof.archive.archive import Archive, open_archive
from makingof.archive.draining import drain, waits
from makingof.archive.erasing import remove_abandoned
from makingof.archive.names import Namer
from makingof.archive.upkeep import record_health, start_due_stamping
from makingof.cli.opening import home_of
from makingof.cli.terminal import Terminal
from makingof.errors import ConflictError, StorageError, UsageError
from makingof.texts import say

_DRAIN_SECONDS = 10.0


@contextmanager
def writing(terminal: Terminal) -> Iterator[Archive]:
    """Open the archive to write to it, and say which one it is.

    A health check goes first where one is due, then what hooks handed over; afterwards, when the command has
    answered, a detached process has the log stamped if that is due.
    """
    with open_archive(home_of(terminal), terminal.clock) as archive:
        archive.require_writable()
        record_health(archive)
        terminal.notice(say("cli.archive_used", path=archive.home.path))
        # One that is given its name while it is looked at has vanished; the next command tries again.
        with suppress(StorageError):
            remove_abandoned(archive)
        _drain_first(archive)
        yield archive
        start_due_stamping(archive)


def _drain_first(archive: Archive) -> None:
    """Take in what waits; somebody who is at it already is left to it."""
    with suppress(ConflictError):
        if waits(archive):
            drain(archive, wait_seconds=_DRAIN_SECONDS)


def teller_of(terminal: Terminal, archive: Archive, when: str | None = None) -> Teller:
    """Return who acts: `--as` by pseudonym or enrolled name, else the owner.

    Refused: to tell now of what is yet to happen.
    """
    if when is not None and is_in_future(when, archive.clock.now()):
        raise UsageError(say("cli.when_in_future", when=when), hint=say("cli.when_in_future_hint"))
    if terminal.actor is None:
        return Teller(archive.settings.owner, when)
    people = archive.index.people()
    matches = [person.id for person in people if terminal.actor in (person.id, person.name)]
    if len(set(matches)) != 1:
        known = ", ".join(f"{person.id} ({person.name})" for person in people)
        raise UsageError(
            say("cli.nobody", name=terminal.actor), hint=say("cli.nobody_hint", people=known or "–")
        )
    return Teller(matches[0], when)


def report_new(terminal: Terminal, namer: Namer) -> None:
    """Say which pictures had to be recorded first."""
    for path in namer.newly_recorded:
        terminal.notice(say("cli.recorded_first", path=path))
        if event := namer.erased_before.get(path.absolute()):
            terminal.notice(say("cli.erased_before", path=path, event=event))
