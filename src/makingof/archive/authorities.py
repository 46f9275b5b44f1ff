"""From the settings to authorities that can be asked."""

from pathlib import Path

from makingof.archive.archive import Archive
from makingof.config import Settings
from makingof.errors import UsageError
from makingof.stamp.authority import RemoteAuthority
from makingof.stamp.base import Kind, StampingAuthority
from makingof.stamp.http import HttpFetch
from makingof.stamp.openssl import find_openssl
from makingof.stamp.plugins import load_authority
from makingof.stamp.trust import Trust, built_in_trust, load_trust
from makingof.texts import say


def trust_of(archive_path: Path, settings: Settings) -> Trust:
    """Return the authorities this archive knows: its own trust file, or those of the release."""
    return load_trust(archive_path / settings.trust) if settings.trust else built_in_trust()


def authorities_of(archive: Archive) -> list[StampingAuthority]:
    """Return whom the settings say to ask, in their order; a name nobody knows is a `UsageError`."""
    trust = trust_of(archive.home.path, archive.settings)
    openssl = find_openssl()
    found: list[StampingAuthority] = []
    for name in archive.settings.authorities:
        authority = trust.find(name)
        if authority is None and (plugin := load_authority(name)) is not None:
            found.append(plugin)
            continue
        if authority is None or authority.kind is not Kind.RFC3161:
            known = ", ".join(item.name for item in trust.authorities if item.kind is Kind.RFC3161)
            raise UsageError(
                say("stamping.unknown", name=name), hint=say("stamping.unknown_hint", names=known)
            )
        found.append(RemoteAuthority(authority, HttpFetch(), openssl))
    return found
