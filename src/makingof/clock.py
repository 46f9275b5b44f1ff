"""The only module that asks the time."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from makingof.errors import MalformedError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class Clock(Protocol):
    """Our two clocks: wall time, and time since this machine booted."""

    def now(self) -> datetime:
        """Wall time, aware, UTC."""
        ...

    def uptime_ms(self) -> int:
        """Milliseconds since boot, sleep included, so that a jump of `now` becomes visible."""
        ...

    def boot_id(self) -> str:
        """A random id that changes with every boot, or "" where the system gives none."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def uptime_ms(self) -> int:
        # Where CLOCK_BOOTTIME is missing (macOS, Windows) the monotonic clock stands in.
        clock = getattr(time, "CLOCK_BOOTTIME", None)
        seconds = time.monotonic() if clock is None else time.clock_gettime(clock)
        return int(seconds * 1000)

    def boot_id(self) -> str:
        try:
            return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        except OSError:
            return ""


def format_instant(moment: datetime) -> str:
    """Spell an aware moment as events do: UTC, milliseconds, `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def parse_instant(text: object) -> datetime:
    """Read the one spelling of `format_instant` back; anything else is a `MalformedError`."""
    try:
        moment = datetime.fromisoformat(str(text)).astimezone(UTC)
    except (ValueError, OverflowError) as err:
        message = f"instant {text!r} is not spelled like 2026-03-01T09:30:00.000Z"
        raise MalformedError(message) from err
    if format_instant(moment) != text:
        message = f"instant {text!r} is not spelled with exactly three decimals"
        raise MalformedError(message)
    return moment


def milliseconds(instant: str) -> int:
    """Return an instant as milliseconds since 1970; anything but an instant is a `MalformedError`."""
    return (parse_instant(instant) - _EPOCH) // _MILLISECOND
