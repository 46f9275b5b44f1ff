"""Reading a log: entries, parts, lookups and proofs, each at a cost logarithmic in the size of the log."""

import re
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from makingof.digest import Digest
from makingof.errors import IntegrityError, LogForkError, MalformedError, UsageError
from makingof.keys.signing import PublicKey
from makingof.texts import say
from makingof.tlog import merkle
from makingof.tlog.checkpoint import Checkpoint, verify_checkpoint
from makingof.tlog.database import (
    Row,
    connect,
    count_entries,
    read_node,
    require_file,
    require_schema,
    translated,
)
from makingof.tlog.merkle import TreeHead
from makingof.tlog.note import NoteKey

_HEX = re.compile(r"[0-9a-f]{1,64}")
_CHUNK = 256  # entries read at once: memory stays bounded, the lock is held for moments
_PART_CHUNK = 64  # of at most 1 MiB each


class StoredEntry(msgspec.Struct, frozen=True):
    """One entry: where it stands, its bytes, and the hash that is its name."""

    index: int
    entry: bytes
    leaf: bytes


class StoredPart(msgspec.Struct, frozen=True):
    """One part of an entry; `data` is None once it was erased, the digest stays."""

    number: int
    digest: Digest
    data: bytes | None


class Totals(msgspec.Struct, frozen=True):
    """How many rows each table holds; `size` is one more than the largest index of an entry."""

    size: int
    entries: int
    nodes: int
    parts: int


class LogReader:
    """Reads one log. May be used from several threads; close it when done.

    What it returns was committed, and is not yet verified: `audit` does that.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._lock = threading.Lock()
        with translated(path):
            require_schema(connection, path)
        self.public = self._read_settings()
        self._require_checkpoint_of_this_tree()

    @property
    def origin(self) -> str:
        """Name of this log."""
        return self.public.origin

    @property
    def vkey(self) -> str:
        """The log's public key as C2SP signed-note spells it."""
        return self.public.vkey

    def head(self) -> TreeHead:
        """Return size and root of everything committed."""
        return self.head_at(self.size())

    def size(self) -> int:
        """Count the entries committed."""
        return count_entries(self._query)

    def head_at(self, size: int) -> TreeHead:
        """Return the head this log had when it held `size` entries."""
        self._require_size(size)
        return merkle.read_head(size, self._read_node)

    def entry(self, index: int) -> bytes:
        """Return the bytes of one entry."""
        return bytes(self._entry_row(index)[0])

    def leaf(self, index: int) -> bytes:
        """Return the leaf hash of one entry, by which everybody else names it."""
        return bytes(self._entry_row(index)[1])

    def key(self, index: int) -> bytes | None:
        """Return the idempotency key an entry was appended with."""
        key = self._entry_row(index)[2]
        return None if key is None else bytes(key)

    def entries(self, start: int = 0, end: int | None = None) -> Iterator[StoredEntry]:
        """Yield the entries `[start, end)` in order, without holding anything between them."""
        end = self.size() if end is None else end
        while start < end:
            rows = self._query(
                "SELECT idx, entry, leaf FROM entries WHERE idx >= ? AND idx < ? ORDER BY idx",
                (start, min(start + _CHUNK, end)),
            )
            yield from (StoredEntry(*row) for row in rows)
            start += _CHUNK

    def leaves(self, start: int, end: int) -> list[bytes]:
        """Return the leaf hashes of the entries `[start, end)`."""
        rows = self._query("SELECT leaf FROM entries WHERE idx >= ? AND idx < ? ORDER BY idx", (start, end))
        return [leaf for (leaf,) in rows]

    def nodes(self, level: int, start: int, end: int) -> list[bytes]:
        """Return the roots of the perfect subtrees `[start, end)` of one level; level 0 are the leaves."""
        if level == 0:
            return self.leaves(start, end)
        return [self._read_node(level, index) for index in range(start, end)]

    def stored_nodes(self, start: int, end: int) -> dict[int, bytes]:
        """Return what is stored of the nodes that the entries `[start, end)` completed, by position."""
        low, high = merkle.node_position(0, start), merkle.node_position(0, end)
        return dict(
            self._query("SELECT position, hash FROM nodes WHERE position >= ? AND position < ?", (low, high))
        )

    def part_rows(self, start: int, end: int) -> Iterator[tuple[int, int, bytes, bytes | None]]:
        """Yield index, number, digest and bytes of the parts of the entries `[start, end)`, in order."""
        last = (start, -1)
        while rows := self._query(
            "SELECT idx, number, digest, bytes FROM parts WHERE (idx, number) > (?, ?) AND idx < ?"
            " ORDER BY idx, number LIMIT ?",
            (*last, end, _PART_CHUNK),
        ):
            yield from rows
            last = rows[-1][:2]

    def totals(self) -> Totals:
        """Count the rows of each table at one moment."""
        return Totals(
            *self._query(
                "SELECT coalesce(max(idx) + 1, 0), count(*), (SELECT count(*) FROM nodes),"
                " (SELECT count(*) FROM parts) FROM entries"
            )[0]
        )

    def damage(self) -> list[str]:
        """Return what SQLite finds wrong with its own file: pages, indexes, constraints."""
        return [text for (text,) in self._query("PRAGMA integrity_check(10)") if text != "ok"]

    def parts(self, index: int) -> tuple[StoredPart, ...]:
        """Return the parts of one entry, in the order they were appended in; erased ones without bytes."""
        rows = self._query("SELECT number, digest, bytes FROM parts WHERE idx = ? ORDER BY number", (index,))
        return tuple(StoredPart(number, Digest.from_raw(digest), data) for number, digest, data in rows)

    def parts_between(self, start: int, end: int) -> dict[int, tuple[StoredPart, ...]]:
        """Return the parts of the entries `[start, end)` at once, by index; entries without any are left out.

        All of them are in memory then: ask for a few entries at a time.
        """
        rows = self._query(
            "SELECT idx, number, digest, bytes FROM parts WHERE idx >= ? AND idx < ? ORDER BY idx, number",
            (start, end),
        )
        found: dict[int, list[StoredPart]] = {}
        for index, number, digest, data in rows:
            found.setdefault(index, []).append(StoredPart(number, Digest.from_raw(digest), data))
        return {index: tuple(parts) for index, parts in found.items()}

    def find_leaf(self, leaf: bytes) -> int | None:
        """Return the first index at which an entry of this leaf hash stands."""
        rows = self._query("SELECT idx FROM entries WHERE leaf = ? ORDER BY idx LIMIT 1", (leaf,))
        return rows[0][0] if rows else None

    def find_leaves(self, prefix: str, limit: int) -> list[bytes]:
        """Return up to `limit` leaf hashes that begin with the lower-case hex digits `prefix`."""
        if not _HEX.fullmatch(prefix):
            return []
        low = bytes.fromhex(prefix.ljust(64, "0"))
        high = bytes.fromhex(prefix.ljust(64, "f"))
        rows = self._query(
            "SELECT DISTINCT leaf FROM entries WHERE leaf BETWEEN ? AND ? ORDER BY leaf LIMIT ?",
            (low, high, limit),
        )
        return [leaf for (leaf,) in rows]

    def find_key(self, key: bytes) -> int | None:
        """Return the index of the entry that was appended with this idempotency key."""
        rows = self._query("SELECT idx FROM entries WHERE key = ?", (key,))
        return rows[0][0] if rows else None

    def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        """Prove entry `index` to a holder of the head of `size` entries."""
        self._require_size(size)
        return merkle.make_inclusion_proof(index, size, self._read_node)

    def range_proof(self, start: int, end: int, size: int) -> list[bytes]:
        """Prove the entries `[start, end)`, none missing between them, to a holder of the head of `size`."""
        self._require_size(size)
        return merkle.make_range_proof(start, end, size, self._read_node)

    def consistency_proof(self, old_size: int, new_size: int) -> list[bytes]:
        """Prove that the log of `new_size` entries goes on from that of `old_size` (not 0)."""
        self._require_size(new_size)
        return merkle.make_consistency_proof(old_size, new_size, self._read_node)

    def stored_checkpoint(self) -> bytes | None:
        """Return the newest signed checkpoint on disk; entries committed after it may not be signed yet."""
        rows = self._query("SELECT note FROM checkpoint")
        return rows[0][0] if rows else None

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _read_settings(self) -> PublicKey:
        settings: dict[str, str] = dict(self._query("SELECT name, value FROM settings"))
        key = NoteKey.parse(settings.get("vkey", ""))
        if key != NoteKey.of_log(key.public) or settings.get("origin") != key.name:
            raise MalformedError(say("tlog.not_a_log", path=self.path))
        return key.public

    def _require_checkpoint_of_this_tree(self) -> Checkpoint | None:
        """Refuse a file that holds less than, or something else than, what its own checkpoint signs."""
        note = self.stored_checkpoint()
        if note is None:
            return None
        checkpoint = verify_checkpoint(note, self.public)
        if checkpoint.size > self.size():
            message = f"{self.path} holds {self.size()} entries and a checkpoint of {checkpoint.size}"
            raise IntegrityError(message)
        if self.head_at(checkpoint.size) != checkpoint.head:
            message = f"{self.path} holds other entries than its checkpoint of size {checkpoint.size} signs"
            raise LogForkError(message)
        return checkpoint

    def _entry_row(self, index: int) -> Row:
        rows = self._query("SELECT entry, leaf, key FROM entries WHERE idx = ?", (index,))
        if not rows:
            message = f"entry {index} is not in a log of {self.size()} entries"
            raise UsageError(message)
        return rows[0]

    def _require_size(self, size: int) -> None:
        if not 0 <= size <= self.size():
            message = f"size {size} is not one this log of {self.size()} entries has had"
            raise UsageError(message)

    def _read_node(self, level: int, index: int) -> bytes:
        return read_node(self._query, level, index)

    def _query(self, statement: str, values: tuple[object, ...] = ()) -> list[Row]:
        with self._lock, translated(self.path):
            return self._connection.execute(statement, values).fetchall()


def open_reader(path: Path, *, timeout_seconds: float = 30) -> LogReader:
    """Open a log to read it; nothing is written, on a read-only disk neither.

    Refused: a file that is no log (`MalformedError`), one of a newer format
    (`UsageError`), and one that contradicts its own checkpoint (`IntegrityError`).
    """
    require_file(path)
    with translated(path):
        connection = connect(path, writable=False, timeout_seconds=timeout_seconds)
    try:
        return LogReader(path, connection)
    except BaseException:
        connection.close()
        raise
