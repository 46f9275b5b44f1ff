"""One way to fail for three ASN.1 libraries."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from makingof.errors import MalformedError

# Each was seen, or is documented, to leave asn1crypto, cryptography or rfc3161-client on hostile bytes.
_FAILURES = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    NotImplementedError,  # caught, not raised: the library's word for a form it does not know
    struct.error,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
    UnsupportedAlgorithm,
)


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn whatever an ASN.1 library throws at hostile bytes into `MalformedError`."""
    try:
        yield
    except _FAILURES as err:
        message = f"{what} does not parse: {err}"
        raise MalformedError(message) from err
