"""Checkpoints (C2SP tlog-checkpoint v1.0.0): signed notes of how large a log is and what it hashes to."""

import base64
import re

import msgspec

from makingof.errors import MalformedError, ProofError
from makingof.keys.signing import PublicKey, SigningKey
from makingof.tlog.merkle import EMPTY_ROOT, HASH_BYTES, MAX_SIZE, TreeHead
from makingof.tlog.note import Note, NoteKey, decode_base64, parse_note, sign_note, verify_note

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_LINES = 3


class Checkpoint(msgspec.Struct, frozen=True):
    """What a log says of itself at one size.

    `extensions` are lines other logs may add. A log of makingof never has any:
    nobody can audit them, and what is worth saying is worth an entry.
    """

    origin: str
    head: TreeHead
    extensions: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Number of entries."""
        return self.head.size

    def __str__(self) -> str:
        """The text that is signed."""
        root = base64.b64encode(self.head.root).decode()
        return "".join(f"{line}\n" for line in (self.origin, self.head.size, root, *self.extensions))


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint, ours or another log's; any other spelling is a `MalformedError`."""
    *lines, end = text.split("\n")
    if end or len(lines) < _LINES or not all(lines):
        message = "checkpoint is not three or more lines, none of them empty"
        raise MalformedError(message)
    origin, size, root, *extensions = lines
    head = TreeHead(parse_number(size), decode_hash(root))
    if head.size == 0 and head.root != EMPTY_ROOT:
        message = "checkpoint of size 0 has another root than the empty tree"
        raise MalformedError(message)
    return Checkpoint(origin, head, tuple(extensions))


def sign_checkpoint(head: TreeHead, key: SigningKey) -> Note:
    """Sign `head` as the log of `key`. Ed25519 is deterministic: the same head gives the same bytes."""
    return sign_note(str(Checkpoint(key.origin, head)), key)


def verify_checkpoint(data: bytes, key: PublicKey) -> Checkpoint:
    """Return what the makingof log of `key` says of itself.

    The origin must be the key's own, and there must be no extension line:
    ours never has one, so one there is somebody's addition.

    Raises:
        MalformedError: `data` is no checkpoint.
        ProofError: it is not signed by `key`, or not one of a makingof log.
    """
    verified = verify_note(data, [NoteKey.of_log(key)])
    checkpoint = parse_checkpoint(verified.text)
    if checkpoint.origin != key.origin or checkpoint.extensions:
        message = f"checkpoint of {checkpoint.origin!r} is not one of the log {key.origin}"
        raise ProofError(message)
    return checkpoint


def read_checkpoint(data: bytes) -> Checkpoint:
    """Return what a signed checkpoint says, without checking who signed it."""
    return parse_checkpoint(parse_note(data).text)


def parse_number(text: str) -> int:
    """Read a size or index in its one spelling, up to what SQLite and Go can count."""
    if not _SIZE.fullmatch(text) or int(text) > MAX_SIZE:
        message = f"{text[:40]!r} is not a decimal number without leading zero, below 2^63"
        raise MalformedError(message)
    return int(text)


def decode_hash(text: str) -> bytes:
    """Read one SHA-256 value in base64."""
    value = decode_base64(text)
    if len(value) != HASH_BYTES:
        message = f"{text[:80]!r} is not the base64 of {HASH_BYTES} bytes"
        raise MalformedError(message)
    return value
