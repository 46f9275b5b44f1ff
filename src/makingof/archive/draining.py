"""Draining: what hooks left in the spool becomes events, each by the means it has earned.

One batch after another, under a lock, in the order of each stream:

 (1) handovers read and judged — pure, but for looking things up in the log;
 (2) attachments into the store, parts written — a crash leaves orphans;
 (3) events and the gaps that explain them in one commit — all of the batch or none;
 (4) what is known of the streams kept in the state folder;
 (5) the recorded handovers taken out of the spool.

A crash between (3) and (5) finds handovers again whose numbers are in the log: they
write nothing and are taken away. What cannot become an event is never dropped: its
bytes are kept as files of the `gap` that says why.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from makingof.archive.acts import PROGRAM
from makingof.archive.archive import Archive
from makingof.archive.handed import (
    check_drafts,
    check_files,
    check_header_of,
    find_bytes,
    is_place,
    read_handover,
)
from makingof.archive.hooks import hook_folder, hook_state, publish_nonce, spool_path
from makingof.archive.tool_records import with_tool_records
from makingof.digest import Digest
from makingof.errors import (
    CorruptBlobError,
    MalformedError,
    MissingBlobError,
    ProofError,
    SourceError,
    UsageError,
)
from makingof.event import MAX_CITES, Event, Kind
from makingof.keys.mark import hold_lock
from makingof.observation import Attachment, Observation, Position
from makingof.part import Means, PartType, Role
from makingof.recorder.write import Prepared, own_observation, stream_key
from makingof.spool.folder import (
    Waiting,
    attached_files,
    list_leftovers,
    list_waiting,
    remove_recorded,
)
from makingof.spool.handover import Handover, verify_mac
from makingof.spool.means import HANDED, OWN, RESULTS, Doubt, Judgement, Standing, is_in_time, judge
from makingof.spool.standings import StandingFolder

_BATCH = 128
_LOCK_SECONDS = 30.0
_KEPT_FILES = 64
_LEFTOVER_SECONDS = 3600.0  # no hook writes one handover for so long
_NAME_BYTES = 32
_NOBODY = ""  # the hook of a stream that no MAC of ours vouches for


@dataclass(slots=True)
class Drained:
    """What one drain did: events by their means, handovers met again, gaps written."""

    events: Counter[Means] = field(default_factory=Counter)
    already: int = 0
    gaps: int = 0


def drain(archive: Archive, spool: Path | None = None, *, wait_seconds: float = _LOCK_SECONDS) -> Drained:
    """Record everything that waits in `spool`, else in the archive's own; return what it became.

    A spool brought from elsewhere is left as it is; draining it again writes nothing.

    Raises:
        ConflictError: another process drains and did not end in time.
    """
    archive.require_writable()
    own = spool_path(archive)
    with hold_lock(hook_state(archive) / "drain.lock", wait_seconds):
        run = _Drain(archive, keeps_files=spool is not None and spool.absolute() != own.absolute())
        waiting = iter(list_waiting(spool or own))
        while batch := list(islice(waiting, _BATCH)):
            run.take(batch)
        run.take_leftovers(list_leftovers(spool or own, archive.clock.now().timestamp() - _LEFTOVER_SECONDS))
        publish_nonce(archive)
        return run.done


def waits(archive: Archive) -> bool:
    """Tell whether the archive's spool holds anything."""
    return bool(list_waiting(spool_path(archive)))


@dataclass(frozen=True, slots=True)
class _Refused:
    """A handover that cannot become an event, and why."""

    waiting: Waiting
    why: str
    message: str
    data: bytes | None
    position: Position | None = None  # where its MAC was right: the gap stands in its place


@dataclass(slots=True)
class _Batch:
    """What one batch will write."""

    prepared: list[Prepared] = field(default_factory=list)
    taken: list[Waiting] = field(default_factory=list)
    doubts: dict[tuple[str, str], list[int]] = field(default_factory=dict)  # stream, why → numbers
    means: dict[tuple[str, int], Means] = field(default_factory=dict)
    standings: dict[str, Standing] = field(default_factory=dict)


class _Drain:
    """One run over a spool."""

    def __init__(self, archive: Archive, *, keeps_files: bool) -> None:
        self._archive = archive
        self._hooks = hook_folder(archive)
        self._standings = StandingFolder(hook_state(archive) / "streams")
        self._known: dict[str, Standing | None] = {}
        self._keeps_files = keeps_files
        self.done = Drained()

    def take(self, waiting: Sequence[Waiting]) -> None:
        """Record one batch: steps (1) to (5)."""
        batch = _Batch()
        for item in waiting:
            self._consider(item, batch)
            batch.taken.append(item)
        self._finish(batch)

    def take_leftovers(self, leftovers: Sequence[Waiting]) -> None:
        """Keep, under a gap, what a host began to hand over and was killed at."""
        batch = _Batch()
        for item in leftovers:
            message = "a handover was begun and not finished"
            self._refuse(_Refused(item, "unfinished", message, find_bytes(item)), batch)
            batch.taken.append(item)
        if batch.taken:
            self._finish(batch)

    def _finish(self, batch: _Batch) -> None:
        """Steps (3) to (5)."""
        gaps = list(self._gaps(batch))
        self._archive.recorder.commit([*batch.prepared, *gaps], project=self._archive.index.current_project())
        self._archive.index.follow(self._archive.log)
        for stream, standing in batch.standings.items():
            self._standings.keep(stream, standing)
        if not self._keeps_files:
            remove_recorded(batch.taken)
        self.done.events.update(item.means for item in batch.prepared)
        self.done.gaps += sum(item.observation.kind is Kind.GAP for item in (*batch.prepared, *gaps))

    # (1) reading and judging

    def _consider(self, item: Waiting, batch: _Batch) -> None:
        try:
            handover = read_handover(item)
        except MalformedError as err:
            self._refuse(_Refused(item, "unreadable", str(err), find_bytes(item)), batch)
            return
        judgement, is_authentic = self._judge(handover, batch)
        handover = self._placed(handover, batch, is_authentic=is_authentic)
        if self._was_recorded(handover, batch):
            self._meet_again(item, handover, batch)
            return
        try:
            prepared = self._prepare(handover, judgement, batch)
        except (MalformedError, CorruptBlobError, MissingBlobError, SourceError, UsageError) as err:
            position = handover.observation.position if is_authentic else None
            why = "files_changed" if isinstance(err, CorruptBlobError | SourceError) else "refused"
            self._refuse(_Refused(item, why, str(err), handover.data, position), batch)
        else:
            batch.prepared.append(prepared)
            if judgement.doubt is not None:
                batch.doubts.setdefault((handover.stream, judgement.doubt.value), []).append(handover.seq)
        self._advance(handover, judgement, batch)

    def _judge(self, handover: Handover, batch: _Batch) -> tuple[Judgement, bool]:
        """Return the means `handover` has earned, and whether its MAC was right."""
        hook = self._hooks.find(handover.said.hook)
        if hook is None:
            return Judgement(Means.RECOVERED, Doubt.UNKNOWN_HOOK), False
        try:
            verify_mac(handover, bytes.fromhex(hook.secret))
        except ProofError:
            return Judgement(Means.RECOVERED, Doubt.WRONG_MAC), False
        if handover.observation.kind is Kind.OPENED:
            return self._judge_opening(handover), True
        standing = self._standing(handover.stream, batch)
        judgement = judge(handover, standing, self._archive.clock, self._request_means(handover, batch))
        if judgement.doubt is None and not all(
            self._stands(cited, batch) for cited in handover.observation.cites
        ):
            judgement = Judgement(Means.RECOVERED, Doubt.UNKNOWN_CITATION)
        return judgement, True

    def _judge_opening(self, handover: Handover) -> Judgement:
        if handover.seq != 0 or handover.said.previous is not None:
            return Judgement(Means.RECOVERED, Doubt.WRONG_CHAIN)
        if self._find_nonce(handover) is None:
            return Judgement(Means.RECOVERED, Doubt.UNKNOWN_NONCE)
        in_time = is_in_time(handover, self._archive.clock)
        return Judgement(Means.LIVE if in_time else Means.SPOOLED)

    def _find_nonce(self, handover: Handover) -> Digest | None:
        """Return the event whose name the stream opened with: one with receipts, or entry 0."""
        facts = _own_facts(handover.observation)
        try:
            name = bytes.fromhex(str(facts.get("nonce", "")))
        except ValueError:
            return None
        position = self._archive.log.find_leaf(name) if len(name) == _NAME_BYTES else None
        if position is None:
            return None
        found = Event.parse(self._archive.log.entry(position))
        return found.name if found.kind in (Kind.STAMPED, Kind.ENROLLED) else None

    def _request_means(self, handover: Handover, batch: _Batch) -> Means | None:
        """Return the means by which the request of a result was learned, if it stands below it."""
        if handover.observation.kind not in RESULTS:
            return None
        for cited in handover.observation.cites:
            if not isinstance(cited, Position) or cited.stream != handover.stream:
                continue
            if found := batch.means.get((cited.stream, cited.seq)):
                return found
            position = self._archive.log.find_key(stream_key(cited)) if is_place(cited) else None
            if position is not None:
                event = Event.parse(self._archive.log.entry(position))
                if event.kind is Kind.PROMPTED:
                    return event.means
        return None

    def _stands(self, cited: Digest | Position, batch: _Batch) -> bool:
        """Tell whether a cited event lies below: in the log, or earlier in this batch."""
        if isinstance(cited, Digest):
            return self._archive.log.find_leaf(cited.raw) is not None
        if (cited.stream, cited.seq) in batch.means:
            return True
        return is_place(cited) and self._archive.log.find_key(stream_key(cited)) is not None

    def _placed(self, handover: Handover, batch: _Batch, *, is_authentic: bool) -> Handover:
        """Keep what nobody vouches for out of the numbers of a stream that a hook of ours opened."""
        standing = self._standing(handover.stream, batch)
        if is_authentic or standing is None or standing.hook == _NOBODY:
            return handover
        stream = _derived_stream(handover.said.hook, handover.stream, handover.data.hex())
        observation = replace(handover.observation, position=Position(stream, 0))
        return replace(handover, observation=observation, stream=stream, seq=0)

    def _was_recorded(self, handover: Handover, batch: _Batch) -> bool:
        position = Position(handover.stream, handover.seq)
        if (position.stream, position.seq) in batch.means:
            return True
        return is_place(position) and self._archive.log.find_key(stream_key(position)) is not None

    def _meet_again(self, item: Waiting, handover: Handover, batch: _Batch) -> None:
        """A handover whose number is in the log: the same once more, or other bytes under its number."""
        standing = self._standing(handover.stream, batch)
        known = standing.chain[handover.seq] if standing and handover.seq < standing.next_seq else None
        if known is not None and known != handover.digest:
            message = f"number {handover.seq} of stream {handover.stream} was handed over twice, differently"
            self._refuse(_Refused(item, "number_reused", message, handover.data), batch)
            return
        self.done.already += 1
        if known is None:  # recorded, and the crash came before (4)
            self._advance(handover, self._judge(handover, batch)[0], batch)

    # (2) preparing

    def _prepare(self, handover: Handover, judgement: Judgement, batch: _Batch) -> Prepared:
        observation = handover.observation
        if observation.kind not in HANDED:
            message = f"a hook may not say {observation.kind}"
            raise MalformedError(message)
        means = Means.OWN if observation.kind in OWN else judgement.means
        cites = tuple(cited for cited in observation.cites if self._stands(cited, batch))
        observation = replace(observation, cites=cites)
        if observation.kind is Kind.OPENED:
            observation = self._opening(handover, observation, judgement)
        observation = with_tool_records(observation, means)
        check_drafts(observation)
        check_files(observation)
        prepared = self._archive.recorder.prepare(observation, means)
        check_header_of(prepared, self._archive.clock)
        batch.means[handover.stream, handover.seq] = means
        return prepared

    def _opening(self, handover: Handover, observation: Observation, judgement: Judgement) -> Observation:
        """Add the recorder's own word to `opened`: whose hook, and whether the stream is believed."""
        nonce = self._find_nonce(handover)
        facts = {
            **_own_facts(observation),
            "of": "hook",
            "hook": handover.said.hook,
            "boot": handover.said.boot,
            "said_at": handover.said.said_at,
            "accepted": judgement.doubt is None,
            "in_time": judgement.means is Means.LIVE,
        }
        others = [draft for draft in observation.drafts if draft.type is not PartType.OWN]
        own = own_observation(Kind.OPENED, observation.source, facts, drafts=others)
        return replace(observation, drafts=own.drafts, cites=() if nonce is None else (nonce,))

    def _refuse(self, refused: _Refused, batch: _Batch) -> None:
        """Keep a handover that cannot become an event, with its files, under a gap."""
        facts: dict[str, object] = {
            "why": refused.why,
            "message": refused.message,
            "name": refused.waiting.path.name,
        }
        if refused.position is not None:
            facts |= {
                "stream": refused.waiting.stream,
                "missing": [[refused.waiting.seq, refused.waiting.seq]],
            }
        attachments = [] if refused.data is None else [Attachment(refused.data, Role.REFERENCE)]
        attachments += [
            Attachment(path, Role.REFERENCE) for path in attached_files(refused.waiting, _KEPT_FILES)
        ]
        kept = hashlib.sha256(refused.data or b"").hexdigest()
        position = refused.position or Position(
            _derived_stream("refused", refused.waiting.path.name, kept), 0
        )
        if self._archive.log.find_key(stream_key(position)) is not None:
            self.done.already += 1
            return
        observation = own_observation(Kind.GAP, PROGRAM, facts, position=position, attachments=attachments)
        batch.prepared.append(self._archive.recorder.prepare(observation, Means.OWN))

    # (3), (4): gaps that explain, and what is remembered

    def _gaps(self, batch: _Batch) -> Iterator[Prepared]:
        """One gap for each stream and reason of the batch, citing the events it casts doubt on."""
        for (stream, why), numbers in batch.doubts.items():
            facts: dict[str, object] = {"why": why, "stream": stream, "numbers": _ranges(numbers)}
            if why == Doubt.MISSING:
                facts["missing"] = self._missing(stream, numbers[0], batch)
            observation = own_observation(
                Kind.GAP,
                PROGRAM,
                facts,
                position=Position(_derived_stream(stream, why, str(numbers[0])), 0),
                cites=[Position(stream, number) for number in numbers[:MAX_CITES]],
            )
            yield self._archive.recorder.prepare(observation, Means.OWN)

    def _missing(self, stream: str, number: int, batch: _Batch) -> list[list[int]]:
        """Return the range of numbers that never came right before `number`."""
        first = number
        while first > 0 and not self._stands(Position(stream, first - 1), batch):
            first -= 1
        return [[first, number - 1]]

    def _standing(self, stream: str, batch: _Batch) -> Standing | None:
        if stream in batch.standings:
            return batch.standings[stream]
        if stream not in self._known:
            self._known[stream] = self._standings.find(stream)
        return self._known[stream]

    def _advance(self, handover: Handover, judgement: Judgement, batch: _Batch) -> None:
        standing = self._standing(handover.stream, batch)
        if standing is None:
            doubted = judgement.doubt in (Doubt.UNKNOWN_HOOK, Doubt.WRONG_MAC)
            accepted = judgement.doubt is None and handover.observation.kind is Kind.OPENED
            standing = Standing(_NOBODY if doubted else handover.said.hook, accepted)
        batch.standings[handover.stream] = self._known[handover.stream] = standing.advanced(handover)


def _own_facts(observation: Observation) -> dict[str, object]:
    for draft in observation.drafts:
        facts = draft.body.get("facts") if draft.type is PartType.OWN else None
        if isinstance(facts, dict):
            return facts
    return {}


def _derived_stream(*words: str) -> str:
    """Name a stream of one after what it is about, so that meeting it again writes nothing."""
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:32]


def _ranges(numbers: Sequence[int]) -> list[list[int]]:
    ranges: list[list[int]] = []
    for number in sorted(numbers):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ranges
