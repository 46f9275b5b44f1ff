"""What needs the pixels: records hidden in them, and NovelAI's signature over them.

`read_records` never decodes a picture. These functions do, one picture at a time.
"""

import base64

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec.structs import replace

from makingof.containers.source import Source
from makingof.errors import MalformedError
from makingof.metadata.gather import gather
from makingof.metadata.novelai import SIGNATURE_CHECK, signature_of
from makingof.metadata.record import Record, Sheet
from makingof.metadata.registry import read_sheet
from makingof.metadata.stealth import find_stealth, open_picture
from makingof.metadata.tool_json import parse_tool_object
from makingof.reading import Check, Locator, Reading, State

# Published by the vendor for checking its own pictures; whether it will ever change is not known.
NOVELAI_KEY = base64.b64decode("Y2JcQAOhLwzwSDUJPNgL04nS0Tbqm7cSRc4xk0vRMic=")


def read_stealth(data: Source, name: str | None = None) -> list[Reading]:
    """Read the record hidden in a picture's pixels; an empty list where there is none.

    What is hidden is read as if it stood in the file's text chunks. A hidden record
    that does not unpack is one reading in state `unreadable`; so is a picture that
    does not decode, for then nobody can say that nothing is hidden in it.
    """
    sheet = gather(data, name)
    if sheet.container is None:
        return []
    try:
        record = find_stealth(data, sheet.container)
    except MalformedError as err:
        check = Check("pixels_readable", held=False, detail=str(err))
        return [Reading(None, Locator(sheet.container, "pixels"), State.UNREADABLE, b"", checks=(check,))]
    if record is None:
        return []
    hidden = msgspec.structs.replace(sheet, records=tuple(_as_chunks(record)), packets=())
    found = [_at(reading, record) for reading in read_sheet(hidden)]
    return [
        _with_hidden_signature(data, record, reading) if reading.tool == "novelai" else reading
        for reading in found
    ]


def _with_hidden_signature(data: Source, record: Record, reading: Reading) -> Reading:
    checks = tuple(
        check_novelai(data, record.text or "") if check.name == SIGNATURE_CHECK else check
        for check in reading.checks
    )
    return replace(reading, checks=checks)


def may_hide_text(sheet: Sheet) -> bool:
    """Whether a picture is worth the look: lossless, with an alpha channel, and silent otherwise."""
    return sheet.has_alpha and not any(record.key in _SPEAKING for record in sheet.records)


_SPEAKING = frozenset(
    {"parameters", "prompt", "workflow", "Comment", "UserComment", "invokeai_metadata", "generation_data"}
)


def _as_chunks(record: Record) -> list[Record]:
    """Spread a hidden object over the keys its text chunks would have: NovelAI and ComfyUI hide one."""
    try:
        value, _ = parse_tool_object(record.text or "")
    except MalformedError:
        return [msgspec.structs.replace(record, key="parameters")]
    texts = {key: item for key, item in value.items() if isinstance(item, str)}
    if "Comment" in texts:
        return [msgspec.structs.replace(record, key=key, text=text) for key, text in texts.items()]
    return [msgspec.structs.replace(record, key="prompt")]


def _at(reading: Reading, record: Record) -> Reading:
    checks = (
        *reading.checks,
        Check("in_the_pixels", held=True, detail="hidden in the lowest bits of the pixels"),
    )
    return replace(reading, locator=record.locator, raw=record.raw, checks=checks)


def check_novelai(data: Source, comment_text: str, *, key: bytes = NOVELAI_KEY) -> Check:
    """Check NovelAI's signature over pixels and comment, offline, with the vendor's published key.

    Held means that the key's owner signed these pixels with these parameters. That it
    did not hold says "not verified" and no more: pixels are changed by many an honest
    tool, and the vendor may use another key.
    """
    try:
        found = signature_of(comment_text)
        if found is None:
            return Check(SIGNATURE_CHECK, held=None, detail="there is no signature")
        signature, signed_text = found
        pixels = open_picture(data).convert("RGB").tobytes()
    except MalformedError as err:
        return Check(SIGNATURE_CHECK, held=None, detail=f"could not be checked: {err}")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, pixels + signed_text.encode())
    except InvalidSignature:
        return Check(SIGNATURE_CHECK, held=False, detail="not verified: pixels, parameters or key are others")
    return Check(SIGNATURE_CHECK, held=True, detail="NovelAI signed these pixels with these parameters")
