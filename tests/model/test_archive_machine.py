"""A state machine over record, crash, reopen, reindex and export: nothing acknowledged is ever lost."""

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.clocks import ManualClock
from tests.records import a1111_png

from makingof.archive import acts
from makingof.archive.archive import Plan, create_archive, open_archive
from makingof.archive.erasing import Erasure, apply_erasures, erase
from makingof.archive.export import export_package
from makingof.archive.fsck import check_archive
from makingof.archive.home import Home
from makingof.archive.imports import import_files
from makingof.archive.names import Namer
from makingof.bundle.request import Request
from makingof.config import Settings
from makingof.event import Event, Kind
from makingof.part import Means
from makingof.stamp.trust import built_in_trust
from makingof.verify.check import check_bundle

OWNER = acts.Teller("a1")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(str.strip)


class PowerCutError(Exception):
    """Power is gone."""


class ArchiveMachine(RuleBasedStateMachine):
    """Compares an archive with a list of what it acknowledged."""

    def __init__(self):
        super().__init__()
        place = os.environ.get("PYTEST_DEBUG_TEMPROOT")
        self.folder = Path(tempfile.mkdtemp(prefix="makingof-model-", dir=place))
        self.clock = ManualClock()
        self.acknowledged = []
        self.pictures = []
        self.exports = 0

    @initialize()
    def begin(self):
        self.home = Home(self.folder / "archive", self.folder / "state")
        self.archive, _ = create_archive(self.home, self.clock, Plan("Owner", Settings()))
        self.acknowledged.append(Event.parse(self.archive.log.entry(0)).name)

    @rule(text=TEXT)
    def note(self, text):
        about = self.pictures[-1:]
        done = self.archive.record([acts.note(text, about, OWNER)], means=Means.LIVE)
        self.acknowledged += [item.name for item in done]

    @rule(seed=st.integers(0, 3))
    def import_picture(self, seed):
        path = self.folder / f"{seed}.png"
        path.write_bytes(a1111_png(f"a crane, {seed}", Seed=seed))
        before = self.archive.log.size()
        list(import_files(self.archive, [path], single=True))
        size = self.archive.log.size()
        self.acknowledged += [Event.parse(self.archive.log.entry(at)).name for at in range(before, size)]
        picture = Namer(self.archive).picture(str(path))
        if picture not in self.pictures:
            self.pictures.append(picture)

    @precondition(lambda self: self.pictures)
    @rule(data=st.data())
    def choose(self, data):
        kind = data.draw(st.sampled_from([Kind.SELECTED, Kind.REJECTED]))
        judged = [data.draw(st.sampled_from(self.pictures))]
        table = acts.Table(tuple(self.pictures), "given")
        done = self.archive.record([acts.choose(kind, judged, table, OWNER)], means=Means.LIVE)
        self.acknowledged += [item.name for item in done]

    @rule(text=TEXT)
    def crash_before_the_commit(self, text):
        """The process ends with a batch half encoded: nothing of it may be seen afterwards."""
        prepared = self.archive.recorder.prepare(acts.note(text, [], OWNER), Means.LIVE)
        size = self.archive.log.size()

        class Dying:
            def now(self):
                raise PowerCutError

            uptime_ms = boot_id = now

        self.archive.recorder._clock = Dying()
        try:
            self.archive.recorder.commit([prepared])
        except PowerCutError:
            pass
        else:
            raise AssertionError
        self.reopen()
        assert self.archive.log.size() == size

    @rule()
    def reopen(self):
        self.archive.close()
        self.archive = open_archive(self.home, self.clock)

    @rule()
    def lose_the_index(self):
        self.archive.close()
        for path in self.home.path.glob("index.sqlite*"):
            path.unlink()
        self.archive = open_archive(self.home, self.clock)

    @rule(minutes=st.integers(-60, 600))
    def time_goes_by(self, minutes):
        self.clock.advance(minutes=minutes)
        self.clock.up_ms = max(self.clock.up_ms, 0)

    @precondition(lambda self: self.pictures and self.exports < 2)
    @rule(data=st.data())
    def export(self, data):
        picture = data.draw(st.sampled_from(self.pictures))
        self.exports += 1
        path = self.folder / f"package-{self.exports}.zip"
        request = Request((picture.file_part,), self.archive.log.size())
        done = export_package(self.archive, request, path)
        self.acknowledged.append(done.recorded.name)
        check_bundle(path).require()

    @precondition(lambda self: len(self.pictures) > 1)
    @rule()
    def erase_one(self):
        picture = self.pictures.pop(0)
        done = erase(self.archive, Erasure(files=(picture.file_part,)), OWNER, "asked")
        self.acknowledged.append(done.name)
        assert not self.archive.store.has(picture.blob)
        assert apply_erasures(self.archive) == 0

    @invariant()
    def every_acknowledged_event_is_there_in_order(self):
        if self.acknowledged:
            names = [Event.parse(stored.entry).name for stored in self.archive.log.entries()]
            assert [name for name in names if name in set(self.acknowledged)] == self.acknowledged

    def teardown(self):
        if hasattr(self, "archive"):
            report = check_archive(self.archive, built_in_trust(), openssl=None)
            self.archive.close()
            report.require()
        shutil.rmtree(self.folder)


TestArchive = ArchiveMachine.TestCase
TestArchive.settings = settings(max_examples=12, stateful_step_count=14, deadline=None)
