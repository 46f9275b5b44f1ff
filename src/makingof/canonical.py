"""Canonical JSON (RFC 8785) for our own formats: no floats, one spelling for every value.

`rfc8785` decides what the bytes are. For values whose keys are ASCII and whose
integers are small, `msgspec` with sorted keys writes the same bytes some fifty
times faster; a property test holds the two equal.
"""

import json
import re
from typing import Any, TypeVar

import msgspec
import rfc8785

from makingof.digest import Digest
from makingof.errors import MalformedError

MAX_INTEGER = 2**53 - 1
_MAX_DEPTH = 64

_sorted_encoder = msgspec.json.Encoder(order="sorted", enc_hook=str)  # str: a Digest is text


def _refuse_float(text: str) -> float:
    message = f"number {text} is a float"
    raise MalformedError(message)


_decoder = msgspec.json.Decoder(strict=True, float_hook=_refuse_float)
# A run of sixteen digits, also inside a text: found ten times faster than a number by its place.
_AS_DIGITS = bytes(ord("0") if byte in b"0123456789" else ord(" ") for byte in range(256))
_LONG_RUN = b"0" * 16
# What is left of a text from its first byte outside ASCII, and the colon if it was a key. Matched
# for every text, key or not: tried again from each byte, one long text would take hours.
_NON_ASCII_TEXT = re.compile(rb'[\x80-\xff][^"]*+"(:?)')


def to_bytes(value: Any) -> bytes:
    """Return the canonical JSON of `value`, built of dict, list, str, int, bool and None.

    Refused, as `MalformedError`: floats, integers beyond 2^53 - 1 (spell seeds
    as strings), text that is not valid Unicode, keys that are not strings, and
    nesting deeper than 64.
    """
    if (data := _encode_plain(value)) is not None:
        return data
    if _is_plain(value, 0):
        return _sorted_encoder.encode(value)
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeError) as err:
        message = f"value has no canonical form: {err}"
        raise MalformedError(message) from err


def from_bytes(data: bytes) -> Any:
    """Read canonical JSON back; any other spelling of the same value is a `MalformedError`.

    Decoding, encoding again and comparing refuses duplicate keys, white space,
    floats, unsorted keys and needless escapes in one stroke.
    """
    try:
        value = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as err:
        message = f"bytes are not JSON: {err}"
        raise MalformedError(message) from err
    again = _sorted_encoder.encode(value) if _is_plainly_written(data) else to_bytes(value)
    if again != data:
        message = "JSON is not in its canonical form"
        raise MalformedError(message)
    return value


def _encode_plain(value: Any) -> bytes | None:
    """Write a value that reads back as itself; None leaves it to the walk, which knows what is refused.

    What the encoder writes as something else (bytes, sets, keys that are numbers, NaN) does
    not read back equal; floats are refused in decoding.
    """
    try:
        data = _sorted_encoder.encode(value)
        if _is_plainly_written(data) and _is_same(_decoder.decode(data), value):
            return data
    except (MalformedError, msgspec.DecodeError, UnicodeError, TypeError, ValueError, RecursionError):
        pass
    return None


def _is_same(read: Any, value: Any) -> bool:
    """Compare what was read back; where only tuples differ from lists, it is the same."""
    if read == value:
        return True
    if type(value) is dict and type(read) is dict:
        return read.keys() == value.keys() and all(_is_same(read[key], item) for key, item in value.items())
    if type(value) in (list, tuple) and type(read) is list:
        return len(read) == len(value) and all(map(_is_same, read, value))
    return False


def _is_plainly_written(data: bytes) -> bool:
    """Tell, without walking it, that decoded JSON holds nothing the fast encoder may not write.

    Floats, lone surrogates and keys other than text were refused in decoding. What is
    left to exclude is a long number, nesting, and a key outside ASCII; where escapes
    hide the end of a text, the value is walked after all.
    """
    if data.count(b"[") + data.count(b"{") > _MAX_DEPTH or data[:1] not in b"{[":
        return False
    if _LONG_RUN in data.translate(_AS_DIGITS):
        return False
    return data.isascii() or (
        b"\\" not in data and not any(found[1] for found in _NON_ASCII_TEXT.finditer(data))
    )


def _is_plain(value: Any, depth: int) -> bool:
    """Tell whether the fast encoder is known to agree; raise for what no encoder may write."""
    if depth > _MAX_DEPTH:
        message = f"value is nested deeper than {_MAX_DEPTH}"
        raise MalformedError(message)
    kind = type(value)
    if isinstance(value, str):
        return _is_valid_text(value)
    if value is None or kind is bool:
        return True
    if kind is int:
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            message = f"integer {value} is beyond 2^53 - 1"
            raise MalformedError(message)
        return True
    if kind is dict:
        keys = [_is_ascii_key(key) for key in value]
        return all([_is_plain(item, depth + 1) for item in value.values()]) and all(keys)  # noqa: C419 - every item must be seen
    if kind is list or kind is tuple:
        return all([_is_plain(item, depth + 1) for item in value])  # noqa: C419 - every item must be seen
    message = f"a {kind.__name__} has no canonical form"
    raise MalformedError(message)


def _is_ascii_key(key: Any) -> bool:
    if not isinstance(key, str):
        message = f"key {key!r} is not a string"
        raise MalformedError(message)
    return _is_valid_text(key) and key.isascii() and type(key) is str


def _is_valid_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError as err:
        message = "text holds a lone surrogate and is not valid Unicode"
        raise MalformedError(message) from err
    return True


_ShapeT = TypeVar("_ShapeT")


def convert(value: Any, shape: type[_ShapeT], what: str) -> _ShapeT:
    """Fit an untyped value into `shape`; a misfit is a `MalformedError` that names `what`."""
    try:
        return msgspec.convert(value, shape, strict=True, dec_hook=_as_digest)
    except msgspec.ValidationError as err:
        message = f"{what} does not have its shape: {err}"
        raise MalformedError(message) from err


def _as_digest(wanted: type, value: Any) -> Any:
    if wanted is Digest:
        return Digest.parse(value)
    message = f"{wanted} is not read here"
    raise TypeError(message)


def strict_json(data: bytes) -> Any:
    """Read JSON of our own making by a hook: any spacing and key order, no duplicate keys, no floats."""
    try:
        return json.loads(
            data.decode(), object_pairs_hook=_unique_keys, parse_float=_no_float, parse_constant=_no_float
        )
    except (ValueError, RecursionError) as err:
        message = f"JSON is not of our form: {err}"
        raise MalformedError(message) from err


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        message = "a key stands twice"
        raise ValueError(message)
    return found


def _no_float(text: str) -> Any:
    message = f"{text} is a float"
    raise ValueError(message)
