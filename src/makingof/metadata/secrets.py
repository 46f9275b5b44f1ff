"""Secrets that records carry unnoticed: keys, tokens, signed links, home folders.

Keys get into pictures through nodes that take them as text. Originals are never
changed for it; what leaves the machine can be. An excerpt never shows a secret whole.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from makingof.reading import Reading
from makingof.texts import Message, say

MAX_FOUND = 200
_MAX_SCANNED_CHARS = 32 << 20

_KEYS = {
    "OpenAI": r"sk-(?:proj-|svcacct-)?[A-Za-z0-9_-]{20,200}",
    "Anthropic": r"sk-ant-[A-Za-z0-9_-]{20,200}",
    "Google": r"AIza[0-9A-Za-z_-]{35}",
    "Hugging Face": r"hf_[A-Za-z0-9]{30,60}",
    "Replicate": r"r8_[A-Za-z0-9]{30,60}",
    "ComfyUI account": r"comfyui-[0-9a-f]{64}",
    "fal": r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}:[0-9a-f]{32}",
    "GitHub": r"gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{40,100}",
    "AWS": r"AKIA[0-9A-Z]{16}",
    "Slack": r"xox[abprs]-[A-Za-z0-9-]{10,80}",
    "JSON web token": r"eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,1000}",
    "private key": r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----",
}
_KEY = re.compile(
    "|".join(rf"(?P<k{number}>(?<![A-Za-z0-9_-]){pattern})" for number, pattern in enumerate(_KEYS.values()))
)
_KEY_NAMES = list(_KEYS)
# Signs without which no pattern can match: looking for plain text is a hundred times as fast as a pattern.
_KEY_SIGNS = (
    "sk-", "AIza", "hf_", "r8_", "comfyui-", "gho_", "ghp_", "ghs_", "ghu_", "ghr_", "github_pat_", "AKIA",
    "xox", "eyJ", "-----BEGIN ",
)  # fmt: skip
_FAL = re.compile(r"-[0-9a-f]{12}:[0-9a-f]{32}")
_NAMED_SIGNS = ("key", "token", "secret", "passw", "authorization")
_HOME_SIGNS = ("/home/", "users")

_NAME = r"(?:api|secret)[_-]?key|(?:access|auth)[_-]?token|client[_-]?secret|password|passwd|authorization"
_TELLING_NAME = re.compile(_NAME, re.IGNORECASE)
# A value under a telling name; quotes may be escaped, for JSON stands inside JSON.
_NAMED = re.compile(
    rf"""(?P<name>{_NAME})[\w-]{{0,40}}"""
    r"""\\{0,3}["']\s{0,4}:\s{0,4}\\{0,3}["'](?P<value>[^"'\\\s]{8,500})""",
    re.IGNORECASE,
)
_URL = re.compile(r"https?://[^\s\"'<>\\]{4,4000}")
_SIGNED = re.compile(
    r"[?&](?:X-Amz-Signature|X-Goog-Signature|Signature|sig|token|st|hmac)=([^&\s]{8,})", re.IGNORECASE
)
_LOGIN = re.compile(r"https?://[^/\s:@]{1,100}:([^/\s@]{1,200})@")
_HOME = re.compile(
    r"(?:/home/|/Users/|[A-Za-z]:(?:\\{1,4}|/)Users(?:\\{1,4}|/))(?P<user>[^/\\\"'\s:*?<>|]{1,64})",
    re.IGNORECASE,
)
_NOBODY = frozenset({"public", "shared", "default", "user", "username"})


class Secret(NamedTuple):
    """One secret found: where (locator), what kind, and an excerpt that does not give it away."""

    where: str
    kind: str
    excerpt: str
    message: Message


def find_secrets(readings: Iterable[Reading]) -> list[Secret]:
    """Search every record's bytes and texts; each secret is named once for every place it stands in."""
    found: dict[tuple[str, str, str], Secret] = {}
    seen: set[tuple[str, int | None, int]] = set()
    left = _MAX_SCANNED_CHARS
    for reading in readings:
        identity = (str(reading.locator), reading.locator.offset, len(reading.raw))
        if identity in seen:  # several readings share one record
            continue
        seen.add(identity)
        for text in _texts(reading):
            left -= len(text)
            if left < 0 or len(found) >= MAX_FOUND:
                return list(found.values())
            for secret in _search(text, str(reading.locator)):
                found.setdefault((secret.where, secret.kind, secret.excerpt), secret)
    return list(found.values())


def _texts(reading: Reading) -> Iterator[str]:
    """Every form the record's words may have: as bytes, as two-byte letters, and as they were decoded."""
    yield reading.raw.decode("latin-1")
    if b"\0" in reading.raw[:4096]:
        yield reading.raw.replace(b"\0", b"").decode("latin-1")
    yield "\n".join([field.value for field in reading.fields.values() if field.value])


def _search(text: str, where: str) -> Iterator[Secret]:
    lower = text.lower()
    is_keyed = any(sign in text for sign in _KEY_SIGNS) or _FAL.search(text)
    for key in _KEY.finditer(text) if is_keyed else ():
        kind = _KEY_NAMES[int((key.lastgroup or "k0")[1:])]
        yield _secret("secret_key", where, kind, mask(key[0]))
    for named in _NAMED.finditer(text) if any(sign in lower for sign in _NAMED_SIGNS) else ():
        yield _secret("secret_named", where, named["name"].lower(), mask(named["value"]))
    for url in _URL.finditer(text):
        host = "/".join(url[0].split("/", 3)[:3])
        if signed := _SIGNED.search(url[0]):
            yield _secret("secret_url", where, "signed link", f"{host}/… {mask(signed[1])}")
        if login := _LOGIN.match(url[0]):
            yield _secret("secret_login", where, "login", f"{host.rpartition('@')[2]} {mask(login[1])}")
    for home in _HOME.finditer(text) if any(sign in lower for sign in _HOME_SIGNS) else ():
        if home["user"].lower() not in _NOBODY:
            yield _secret(
                "secret_home", where, "home folder", home[0][: -len(home["user"])] + mask(home["user"])
            )


def _secret(text: str, where: str, kind: str, excerpt: str) -> Secret:
    return Secret(where, kind, excerpt, say(f"readings.{text}", where=where, kind=kind, excerpt=excerpt))


def is_secret_name(name: str) -> bool:
    """Whether a field's name says that its value is a credential: `api_key_comfy_org`, `Authorization`."""
    return _TELLING_NAME.search(name) is not None


def mask(value: str) -> str:
    """Show the beginning of a secret, enough to recognise it by and never more than a quarter of it."""
    shown = min(4, len(value) // 4)
    return value[:shown] + "…"
