"""Where everything lies in a package. Normative: `docs/spec/package.md`."""

import re

from makingof.errors import MalformedError

FORMAT = "makingof-package/1"

FRONT_PAGE = "00-READ-ME-FIRST.html"
BAG_DECLARATION = "bagit.txt"
BAG_INFO = "bag-info.txt"
MANIFEST = "manifest-sha256.txt"
SIGNATURE = "manifest-sha256.txt.sig"
TAG_MANIFEST = "tagmanifest-sha256.txt"
CARRIED_SCRIPT = "verify.py"
CARRIED_PAGE = "check.html"

PAYLOAD = "data/"
DESCRIPTION = "data/package.json"
PARTS = "data/parts.jsonl"
FINDINGS = "data/findings.json"
CRATE = "data/ro-crate-metadata.json"
ENTRIES = "data/log/entries.jsonl"
RANGES = "data/log/ranges"
CHECKPOINT = "data/log/checkpoint"
KEY_VKEY = "data/log/key.vkey"
KEY_PEM = "data/log/key.pem"
ALLOWED_SIGNERS = "data/log/allowed_signers"
PROOFS = "data/log/proofs/"
FILES = "data/files/"
STAMPS = "data/stamps/"
VIEWS = "views/"

TAG_FILES = frozenset(
    {FRONT_PAGE, BAG_DECLARATION, BAG_INFO, MANIFEST, SIGNATURE, CARRIED_SCRIPT, CARRIED_PAGE}
)
PAYLOAD_FILES = frozenset(
    {DESCRIPTION, PARTS, CRATE, ENTRIES, RANGES, CHECKPOINT, KEY_VKEY, KEY_PEM, ALLOWED_SIGNERS}
)

MAX_NAME = 99  # with the folder: old tools, and Windows paths of 260 characters
_SEGMENT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
# Windows opens a device for these names, whatever their suffix.
_DEVICE = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")
_FOLDER_DIGITS = 16


def folder_name(payload_hex: str) -> str:
    """Name the one folder of a package after its payload, so that two unpacked side by side stay apart."""
    return f"makingof-{payload_hex[:_FOLDER_DIGITS]}"


def proof_path(index: int) -> str:
    """Where the `tlog-proof` of the entry at `index` lies."""
    return f"{PROOFS}{index:09d}.tlog-proof"


def stamp_path(size: int, name: str) -> str:
    """Where what belongs to the stamped checkpoint of `size` entries lies."""
    return f"{STAMPS}{size:09d}/{name}"


def check_name(name: str) -> None:
    """Refuse, as `MalformedError`, a name that could mean two things on two systems.

    Only ASCII letters, digits, `.`, `_`, `-` and `/` remain: no look-alike
    letters, no way out of the folder, no drive, no stream, no device.
    """
    segments = name.split("/")
    sound = all(
        _SEGMENT.fullmatch(segment) and not segment.endswith(".") and not _DEVICE.fullmatch(segment)
        for segment in segments
    )
    if not sound or len(name) > MAX_NAME:
        message = f"name {name[:120]!r} is not a plain ASCII path below the package's folder"
        raise MalformedError(message)
