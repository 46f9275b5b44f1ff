"""What was handed over, checked before it may become an event: nothing here is believed or written.

A handover that breaks a rule is refused alone; met under the log's lock it would take
the whole batch with it.
"""

import re
from pathlib import Path

import msgspec

from makingof import durable
from makingof.canonical import convert
from makingof.clock import Clock, format_instant
from makingof.digest import Digest
from makingof.errors import MalformedError
from makingof.event import VERSION, Head, Header
from makingof.observation import Observation, Position, resolve_attached
from makingof.part import BODIES, PartType
from makingof.recorder.write import Prepared
from makingof.spool.folder import Waiting
from makingof.spool.handover import MAX_HANDOVER_BYTES, Handover, parse_handover

_STREAM = re.compile(r"[0-9a-f]{32}")
_MAX_SEQ = 1 << 63
_NO_ROOT = Digest.from_raw(bytes(32))


def read_handover(item: Waiting) -> Handover:
    """Read a handover through one open handle; what is no plain file of its own name is malformed."""
    try:
        with durable.open_regular(item.path) as stream:
            data = stream.read(MAX_HANDOVER_BYTES + 1)
    except OSError as err:
        message = f"{item.path.name} cannot be read: {err.strerror or err}"
        raise MalformedError(message) from err
    handover = parse_handover(data, item.files)
    if (handover.stream, handover.seq) != (item.stream, item.seq):
        message = f"{item.path.name} holds number {handover.seq} of stream {handover.stream}"
        raise MalformedError(message)
    return handover


def find_bytes(item: Waiting) -> bytes | None:
    try:
        with durable.open_regular(item.path) as stream:
            return stream.read(MAX_HANDOVER_BYTES)
    except OSError:
        return None  # a link, a pipe: the gap names it, and there are no bytes of its own


def check_drafts(observation: Observation) -> None:
    """Refuse a part whose body is not of its type: what stands in the log must parse for ever."""
    files = [_NO_ROOT] * len(observation.attachments)
    for draft in observation.drafts:
        if draft.type in (PartType.FILE, PartType.PIECES):
            message = f"a hook may not write a {draft.type} part"
            raise MalformedError(message)
        body = msgspec.to_builtins(resolve_attached(draft.body, files), enc_hook=str)
        if body.keys() == {"parts"}:
            message = "a hook may not write a list of parts"
            raise MalformedError(message)
        convert(body, BODIES[draft.type], f"{draft.type} part")


def check_files(observation: Observation) -> None:
    """Refuse attachments the hook took no digest of, and links that lead elsewhere."""
    for item in observation.attachments:
        if item.expected is None:
            message = f"{item.name or 'a file'} was handed over without its digest"
            raise MalformedError(message)
        if isinstance(item.content, Digest):
            continue  # taken from the store, or refused where it is not there
        if (
            not isinstance(item.content, Path)
            or item.content.is_symlink()
            or item.content.parent.is_symlink()
        ):
            message = f"{item.name or 'a file'} is a link"
            raise MalformedError(message)


def check_header_of(prepared: Prepared, clock: Clock) -> None:
    """Refuse now what the log would refuse under its lock, where it would take the whole batch with it."""
    observation, position = prepared.observation, prepared.observation.position
    cites = tuple(Digest.of(str(number).encode()) for number in range(len(observation.cites)))
    Header(
        v=VERSION,
        kind=observation.kind,
        means=prepared.means,
        actor=observation.actor,
        project=None,
        stream=position.stream if position else None,
        seq=position.seq if position else None,
        occurred_at=observation.occurred_at,
        occurred_by=observation.occurred_by,
        recorded_at=format_instant(clock.now()),
        uptime_ms=clock.uptime_ms(),
        source=observation.source,
        cites=cites,
        parts=prepared.parts.refs,
        head=Head(0, _NO_ROOT),
    ).to_bytes()


def is_place(position: Position) -> bool:
    """Tell whether a position a stranger wrote can be looked up at all."""
    return _STREAM.fullmatch(position.stream) is not None and 0 <= position.seq < _MAX_SEQ
