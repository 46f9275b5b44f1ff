"""Proofs for one entry, as files (C2SP tlog-proof): index, inclusion proof and checkpoint in one text."""

import base64
from dataclasses import dataclass

from makingof.errors import MalformedError
from makingof.keys.signing import PublicKey
from makingof.tlog.checkpoint import Checkpoint, decode_hash, parse_number, verify_checkpoint
from makingof.tlog.merkle import MAX_PROOF_HASHES, verify_inclusion
from makingof.tlog.note import MAX_NOTE_BYTES, decode_base64, parse_note

_FIRST_LINE = "c2sp.org/tlog-proof@v1"
_EXTRA = "extra "
_INDEX = "index "


@dataclass(frozen=True, slots=True)
class TlogProof:
    """Where an entry stands in a signed tree, and the hashes that show it.

    `extra` is not covered by anything: never believe it, and makingof never
    writes it. `checkpoint` holds the signed note as it is.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def to_bytes(self) -> bytes:
        """Spell the proof; `parse_proof` reads exactly this back."""
        lines = [_FIRST_LINE]
        if self.extra is not None:
            lines.append(_EXTRA + base64.b64encode(self.extra).decode())
        lines.append(f"{_INDEX}{self.index}")
        lines += (base64.b64encode(item).decode() for item in self.hashes)
        return "".join(f"{line}\n" for line in lines).encode() + b"\n" + self.checkpoint

    def verify(self, leaf: bytes, key: PublicKey) -> Checkpoint:
        """Return the checkpoint if it is signed by the log of `key` and holds `leaf` at `index`.

        Raises:
            MalformedError: the checkpoint does not parse.
            ProofError: signature or proof does not check.
        """
        checkpoint = verify_checkpoint(self.checkpoint, key)
        verify_inclusion(leaf, self.index, checkpoint.head, self.hashes)
        return checkpoint


def parse_proof(data: bytes) -> TlogProof:
    """Read a proof; every other spelling of the same one is a `MalformedError`."""
    if len(data) > MAX_NOTE_BYTES:
        message = f"proof is longer than {MAX_NOTE_BYTES} bytes"
        raise MalformedError(message)
    above, gap, checkpoint = data.partition(b"\n\n")
    try:
        lines = above.decode("ascii").split("\n")
    except UnicodeDecodeError as err:
        message = "proof is not ASCII above its checkpoint"
        raise MalformedError(message) from err
    if not gap or lines.pop(0) != _FIRST_LINE:
        message = f"proof does not begin with {_FIRST_LINE} or has no checkpoint"
        raise MalformedError(message)
    parse_note(checkpoint)
    extra = (
        decode_base64(lines.pop(0).removeprefix(_EXTRA)) if lines and lines[0].startswith(_EXTRA) else None
    )
    if not lines or not lines[0].startswith(_INDEX) or len(lines) > 1 + MAX_PROOF_HASHES:
        message = "proof does not name an index, followed by at most 63 hashes"
        raise MalformedError(message)
    index = parse_number(lines[0].removeprefix(_INDEX))
    return TlogProof(index, tuple(map(decode_hash, lines[1:])), checkpoint, extra)
