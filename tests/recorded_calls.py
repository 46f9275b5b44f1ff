"""Recorded calls as tests look at them: what stands in the log, and every byte of the archive."""

import re

from tests.hooks import connect_hook

from makingof.archive.draining import drain
from makingof.event import Event, Kind
from makingof.live.calls import Calls
from makingof.live.services.known import Addresses
from makingof.live.services.said import decode_base64
from makingof.part import BODIES, FileBody, Part, PartType


def make_calls(archive, named, **settings):
    """Hear calls for `archive`, with base addresses named."""
    hook = connect_hook(archive, "python")
    addresses = Addresses()
    addresses.add(named)
    connection = {"id": hook.id, "secret": hook.secret, "spool": hook.spool}
    return Calls(connection, addresses, dict, **{"fetch_seconds": 2.0} | settings)


JOB_KINDS = (Kind.PROMPTED, Kind.GENERATED, Kind.ATTEMPTED, Kind.GAP)


class Told:
    """One event as a test asks about it."""

    def __init__(self, archive, row):
        self.kind, self.means = str(row.kind), str(row.means)
        self.row = row
        self.event = Event.parse(archive.log.entry(row.position))
        self.parts = []
        for stored in archive.log.parts(row.position):
            part = Part.parse(stored.data)
            if part.listed() is None:
                self.parts.append(part)
        self._store = archive.store

    def bodies(self, part_type):
        return [part.read(BODIES[part.type]) for part in self.parts if part.type == part_type]

    def body(self, part_type):
        (found,) = self.bodies(part_type)
        return found

    def part(self, part_type):
        return next(part for part in self.parts if part.type == part_type)

    def fields(self):
        return {
            name: item.value
            for body in self.bodies(PartType.PARAMETERS)
            for name, item in body.fields.items()
        }

    def files(self):
        """Return (role, bytes) of every file."""
        found = [part.read(FileBody) for part in self.parts if part.type is PartType.FILE]
        return [(str(body.role), self._store.read(body.digest)) for body in found]

    def facts(self):
        kind = PartType.OWN if self.kind == "gap" else PartType.REPORT
        return self.body(kind).facts


def recorded(archive, calls):
    """Hand over and record what was heard; return the events of jobs and the gaps, in log order."""
    assert calls.flush(20)
    drain(archive)
    rows = archive.index.events(limit=10_000)[::-1]
    return [Told(archive, row) for row in rows if row.kind in JOB_KINDS]


def all_bytes(folder):
    """Return every byte of every file under `folder`, and what stands in it as base64 once more undone."""
    kept = b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
    coded = [decode_base64(found.decode()) or b"" for found in re.findall(rb"[A-Za-z0-9+/]{16,}={0,2}", kept)]
    return kept + b"\n".join(coded)
