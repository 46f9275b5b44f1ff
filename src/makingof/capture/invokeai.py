"""InvokeAI from outside: its queue, its pictures and what people do to them, as its database tells.

Nothing is put into InvokeAI. Its database is read while it runs, each look at one moment;
where InvokeAI calls (`invokeai_calls`), looks come at once, and what came and went between two
of them is told too. Only while somebody looks does an end count as watched: what
stood there before, or came while the database could not be read, is `recovered`.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from makingof import __version__
from makingof.capture.exports.told import place, portable, report
from makingof.capture.follower import Listed, Seen, place_of, raw_drafts
from makingof.capture.invokeai_pictures import Traces
from makingof.capture.invokeai_rows import TOOL, error_of, moment, outcome_of
from makingof.capture.invokeai_session import Session
from makingof.capture.invokeai_tables import Item, Picture, State, Tables
from makingof.capture.local_http import LocalHost
from makingof.errors import SourceError
from makingof.event import Kind, Source
from makingof.observation import Attachment, Draft, Observation
from makingof.part import Means, Own, PartType, Role, body_of
from makingof.texts import Message, say

GRAPH = "queue:graph"
_QUEUE = "/api/v1/queue/default"
_WHERE = "session_queue"
_AT_ONCE = 50  # jobs whose sessions are in memory together
_MAX_JOBS = 1_000  # InvokeAI reads every graph again to answer
_MAX_ASKED = 200
_NOTHING = Session({}, {}, ())


@dataclass(frozen=True, slots=True)
class Called:
    """What InvokeAI itself said of one job: by its session, with the words of a row of its queue."""

    item: int
    session: str
    said: Mapping[str, str]


class Calls(Protocol):
    """Hears what InvokeAI says while it runs."""

    @property
    def is_called(self) -> bool:
        """Tell whether something was said that nobody took yet."""

    def take(self) -> list[Called]:
        """Return what was last said of each job since this was asked before."""

    def close(self) -> None:
        """Hang up."""


@dataclass(slots=True)
class InvokeAIFollower:
    """Looks again and again at one running InvokeAI whose files lie under `root`."""

    host: LocalHost
    root: Path
    calls: Calls | None = None
    version: str = ""
    _tables: Tables = field(init=False)
    _identity: tuple[int, int] | None = None
    _open: dict[int, Item] = field(default_factory=dict)
    _over: set[int] = field(default_factory=set)  # jobs past `_after` whose end was told
    _after: int = 0  # nothing will change any more of jobs up to this one
    _ended: set[str] = field(default_factory=set)  # sessions whose end was told in this run
    _before: State | None = None
    _given: set[str] = field(default_factory=set)  # pictures told as a job's own in this run
    _is_blind: bool = True  # nobody looked just before

    def __post_init__(self) -> None:
        self._tables = Tables(self.root)

    @property
    def tool(self) -> str:
        return TOOL

    @property
    def is_called(self) -> bool:
        return self.calls is not None and self.calls.is_called

    @property
    def remark(self) -> Message | None:
        return say("recording.not_called") if self.calls is None else None

    def close(self) -> None:
        if self.calls is not None:
            self.calls.close()

    def look(self, recorded: AbstractSet[str] = frozenset()) -> Iterator[Seen]:
        """Yield what is new since the last look; jobs in `recorded` were recorded by others, or before.

        The database is looked at even where InvokeAI does not answer; only then is that said.
        """
        version = None if self.version else ask_version(self.host)
        self.version = version or self.version
        called = self.calls.take() if self.calls else []
        try:
            state = self._read()
        except SourceError as err:
            if self._before is not None and not self._is_blind:
                yield self._gap("database_unreadable", {"message": str(err)})
            self._is_blind = True
            raise
        if state is not self._before or called:
            yield from self._compare(state, called, recorded)
        self._before, self._is_blind = state, False
        if version is None:
            ask_version(self.host)

    def _read(self) -> State:
        identity = self._tables.identity
        if self._before is None and identity is not None:
            self._require_same(self._tables.read(0))
        elif identity not in (None, self._identity):
            self._open.clear()
            self._over.clear()
            self._after, self._before, self._is_blind = 0, None, True
        self._identity = identity or self._identity
        return self._tables.read(self._after)

    def _require_same(self, state: State) -> None:
        """Refuse a folder whose database is another InvokeAI's: nothing would ever be seen."""
        listed = _item_ids(self.host)
        if listed and not listed & {item.id for item in state.items}:
            raise SourceError(
                say("recording.other_root", url=self.host.url, path=self.root),
                hint=say("recording.other_root_hint"),
            )

    def _compare(self, state: State, called: Sequence[Called], recorded: AbstractSet[str]) -> Iterator[Seen]:
        means = Means.RECOVERED if self._is_blind else Means.WATCHED
        own: dict[str, list[Picture]] = defaultdict(list)
        for picture in state.pictures.values():
            if not picture.is_upload and picture.session:
                own[picture.session].append(picture)
        yield from self._requests(state)
        yield from self._ends(state, own, recorded, means)
        yield from self._gone(state, own, called, recorded)
        if self._before is not None:
            yield from self._late(state, own, recorded, means)
        self._given.update(state.pictures)
        traces = Traces(self._source(), means)
        if self._before is None:
            yield from traces.standing(state.pictures, state.boards)
        else:
            yield from traces.compare(self._before.pictures, state.pictures, state.boards)
        self._forget(state)

    def _requests(self, state: State) -> Iterator[Seen]:
        """Yield what waits or runs and was not seen before."""
        new = [item for item in state.items if not item.is_over and item.id not in self._open]
        for item, session in self._with_sessions(new):
            self._open[item.id] = item
            drafts, attachments = self._asked(session, state, [])
            drafts.insert(0, _report(item, outcome=None, outputs=None))
            observation = Observation(Kind.PROMPTED, self._source(), tuple(drafts), tuple(attachments))
            yield Seen(item.session, observation, Means.WATCHED)
        self._open |= {item.id: item for item in state.items if not item.is_over}

    def _ends(
        self, state: State, own: Mapping[str, list[Picture]], recorded: AbstractSet[str], means: Means
    ) -> Iterator[Seen]:
        ended = [item for item in state.items if item.is_over and item.id not in self._over]
        new = [item for item in ended if item.session not in recorded and item.session not in self._ended]
        for item, session in self._with_sessions(new):
            by = Means.WATCHED if item.id in self._open else means
            yield from self._end(item, session, state, own.get(item.session, []), by)
        for item in ended:
            self._over.add(item.id)
            self._open.pop(item.id, None)

    def _gone(
        self,
        state: State,
        own: Mapping[str, list[Picture]],
        called: Sequence[Called],
        recorded: AbstractSet[str],
    ) -> Iterator[Seen]:
        """Yield jobs that left the queue and whose end no look showed: deleted, cleared or pruned."""
        there = {item.id for item in state.items}
        left = {item.id: item for number, item in self._open.items() if number not in there}
        for heard in called:
            item = Item(heard.item, heard.session, heard.said)
            if item.is_over and item.id not in there:
                left[item.id] = item
        for item in left.values():
            self._open.pop(item.id, None)
            if item.session not in recorded and item.session not in self._ended:
                said = item.said if item.is_over else {**item.said, "status": "canceled"}
                told = Item(item.id, item.session, {**said, "left_the_queue": "yes"})
                yield from self._end(told, None, state, own.get(item.session, []), Means.WATCHED)

    def _late(
        self, state: State, own: Mapping[str, list[Picture]], recorded: AbstractSet[str], means: Means
    ) -> Iterator[Seen]:
        """Yield pictures of jobs whose end was told before they came, or that nobody saw in the queue."""
        running = {item.session for item in state.items if not item.is_over}
        for session, pictures in own.items():
            new = [picture for picture in pictures if picture.name not in self._given and _is_there(picture)]
            if new and session not in running and session not in recorded:
                self._ended.add(session)
                drafts = [report("images", job=session, outputs=len(new)), *_places(new)]
                yield Seen(
                    session,
                    Observation(Kind.GENERATED, self._source(), tuple(drafts), tuple(_attached(new))),
                    means,
                )

    def _end(
        self, item: Item, session: Session | None, state: State, own: list[Picture], means: Means
    ) -> Iterator[Seen]:
        self._ended.add(item.session)
        self._given.update(picture.name for picture in own)
        delivered = session.delivered if session else ()
        there = [picture for picture in own if _is_there(picture)]
        known = [state.pictures[name] for name in delivered if name in state.pictures]
        again = [picture for picture in known if picture.session != item.session]
        lost = [picture.name for picture in own if picture not in there]
        lost += [name for name in delivered if name not in state.pictures]
        redelivered = "redelivered" if again and not own and not lost else None
        drafts, attachments = self._asked(session, state, there)
        drafts[:0] = [
            _report(item, outcome=outcome_of(item.said) or redelivered, outputs=len(own) or len(delivered)),
            *_places(there),
            *(place(_WHERE, name) for name in lost),
        ]
        kind = Kind.GENERATED if there else Kind.ATTEMPTED
        observation = Observation(kind, self._source(), tuple(drafts), tuple(attachments))
        about = tuple(picture.path for picture in again if picture.path) if redelivered else ()
        yield Seen(item.session, observation, means, about)
        if lost:
            yield self._gap("pictures_gone", {"job": portable(item.session), "pictures": len(lost)})

    def _asked(
        self, session: Session | None, state: State, there: list[Picture]
    ) -> tuple[list[Draft], list[Attachment]]:
        """Return the job's graph and every file of it: what it gave, then what it used."""
        asked = session or _NOTHING
        attachments = [*_attached(there), *_used(asked.used, state)]
        if session is None:
            return [], attachments
        drafts, graph = raw_drafts(session.graph, GRAPH, TOOL, len(attachments))
        return drafts, [*attachments, *graph]

    def _with_sessions(self, items: Sequence[Item]) -> Iterator[tuple[Item, Session | None]]:
        for start in range(0, len(items), _AT_ONCE):
            some = items[start : start + _AT_ONCE]
            sessions = self._tables.sessions(some)
            yield from ((item, sessions[item.id]) for item in some)

    def _forget(self, state: State) -> None:
        """Leave out what can change no more: jobs are numbered on, and one that is over stays so."""
        highest = max((item.id for item in state.items), default=self._after)
        self._after = min(self._open, default=highest + 1) - 1
        self._over = {number for number in self._over if number > self._after}

    def _gap(self, why: str, facts: Mapping[str, Any]) -> Seen:
        own = Draft(PartType.OWN, body_of(Own(facts={"why": why, **facts})), "recorder", Means.OWN)
        return Seen("", Observation(Kind.GAP, self._source(), (own,)), Means.OWN)

    def _source(self) -> Source:
        return Source("makingof-follower", __version__, TOOL, self.version or None)


def ask_version(host: LocalHost) -> str:
    """Return which InvokeAI answers; anything else is a `SourceError`."""
    told = host.ask("/api/v1/app/version")
    if not isinstance(told, dict) or not isinstance(told.get("version"), str):
        raise SourceError(say("recording.no_answer", url=host.url, reason="not InvokeAI"))
    return str(told["version"])


def list_jobs(host: LocalHost) -> list[Listed]:
    """Ask the host for the newest jobs of its queue that are over; of other people's it says nothing."""
    numbers = sorted(_item_ids(host))[-_MAX_JOBS:]
    found = []
    for start in range(0, len(numbers), _MAX_ASKED):
        asked = {"item_ids": numbers[start : start + _MAX_ASKED]}
        found += [
            Listed(
                item["session_id"],
                _milliseconds(item.get("started_at")),
                _milliseconds(item.get("completed_at")),
            )
            for item in _objects(host.ask(f"{_QUEUE}/items_by_ids", asked))
            if item.get("status") in ("completed", "failed", "canceled")
            and isinstance(item.get("session_id"), str)
            and item["session_id"] != "redacted"
        ]
    return found


def _item_ids(host: LocalHost) -> set[int]:
    told = host.ask(f"{_QUEUE}/item_ids")
    numbers = told.get("item_ids") if isinstance(told, dict) else None
    if not isinstance(numbers, list):
        raise SourceError(say("recording.no_answer", url=host.url, reason="no item_ids"))
    return {number for number in numbers if isinstance(number, int)}


def _objects(told: Any) -> Iterable[Mapping[str, Any]]:
    return [item for item in told if isinstance(item, dict)] if isinstance(told, list) else ()


def _milliseconds(text: Any) -> int | None:
    found = moment(text) if isinstance(text, str) else None
    return None if found is None else int(found.timestamp() * 1000)


def _is_there(picture: Picture) -> bool:
    return picture.path is not None and picture.path.is_file()


def _attached(pictures: Iterable[Picture]) -> list[Attachment]:
    return [
        Attachment(picture.path, picture.role, name=picture.name, number=number)
        for number, picture in enumerate(pictures)
        if picture.path is not None
    ]


def _used(used: Mapping[str, Role], state: State) -> list[Attachment]:
    found = ((state.pictures.get(name), role) for name, role in used.items())
    return [
        Attachment(picture.path, role, name=picture.name)
        for picture, role in found
        if picture is not None and picture.path is not None and _is_there(picture)
    ]


def _places(pictures: Iterable[Picture]) -> list[Draft]:
    return [
        place_of(picture.path, "images", number)
        for number, picture in enumerate(pictures)
        if picture.path is not None
    ]


def _report(item: Item, *, outcome: str | None, outputs: int | None) -> Draft:
    facts = {name: value for name, value in item.said.items() if not name.startswith(("error", "session"))}
    return report(
        _WHERE, outcome=outcome, job=item.session, outputs=outputs, text=error_of(item.said), also=facts
    )
