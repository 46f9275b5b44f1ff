"""`checked`: what the recorder says of its own health, once a day and once per boot.

Courts ask whether the system was complete, reliable and running normally (Internet
Courts Provisions art. 11(1), Civil Evidence Provisions art. 93). None of it can be
supplied later, so it is written down while it is so, good or bad alike.
"""

import hashlib
import platform
import shutil
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path

from makingof.clock import Clock
from makingof.digest import Digest

INTERVAL = timedelta(hours=24)
_VIRTUAL_NAMES = ("kvm", "qemu", "vmware", "virtualbox", "xen", "hyper-v", "virtual machine", "parallels")
_DMI = Path("/sys/class/dmi/id")


def is_due(last_checked: datetime | None, last_boot: str | None, clock: Clock) -> bool:
    """Decide whether to check again: a new boot, or a day gone by, or a clock set back before the last."""
    if last_checked is None or last_boot != clock.boot_id():
        return True
    return not timedelta(0) <= clock.now() - last_checked < INTERVAL


def look_at_health(archive_path: Path, clock: Clock, last_receipt: datetime | None) -> dict[str, object]:
    """Return the facts of one check. What a system does not tell is null, never guessed.

    `clock_ms` is our clock minus the newest receipt's time: no call of its own is made
    for it, so right after stamping it tells how far the clock is off, later only that
    it has not gone back.
    """
    return {
        "boot": clock.boot_id(),
        "release": release_digest(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "virtual": find_virtual_machine(),
        "disk_free_bytes": min(shutil.disk_usage(archive_path).free, 2**53 - 1),
        "clock_ms": None if last_receipt is None else _milliseconds(clock.now() - last_receipt),
    }


def release_digest() -> Digest:
    """Name the program that is running by its own files: names and bytes of every source file, in order."""
    state = hashlib.sha256()
    for name, data in _source_files():
        state.update(hashlib.sha256(name.encode()).digest())
        state.update(hashlib.sha256(data).digest())
    return Digest.from_raw(state.digest())


def find_virtual_machine(dmi: Mapping[str, str] | None = None) -> str | None:
    """Return the maker's name where the machine says it is a virtual one; None where nothing says so."""
    names = _read_dmi() if dmi is None else dmi
    told = " ".join(names.values())
    return told if any(name in told.lower() for name in _VIRTUAL_NAMES) else None


def _read_dmi() -> dict[str, str]:
    found = {}
    for name in ("sys_vendor", "product_name"):
        try:
            found[name] = (_DMI / name).read_text("utf-8", errors="replace").strip()
        except OSError:
            continue  # not Linux, or not ours to read: then nothing is said
    return found


def _source_files() -> Iterable[tuple[str, bytes]]:
    root = Path(str(resources.files("makingof")))
    paths = sorted(path for path in root.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return ((path.relative_to(root).as_posix(), path.read_bytes()) for path in paths)


def _milliseconds(delta: timedelta) -> int:
    return int(delta / timedelta(milliseconds=1))
