"""Group commit: threads that append at the same moment share one sync of the disk.

The first thread to come leads: it takes what all others have handed in,
commits it, and wakes them with their results. Whoever comes meanwhile waits
for the next round. Nobody waits for company: alone, one is committed at once.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from makingof.errors import ConflictError, MakingofError, UsageError

Given = TypeVar("Given")
Result = TypeVar("Result")


@dataclass(slots=True, eq=False)
class Ticket(Generic[Given, Result]):
    """What one caller handed in, and what came of it."""

    given: Given
    result: Result | None = None
    error: Exception | None = None

    @property
    def settled(self) -> bool:
        """Whether the caller can be answered."""
        return self.result is not None or self.error is not None


class Group(Generic[Given, Result]):
    """Combines the calls of many threads; `commit` settles every ticket it is given, or raises."""

    def __init__(self, commit: Callable[[Sequence[Ticket[Given, Result]]], None]) -> None:
        self._commit = commit
        self._changed = threading.Condition()
        self._waiting: list[Ticket[Given, Result]] = []
        self._leader: int | None = None

    def submit(self, given: Given) -> Result:
        """Return what `commit` made of `given`, or raise what it raised."""
        if self._leader == threading.get_ident():
            message = "an append cannot be started from inside an append"
            raise UsageError(message)
        ticket = Ticket[Given, Result](given)
        round_ = self._join(ticket)
        if round_:
            self._lead(round_)
        if ticket.result is None:
            raise ticket.error or AssertionError(ticket)
        return ticket.result

    def _join(self, ticket: Ticket[Given, Result]) -> list[Ticket[Given, Result]]:
        """Wait until the ticket is settled, or return the round this thread has to commit."""
        with self._changed:
            self._waiting.append(ticket)
            while self._leader is not None and not ticket.settled:
                self._changed.wait()
            if ticket.settled:
                return []
            self._leader = threading.get_ident()
            round_, self._waiting = self._waiting, []
            return round_

    def _lead(self, round_: list[Ticket[Given, Result]]) -> None:
        try:
            self._commit(round_)
        except Exception as err:  # noqa: BLE001 - every caller of the round is told, and raises it
            for ticket in round_:
                ticket.error = _same_error(err)
        finally:
            with self._changed:
                for ticket in round_:
                    if not ticket.settled:  # the leading thread was interrupted, by Ctrl-C say
                        ticket.error = ConflictError("append was interrupted before its outcome was known")
                self._leader = None
                self._changed.notify_all()


def _same_error(err: Exception) -> Exception:
    """Give each caller an exception of its own: threads that raise one object write over its traceback."""
    if not isinstance(err, MakingofError):
        return err
    copy = type(err)(err.message, hint=err.hint)
    copy.__cause__ = err
    return copy
