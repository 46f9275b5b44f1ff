"""A key on paper: printed once, typed back when the log's own key is lost.

The text is `R1`, then nine groups of four letters of Crockford's base32 (no
I, L, O, U), joined by hyphens. The first eight groups are 20 random bytes;
the ninth is the first 20 bits of SHA-256 over `makingof recovery key 1`, a
zero byte and those 20 bytes, so that a slip of the hand is noticed. The
Ed25519 seed is SHA-256 over `makingof recovery seed 1`, a zero byte and the
20 bytes.
"""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Self

from makingof.digest import Digest
from makingof.errors import UsageError
from makingof.keys.signing import SigningKey
from makingof.texts import say

_VERSION = "R1"
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LOOKALIKES = str.maketrans("ILO", "110")
_SECRET_BYTES = 20
_SECRET_LETTERS = _SECRET_BYTES * 8 // 5
_CHECK_LETTERS = 4
_GROUP = 4


@dataclass(frozen=True, slots=True)
class RecoveryKey:
    """The secret behind a printed text. Only `public_digest` ever goes into a log."""

    _secret: bytes

    @classmethod
    def make(cls) -> Self:
        """Make one from the system's randomness; it is kept nowhere."""
        return cls(secrets.token_bytes(_SECRET_BYTES))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a typed text: case, spaces and hyphens do not matter, I and L are read as 1, O as 0.

        A text that is incomplete, or whose check letters disagree, is a `UsageError`.
        """
        letters = "".join(text.split()).replace("-", "").upper().translate(_LOOKALIKES)
        spelled = letters.removeprefix(_VERSION)
        if (
            not letters.startswith(_VERSION)
            or len(spelled) != _SECRET_LETTERS + _CHECK_LETTERS
            or any(letter not in _ALPHABET for letter in spelled)
        ):
            raise UsageError(say("keys.recovery_incomplete"), hint=say("keys.recovery_hint"))
        number = 0
        for letter in spelled[:_SECRET_LETTERS]:
            number = number * len(_ALPHABET) + _ALPHABET.index(letter)
        key = cls(number.to_bytes(_SECRET_BYTES))
        if key._letters() != spelled:
            raise UsageError(say("keys.recovery_mistyped"), hint=say("keys.recovery_hint"))
        return key

    @property
    def text(self) -> str:
        """The one spelling to print."""
        letters = self._letters()
        groups = [letters[start : start + _GROUP] for start in range(0, len(letters), _GROUP)]
        return "-".join((_VERSION, *groups))

    @property
    def signing_key(self) -> SigningKey:
        """The Ed25519 key that the text stands for."""
        return SigningKey.from_seed(hashlib.sha256(b"makingof recovery seed 1\x00" + self._secret).digest())

    @property
    def public_digest(self) -> Digest:
        """SHA-256 of the public key: a log commits to it without showing it."""
        return self.signing_key.public.digest

    def __repr__(self) -> str:
        return f"<RecoveryKey {self.public_digest}>"

    def _letters(self) -> str:
        check = hashlib.sha256(b"makingof recovery key 1\x00" + self._secret).digest()
        return _spell(self._secret, _SECRET_LETTERS) + _spell(check, _CHECK_LETTERS)


def _spell(data: bytes, letters: int) -> str:
    """Spell the first `letters` times five bits of `data`."""
    number = int.from_bytes(data) >> (len(data) * 8 - letters * 5)
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(letters)))
