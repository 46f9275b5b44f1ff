"""RFC 6962 Merkle trees over SHA-256, as pure functions.

A *node* `(level, index)` is the root of the perfect subtree over the leaves
from `index << level` up to `(index + 1) << level`; a leaf hash is a node of
level 0. Nodes never change once their last leaf is there, so they can be
stored. What a proof needs beside them, the ragged right edge of a tree, is
folded together from at most one node per level.

Proofs are made with a `NodeReader` and verified with nothing but hashes.
Verifying returns when the proof holds and raises `ProofError` when not.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence

import msgspec

from makingof.errors import ProofError, UsageError

HASH_BYTES = 32
MAX_SIZE = 2**63 - 1  # what SQLite and Go can count
MAX_PROOF_HASHES = 63

EMPTY_ROOT = hashlib.sha256(b"").digest()

NodeReader = Callable[[int, int], bytes]
Proof = Sequence[bytes]


def leaf_hash(entry: bytes) -> bytes:
    """Hash one entry; the prefix keeps an entry from ever passing as a node."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two neighbouring subtrees into the one above them."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class TreeHead(msgspec.Struct, frozen=True):
    """How many leaves a tree has and what they hash to."""

    size: int
    root: bytes


EMPTY_HEAD = TreeHead(0, EMPTY_ROOT)


class RightEdge(msgspec.Struct, frozen=True):
    """All that must be kept of a tree to append to it: its maximal perfect subtrees, left to right."""

    size: int
    hashes: tuple[bytes, ...]

    def append(self, leaf: bytes) -> tuple["RightEdge", list[bytes]]:
        """Return the edge with one more leaf, and the nodes of level 1, 2, … that it completed."""
        hashes = list(self.hashes)
        completed = []
        node = leaf
        for _ in range(_trailing_ones(self.size)):
            node = node_hash(hashes.pop(), node)
            completed.append(node)
        hashes.append(node)
        return RightEdge(self.size + 1, tuple(hashes)), completed

    def root(self) -> bytes:
        """Return the root hash of the tree."""
        return _fold(self.hashes) if self.hashes else EMPTY_ROOT

    def head(self) -> TreeHead:
        """Return size and root of the tree."""
        return TreeHead(self.size, self.root())


EMPTY_EDGE = RightEdge(0, ())


def node_position(level: int, index: int) -> int:
    """Number nodes in the order in which appending completes them, leaves included.

    This is `StoredHashIndex` of Go's `sumdb/tlog`: node `(level, index)` is
    complete `level` steps after its last leaf, and before leaf `n` there lie
    `n` leaves and `n - popcount(n)` nodes above them.
    """
    last_leaf = ((index + 1) << level) - 1
    return 2 * last_leaf - last_leaf.bit_count() + level


def count_nodes(size: int) -> int:
    """Count the nodes above the leaves in a tree of `size` leaves."""
    return size - size.bit_count()


def split_range(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Cover the leaves `[start, end)` by maximal nodes, from left to right."""
    while start < end:
        level = (end - start).bit_length() - 1
        if start:
            level = min(level, _trailing_zeros(start))
        yield level, start >> level
        start += 1 << level


def read_edge(size: int, read: NodeReader) -> RightEdge:
    """Read the right edge of the tree of the first `size` leaves."""
    return RightEdge(size, tuple(read(level, index) for level, index in split_range(0, size)))


def read_head(size: int, read: NodeReader) -> TreeHead:
    """Read the head of the tree of the first `size` leaves."""
    return read_edge(size, read).head()


# Making proofs


def make_inclusion_proof(index: int, size: int, read: NodeReader) -> list[bytes]:
    """Prove that leaf `index` lies in the tree of `size` leaves (RFC 6962, 2.1.1)."""
    return make_range_proof(index, index + 1, size, read)


def make_range_proof(start: int, end: int, size: int, read: NodeReader) -> list[bytes]:
    """Prove that the leaves `[start, end)` lie side by side in the tree of `size` leaves.

    The proof holds the roots of the largest subtrees that lie wholly outside
    the range: from the leaves up, at each level first the left neighbour, then
    the right one. No smaller set of hashes is enough, and for a single leaf it
    is the inclusion proof of RFC 6962.
    """
    if not 0 <= start < end <= size <= MAX_SIZE:
        message = f"leaves {start} to {end} are not a range of a tree of size {size}"
        raise UsageError(message)
    proof = []
    low, high = start, end
    for level, width in enumerate(_level_widths(size)):
        if low & 1:
            proof.append(_subtree(level, low - 1, size, read))
        if high & 1 and high < width:
            proof.append(_subtree(level, high, size, read))
        low, high = low >> 1, (high + 1) >> 1
    return proof


def make_consistency_proof(old_size: int, new_size: int, read: NodeReader) -> list[bytes]:
    """Prove that the tree of `old_size` leaves is a prefix of that of `new_size` (RFC 6962, 2.1.2).

    A proof from the empty tree does not exist in RFC 6962; `old_size` 0 is
    refused here and has its own function, `verify_growth`, where it is allowed.
    """
    if not 0 < old_size <= new_size <= MAX_SIZE:
        message = f"there is no consistency proof from size {old_size} to size {new_size}"
        raise UsageError(message)
    if old_size == new_size:
        return []
    # The last maximal node of the old tree is also a node of the new one: prove it there.
    level = _trailing_zeros(old_size)
    index = (old_size >> level) - 1
    proof = [] if old_size == 1 << level else [read(level, index)]
    for above, width in enumerate(_level_widths(new_size)):
        if above < level:
            continue
        if index & 1:
            proof.append(_subtree(above, index - 1, new_size, read))
        elif index + 1 < width:
            proof.append(_subtree(above, index + 1, new_size, read))
        index >>= 1
    return proof


# Verifying proofs


def verify_inclusion(leaf: bytes, index: int, head: TreeHead, proof: Proof) -> None:
    """Return if `proof` shows `leaf` at `index` of the tree `head`; else raise `ProofError`."""
    verify_range([leaf], index, head, proof)


def verify_range(leaves: Sequence[bytes], start: int, head: TreeHead, proof: Proof) -> None:
    """Return if `proof` shows `leaves` side by side from `start` on in `head`; else raise `ProofError`."""
    if root_of_range(leaves, start, head.size, proof) != head.root:
        message = f"proof for entry {start} leads to another root than that of size {head.size}"
        raise ProofError(message)


def root_of_range(leaves: Sequence[bytes], start: int, size: int, proof: Proof) -> bytes:
    """Return the root that `proof` computes for `leaves` at `start`; wrong lengths are a `ProofError`."""
    end = start + len(leaves)
    if not 0 <= start < end <= size <= MAX_SIZE:
        message = f"leaves {start} to {end} cannot lie in a tree of size {size}"
        raise ProofError(message)
    _require_hashes(proof)
    _require_hashes(leaves)
    unused = iter(proof)
    row = list(leaves)
    low, high = start, end
    for width in _level_widths(size):
        if low & 1:
            row.insert(0, _next(unused))
        if high & 1 and high < width:
            row.append(_next(unused))
        low, high = low >> 1, (high + 1) >> 1
        paired = [node_hash(left, right) for left, right in zip(row[::2], row[1::2], strict=False)]
        row = paired + row[-1:] if len(row) & 1 else paired  # the last one of an odd level rises as it is
    _require_end(unused)
    return row[0]


def verify_consistency(old: TreeHead, new: TreeHead, proof: Proof) -> None:
    """Return if `proof` shows `old` to be a prefix of `new`, strictly by RFC 6962; else raise `ProofError`.

    The empty tree is refused as `old`, as RFC 6962 and Go's `sumdb/tlog`
    demand: a proof "from nothing" would be accepted for any log at all.
    """
    if not 0 < old.size <= new.size <= MAX_SIZE:
        message = f"size {old.size} to size {new.size} is no growth that a proof can show"
        raise ProofError(message)
    _require_hashes(proof)
    _require_hashes([old.root, new.root])
    old_root, new_root = _roots_of_growth(old, new.size, proof)
    if old_root != old.root or new_root != new.root:
        message = f"proof does not lead from the root of size {old.size} to the root of size {new.size}"
        raise ProofError(message)


def verify_growth(old: TreeHead, new: TreeHead, proof: Proof) -> None:
    """As `verify_consistency`, but from the empty tree too, as the witness protocol has it.

    From size 0 the proof must be empty and the old root that of the empty tree:
    then nothing is shown but that a log began.
    """
    if old.size != 0:
        verify_consistency(old, new, proof)
        return
    if len(proof) or old.root != EMPTY_ROOT or not 0 <= new.size <= MAX_SIZE:
        message = "growth from the empty tree needs an empty proof and the empty root"
        raise ProofError(message)
    if new.size == 0 and new.root != EMPTY_ROOT:
        message = "a tree of size 0 has another root than the empty tree"
        raise ProofError(message)


def _roots_of_growth(old: TreeHead, new_size: int, proof: Proof) -> tuple[bytes, bytes]:
    """Compute both roots from one walk up the new tree, starting at the last maximal node of the old one."""
    unused = iter(proof)
    if old.size == new_size:
        _require_end(unused)
        return old.root, old.root
    level = _trailing_zeros(old.size)
    index = (old.size >> level) - 1
    old_root = new_root = old.root if old.size == 1 << level else _next(unused)
    for above, width in enumerate(_level_widths(new_size)):
        if above < level:
            continue
        if index & 1:
            left = _next(unused)
            old_root, new_root = node_hash(left, old_root), node_hash(left, new_root)
        elif index + 1 < width:
            new_root = node_hash(new_root, _next(unused))
        index >>= 1
    _require_end(unused)
    return old_root, new_root


def _level_widths(size: int) -> Iterator[int]:
    """Count the subtrees of each level below the root of a tree of `size` leaves, ragged ones included."""
    width = size
    while width > 1:
        yield width
        width = (width + 1) >> 1


def _subtree(level: int, index: int, size: int, read: NodeReader) -> bytes:
    """Read the root of one subtree of the tree of `size` leaves, which the tree's end may cut short."""
    start, end = index << level, (index + 1) << level
    if end <= size:
        return read(level, index)
    return _fold([read(*node) for node in split_range(start, size)])


def _fold(hashes: Sequence[bytes]) -> bytes:
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def _next(unused: Iterator[bytes]) -> bytes:
    found = next(unused, None)
    if found is None:
        message = "proof has too few hashes"
        raise ProofError(message)
    return found


def _require_end(unused: Iterator[bytes]) -> None:
    if next(unused, None) is not None:
        message = "proof has too many hashes"
        raise ProofError(message)


def _require_hashes(hashes: Sequence[bytes]) -> None:
    if any(len(item) != HASH_BYTES for item in hashes):
        message = f"a hash of the tree has {HASH_BYTES} bytes"
        raise ProofError(message)


def _trailing_zeros(number: int) -> int:
    return (number & -number).bit_length() - 1


def _trailing_ones(number: int) -> int:
    return _trailing_zeros(~number)
