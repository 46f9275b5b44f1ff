"""BagIt manifests (RFC 8493): a line per file, its SHA-256 and name, in the form `sha256sum -c` reads."""

import re
from collections.abc import Iterable, Mapping

from makingof.bundle import layout
from makingof.bundle.record import Record
from makingof.errors import MalformedError
from makingof.texts import say

MAX_MANIFEST_BYTES = 64 << 20
_MAX_FILES = 1_000_000
DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"

_LINE = re.compile(r"([0-9a-f]{64})  ([!-~]+)")


def format_manifest(digests: Mapping[str, str]) -> bytes:
    """Spell name → hex digest, sorted by name."""
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode("ascii")


def parse_manifest(data: bytes, name: str) -> dict[str, str]:
    """Read a manifest back; any other spelling or order is a `MalformedError` that names the file `name`."""
    lines = data.decode("latin-1").split("\n") if data.count(b"\n") <= _MAX_FILES else ["too many"]
    if lines.pop():
        raise MalformedError(say("package.manifest_malformed", name=name))
    digests: dict[str, str] = {}
    for line in lines:
        found = _LINE.fullmatch(line)
        if not found:
            raise MalformedError(say("package.manifest_malformed", name=name))
        digests[found[2]] = found[1]
    if len(digests) != len(lines) or format_manifest(digests) != data:
        raise MalformedError(say("package.manifest_malformed", name=name))
    for path in digests:
        layout.check_name(path)
    return digests


def format_bag_info(record: Record, payload_sizes: Iterable[int]) -> bytes:
    """Write `bag-info.txt`: nothing in it depends on when or where the package is made."""
    sizes = list(payload_sizes)
    description = record.description
    return (
        f"Bag-Software-Agent: {description.made_with}\n"
        f"External-Identifier: {description.log.origin}/{description.log.size}\n"
        f"Payload-Oxum: {sum(sizes)}.{len(sizes)}\n"
    ).encode("ascii", "replace")
