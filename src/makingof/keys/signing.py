"""Ed25519 keys, of logs and of people."""

import base64
import binascii
import hashlib
import re
from typing import Self

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from makingof.digest import Digest
from makingof.errors import MalformedError, ProofError

KEY_BYTES = 32
SIGNATURE_BYTES = 64
ORIGIN_PREFIX = "makingof/"
NOTE_ED25519 = 0x01  # signature type byte of C2SP signed-note
# What comes before the 32 bytes of a key in DER (RFC 8410). The library spells the same and is slow to load.
_PKCS8 = bytes.fromhex("302e020100300506032b657004220420")  # section 7, version 1
_SPKI = bytes.fromhex("302a300506032b6570032100")  # section 4
_ORIGIN = re.compile(r"makingof/([0-9a-f]{32})")

_FIELD_PRIME = 2**255 - 19
# y of every point whose order divides 8, the torsion points of the curve.
_SMALL_ORDER_Y = frozenset(
    {
        0,
        1,
        _FIELD_PRIME - 1,
        0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
        0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
    }
)


class PublicKey(msgspec.Struct, frozen=True):
    """The 32 bytes of an Ed25519 public key that can have been made honestly."""

    raw: bytes

    def __post_init__(self) -> None:
        """Refuse keys nobody makes by accident.

        A key of small order accepts signatures over anything at all, and a
        second spelling of a key would give one log two origins.
        """
        if len(self.raw) != KEY_BYTES:
            message = f"an Ed25519 public key has {KEY_BYTES} bytes, not {len(self.raw)}"
            raise MalformedError(message)
        y = int.from_bytes(self.raw, "little") & (2**255 - 1)
        if y >= _FIELD_PRIME or y in _SMALL_ORDER_Y:
            message = f"public key {self.raw.hex()} is not one that signing software makes"
            raise MalformedError(message)

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return if `signature` by this key covers `message`; else raise `ProofError`."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except (InvalidSignature, ValueError) as err:
            text = f"signature by key {self.digest.hex[:16]} does not check"
            raise ProofError(text) from err

    @property
    def digest(self) -> Digest:
        """SHA-256 of the 32 bytes."""
        return Digest.of(self.raw)

    @property
    def origin(self) -> str:
        """Name of the log that this key signs: it cannot be chosen, so no two keys share it."""
        return ORIGIN_PREFIX + self.digest.hex[:32]

    @property
    def vkey(self) -> str:
        """The key as C2SP signed-note spells it: `name+hash+base64`."""
        return format_vkey(self.origin, NOTE_ED25519, self.raw)

    @property
    def pem(self) -> bytes:
        """The key as a PEM SubjectPublicKeyInfo, as `openssl pkeyutl -pubin` wants it."""
        return _format_pem("PUBLIC KEY", _SPKI + self.raw)


class SigningKey:
    """An Ed25519 private key; never shown by `repr` and never written into an archive."""

    __slots__ = ("_private", "public")

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = PublicKey(private.public_key().public_bytes_raw())

    @classmethod
    def make(cls) -> Self:
        """Make a key from the system's randomness."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """Make the key that these 32 bytes stand for."""
        if len(seed) != KEY_BYTES:
            message = f"an Ed25519 seed has {KEY_BYTES} bytes, not {len(seed)}"
            raise MalformedError(message)
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def from_pem(cls, data: bytes) -> Self:
        """Read what `to_pem` writes, with any line ends; anything else is a `MalformedError`."""
        try:
            spelled = base64.b64decode(b"".join(data.splitlines()[1:-1]), validate=True)
        except binascii.Error as err:
            message = "private key is not PEM"
            raise MalformedError(message) from err
        key = spelled[len(_PKCS8) :]
        if spelled[: len(_PKCS8)] != _PKCS8 or data.split() != _format_pem("PRIVATE KEY", spelled).split():
            message = "private key is not an unencrypted Ed25519 key in PKCS#8"
            raise MalformedError(message)
        return cls.from_seed(key)

    def to_pem(self) -> bytes:
        """Spell the key as unencrypted PKCS#8 PEM. Whoever has these bytes can sign."""
        return _format_pem("PRIVATE KEY", _PKCS8 + self._private.private_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """Return the 64 bytes of the one signature this key makes over `message` (RFC 8032)."""
        return self._private.sign(message)

    @property
    def origin(self) -> str:
        """Name of the log that this key signs."""
        return self.public.origin

    def __repr__(self) -> str:
        return f"<SigningKey {self.origin}>"


def file_stem(origin: str) -> str:
    """Return the name under which files about the log `origin` lie; other names are a `MalformedError`.

    An origin may come out of a foreign archive and must not lead anywhere else.
    """
    found = _ORIGIN.fullmatch(origin)
    if not found:
        message = f"log origin {origin!r} is not makingof/ and 32 lower-case hex digits"
        raise MalformedError(message)
    return found[1]


def key_id(name: str, signature_type: int, key: bytes) -> bytes:
    """Return the four bytes by which C2SP signed-note tells keys of one name apart."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([signature_type]) + key).digest()[:4]


def format_vkey(name: str, signature_type: int, key: bytes) -> str:
    """Spell a verifier key as C2SP signed-note does."""
    encoded = base64.b64encode(bytes([signature_type]) + key).decode()
    return f"{name}+{key_id(name, signature_type, key).hex()}+{encoded}"


def _format_pem(label: str, der: bytes) -> bytes:
    """Spell a key as PEM; none of ours fills more than one line."""
    return f"-----BEGIN {label}-----\n{base64.b64encode(der).decode()}\n-----END {label}-----\n".encode()
