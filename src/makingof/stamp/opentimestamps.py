"""OpenTimestamps: a digest's way into a block of the Bitcoin chain.

A calendar answers at once with a *pending* proof, which is an unsigned promise
and counts for nothing. Hours later it can be *completed* into a path to a
block's Merkle root. With the block's header beside it such a proof is checked
here; what is left to ask of a node or explorer is one question, which block
has this height, and it is said.

The proof format is read by the `opentimestamps` library (LGPL), which is an
extra: without it everything else works, and this module says how to get it.
"""

import fnmatch
import hmac
import urllib.parse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib.metadata import version
from types import SimpleNamespace
from typing import Any

from makingof.digest import Digest
from makingof.errors import MalformedError, ProofError, UnavailableError, UsageError
from makingof.stamp.asn1 import reading
from makingof.stamp.base import Authority, Beside, BlockRules, Kind, Receipt, Role, Statement, Uncounted
from makingof.stamp.block import (
    HEADER_BYTES,
    BlockHeader,
    check_work,
    join_height,
    parse_header,
    split_height,
)
from makingof.stamp.http import Fetch
from makingof.texts import Message, say

MAX_PROOF_BYTES = 32 * 1024
BLOCK_MARGIN = timedelta(hours=2)  # how far a block's time may lie from the truth, either way
_MAX_ANSWER_BYTES = 10_000
_MAX_HEIGHT = 0xFFFFFFFF
_NEVER = 1 << 256  # a difficulty no header can have
_NONCE_BYTES = 16
_HASH_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class Proof:
    """What a proof says: Merkle roots with heights, and calendars that have yet to deliver."""

    digest: Digest
    roots: tuple[tuple[bytes, int], ...]
    pending: tuple[tuple[bytes, str], ...]


@dataclass(frozen=True, slots=True)
class CalendarAuthority:
    """Submits to OpenTimestamps calendars; implements `StampingAuthority`.

    `nonce` is 16 random bytes of this object alone. What blinds a digest is
    made from both, so that a proof shown to somebody does not unblind others.
    """

    authority: Authority
    fetch: Fetch
    nonce: bytes

    @property
    def name(self) -> str:
        """The name the receipts will carry."""
        return self.authority.name

    def request(self, message: bytes) -> Receipt:
        """Have `message` queued for the next block; the receipt is pending and counts for nothing yet.

        The calendars see the digest blinded, and learn nothing from it. One
        calendar suffices; those that failed are in the remarks.
        """
        ots = _library()
        if len(self.nonce) != _NONCE_BYTES:
            message_ = f"nonce has {len(self.nonce)} bytes and not {_NONCE_BYTES}"
            raise UsageError(message_)
        digest = Digest.of(message)
        file = ots.DetachedTimestampFile(ots.OpSHA256(), ots.Timestamp(digest.raw))
        blinded = file.timestamp.ops.add(ots.OpAppend(self._blind(digest))).ops.add(ots.OpSHA256())
        remarks = [failed for url in self.authority.urls if (failed := self._submit(ots, url, blinded))]
        if len(remarks) == len(self.authority.urls):
            raise UnavailableError(say("stamp.no_calendar", reasons="; ".join(map(str, remarks)) or "-"))
        return Receipt(Kind.OTS, self.name, digest, _to_bytes(ots, file), remarks=tuple(remarks))

    def _blind(self, digest: Digest) -> bytes:
        return hmac.digest(self.nonce, digest.raw, "sha256")[:_NONCE_BYTES]

    def _submit(self, ots: Any, url: str, blinded: Any) -> Message | None:
        try:
            data = self.fetch(f"{url.rstrip('/')}/digest", blinded.msg, max_bytes=_MAX_ANSWER_BYTES)
            blinded.merge(_parse_branch(ots, data, blinded.msg))
        except (UnavailableError, MalformedError) as err:
            return say("stamp.calendar_failed", url=url, reason=err)
        return None


def parse_proof(data: bytes) -> Proof:
    """Read an `.ots` file; only paths of SHA-256 with bytes put before or after are followed.

    Other operations are legal in the format. Weak hashes among them would let
    two prepared messages share one path, and real calendars do not write them.
    """
    ots = _library()
    file = _parse_file(ots, data)
    roots: list[tuple[bytes, int]] = []
    pending: list[tuple[bytes, str]] = []
    for message, attestation in _attestations(ots, file.timestamp):
        if isinstance(attestation, ots.BitcoinBlockHeaderAttestation):
            roots.append((message, _height(attestation)))
        elif isinstance(attestation, ots.PendingAttestation):
            pending.append((message, attestation.uri))
    return Proof(Digest.from_raw(file.timestamp.msg), tuple(roots), tuple(sorted(pending)))


def _height(attestation: Any) -> int:
    if attestation.height > _MAX_HEIGHT:  # the library reads numbers of any length
        message = "OpenTimestamps proof names a block height that cannot be"
        raise MalformedError(message)
    return int(attestation.height)


def complete(receipt: Receipt, authority: Authority, fetch: Fetch) -> Receipt | None:
    """Ask the calendars for the way to the block, and explorers for its header; None while nothing is new.

    Only calendars on the authority's list are asked: the address stands in the
    proof, and a proof from a stranger could point anywhere. The receipt given
    keeps its bytes; the completed one is another receipt.
    """
    ots = _library()
    rules = _rules(authority)
    file = _parse_file(ots, receipt.data)
    remarks = [
        remark
        for node, uri in list(_pending_nodes(ots, file.timestamp))
        if _is_listed(uri, rules) and (remark := _complete_branch(ots, node, uri, fetch))
    ]
    data = _to_bytes(ots, file)
    proof = parse_proof(data)
    beside = {document.data: document for document in receipt.beside}
    for height in sorted({height for _, height in proof.roots} - _heights(receipt)):
        found = fetch_header(height, rules, fetch)
        if isinstance(found, Message):
            remarks.append(found)
        else:
            beside[found.data] = found
    completed = replace(receipt, data=data, beside=tuple(beside.values()), remarks=tuple(remarks))
    return None if (completed.data, completed.beside) == (receipt.data, receipt.beside) else completed


def fetch_header(height: int, rules: BlockRules, fetch: Fetch) -> Beside | Message:
    """Ask the explorers for the header at `height`; it is checked like any other, so one answer suffices."""
    failures: list[str] = []
    for url in rules.explorers:
        try:
            block = (
                fetch(f"{url}/block-height/{height}", max_bytes=_HASH_CHARACTERS + 2).decode("ascii").strip()
            )
            if len(block) != _HASH_CHARACTERS or not block.isalnum():
                failures.append(f"{url}: {block!r} is not a block hash")
                continue
            text = fetch(f"{url}/block/{block}/header", max_bytes=2 * HEADER_BYTES + 2)
            header = parse_header(bytes.fromhex(text.decode("ascii").strip()))
        except (UnavailableError, MalformedError, ValueError) as err:
            failures.append(f"{url}: {err}")
            continue
        if header.hash == block.lower():
            return Beside(Role.HEADER, join_height(height, header.data), url)
        failures.append(f"{url}: header and hash differ")
    return say("stamp.no_header", height=height, reasons="; ".join(failures) or "-")


def verify_proof(receipt: Receipt, authorities: Sequence[Authority]) -> Statement | Uncounted:
    """Verify a proof against the block headers beside it, under the reader's rules.

    A `Statement` means: the digest is under the Merkle root of a header whose
    hash meets its target, with at least the work the reader asks for, or with
    the hash he looked up himself. Its time may be wrong by two hours either way.
    Without the library the proof is not counted, and that is the reason given.
    """
    try:
        proof = parse_proof(receipt.data)
    except UnavailableError:
        return _uncounted(receipt, say("stamp.no_opentimestamps"))
    if proof.digest != receipt.digest:
        message = f"proof is about {proof.digest} and not {receipt.digest}"
        raise ProofError(message)
    if not proof.roots:
        return _uncounted(receipt, say("stamp.pending"))
    authority = next((authority for authority in authorities if authority.kind is Kind.OTS), None)
    if authority is None:
        return _uncounted(receipt, say("stamp.unknown_authority", authority=receipt.authority))
    headers = _matching_headers(proof, receipt)
    if not headers:
        height = min(height for _, height in proof.roots)
        root = next(root for root, at in proof.roots if at == height)
        return _uncounted(receipt, say("stamp.header_missing", height=height, root=root[::-1].hex()))
    counted = [(height, header) for height, header in headers if _counts(height, header, _rules(authority))]
    if not counted:
        return _uncounted(receipt, say("stamp.too_little_work", block=headers[0][1].hash))
    return _statement(receipt, authority, min(counted, key=lambda found: found[1].time))


def _statement(receipt: Receipt, authority: Authority, found: tuple[int, BlockHeader]) -> Statement:
    height, header = found
    known = height in dict(_rules(authority).known)
    ask = () if known else (say("stamp.ask_block", height=height, block=header.hash),)
    return Statement(
        kind=Kind.OTS,
        authority=authority.name,
        keys=frozenset({f"operator:{authority.operator}"}),
        digest=receipt.digest,
        at=header.time,
        earliest=header.time - BLOCK_MARGIN,
        latest=header.time + BLOCK_MARGIN,
        checked_by=(f"opentimestamps {version('opentimestamps')}",),
        signer=f"block {height}",
        serial=header.hash,
        remarks=(*receipt.remarks, *ask),
    )


def _matching_headers(proof: Proof, receipt: Receipt) -> list[tuple[int, BlockHeader]]:
    """Return the headers that hold the proof's roots; another root at a height claimed is a contradiction."""
    found = []
    for height, header in map(split_height, receipt.find_beside(Role.HEADER)):
        for root, claimed in proof.roots:
            if claimed != height:
                continue
            if header.merkle_root != root:
                message = f"block header for height {height} does not hold the proof's Merkle root"
                raise ProofError(message)
            check_work(header)
            found.append((height, header))
    return found


def _counts(height: int, header: BlockHeader, rules: BlockRules) -> bool:
    """Judge by the hash the reader looked up, else by the work: one of little work is made in minutes."""
    known = dict(rules.known).get(height)
    if known is None:
        return header.difficulty >= max(rules.minimum_difficulty, 1)
    if known != header.hash:
        message = f"block {height} is {known} by the reader's own word, and not {header.hash}"
        raise ProofError(message)
    return True


def _heights(receipt: Receipt) -> set[int]:
    return {split_height(data)[0] for data in receipt.find_beside(Role.HEADER)}


def _rules(authority: Authority) -> BlockRules:
    return authority.blocks or BlockRules(minimum_difficulty=_NEVER)


def _uncounted(receipt: Receipt, reason: Message) -> Uncounted:
    return Uncounted(Kind.OTS, receipt.authority, receipt.digest, reason)


def _is_listed(uri: str, rules: BlockRules) -> bool:
    parts = urllib.parse.urlsplit(uri)
    return parts.scheme in ("http", "https") and any(
        fnmatch.fnmatchcase(parts.netloc, pattern) for pattern in rules.calendars
    )


def _complete_branch(ots: Any, node: Any, uri: str, fetch: Fetch) -> Message | None:
    try:
        data = fetch(f"{uri.rstrip('/')}/timestamp/{node.msg.hex()}", max_bytes=_MAX_ANSWER_BYTES)
        node.merge(_parse_branch(ots, data, node.msg))
    except (UnavailableError, MalformedError) as err:
        return say("stamp.still_pending", url=uri, reason=err)
    return None


def _library() -> Any:
    """Import the library, which is an extra; where it is missing, stamping by others must go on."""
    try:
        from opentimestamps.core import notary, op, serialize, timestamp  # noqa: PLC0415 - an extra, imported where used
    except ImportError as err:
        raise UnavailableError(
            say("stamp.no_opentimestamps"), hint=say("stamp.no_opentimestamps_hint")
        ) from err
    return SimpleNamespace(
        **{name: getattr(notary, name) for name in ("BitcoinBlockHeaderAttestation", "PendingAttestation")},
        **{name: getattr(op, name) for name in ("OpSHA256", "OpAppend", "OpPrepend")},
        **{name: getattr(timestamp, name) for name in ("DetachedTimestampFile", "Timestamp")},
        **{
            name: getattr(serialize, name)
            for name in ("BytesDeserializationContext", "BytesSerializationContext", "DeserializationError")
        },
    )


@contextmanager
def _reading(ots: Any, what: str) -> Iterator[None]:
    try:
        with reading(what):
            yield
    except ots.DeserializationError as err:
        message = f"{what} does not parse: {err}"
        raise MalformedError(message) from err


def _parse_file(ots: Any, data: bytes) -> Any:
    if len(data) > MAX_PROOF_BYTES:
        message = f"OpenTimestamps proof of {len(data)} bytes is longer than {MAX_PROOF_BYTES}"
        raise MalformedError(message)
    with _reading(ots, "OpenTimestamps proof"):
        file = ots.DetachedTimestampFile.deserialize(ots.BytesDeserializationContext(data))
    if type(file.file_hash_op) is not ots.OpSHA256:
        message = f"OpenTimestamps proof is about a {file.file_hash_op} and not a SHA-256"
        raise MalformedError(message)
    return file


def _parse_branch(ots: Any, data: bytes, message: bytes) -> Any:
    with _reading(ots, "calendar's answer"):
        context = ots.BytesDeserializationContext(data)
        branch = ots.Timestamp.deserialize(context, message)
        context.assert_eof()
        return branch


def _to_bytes(ots: Any, file: Any) -> bytes:
    context = ots.BytesSerializationContext()
    file.serialize(context)
    return bytes(context.getbytes())


def _nodes(ots: Any, root: Any) -> Iterator[Any]:
    """Walk the tree along the operations that are followed; without recursion, because strangers shape it."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [
            below
            for operation, below in node.ops.items()
            if type(operation) in (ots.OpSHA256, ots.OpAppend, ots.OpPrepend)
        ]


def _attestations(ots: Any, root: Any) -> Iterator[tuple[bytes, Any]]:
    for node in _nodes(ots, root):
        for attestation in sorted(node.attestations):
            yield node.msg, attestation


def _pending_nodes(ots: Any, root: Any) -> Iterator[tuple[Any, str]]:
    for node in _nodes(ots, root):
        for attestation in sorted(node.attestations):
            if isinstance(attestation, ots.PendingAttestation):
                yield node, attestation.uri
