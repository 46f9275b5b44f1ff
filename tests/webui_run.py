"""A web UI of the stand-in with the hook in it, beside an archive."""

import json
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from tests.a1111_host import Processing, Webui

from makingof.archive.connecting import connect, plan_connection
from makingof.archive.draining import drain
from makingof.clock import SystemClock
from makingof.digest import Digest
from makingof.event import Event
from makingof.part import Choice, FileBody, Part, PartType, Report
from makingof.spool import carried

RUNNING = {"fail_at", "interrupt_at", "skip_at", "during", "after"}


class Run:
    """A host with the hook in it, beside an archive."""

    def __init__(self, archive, folder, version, monkeypatch):
        self.archive = archive
        archive.clock = archive.recorder._clock = SystemClock()
        self.host = Webui(folder, version)
        connect(archive, plan_connection("a1111", folder))
        self.folder = folder / "extensions/makingof"
        told = json.loads((self.folder / "connection.json").read_text("utf-8"))
        hook = Path(told["hook_file"])
        hook.write_text(json.dumps(carried.load_connection(hook) | {"drain": []}), "utf-8")
        for name, module in self.host.modules.items():
            monkeypatch.setitem(sys.modules, name, module)
        self.host.load_scripts()
        package = sys.modules["makingof_in_webui"]
        self.jobs = package.attaching._running[0].jobs
        self.modules = {
            name: module for name, module in sys.modules.items() if name.startswith("makingof_in_webui.")
        }
        monkeypatch.setattr(self.modules["makingof_in_webui.notices"], "POLL_SECONDS", 0.1)
        monkeypatch.setattr(self.modules["makingof_in_webui.jobs"], "ADDED_SECONDS", 0.05)

    def make(self, *arguments, script=None, **how):
        options = {name: how.pop(name) for name in list(how) if name in RUNNING}
        return self.host.run(Processing(*arguments, **how), script, **options)

    def settle(self):
        """Wait until the hook has heard everything, then drain."""
        self.heard()
        self.jobs.stop()
        assert self.host.reported == []
        assert self.jobs._errors == 0
        drain(self.archive)

    def heard(self):
        reached = threading.Event()
        self.jobs._on_reached = reached.set
        self.jobs._notices.put(("reached",))
        assert reached.wait(20)

    def events(self, *kinds):
        """Return (position, event) of every event of these kinds, in log order."""
        positions = sorted(at for kind in kinds for at in self.archive.index.positions_of_kind(kind))
        return [(at, Event.parse(self.archive.log.entry(at))) for at in positions]

    def only(self, kind):
        ((position, event),) = self.events(kind)
        return position, event

    def parts(self, position, part_type, shape):
        parts = [Part.parse(part.data) for part in self.archive.log.parts(position) if part.data]
        return [part.read(shape) for part in parts if part.type is part_type and part.listed() is None]

    def files(self, position):
        return self.parts(position, PartType.FILE, FileBody)

    def roles(self, position):
        return [(str(file.role), file.number) for file in self.files(position)]

    def report(self, position):
        return self.parts(position, PartType.REPORT, Report)[0]

    def held(self, position):
        return [self.archive.store.read(file.digest) for file in self.files(position)]


@contextmanager
def running(archive, folder, version, monkeypatch):
    """A host that has loaded the hook, and is ended and forgotten when this is left."""
    forget_hook()
    run = Run(archive, folder, version, monkeypatch)
    try:
        yield run
    finally:
        run.jobs.stop()
        forget_hook()


def forget_hook():
    for name in [
        name for name in sys.modules if name.split(".")[0] in ("makingof_in_webui", "makingof_recording")
    ]:
        del sys.modules[name]


def wait_for(reached):
    deadline = time.monotonic() + 20
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def judged_and_among(run, position):
    (choice,) = run.parts(position, PartType.CHOICE, Choice)
    data = {str(Digest.of(part.data)): part.data for part in run.archive.log.parts(position)}
    bodies = lambda digests: [Part.parse(data[str(digest)]).read(FileBody) for digest in digests]  # noqa: E731
    return bodies(choice.judged), bodies(choice.among)
