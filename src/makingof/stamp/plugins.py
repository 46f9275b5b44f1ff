"""Authorities from other packages: deposit platforms, contracts, whatever can be asked.

A package names, in the entry-point group `makingof.authorities`, a callable
without arguments that returns a `StampingAuthority`. What it hands back is a
receipt like any other: checked under the reader's trust, or not counted.
"""

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points

from makingof.errors import UsageError
from makingof.stamp.base import StampingAuthority
from makingof.texts import say

GROUP = "makingof.authorities"


def load_authority(name: str, *, among: Iterable[EntryPoint] | None = None) -> StampingAuthority | None:
    """Return the authority that an installed package provides under `name`, or None.

    A package that does not load, or provides something that cannot be asked,
    is a `UsageError` that names it: an authority the settings name must not be
    left out in silence.
    """
    found = entry_points(group=GROUP) if among is None else among
    entry = next((entry for entry in found if entry.name == name), None)
    if entry is None:
        return None
    try:
        authority = entry.load()()
    except Exception as err:
        raise UsageError(say("stamp.plugin_fails", name=name, value=entry.value, reason=repr(err))) from err
    if not callable(getattr(authority, "request", None)) or not isinstance(
        getattr(authority, "name", None), str
    ):
        raise UsageError(say("stamp.plugin_cannot_be_asked", name=name, value=entry.value))
    made: StampingAuthority = authority
    return made
