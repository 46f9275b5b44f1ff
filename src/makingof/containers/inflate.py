"""Decompression with a limit: a few bytes from outside must not become gigabytes here."""

import zlib

from makingof.errors import MalformedError

MAX_INFLATED_BYTES = 16 << 20

_ZLIB_OR_GZIP = zlib.MAX_WBITS | 32


def inflate(data: bytes, *, limit_bytes: int = MAX_INFLATED_BYTES) -> bytes:
    """Decompress a zlib or gzip stream; more than `limit_bytes` of output is a `MalformedError`.

    A stream that ends early is a `MalformedError` too. Bytes after the end of the
    stream are ignored, as every PNG reader does.
    """
    machine = zlib.decompressobj(_ZLIB_OR_GZIP)
    try:
        output = machine.decompress(data, limit_bytes + 1)
    except zlib.error as err:
        message = f"compressed data does not unpack: {err}"
        raise MalformedError(message) from err
    if len(output) > limit_bytes:
        message = f"compressed data unpacks to more than {limit_bytes} bytes"
        raise MalformedError(message)
    if not machine.eof:
        message = "compressed data ends early"
        raise MalformedError(message)
    return output
