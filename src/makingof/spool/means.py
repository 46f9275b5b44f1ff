"""How `live` is earned: a pure function of a handover, what is known of its stream, and our clock.

Right in everything and in time: `live`. Right and late: `spooled`. Anything else is
`recovered`, and the doubt becomes the `why` of a `gap`. Nothing here binds an owner
who patches the recorder; it removes forging afterwards, from outside, and without
running the tool.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from makingof.clock import Clock, parse_instant
from makingof.digest import Digest
from makingof.event import Kind
from makingof.part import Means
from makingof.spool.handover import Handover

IN_TIME_MS = 60_000
_AHEAD_MS = 2_000  # two readings of one clock, rounded apart
_NO_BOOT_ID = timedelta(seconds=120)

# What a hook may say. The recorder's other words about itself are its own to write.
HANDED = frozenset(
    {
        Kind.OPENED, Kind.CLOSED, Kind.GAP, Kind.PROMPTED, Kind.GENERATED, Kind.ATTEMPTED, Kind.SELECTED,
        Kind.REJECTED, Kind.EDITED, Kind.DESCRIBED, Kind.FILMED, Kind.REMOVED,
    }
)  # fmt: skip
RESULTS = frozenset({Kind.GENERATED, Kind.ATTEMPTED})
OWN = frozenset({Kind.OPENED, Kind.CLOSED, Kind.GAP})


class Doubt(StrEnum):
    """Why a handover is not believed as it stands."""

    UNKNOWN_HOOK = "unknown_hook"  # another machine, or a hook that was disconnected
    WRONG_MAC = "wrong_mac"
    UNKNOWN_NONCE = "unknown_nonce"  # the stream was not opened on anything this log holds
    NOT_OPEN = "not_open"  # no `opened` was accepted, or it was closed
    MISSING = "missing"  # a number before it never came
    OUT_OF_ORDER = "out_of_order"  # a later number is recorded already
    WRONG_CHAIN = "wrong_chain"  # it does not follow the one recorded before it
    CLAIM_AHEAD = "claim_ahead"  # it says a time that has not come
    NO_REQUEST = "no_request"  # a result whose request was not handed over before it
    UNKNOWN_CITATION = "unknown_citation"


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a stream: whether it was accepted, and the handovers recorded so far."""

    hook: str
    accepted: bool
    closed: bool = False
    chain: tuple[Digest | None, ...] = ()  # by number; None: never came

    @property
    def next_seq(self) -> int:
        return len(self.chain)

    def advanced(self, handover: Handover) -> "Standing":
        """Return the standing after `handover`, whose number may come late."""
        chain = list(self.chain) + [None] * (handover.seq + 1 - len(self.chain))
        chain[handover.seq] = handover.digest
        closed = self.closed or handover.observation.kind is Kind.CLOSED
        return Standing(self.hook, self.accepted, closed, tuple(chain))


@dataclass(frozen=True, slots=True)
class Judgement:
    """The means a handover gets and, unless it was right, why."""

    means: Means
    doubt: Doubt | None = None


def judge(handover: Handover, standing: Standing | None, clock: Clock, request: Means | None) -> Judgement:
    """Decide by which means `handover`, whose MAC was found right, was learned.

    `request` is the means by which the request of a result stands in the log, or None.
    """
    doubt = _find_doubt(handover, standing, clock)
    if doubt is None and handover.observation.kind in RESULTS and request not in (Means.LIVE, Means.SPOOLED):
        doubt = Doubt.NO_REQUEST
    if doubt is not None:
        return Judgement(Means.RECOVERED, doubt)
    # A request that came late may have been written when its result was known.
    prompt = is_in_time(handover, clock) and request is not Means.SPOOLED
    return Judgement(Means.LIVE if prompt else Means.SPOOLED)


def is_in_time(handover: Handover, clock: Clock) -> bool:
    """Tell whether `handover` arrives within 60 s of its own claim, by the boot-time clock of both sides."""
    said = handover.said
    if said.boot != clock.boot_id():
        return False
    # Where a system names no boot, the wall clocks have to agree as well.
    if not said.boot and abs(clock.now() - parse_instant(said.said_at)) > _NO_BOOT_ID:
        return False
    return clock.uptime_ms() - said.uptime_ms <= IN_TIME_MS


def _find_doubt(handover: Handover, standing: Standing | None, clock: Clock) -> Doubt | None:
    if standing is None or not standing.accepted or standing.closed or standing.hook != handover.said.hook:
        return Doubt.NOT_OPEN
    if handover.seq != standing.next_seq:
        return Doubt.MISSING if handover.seq > standing.next_seq else Doubt.OUT_OF_ORDER
    if handover.said.previous != standing.chain[-1]:
        return Doubt.WRONG_CHAIN
    ahead = handover.said.uptime_ms - clock.uptime_ms()
    if handover.said.boot == clock.boot_id() and ahead > _AHEAD_MS:
        return Doubt.CLAIM_AHEAD
    return None
