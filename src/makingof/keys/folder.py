"""Where keys lie: a 0600 file in the user's state folder, or the system's keyring."""

import os
from pathlib import Path

from makingof.durable import PRIVATE, explained, make_folders, write_new
from makingof.errors import MalformedError, UnavailableError
from makingof.keys.signing import SigningKey, file_stem
from makingof.texts import say

_MAX_FILE_BYTES = 4096
_KEYRING_SERVICE = "makingof log key"
_OTHERS = 0o077


def create_key(state: Path) -> SigningKey:
    """Make a key and put it into `keys/` under `state`; both are on disk when this returns.

    Nothing is ever overwritten.
    """
    key = SigningKey.make()
    _write_private(_key_path(state, key.origin), key.to_pem())
    return key


def keep_key(state: Path, key: SigningKey) -> None:
    """Put a key made elsewhere (from a printed recovery key) into `keys/` under `state`."""
    _write_private(_key_path(state, key.origin), key.to_pem())


def create_key_in_keyring(state: Path) -> SigningKey:
    """Make a key and give it to the system's keyring; only a note that it is there lies in `state`."""
    key = SigningKey.make()
    pem = key.to_pem().decode()
    _ask_keyring("set_password", key.origin, pem)
    if _ask_keyring("get_password", key.origin) != pem:  # some back ends take a secret and keep nothing
        raise UnavailableError(say("keys.keyring_forgets"), hint=say("keys.keyring_refused_hint"))
    _write_private(_note_path(state, key.origin), b"the key is in the system's keyring\n")
    return key


def find_key(state: Path, origin: str) -> SigningKey | None:
    """Return the key that signs the log `origin`, or None where this user does not have it.

    A file of that name holding another key or none is a `MalformedError`.
    """
    data = _read_private(_key_path(state, origin))
    if data is None:
        data = _read_keyring(state, origin)
    if data is None:
        return None
    key = SigningKey.from_pem(data)
    if key.origin != origin:
        message = f"key kept for {origin} signs as {key.origin}"
        raise MalformedError(message)
    return key


def list_origins(state: Path) -> list[str]:
    """Name the logs whose keys this user has."""
    paths = [path for path in (state / "keys").glob("*") if path.suffix in {".pem", ".keyring"}]
    return sorted(f"makingof/{path.stem}" for path in paths)


def find_exposed_keys(state: Path) -> list[Path]:
    """List key files that other users of this machine may read; always empty on Windows."""
    if os.name == "nt":
        return []
    return sorted(path for path in (state / "keys").glob("*.pem") if path.stat().st_mode & _OTHERS)


def _key_path(state: Path, origin: str) -> Path:
    return state / "keys" / f"{file_stem(origin)}.pem"


def _note_path(state: Path, origin: str) -> Path:
    return _key_path(state, origin).with_suffix(".keyring")


def _write_private(path: Path, data: bytes) -> None:
    make_folders(path.parent)
    write_new(path, data, mode=PRIVATE)


def _read_private(path: Path) -> bytes | None:
    if not path.exists():
        return None
    with explained(path), path.open("rb") as stream:
        return stream.read(_MAX_FILE_BYTES)


def _read_keyring(state: Path, origin: str) -> bytes | None:
    if not _note_path(state, origin).exists():
        return None
    found = _ask_keyring("get_password", origin)
    return None if found is None else found.encode()


def _ask_keyring(act: str, origin: str, *values: str) -> str | None:
    try:
        import keyring  # noqa: PLC0415 - an extra, and slow to load
        import keyring.errors  # noqa: PLC0415
    except ImportError as err:
        raise UnavailableError(say("keys.no_keyring"), hint=say("keys.no_keyring_hint")) from err
    try:
        answer: str | None = getattr(keyring, act)(_KEYRING_SERVICE, origin, *values)
    except keyring.errors.KeyringError as err:
        raise UnavailableError(
            say("keys.keyring_refused", reason=err), hint=say("keys.keyring_refused_hint")
        ) from err
    return answer
