"""Handover: one spool file, three lines — who says it and when, the observation, and a MAC over both.

    {"v": 1, "hook": "…", "previous": "sha256:…", "boot": "…", "uptime_ms": 1, "said_at": "…"}
    {"v": 1, "kind": "generated", …}
    5f1c…

`previous` is the SHA-256 of the whole handover before it in the stream, so no one
of them can be taken out or put in between unseen.
"""

import hmac
import re
from dataclasses import dataclass
from pathlib import Path

import msgspec

from makingof.canonical import convert, strict_json
from makingof.clock import parse_instant
from makingof.digest import Digest
from makingof.errors import MalformedError, ProofError
from makingof.observation import Observation, parse_observation
from makingof.spool.carried import sign

VERSION = 1
MAX_HANDOVER_BYTES = 8 << 20

_HOOK = re.compile(r"[0-9a-f]{32}")
_MAC = re.compile(rb"[0-9a-f]{64}")
_LINES = 3


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who hands over, what came before it, and when it says this is: boot, boot-time clock, wall clock."""

    v: int
    hook: str
    previous: Digest | None
    boot: str
    uptime_ms: int
    said_at: str


@dataclass(frozen=True, slots=True)
class Handover:
    """A handover as it lay in the spool; nothing of it is believed yet."""

    said: Said
    observation: Observation
    stream: str
    seq: int
    data: bytes

    @property
    def digest(self) -> Digest:
        """What the next handover of the stream names as `previous`."""
        return Digest.of(self.data)


def parse_handover(data: bytes, files: Path) -> Handover:
    """Read a spool file; its attachments lie in the folder `files`. Anything else is a `MalformedError`."""
    if len(data) > MAX_HANDOVER_BYTES:
        message = f"handover of {len(data)} bytes is over {MAX_HANDOVER_BYTES}"
        raise MalformedError(message)
    lines = data.split(b"\n")
    if len(lines) != _LINES + 1 or lines[_LINES] or not _MAC.fullmatch(lines[2]):
        message = "handover is not two lines and a MAC"
        raise MalformedError(message)
    said = convert(strict_json(lines[0]), Said, "handover")
    if said.v != VERSION or not _HOOK.fullmatch(said.hook) or said.uptime_ms < 0:
        message = "handover names no version, hook or uptime of ours"
        raise MalformedError(message)
    parse_instant(said.said_at)
    observation = parse_observation(lines[1], files)
    if observation.position is None:
        message = "handover has no place in a stream"
        raise MalformedError(message)
    return Handover(said, observation, observation.position.stream, observation.position.seq, data)


def verify_mac(handover: Handover, secret: bytes) -> None:
    """Raise `ProofError` unless the MAC was made with `secret` over the first two lines."""
    lines, _, mac = handover.data[:-1].rpartition(b"\n")
    if not hmac.compare_digest(sign(secret, lines + b"\n"), mac.decode("ascii")):
        message = (
            f"handover {handover.stream}-{handover.seq} does not carry the MAC of hook {handover.said.hook}"
        )
        raise ProofError(message)
