"""What the recorder remembers of streams between two drains: digests alone, nothing anybody wrote.

Derived: losing it makes what is still to come of an open stream `recovered`, never
more than it was. Written after the commit and before the spool is emptied, so a
crash between the two finds the handovers again and knows them by their numbers.
"""

import re
from pathlib import Path

import msgspec

from makingof import durable
from makingof.canonical import convert, strict_json
from makingof.digest import Digest
from makingof.errors import MalformedError
from makingof.spool.means import Standing

_STREAM = re.compile(r"[0-9a-f]{32}")
_HEX = 64


class _Stored(msgspec.Struct, frozen=True):
    hook: str
    accepted: bool
    closed: bool
    chain: str  # 64 hex digits for each number, dashes where it never came


class StandingFolder:
    """One small file per stream."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def find(self, stream: str) -> Standing | None:
        """Return what is known of `stream`; what does not parse is not known."""
        if not _STREAM.fullmatch(stream):
            return None
        try:
            stored = convert(strict_json((self.path / stream).read_bytes()), _Stored, "standing")
            return Standing(stored.hook, stored.accepted, stored.closed, _parse_chain(stored.chain))
        except (FileNotFoundError, MalformedError):
            return None

    def keep(self, stream: str, standing: Standing) -> None:
        """Remember `standing`, durably."""
        durable.make_folders(self.path)
        chain = "".join("-" * _HEX if digest is None else digest.hex for digest in standing.chain)
        stored = _Stored(standing.hook, standing.accepted, standing.closed, chain)
        durable.replace(self.path / stream, msgspec.json.encode(stored))


def _parse_chain(text: str) -> tuple[Digest | None, ...]:
    if len(text) % _HEX:
        message = "chain is not whole digests"
        raise MalformedError(message)
    items = [text[start : start + _HEX] for start in range(0, len(text), _HEX)]
    return tuple(None if item == "-" * _HEX else Digest.parse(f"sha256:{item}") for item in items)
