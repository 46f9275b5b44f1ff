"""C2PA content credentials: what a manifest says, and three answers never made one.

*Signature*: did the holder of the certificate sign this claim? *Bytes*: are the file's
bytes the ones the claim names? *Trust*: does somebody vouch for the certificate? The
third needs trust lists and stays unanswered here; `c2pa_library` can be asked.
Nothing is fetched from a network. A manifest holds no prompt.
"""

import hashlib
from typing import Any, NamedTuple

from makingof.containers.cbor import parse_cbor
from makingof.containers.jumbf import Superbox, parse_jumbf
from makingof.containers.manifest import find_manifest_ranges
from makingof.containers.source import Source
from makingof.errors import MalformedError
from makingof.metadata.found import Found
from makingof.metadata.json_fields import make_field, unreadable
from makingof.metadata.record import Record, Sheet, text_field
from makingof.reading import Check, Field, Reading, State

READER = "c2pa/1"
SIGNATURE, BYTES, TRUST = "c2pa_signature", "c2pa_bytes", "c2pa_trust"

_HASHES = {"sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}
_MAX_ACTIONS = 200
_MAX_EXCLUSIONS = 1_000
_PART_BYTES = 1 << 20  # read at once of the file

# Who the claim's own words name; a name in a claim is as good as its signature.
_VENDORS = (
    ("openai", "openai"), ("chatgpt", "openai"), ("dall", "openai"), ("gpt-image", "openai"),
    ("firefly", "firefly"), ("photoshop", "photoshop"), ("google", "google"), ("gemini", "google"),
    ("microsoft", "microsoft"), ("bing", "microsoft"),
)  # fmt: skip


class _Claim(NamedTuple):
    manifest: Superbox
    body: bytes
    value: dict[str, Any]


def read(sheet: Sheet) -> Found:
    """Read every manifest store; checks of signature and bytes are made by `check_manifest`."""
    readings = [_read_store(record) for record in sheet.find_all("C2PA")]
    return Found(readings, sheet.find_all("C2PA"))


def _read_store(record: Record) -> Reading:
    try:
        claim = _active_claim(record.raw)
    except MalformedError as err:
        return unreadable("c2pa", record, record.damage or str(err), READER)
    fields = _fields(claim, record.place)
    said = " ".join(field.value for name, field in fields.items() if field.value and name in _NAMING).lower()
    tool = next((tool for word, tool in _VENDORS if word in said), "c2pa")
    unmade = "not checked yet: needs the whole file"
    checks = (
        *record.checks,
        Check(SIGNATURE, held=None, detail=unmade),
        Check(BYTES, held=None, detail=unmade),
        Check(TRUST, held=None, detail="no trust list was asked"),
    )
    return Reading(
        tool=tool,
        locator=record.locator,
        state=State.PRESENT,
        raw=record.raw,
        fields=fields,
        tool_version=next((fields[name].value for name in _NAMING if name in fields), None),
        main=True,
        checks=checks,
        reader=READER,
    )


_NAMING = ("tool:claim_generator", "tool:softwareAgent")


def _active_claim(store: bytes) -> _Claim:
    """Find the active manifest, which is the last one of the store, and its claim."""
    manifests = parse_jumbf(store).inside
    if not manifests:
        message = "C2PA store holds no manifest"
        raise MalformedError(message)
    manifest = manifests[-1]
    for box in manifest.inside:
        body = box.content("cbor")
        if box.label.startswith("c2pa.claim") and body is not None:
            value = parse_cbor(body)
            if isinstance(value, dict):
                return _Claim(manifest, body, value)
    message = "C2PA manifest holds no claim"
    raise MalformedError(message)


def _fields(claim: _Claim, place: str) -> dict[str, Field]:
    fields = {"tool:manifest": text_field(claim.manifest.label, place)}
    generator = claim.value.get("claim_generator")
    info = claim.value.get("claim_generator_info")
    if generator is None and info is not None:
        first = info[0] if isinstance(info, list) and info else info
        generator = first.get("name") if isinstance(first, dict) else None
    if isinstance(generator, str):
        fields["tool:claim_generator"] = text_field(generator, f"{place} claim")
    if isinstance(claim.value.get("instanceID"), str):
        fields["job"] = text_field(claim.value["instanceID"], f"{place} claim.instanceID")
    for label, assertion in _assertions(claim.manifest):
        if label.startswith("c2pa.actions") and isinstance(assertion, dict):
            fields |= _action_fields(assertion, f"{place} {label}")
    return fields


def _assertions(manifest: Superbox) -> list[tuple[str, Any]]:
    found = []
    store = next((box for box in manifest.inside if box.label == "c2pa.assertions"), None)
    for box in store.inside if store else ():
        body = box.content("cbor")
        if body is not None:
            try:
                found.append((box.label, parse_cbor(body)))
            except MalformedError:
                found.append((box.label, None))
    return found


def _action_fields(assertion: dict[str, Any], place: str) -> dict[str, Field]:
    """Spell the actions; of the first that says so, the agent and the digital source type."""
    actions = assertion.get("actions")
    actions = [action for action in actions if isinstance(action, dict)] if isinstance(actions, list) else []
    fields: dict[str, Field] = {}
    names = [str(action.get("action")) for action in actions[:_MAX_ACTIONS]]
    fields["tool:actions"] = make_field(names, place)
    for action in actions[:_MAX_ACTIONS]:
        agent = action.get("softwareAgent")
        agent = agent.get("name") if isinstance(agent, dict) else agent
        for name, value in (
            ("tool:softwareAgent", agent),
            ("tool:digitalSourceType", action.get("digitalSourceType")),
            ("made_at", action.get("when")),
        ):
            if isinstance(value, str):
                fields.setdefault(name, text_field(value, f"{place} {action.get('action')}"))
    return fields


def check_manifest(data: Source, store: bytes) -> tuple[Check, Check]:
    """Check the active manifest's signature, and whether the file's bytes are the ones it names.

    The signature is checked with the certificate in the manifest: whether anybody
    trusts that certificate is not looked at. Bytes are right if every assertion has the
    hash the claim names and the file, its excluded ranges aside, has the hash the
    assertion names.
    """
    try:
        claim = _active_claim(store)
    except MalformedError as err:
        broken = f"the manifest does not parse: {err}"
        return Check(SIGNATURE, held=None, detail=broken), Check(BYTES, held=None, detail=broken)
    return _check_signature(claim), _check_bytes(data, claim)


def _check_signature(claim: _Claim) -> Check:
    body = next((box.content("cbor") for box in claim.manifest.inside if box.label == "c2pa.signature"), None)
    if body is None:
        return Check(SIGNATURE, held=None, detail="the manifest has no signature")
    from makingof.metadata.cose import check_signature  # noqa: PLC0415 - few files are signed; x509 loads slowly

    try:
        held, detail = check_signature(body, claim.body)
    except MalformedError as err:
        return Check(SIGNATURE, held=None, detail=f"the signature cannot be checked: {err}")
    return Check(SIGNATURE, held=held, detail=detail)


def _check_bytes(data: Source, claim: _Claim) -> Check:
    try:
        wrong = _wrong_assertions(claim)
        if wrong:
            return Check(BYTES, held=False, detail=f"changed since the claim was made: {', '.join(wrong)}")
        return _check_data_hash(data, claim)
    except MalformedError as err:
        return Check(BYTES, held=None, detail=f"cannot be checked: {err}")


def _wrong_assertions(claim: _Claim) -> list[str]:
    """Compare every assertion with the hash the claim gives for it."""
    lists = [claim.value.get(key) for key in ("assertions", "created_assertions", "gathered_assertions")]
    named = [
        entry
        for entries in lists
        if isinstance(entries, list)
        for entry in entries
        if isinstance(entry, dict)
    ]
    if not named:
        message = "the claim names no assertion"
        raise MalformedError(message)
    boxes = _assertion_boxes(claim)
    wrong = []
    for entry in named:
        label = str(entry.get("url", "")).rpartition("/")[2]
        make = _HASHES.get(str(entry.get("alg") or claim.value.get("alg") or "sha256"))
        if label not in boxes or make is None or make(boxes[label]).digest() != entry.get("hash"):
            wrong.append(label)
    return wrong


def _assertion_boxes(claim: _Claim) -> dict[str, bytes]:
    store = next((box for box in claim.manifest.inside if box.label == "c2pa.assertions"), None)
    return {box.label: box.body for box in store.inside} if store else {}


def _check_data_hash(data: Source, claim: _Claim) -> Check:
    found = [value for label, value in _assertions(claim.manifest) if label.startswith("c2pa.hash.data")]
    if not found or not isinstance(found[0], dict):
        return Check(BYTES, held=None, detail="the manifest binds the file in a way not known here")
    assertion = found[0]
    algorithm = str(assertion.get("alg") or claim.value.get("alg") or "sha256")
    make = _HASHES.get(algorithm)
    if make is None:
        return Check(BYTES, held=None, detail=f"hash {algorithm!r} is not known here")
    ranges = _exclusions(assertion)
    if reason := _wrong_exclusions(data, ranges):
        return Check(BYTES, held=False, detail=reason)
    state = make()
    at = 0
    for start, length in [*ranges, (len(data), 0)]:
        for offset in range(at, start, _PART_BYTES):
            state.update(data[offset : min(offset + _PART_BYTES, start)])
        at = start + length
    held = state.digest() == assertion.get("hash")
    return Check(BYTES, held=held, detail="" if held else "the bytes were changed after signing")


def _exclusions(assertion: dict[str, Any]) -> list[tuple[int, int]]:
    """Return start and length of every range the hash leaves out, in order."""
    entries = assertion.get("exclusions") or []
    ranges = []
    for entry in entries if isinstance(entries, list) and len(entries) <= _MAX_EXCLUSIONS else [None]:
        start, length = (entry.get("start"), entry.get("length")) if isinstance(entry, dict) else (None, None)
        if not isinstance(start, int) or not isinstance(length, int):
            message = "the excluded ranges do not parse"
            raise MalformedError(message)
        ranges.append((start, length))
    return sorted(ranges)


def _wrong_exclusions(data: Source, ranges: list[tuple[int, int]]) -> str:
    """Say what is wrong with the ranges a manifest leaves out of its own hash; "" if nothing is.

    Only the manifest itself may be left out: a hash over next to nothing would hold for any picture.
    """
    stored = find_manifest_ranges(data)
    at = 0
    for start, length in ranges:
        if start < at or length < 0:
            return "the excluded ranges overlap"
        at = start + length
        if not any(first <= start and at <= end for first, end in stored):
            return f"bytes {start} to {at} are excluded and are not the manifest"
    return ""
