"""Certificates as text, so that `openssl` takes them as they lie: one spelling, 64 columns."""

import base64
import binascii
from collections.abc import Iterable

from makingof.errors import MalformedError

_BEGIN = "-----BEGIN CERTIFICATE-----\n"
_END = "-----END CERTIFICATE-----\n"
_COLUMNS = 64


def format_pem(certificates: Iterable[bytes]) -> bytes:
    """Spell DER certificates one below the other."""
    return "".join(_format(der) for der in certificates).encode("ascii")


def parse_pem(data: bytes) -> tuple[bytes, ...]:
    """Read certificates back as DER; any other spelling is a `MalformedError`."""
    try:
        blocks = data.decode("ascii").split(_BEGIN)[1:]
        found = tuple(base64.b64decode(block.removesuffix(_END), validate=False) for block in blocks)
    except (ValueError, binascii.Error) as err:
        message = "certificates are not PEM"
        raise MalformedError(message) from err
    if not found or format_pem(found) != data:
        message = "certificates are not PEM in its one spelling"
        raise MalformedError(message)
    return found


def _format(der: bytes) -> str:
    text = base64.b64encode(der).decode("ascii")
    lines = [text[start : start + _COLUMNS] for start in range(0, len(text), _COLUMNS)]
    return _BEGIN + "\n".join([*lines, _END])
