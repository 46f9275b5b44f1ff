"""A follower of the stand-in for InvokeAI, and what it recorded, for the tests that follow it."""

from contextlib import contextmanager

from tests.invokeai_host import InvokeAI, serving

from makingof.archive.archive import Archive
from makingof.archive.following import Following, look_again
from makingof.capture.generators import find_generator
from makingof.capture.invokeai import InvokeAIFollower
from makingof.capture.local_http import LocalHost
from makingof.clock import SystemClock
from makingof.event import Event, Kind
from makingof.part import Part, PartType, Report


class Run:
    def __init__(self, archive: Archive, host: InvokeAI, url: str) -> None:
        self.archive, self.host = archive, host
        self.local = LocalHost.parse(url)
        self.follow()

    def follow(self) -> None:
        """Follow anew, as after a start of the recorder."""
        self.following = Following(self.archive, self.follower())

    def follower(self) -> InvokeAIFollower:
        return InvokeAIFollower(self.local, self.host.root)

    def submit(self) -> str:
        return self.host.session_id(self.host.enqueue())

    def finish(self, job: str) -> None:
        item = self.host.item_of(job)
        self.host.start(item)
        self.host.finish(item)

    def cancel(self, job: str) -> None:
        self.host.leave_queue(self.host.item_of(job))

    def look(self) -> int:
        return self.following.look()

    def second_look(self):
        return look_again(self.archive, self.local, find_generator(self.local))

    def of(self, *kinds: Kind) -> list[tuple[Event, list[Part]]]:
        positions = sorted(p for kind in kinds for p in self.archive.index.positions_of_kind(kind))
        return [
            (
                Event.parse(self.archive.log.entry(position)),
                [Part.parse(part.data) for part in self.archive.log.parts(position) if part.data],
            )
            for position in positions
        ]

    def one(self, kind: Kind) -> tuple[Event, list[Part]]:
        (found,) = self.of(kind)
        return found

    def outcomes(self) -> dict[str, str | None]:
        found = {}
        for event, parts in self.of(Kind.GENERATED, Kind.ATTEMPTED):
            (report,) = read(parts, PartType.REPORT, Report)
            found[report.job] = report.outcome or event.kind.value
        return found


def read(parts, kind, shape):
    return [part.read(shape) for part in parts if part.type is kind and part.listed() is None]


@contextmanager
def running(archive, tmp_path):
    archive.clock = archive.recorder._clock = SystemClock()
    host = InvokeAI(tmp_path / "invokeai")
    host.ended_ago = 60  # what ended just now may still be under way to the record
    with serving(host) as url:
        yield Run(archive, host, url)
    host.close()
