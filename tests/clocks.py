"""A clock that stands until it is told to go on."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass
class ManualClock:
    moment: datetime = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    up_ms: int = 1_000_000
    boot: str = "00000000-0000-4000-8000-000000000001"

    def now(self) -> datetime:
        return self.moment

    def uptime_ms(self) -> int:
        return self.up_ms

    def boot_id(self) -> str:
        return self.boot

    def advance(self, **delta: float) -> None:
        step = timedelta(**delta)
        self.moment += step
        self.up_ms += int(step.total_seconds() * 1000)
