"""What a row of the table is, and how much of everything is measured."""

from dataclasses import asdict, dataclass, field

from bench.measuring import Measured


@dataclass(frozen=True)
class Scale:
    """How much is done: enough to tell for the record, or just enough to see that it runs."""

    pictures: int = 1_000
    events: int = 4_000
    single_events: int = 300
    peer_events: int = 300
    log_entries: int = 100_000
    log_events: int = 10_000
    packed_pictures: int = 200
    grown: int = 1_000_000
    starts: int = 7
    webui_pictures: int = 20
    rounds: int = 3
    peer_rounds: int = 2
    hooked: int = 30
    watched: int = 5_000
    arrivals: int = 20
    handed_jobs: int = 500
    sizes: bool = True  # make a wheel and install it: how large the program is


FULL = Scale()
QUICK = Scale(
    pictures=60,
    events=400,
    single_events=40,
    peer_events=20,
    log_entries=5_000,
    log_events=500,
    packed_pictures=10,
    grown=100_000,
    starts=3,
    webui_pictures=5,
    rounds=2,
    peer_rounds=1,
    hooked=3,
    watched=60,
    arrivals=2,
    handed_jobs=30,
    sizes=False,
)


@dataclass
class Target:
    """A number we set ourselves, and what was measured; `ours` and `goal` are in `unit`."""

    text: str
    goal: float
    found: float | None
    at_least: bool
    unit: str = ""

    @property
    def met(self) -> bool | None:
        if self.found is None:
            return None
        return self.found >= self.goal if self.at_least else self.found <= self.goal


@dataclass
class Row:
    """One job, done by ourselves and by others in the same run."""

    key: str
    title: str
    unit: str  # what `count` counts
    measured: list[Measured]
    counts: dict[str, int] = field(default_factory=dict)  # per contender: how many it did per run
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    facts: dict = field(default_factory=dict)

    def find(self, name: str) -> Measured:
        return next(item for item in self.measured if item.name == name)

    def rate(self, name: str) -> float | None:
        """How many a second, at the median."""
        item = self.find(name)
        return self.counts[name] / item.median if item.seconds and item.median else None

    def ratio(self, name: str, base: str) -> float | None:
        """How often as fast as `base`, at the medians."""
        ours, other = self.rate(name), self.rate(base)
        return ours / other if ours and other else None

    def to_json(self) -> dict:
        said = asdict(self)
        for target, plain in zip(self.targets, said["targets"], strict=True):
            plain["met"] = target.met
        return said
