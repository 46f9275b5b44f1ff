"""Text of EXIF values, whose encoding no header tells reliably.

`UserComment` names a character code in eight bytes, and writers disagree about the
rest: UTF-16 in either order behind `UNICODE` whatever the block's byte order, UTF-8
behind it, plain JSON without any code. The rule that decided is returned with the text.
"""

import string
import unicodedata

_CODE_BYTES = 8
_SAMPLE_BYTES = 4_096
_UNICODE = b"UNICODE\0"
_OTHER_CODES = (b"ASCII\0\0\0", b"\0" * 8)
_NOT_PRINTABLE = bytes(byte for byte in range(256) if chr(byte) not in string.printable)
_JIS = b"JIS\0\0\0\0\0"


def decode_user_comment(raw: bytes) -> tuple[str, str]:
    """Decode a `UserComment`; return the text and the rule that decided."""
    code, rest = raw[:_CODE_BYTES], raw[_CODE_BYTES:]
    if code == _UNICODE or code[:7] == _UNICODE[:7]:
        return _decode_unicode(rest)
    if code in _OTHER_CODES:
        return decode_bytes(rest)
    if code == _JIS:
        try:
            return rest.decode("iso2022_jp"), "JIS"
        except UnicodeDecodeError:
            return decode_bytes(rest)
    return decode_bytes(raw)  # no code at all: Fooocus and others write the text as it is


def decode_bytes(raw: bytes) -> tuple[str, str]:
    """Decode a value meant as ASCII: UTF-8 if it is, else latin-1; nulls at the end are padding."""
    stripped = raw.rstrip(b"\0")
    if b"\0" in stripped[:_SAMPLE_BYTES]:  # two bytes a letter, without saying so
        return _decode_unicode(raw)
    try:
        return stripped.decode(), "utf-8"
    except UnicodeDecodeError:
        return stripped.decode("latin-1"), "latin-1"


def decode_utf16le(raw: bytes) -> str:
    """Decode what Windows writes into its XP tags."""
    return raw[: len(raw) // 2 * 2].decode("utf-16-le", "surrogatepass").rstrip("\0")


def _decode_unicode(raw: bytes) -> tuple[str, str]:
    if raw[:2] == b"\xfe\xff":
        return _utf16(raw[2:], "utf-16-be"), "utf-16-be by its mark"
    if raw[:2] == b"\xff\xfe":
        return _utf16(raw[2:], "utf-16-le"), "utf-16-le by its mark"
    sample = raw[:_SAMPLE_BYTES]
    high_nulls, low_nulls = sample[0::2].count(0), sample[1::2].count(0)
    if not high_nulls and not low_nulls and _is_mostly_ascii(sample):
        try:
            return raw.decode(), "utf-8 behind UNICODE"
        except UnicodeDecodeError:
            pass
    if high_nulls != low_nulls:
        codec = "utf-16-be" if high_nulls > low_nulls else "utf-16-le"
        return _utf16(
            raw, codec
        ), f"{codec} by nulls {max(high_nulls, low_nulls)}:{min(high_nulls, low_nulls)}"
    big, little = _utf16(raw, "utf-16-be"), _utf16(raw, "utf-16-le")
    if _strangeness(big) <= _strangeness(little):
        return big, "utf-16-be by likelier letters"
    return little, "utf-16-le by likelier letters"


def _utf16(raw: bytes, codec: str) -> str:
    """Decode whole pairs; a lone surrogate stays one and is judged where a field is made of it."""
    return raw[: len(raw) // 2 * 2].decode(codec, "surrogatepass").rstrip("\0")


def _is_mostly_ascii(sample: bytes) -> bool:
    printable = len(sample.translate(None, _NOT_PRINTABLE))
    return printable * 10 >= len(sample) * 9


def _strangeness(text: str) -> int:
    """Count letters nobody writes: unassigned, private, surrogates, and scripts of one stray letter."""
    strange = sum(unicodedata.category(letter) in ("Cn", "Co", "Cs") for letter in text[:2_000])
    common = sum(_is_common(letter) for letter in text[:2_000])
    return strange * 4 - common


def _is_common(letter: str) -> bool:
    """Whether a letter is CJK, kana, Hangul or their punctuation: scripts with no nulls in UTF-16."""
    return (
        "\u3000" <= letter <= "\u30ff"
        or "\u4e00" <= letter <= "\u9fff"
        or "\uac00" <= letter <= "\ud7a3"
        or "\uff00" <= letter <= "\uff60"
    )
