"""The one place where entries get their order, and where they become durable.

A round is (1) the lock of the key on this machine, (2) one SQLite transaction
with entries, parts, leaf hashes and nodes, (3) the checkpoint, signed,
(4) the high-water mark outside the archive, (5) the checkpoint beside the
entries, (6) the answer. A crash

 - before (2) is over leaves nothing;
 - after (2) leaves entries nobody was told of: opening signs them, by the same
   code, and who appends them again under the same key is given their index;
 - after (4) leaves a mark at the archive's own size, which is in order.

So whatever was answered is on disk and below the mark, and no two different
trees of one size are ever signed on this machine, even when an archive was
copied and both copies are written to.
"""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from makingof.digest import Digest
from makingof.errors import ConflictError, LogForkError, MalformedError, UsageError
from makingof.keys.mark import Mark, MarkFile, MarkKeeper
from makingof.keys.signing import SigningKey
from makingof.texts import say
from makingof.tlog import merkle
from makingof.tlog.checkpoint import sign_checkpoint
from makingof.tlog.database import MAX_ENTRY_BYTES, MAX_PART_BYTES, Row, count_entries, read_node, translated
from makingof.tlog.grouping import Ticket
from makingof.tlog.merkle import RightEdge, TreeHead
from makingof.tlog.readonly import ReadOnly, behind_mark, no_mark


class EncodedEntry(msgspec.Struct, frozen=True):
    """The bytes of an entry and of its parts, which are numbered as they stand here."""

    entry: bytes
    parts: Sequence[bytes] = ()


class Pending(msgspec.Struct, frozen=True):
    """Something to append.

    `encode` is called under the lock with the head of the tree before this
    very entry, also within a batch. It may read the log but not append to it.
    `key` makes appending repeatable: a key that is there already is not
    written again, and `encode` is not asked.
    """

    encode: Callable[[TreeHead], EncodedEntry]
    key: bytes | None = None


class Appended(msgspec.Struct, frozen=True):
    """Where an entry stands and its name; `already` if its key was there before."""

    index: int
    leaf: bytes
    already: bool = False


Round = Sequence[Ticket[Sequence[Pending], list[Appended]]]


def _commit(connection: sqlite3.Connection) -> None:
    """End a transaction: what it wrote is on disk when this returns."""
    connection.execute("COMMIT")


class Disk(msgspec.Struct, frozen=True):
    """The durable writes of a round, apart so that tests can let each fail either way."""

    commit: Callable[[sqlite3.Connection], None] = _commit
    open_mark: Callable[[Path, str], MarkKeeper] = MarkFile


class Sequencer:
    """Appends to one log with one connection, for one thread at a time."""

    def __init__(
        self,
        path: Path,
        connection: sqlite3.Connection,
        key: SigningKey,
        mark: MarkKeeper,
        commit: Callable[[sqlite3.Connection], None],
        timeout_seconds: float,
    ) -> None:
        self.key = key
        self._path = path
        self._connection = connection
        self._mark = mark
        self._commit = commit
        self._timeout_seconds = timeout_seconds
        self._identity = _identify(path)

    def catch_up(self) -> ReadOnly | None:
        """Sign what a crash left unsigned; return the reason if this archive must not be written to.

        Raises:
            LogForkError: the archive holds other entries than this machine signed.
        """
        with self._mark.locked(self._timeout_seconds), translated(self._path):
            # A disk that refuses is noticed now: SQLite opens a file it may only read without a word.
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute("ROLLBACK")
            refusal = self._check_mark(self._read_edge().head())
            if refusal is None:
                self._publish()
            return refusal

    def _require_same_file(self) -> None:
        """Refuse to write into a file that no longer has its name.

        Where an archive is restored over an open one, SQLite would go on
        writing to the old file, which is gone when it is closed.
        """
        try:
            found = _identify(self._path)
        except FileNotFoundError:
            found = None
        if found != self._identity:
            raise ConflictError(say("tlog.replaced", path=self._path), hint=say("tlog.replaced_hint"))

    def append(self, round_: Round) -> None:
        """Append what the tickets hold, in their order, and settle them.

        A ticket whose `encode` raises gets that error and leaves nothing; the
        others are not touched by it. Anything else that fails, fails for all,
        and nobody is told that something was written.
        """
        with self._mark.locked(self._timeout_seconds), translated(self._path):
            self._require_same_file()
            results = self._write(round_)
            self._publish()
        for ticket, result in results:
            ticket.result = result

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _write(self, round_: Round) -> list[tuple[Ticket[Sequence[Pending], list[Appended]], list[Appended]]]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            edge = self._read_edge()
            if refusal := self._check_mark(edge.head()):
                raise refusal.to_error()
            batch = _Batch(edge, self._find_key)
            results = []
            for ticket in round_:
                try:
                    results.append((ticket, batch.stage(ticket.given)))
                except Exception as err:  # noqa: BLE001 - one caller's mistake is raised to him alone
                    ticket.error = err
            if batch.entries:
                self._insert(batch)
                self._commit(self._connection)
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        return results

    def _insert(self, batch: "_Batch") -> None:
        insert = self._connection.executemany
        insert("INSERT INTO entries (idx, entry, leaf, key) VALUES (?, ?, ?, ?)", batch.entries)
        insert("INSERT INTO nodes (position, hash) VALUES (?, ?)", batch.nodes)
        insert("INSERT INTO parts (idx, number, digest, bytes) VALUES (?, ?, ?, ?)", batch.parts)

    def _publish(self) -> None:
        """Sign the head, move the mark to it, then put the checkpoint beside the entries.

        The caller holds the lock and has checked the mark. The checkpoint is
        not synced by itself: what a power cut takes is signed again on opening.
        """
        head = self._read_edge().head()
        note = sign_checkpoint(head, self.key).to_bytes()
        self._mark.advance(Mark(head.size, head.root))
        if self._query("SELECT note FROM checkpoint", ()) == [(note,)]:
            return
        self._connection.execute("PRAGMA synchronous = NORMAL")
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute("REPLACE INTO checkpoint VALUES (0, ?)", (note,))
            self._commit(self._connection)
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            self._connection.execute("PRAGMA synchronous = FULL")

    def _check_mark(self, head: TreeHead) -> ReadOnly | None:
        """Hold the archive against what this machine has signed before."""
        try:
            mark = self._mark.read()
        except MalformedError:
            mark = None
        if mark is None:
            return no_mark()
        if head.size < mark.size:
            return behind_mark(head.size, mark.size)
        if merkle.read_head(mark.size, self._read_node).root != mark.root:
            message = f"{self._path} holds other entries than were signed at size {mark.size}"
            raise LogForkError(message)
        return None

    def _find_key(self, key: bytes) -> Appended | None:
        rows = self._query("SELECT idx, leaf FROM entries WHERE key = ?", (key,))
        return Appended(rows[0][0], rows[0][1], already=True) if rows else None

    def _read_edge(self) -> RightEdge:
        return merkle.read_edge(count_entries(self._query), self._read_node)

    def _read_node(self, level: int, index: int) -> bytes:
        return read_node(self._query, level, index)

    def _query(self, statement: str, values: tuple[object, ...]) -> list[Row]:
        return self._connection.execute(statement, values).fetchall()


@dataclass(slots=True)
class _Batch:
    """Rows to insert, and the tree as it will be with them."""

    edge: RightEdge
    find_key: Callable[[bytes], Appended | None]
    entries: list[Row] = field(default_factory=list)
    nodes: list[Row] = field(default_factory=list)
    parts: list[Row] = field(default_factory=list)
    keys: dict[bytes, Appended] = field(default_factory=dict)

    def stage(self, given: Sequence[Pending]) -> list[Appended]:
        """Add all of `given`, or nothing if one of them raises."""
        draft = _Batch(self.edge, lambda key: self.keys.get(key) or self.find_key(key))
        results = [draft.add(pending) for pending in given]
        self.edge = draft.edge
        self.entries += draft.entries
        self.nodes += draft.nodes
        self.parts += draft.parts
        self.keys |= draft.keys
        return results

    def add(self, pending: Pending) -> Appended:
        if pending.key is not None and (found := self.keys.get(pending.key) or self.find_key(pending.key)):
            return found
        encoded = pending.encode(self.edge.head())
        _require_sizes(encoded)
        index = self.edge.size
        leaf = merkle.leaf_hash(encoded.entry)
        self.edge, completed = self.edge.append(leaf)
        self.entries.append((index, encoded.entry, leaf, pending.key))
        position = merkle.node_position(0, index) + 1
        self.nodes += enumerate(completed, start=position)
        self.parts += [
            (index, number, Digest.of(part).raw, part) for number, part in enumerate(encoded.parts)
        ]
        if pending.key is not None:
            self.keys[pending.key] = Appended(index, leaf, already=True)
        return Appended(index, leaf)


def _identify(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def _require_sizes(encoded: EncodedEntry) -> None:
    if len(encoded.entry) > MAX_ENTRY_BYTES:
        message = f"entry of {len(encoded.entry)} bytes is longer than {MAX_ENTRY_BYTES}"
        raise UsageError(message)
    for number, part in enumerate(encoded.parts):
        if len(part) > MAX_PART_BYTES:
            message = f"part {number} of {len(part)} bytes is longer than {MAX_PART_BYTES}"
            raise UsageError(message)
