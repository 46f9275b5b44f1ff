"""Signed notes (C2SP signed-note v1.0.0): text, an empty line, signature lines.

The text means nothing until `verify_note` has returned. Signatures by keys
the reader does not know are ignored, as the specification demands; a line
that names a known key and does not check condemns the whole note.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from typing import Self

import msgspec

from makingof.errors import MalformedError, ProofError
from makingof.keys.signing import NOTE_ED25519, PublicKey, SigningKey, format_vkey, key_id

NOTE_COSIGNATURE = 0x04  # Ed25519 cosignature with its time, C2SP tlog-cosignature
MAX_SIGNATURES = 100  # the specification asks for 16 at least; Go accepts 100
MAX_NOTE_BYTES = 1_000_000
_MAX_TIME = 2**63 - 1

_ID_BYTES = 4
_TIME_BYTES = 8
_LINE_START = "\u2014 "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_VKEY = re.compile(r"([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)")


class Signature(msgspec.Struct, frozen=True):
    """One signature line: whose, and the bytes after the key id."""

    name: str
    key_id: bytes
    value: bytes

    def __str__(self) -> str:
        return f"{_LINE_START}{self.name} {base64.b64encode(self.key_id + self.value).decode()}\n"


class Note(msgspec.Struct, frozen=True):
    """A note as it lies in a file: not yet verified."""

    text: str
    signatures: tuple[Signature, ...]

    def to_bytes(self) -> bytes:
        """Spell the note; `parse_note` reads exactly this back."""
        return (self.text + "\n" + "".join(map(str, self.signatures))).encode()


class NoteKey(msgspec.Struct, frozen=True):
    """A key the reader knows: its name, what kind of signature it makes, its public half."""

    name: str
    signature_type: int
    public: PublicKey

    @classmethod
    def of_log(cls, public: PublicKey) -> Self:
        """Return the key of the log that `public` signs."""
        return cls(public.origin, NOTE_ED25519, public)

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Read a verifier key `name+hash+base64`; other spellings or types are a `MalformedError`."""
        found = _VKEY.fullmatch(vkey)
        if not found or not _is_name(found[1]):
            message = f"verifier key {vkey!r} is not spelled name+hash+base64"
            raise MalformedError(message)
        raw = decode_base64(found[3])
        if raw[0] not in {NOTE_ED25519, NOTE_COSIGNATURE}:
            message = f"verifier key of {found[1]} is of type {raw[0]:#04x}, which is not read here"
            raise MalformedError(message)
        key = cls(found[1], raw[0], PublicKey(raw[1:]))
        if str(key) != vkey:
            message = f"verifier key of {found[1]} does not match its own hash"
            raise MalformedError(message)
        return key

    @property
    def key_id(self) -> bytes:
        """The four bytes that signature lines carry."""
        return key_id(self.name, self.signature_type, self.public.raw)

    def verify(self, text: str, signature: Signature) -> int | None:
        """Return the time a cosignature states (seconds, None for other types), or raise `ProofError`."""
        if self.signature_type == NOTE_ED25519:
            self.public.verify(signature.value, text.encode())
            return None
        moment = int.from_bytes(signature.value[:_TIME_BYTES])
        if moment > _MAX_TIME:
            message = f"cosignature of {self.name} states an impossible time"
            raise ProofError(message)
        self.public.verify(signature.value[_TIME_BYTES:], _cosigned(text, moment))
        return moment

    def __str__(self) -> str:
        return format_vkey(self.name, self.signature_type, self.public.raw)


class VerifiedNote(msgspec.Struct, frozen=True):
    """A text and the known keys that signed it, with the time where the signature states one."""

    text: str
    signed_by: tuple[tuple[NoteKey, int | None], ...]


def parse_note(data: bytes) -> Note:
    """Split a note into text and signatures; nothing is verified."""
    if len(data) > MAX_NOTE_BYTES:
        message = f"note is longer than {MAX_NOTE_BYTES} bytes"
        raise MalformedError(message)
    try:
        whole = data.decode()
    except UnicodeDecodeError as err:
        message = "note is not valid UTF-8"
        raise MalformedError(message) from err
    if _CONTROL.search(whole):
        message = "note holds a control character"
        raise MalformedError(message)
    text, gap, lines = whole.rpartition("\n\n")
    if not gap or not lines.endswith("\n"):
        message = "note has no signatures after its last empty line"
        raise MalformedError(message)
    spelled = lines[:-1].split("\n")
    if len(spelled) > MAX_SIGNATURES:
        message = f"note has more than {MAX_SIGNATURES} signatures"
        raise MalformedError(message)
    return Note(text + "\n", tuple(map(_parse_signature, spelled)))


def verify_note(data: bytes, known: Iterable[NoteKey]) -> VerifiedNote:
    """Return the text if at least one key of `known` signed it and no line of a known key fails.

    Unlike Go, every line of a known key is checked, also a second one.

    Raises:
        MalformedError: `data` is no note.
        ProofError: a line of a known key does not check, or no known key signed.
    """
    note = parse_note(data)
    keys = {(key.name, key.key_id): key for key in known}
    signed_by: dict[NoteKey, int | None] = {}
    for signature in note.signatures:
        key = keys.get((signature.name, signature.key_id))
        if key is not None:
            signed_by[key] = key.verify(note.text, signature)
    if not signed_by:
        message = "note is not signed by any known key"
        raise ProofError(message)
    return VerifiedNote(note.text, tuple(signed_by.items()))


def sign_note(text: str, key: SigningKey) -> Note:
    """Sign `text`, which must end in a newline, under the key's own origin."""
    name = key.origin
    signature = Signature(name, key_id(name, NOTE_ED25519, key.public.raw), key.sign(text.encode()))
    note = Note(text, (signature,))
    if parse_note(note.to_bytes()) != note:
        message = "text cannot be signed as a note"
        raise MalformedError(message)
    return note


def cosign_note(note: Note, name: str, key: SigningKey, at_seconds: int) -> Note:
    """Add a cosignature of type 0x04: at this time, this text was the newest seen.

    Ed25519 cosignatures do not bind `name`: a key must cosign under one name only.
    """
    if not 0 <= at_seconds <= _MAX_TIME or not _is_name(name):
        message = f"cosignature by {name!r} at {at_seconds} cannot be spelled"
        raise MalformedError(message)
    value = at_seconds.to_bytes(_TIME_BYTES) + key.sign(_cosigned(note.text, at_seconds))
    line = Signature(name, key_id(name, NOTE_COSIGNATURE, key.public.raw), value)
    return Note(note.text, (*note.signatures, line))


def decode_base64(text: str) -> bytes:
    """Read standard base64 in its one spelling: padded, no white space, no stray bits at the end."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as err:
        message = f"{text[:80]!r} is not base64"
        raise MalformedError(message) from err
    if not data or base64.b64encode(data).decode() != text:
        message = f"{text[:80]!r} is not base64 in its one spelling"
        raise MalformedError(message)
    return data


def _parse_signature(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_LINE_START).partition(" ")
    if not line.startswith(_LINE_START) or not _is_name(name):
        message = f"signature line {line[:80]!r} is not a dash, a name and base64"
        raise MalformedError(message)
    value = decode_base64(encoded)
    if len(value) <= _ID_BYTES:
        message = f"signature line of {name} holds no signature"
        raise MalformedError(message)
    return Signature(name, value[:_ID_BYTES], value[_ID_BYTES:])


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(letter.isspace() for letter in name)


def _cosigned(text: str, at_seconds: int) -> bytes:
    return f"cosignature/v1\ntime {at_seconds}\n{text}".encode()
