"""The reader's trust: which outsiders' word on time he accepts.

Only this decides. Roots and names inside a package build chains and never give
trust: anybody can call a certification authority of his own by a famous name.
A policy is built into the release, or read from the reader's `--trust FILE`,
which replaces it unless it says `built_in = true`. Its digest goes into every
finding that rests on it.
"""

import base64
import binascii
import hashlib
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import certifi
import msgspec

from makingof import canonical
from makingof.digest import Digest
from makingof.errors import MalformedError, UsageError
from makingof.stamp.base import Authority, BlockRules, Kind
from makingof.stamp.chain import is_self_signed, load_certificate, load_pem_certificates, to_der
from makingof.texts import say

VERSION = 1
PURPOSE = "time"
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class Trust:
    """A reader's policy; `digest` names its content, whatever file or release it came from."""

    name: str
    authorities: tuple[Authority, ...]

    @property
    def digest(self) -> Digest:
        """Name what is trusted: kinds, operators, roots and rules, without addresses and pages."""
        return Digest.of(canonical.to_bytes([_trusted(authority) for authority in self.authorities]))

    def find(self, name: str) -> Authority | None:
        """Return the authority called `name`."""
        return next((authority for authority in self.authorities if authority.name == name), None)


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One `[[authority]]` of a trust file."""

    name: str
    kind: Kind
    purpose: str
    operator: str = ""
    urls: tuple[str, ...] = ()
    root: str = ""
    root_file: str = ""
    root_sha256: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    page: str = ""
    minimum_difficulty: int = 0
    blocks: Mapping[str, str] = {}
    calendars: tuple[str, ...] = ()
    explorers: tuple[str, ...] = ()


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    name: str = ""
    built_in: bool = False
    authority: tuple[_Entry, ...] = ()


def load_trust(path: Path) -> Trust:
    """Read a reader's trust file; the roots it names as files lie beside it."""
    try:
        data = path.read_bytes()
    except OSError as err:
        message = f"{path} cannot be read: {err.strerror or err}"
        raise UsageError(message) from err

    def read_beside(name: str) -> bytes:
        try:
            return (path.parent / name).read_bytes()
        except OSError as err:
            message = f"{path} names the root {name!r}, which cannot be read: {err.strerror or err}"
            raise UsageError(message) from err

    return parse_trust(data, name=path.name, read_beside=read_beside)


def built_in_trust() -> Trust:
    """Return the authorities of this release; one whose root has left `certifi` counts no more."""
    data = (resources.files("makingof.stamp") / "authorities.toml").read_bytes()
    return parse_trust(data, name="built in")


def parse_trust(data: bytes, *, name: str, read_beside: Callable[[str], bytes] | None = None) -> Trust:
    """Read a trust file, which is TOML.

    Refused as `MalformedError`: unknown fields (a misspelt `policies` would
    trust more than was meant), another version or purpose, a root that is not
    self-signed, an authority for time stamps without a root, a name given twice.
    """
    try:
        file = msgspec.convert(tomllib.loads(data.decode("utf-8-sig")), _File, strict=True)
    except (ValueError, RecursionError) as err:  # TOMLDecodeError and ValidationError are ValueErrors
        message = f"trust file {name} does not parse: {err}"
        raise MalformedError(message, hint=say("stamp.trust_hint")) from err
    if file.version != VERSION:
        message = f"trust file {name} has version {file.version} and not {VERSION}"
        raise MalformedError(message)
    own = tuple(_authority(entry, read_beside) for entry in file.authority)
    authorities = (*own, *(built_in_trust().authorities if file.built_in else ()))
    names = [authority.name for authority in authorities]
    for twice in {name for name in names if names.count(name) > 1}:
        message = f"authority {twice!r} is listed twice"
        raise MalformedError(message)
    return Trust(file.name or name, authorities)


def format_trust(authorities: Sequence[Authority], *, name: str) -> str:
    """Write a trust file for time-stamping authorities, with their roots as PEM inside."""
    lines = [f"version = {VERSION}", f"name = {_quoted(name)}"]
    for authority in authorities:
        lines += [
            "",
            "[[authority]]",
            f"name = {_quoted(authority.name)}",
            f"kind = {_quoted(authority.kind)}",
            f"purpose = {_quoted(PURPOSE)}",
            f"operator = {_quoted(authority.operator)}",
        ]
        if authority.policies:
            lines.append(f"policies = [{', '.join(_quoted(policy) for policy in authority.policies)}]")
        if authority.roots:
            pem = "".join(_pem(root) for root in authority.roots)
            lines.append(f'root = """\n{pem}"""')
    return "\n".join(lines) + "\n"


def find_bundled_root(sha256: str) -> bytes | None:
    """Return the certificate with this SHA-256 out of `certifi`, or None where it is not there any more."""
    return _bundled_roots().get(sha256)


@cache
def _bundled_roots() -> dict[str, bytes]:
    """Cut certifi's file by its PEM marks: loading all its certificates takes long and warns about some."""
    roots = {}
    for block in certifi.contents().split(_BEGIN)[1:]:
        der = base64.b64decode(block.partition(_END)[0])
        roots[hashlib.sha256(der).hexdigest()] = der
    return roots


def _authority(entry: _Entry, read_beside: Callable[[str], bytes] | None) -> Authority:
    if not entry.name.strip():
        message = "authority without a name"
        raise MalformedError(message)
    if entry.purpose != PURPOSE:
        message = f"authority {entry.name!r} is for {entry.purpose!r}; the one purpose known is {PURPOSE!r}"
        raise MalformedError(message)
    return Authority(
        name=entry.name,
        kind=entry.kind,
        operator=entry.operator or entry.name,
        urls=entry.urls,
        roots=_roots(entry, read_beside),
        policies=entry.policies,
        blocks=_block_rules(entry) if entry.kind is Kind.OTS else None,
        page=entry.page,
    )


def _roots(entry: _Entry, read_beside: Callable[[str], bytes] | None) -> tuple[bytes, ...]:
    if entry.kind is not Kind.RFC3161:
        if entry.root or entry.root_file or entry.root_sha256:
            message = f"authority {entry.name!r} is of kind {entry.kind}, which has no root"
            raise MalformedError(message)
        return ()
    if not (entry.root or entry.root_file or entry.root_sha256):
        message = f"authority {entry.name!r} has no root"
        raise MalformedError(message, hint=say("stamp.trust_hint"))
    found = load_pem_certificates(entry.root.encode()) if entry.root else []
    if entry.root_file:
        if read_beside is None:
            message = f"authority {entry.name!r} names a file, and there is no folder to look in"
            raise MalformedError(message)
        found += load_pem_certificates(read_beside(entry.root_file))
    bundled = [find_bundled_root(sha256) for sha256 in entry.root_sha256]
    found += [load_certificate(der) for der in bundled if der is not None]
    for root in found:
        # A certificate below a root would be trusted by one verifier and refused by the other.
        if not is_self_signed(root):
            message = f"root of {entry.name!r} is not self-signed: {root.subject.rfc4514_string()}"
            raise MalformedError(message)
    return tuple(to_der(root) for root in found)


def _block_rules(entry: _Entry) -> BlockRules:
    known = []
    for height, block in entry.blocks.items():
        try:
            known.append((int(height), bytes.fromhex(block).hex()))
        except ValueError as err:
            message = f"block {height!r} = {block!r} is not a height and a hash"
            raise MalformedError(message) from err
    if entry.minimum_difficulty < 1 and not known:
        message = f"authority {entry.name!r} needs a minimum_difficulty of at least 1, or known blocks"
        raise MalformedError(message)
    return BlockRules(entry.minimum_difficulty, tuple(sorted(known)), entry.calendars, entry.explorers)


def _trusted(authority: Authority) -> dict[str, Any]:
    rules = authority.blocks
    return {
        "name": authority.name,
        "kind": str(authority.kind),
        "operator": authority.operator,
        "roots": sorted(Digest.of(root) for root in authority.roots),
        "policies": sorted(authority.policies),
        "minimum_difficulty": str(rules.minimum_difficulty) if rules else "",
        "blocks": [f"{height}:{block}" for height, block in rules.known] if rules else [],
    }


def _pem(der: bytes) -> str:
    text = binascii.b2a_base64(der, newline=False).decode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join([_BEGIN, *lines, _END, ""])


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()  # JSON strings are TOML basic strings
