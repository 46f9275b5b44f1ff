"""Files of one canonical JSON document a line: entries and parts.

Canonical JSON never holds a raw line feed, so the bytes between two of them
are exactly the bytes that were hashed.
"""

from collections.abc import Iterable

from makingof.errors import MalformedError

MAX_LINES_BYTES = 256 << 20
_MAX_LINES = 500_000


def join_lines(documents: Iterable[bytes]) -> bytes:
    """Put each document on a line of its own."""
    return b"".join(document + b"\n" for document in documents)


def split_lines(data: bytes, name: str) -> list[bytes]:
    """Take the lines apart again; an empty or unfinished one is a `MalformedError` naming the file `name`."""
    # Counted before they are cut: a few packed kilobytes can hold a hundred million line feeds.
    lines = data.split(b"\n") if data.count(b"\n") <= _MAX_LINES else [b"too many"]
    if lines.pop() or not all(lines):
        message = f"{name} has an empty or unfinished line, or more than {_MAX_LINES}"
        raise MalformedError(message)
    return lines
