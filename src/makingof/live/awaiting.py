"""The ends of jobs whose pictures lie at addresses: told when they are here, or cannot be had.

Each address is asked at once, in a thread of its own and without the program's credentials;
where the program fetches it too, whatever comes first counts.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from makingof.errors import UnavailableError
from makingof.live.exchange import Answered, Asked
from makingof.live.fetching import fetch
from makingof.live.journal import Ticket
from makingof.live.services.known import Known
from makingof.live.services.said import Told, Wish

_AT_ONE_TIME = 4
_NO_TIME_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Job:
    """A job asked for: by which request, and what is known of that."""

    known: Known
    asked: Asked
    wish: Wish | None
    ticket: Ticket | None


@dataclass(slots=True)
class Ending:
    """What became of a job. `missing` maps the position of a picture that is not here to its address."""

    job: Job
    answered: Answered
    told: Told
    deadline: float
    missing: dict[int, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def take(self, at: int, data: bytes) -> None:
        """Put the bytes of a picture in its place, unless they came before."""
        if self.missing.pop(at, None) is not None:
            pictures = list(self.told.pictures)
            pictures[at] = replace(pictures[at], data=data)
            self.told = replace(self.told, pictures=tuple(pictures))


class Awaiting:
    """Endings that are not whole yet. Used by one thread; only `is_awaited` may be asked by others."""

    def __init__(self, hear: Callable[[Callable[[], None]], None]) -> None:
        """`hear` has something done in the thread that uses this."""
        self._hear = hear
        self._endings: list[Ending] = []
        self._by_address: dict[str, tuple[Ending, int]] = {}
        self._turns = threading.BoundedSemaphore(_AT_ONE_TIME)

    def is_awaited(self, address: str) -> bool:
        return address in self._by_address

    def add(self, ending: Ending) -> None:
        """Wait for what is missing, and ask for it."""
        self._endings.append(ending)
        for at, address in ending.missing.items():
            self._by_address[address] = (ending, at)
            arguments = (ending, at, address)
            thread = threading.Thread(target=self._fetch, args=arguments, name="makingof-fetch", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # later Pythons start no thread while a program ends
                self._fetch(*arguments)

    def take(self, address: str, data: bytes) -> None:
        """Take what the program fetched itself."""
        if (found := self._by_address.get(address)) is not None:
            found[0].take(found[1], data)

    def _fetched(self, ending: Ending, at: int, found: bytes | str) -> None:
        """Take what a fetch of ours gave: bytes, or why there are none."""
        if isinstance(found, bytes):
            ending.take(at, found)
        else:
            ending.problems.append(found)

    def hurry(self, deadline: float) -> None:
        """Wait for nothing longer than until `deadline`."""
        for ending in self._endings:
            ending.deadline = min(ending.deadline, deadline)

    def patience(self) -> float | None:
        """Return for how many seconds nothing has to be done; None where nothing is awaited."""
        first = min((ending.deadline for ending in self._endings), default=None)
        return None if first is None else max(0.01, first - time.monotonic())

    def take_ended(self) -> list[Ending]:
        """Return, once, the endings that are whole, and those that waited long enough."""
        ended = [e for e in self._endings if not e.missing or time.monotonic() >= e.deadline]
        for ending in ended:
            self._endings.remove(ending)
            for address in [a for a, (owner, _) in self._by_address.items() if owner is ending]:
                del self._by_address[address]
            if not ending.missing:
                ending.problems.clear()
            elif not ending.problems:
                ending.problems.append("picture did not come in time")
        return ended

    def _fetch(self, ending: Ending, at: int, address: str) -> None:
        with self._turns:
            seconds = max(_NO_TIME_SECONDS, ending.deadline - time.monotonic())
            found: bytes | str
            try:
                found = fetch(address, loopback=ending.job.asked.is_loopback, seconds=seconds)
            except UnavailableError as err:
                found = str(err)
            except Exception as err:  # noqa: BLE001 - said in the record, with the picture that is missing
                found = type(err).__name__
        self._hear(lambda: self._fetched(ending, at, found))
