"""OpenSSH signatures (PROTOCOL.sshsig), which `ssh-keygen -Y verify` checks on nearly every computer.

The namespace is part of what is signed: a signature over a package is none
over anything else.
"""

import base64
import binascii
import hashlib
import re
import struct
from collections.abc import Iterator

from makingof.errors import MalformedError, ProofError, UsageError
from makingof.keys.signing import KEY_BYTES, SIGNATURE_BYTES, PublicKey, SigningKey

PACKAGE_NAMESPACE = "makingof-package"

_MAGIC = b"SSHSIG"
_VERSION = 1
_KEY_TYPE = b"ssh-ed25519"
_HASH = b"sha512"  # the default of ssh-keygen, and the only one read here
_BEGIN = "-----BEGIN SSH SIGNATURE-----"
_END = "-----END SSH SIGNATURE-----"
_LINE = 70
_MAX_BYTES = 4096
_NAMESPACE = re.compile(r"[a-z0-9@.-]{1,100}")
_PRINCIPAL = re.compile(r"[A-Za-z0-9@./_-]{1,200}")


def sign_ssh(key: SigningKey, message: bytes, namespace: str) -> bytes:
    """Sign `message` for one purpose; the same input always gives the same armoured text."""
    _require_namespace(namespace)
    signature = _string(_KEY_TYPE) + _string(key.sign(_signed_bytes(message, namespace)))
    blob = (
        _MAGIC
        + struct.pack(">I", _VERSION)
        + _string(_key_blob(key.public))
        + _string(namespace.encode())
        + _string(b"")
        + _string(_HASH)
        + _string(signature)
    )
    return _armour(blob)


def verify_ssh(armoured: bytes, message: bytes, public: PublicKey, namespace: str) -> None:
    """Return if `armoured` is a signature by `public` over `message` in `namespace`.

    Read is exactly what `sign_ssh` and `ssh-keygen -Y sign` write for Ed25519
    keys; one key, one message and one namespace have one such text.

    Raises:
        MalformedError: it does not parse.
        ProofError: it is by another key, for another purpose, or does not check.
    """
    fields = _parse(armoured)
    key, named, reserved, hash_name, signature = fields
    if key != _key_blob(public):
        message_ = "package signature is by another key than the one expected"
        raise ProofError(message_)
    if named != namespace.encode() or reserved or hash_name != _HASH:
        message_ = f"signature is made for another purpose than {namespace}"
        raise ProofError(message_)
    head = _string(_KEY_TYPE) + struct.pack(">I", SIGNATURE_BYTES)
    if not signature.startswith(head) or len(signature) != len(head) + SIGNATURE_BYTES:
        message_ = "signature is not an Ed25519 one"
        raise MalformedError(message_)
    public.verify(signature[len(head) :], _signed_bytes(message, namespace))


def signer_of(armoured: bytes) -> PublicKey:
    """Return the key a signature names. That it signed anything is not checked."""
    blob = _parse(armoured)[0]
    prefix = _string(_KEY_TYPE) + struct.pack(">I", KEY_BYTES)
    if not blob.startswith(prefix):
        message = "signature is not by an Ed25519 key"
        raise MalformedError(message)
    return PublicKey(blob[len(prefix) :])


def openssh_key(public: PublicKey, comment: str) -> str:
    """Spell the public key as a line of OpenSSH: `ssh-ed25519 AAAA… comment`."""
    encoded = base64.b64encode(_key_blob(public)).decode()
    return f"{_KEY_TYPE.decode()} {encoded} {comment}\n"


def parse_openssh_key(line: str) -> PublicKey:
    """Read a public key line of OpenSSH; anything but one Ed25519 key is a `MalformedError`."""
    fields = line.split()
    message = "public key is not a line ssh-ed25519 AAAA…"
    if len(fields) < len(("type", "key")) or fields[0] != _KEY_TYPE.decode():
        raise MalformedError(message)
    try:
        blob = base64.b64decode(fields[1], validate=True)
    except binascii.Error as err:
        raise MalformedError(message) from err
    prefix = _string(_KEY_TYPE) + struct.pack(">I", KEY_BYTES)
    if not blob.startswith(prefix):
        raise MalformedError(message)
    return PublicKey(blob[len(prefix) :])


def allowed_signers(principal: str, public: PublicKey, namespace: str) -> str:
    """Spell the line of an allowed signers file that lets `principal` sign for `namespace` only."""
    _require_namespace(namespace)
    if not _PRINCIPAL.fullmatch(principal):
        message = f"principal {principal!r} cannot stand in an allowed signers file"
        raise UsageError(message)
    encoded = base64.b64encode(_key_blob(public)).decode()
    return f'{principal} namespaces="{namespace}" {_KEY_TYPE.decode()} {encoded}\n'


def _signed_bytes(message: bytes, namespace: str) -> bytes:
    digest = hashlib.sha512(message).digest()
    return _MAGIC + _string(namespace.encode()) + _string(b"") + _string(_HASH) + _string(digest)


def _key_blob(public: PublicKey) -> bytes:
    return _string(_KEY_TYPE) + _string(public.raw)


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _armour(blob: bytes) -> bytes:
    encoded = base64.b64encode(blob).decode()
    lines = [encoded[start : start + _LINE] for start in range(0, len(encoded), _LINE)]
    return "".join(f"{line}\n" for line in (_BEGIN, *lines, _END)).encode()


def _parse(armoured: bytes) -> tuple[bytes, ...]:
    try:
        lines = armoured[:_MAX_BYTES].decode("ascii").split("\n")
        blob = base64.b64decode("".join(lines[1:-2]), validate=True)
    except (UnicodeDecodeError, binascii.Error, ValueError) as err:
        message = "signature is not an armoured OpenSSH signature"
        raise MalformedError(message) from err
    head = _MAGIC + struct.pack(">I", _VERSION)
    if _armour(blob) != armoured or not blob.startswith(head):
        message = "signature is not an armoured OpenSSH signature"
        raise MalformedError(message)
    return tuple(_strings(blob[len(head) :], 5))


def _strings(data: bytes, count: int) -> Iterator[bytes]:
    """Cut `data` into exactly `count` strings, each with its length before it."""
    for _ in range(count):
        size = int.from_bytes(data[:4])
        value, rest = data[4 : 4 + size], data[4 + size :]
        if len(data) != 4 + size + len(rest):
            message = "signature is cut short"
            raise MalformedError(message)
        data = rest
        yield value
    if data:
        message = "signature has bytes after its end"
        raise MalformedError(message)


def _require_namespace(namespace: str) -> None:
    if not _NAMESPACE.fullmatch(namespace):
        message = f"namespace {namespace!r} is not a short word in lower case"
        raise UsageError(message)
