"""Comparing every file of a package with its digest."""

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from makingof.bundle.container import Container
from makingof.errors import MalformedError

_THREADS = 4  # hashing lets go of the interpreter; more than the cores there are do no harm


def find_changed(container: Container, listed: Mapping[str, str]) -> list[str]:
    """Return the files that do not have the SHA-256 listed for them, each read once."""

    def is_changed(name: str) -> bool:
        return _hash(container, name) != listed[name]

    # The largest first, so that no thread is left alone with one at the end.
    names = sorted(listed, key=container.size, reverse=True)
    with ThreadPoolExecutor(_THREADS) as pool:
        changed = [name for name, found in zip(names, pool.map(is_changed, names), strict=True) if found]
    return sorted(changed)


def _hash(container: Container, name: str) -> str:
    """Hash one file; one that cannot be unpacked to its size has no digest."""
    state = hashlib.sha256()
    try:
        for chunk in container.chunks(name):
            state.update(chunk)
    except MalformedError:
        return ""
    return state.hexdigest()
