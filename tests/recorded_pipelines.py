"""A desk for tests of recorded pipelines: an archive, a journal to it, and what came of what was told."""

from contextlib import contextmanager
from io import BytesIO

from PIL import Image
from tests.hooks import connect_hook, events

from makingof.archive.archive import Plan, create_archive
from makingof.archive.draining import drain
from makingof.clock import SystemClock
from makingof.config import Settings
from makingof.event import Kind
from makingof.live.journal import Journal
from makingof.live.pipelines.copies import Room
from makingof.live.pipelines.recording import Memory, Recording
from makingof.live.pipelines.weights import Weights
from makingof.part import FileBody, Parameters, Part, PartType, Report

SOURCE = {"name": "makingof-diffusers", "version": "1", "tool": "diffusers"}


class Desk:
    """An archive, a journal to it, and what came of what was told."""

    def __init__(self, archive, tmp_path):
        self.archive = archive
        self.tmp_path = tmp_path
        hook = connect_hook(archive, "python")
        connection = {"id": hook.id, "secret": hook.secret, "spool": hook.spool}
        self.journal = Journal(connection, SOURCE, dict)
        self.memory = Memory(Weights(tmp_path / "weights.json"), Room(1 << 24))

    def record(self, pipe, **options):
        return Recording(pipe, self.journal, self.memory, **options)

    def drain(self):
        assert self.journal.flush(20)
        drain(self.archive)
        return [kind for kind, means in events(self.archive, "prompted", "generated", "attempted")]

    def said(self, kind, part_type, shape, number=0):
        """Return what the parts of one type say, of the event of this kind that came as number so many."""
        position = self.archive.index.positions_of_kind(kind)[number]
        parts = [Part.parse(part.data) for part in self.archive.log.parts(position)]
        return [part.read(shape) for part in parts if part.type is part_type and part.listed() is None]

    def fields(self, number=0):
        return self.said(Kind.PROMPTED, PartType.PARAMETERS, Parameters, number)[0].fields

    def report(self, kind, number=0):
        return self.said(kind, PartType.REPORT, Report, number)[0]

    def pictures(self, kind, number=0):
        files = self.said(kind, PartType.FILE, FileBody, number)
        found = [self.archive.store.read(file.digest) for file in files]
        return [Image.open(BytesIO(data)) for data in found]


@contextmanager
def open_desk(home, tmp_path):
    """Open a desk of its own, on the system's clock: hooks speak by it."""
    archive, _ = create_archive(home, SystemClock(), Plan("Test Owner", Settings()))
    with archive:
        made = Desk(archive, tmp_path)
        yield made
        made.journal.close(10)
