"""Reading a log back as events with their parts, for tests."""

from makingof.lineage.entry import Entry, PartState


def entry_at(log, position):
    stored = {
        part.digest: PartState.ERASED if part.data is None else part.data for part in log.parts(position)
    }
    return Entry.read(position, log.entry(position), stored)


def entries(archive, kind=None):
    found = [entry_at(archive.log, position) for position in range(archive.log.size())]
    return [entry for entry in found if kind in (None, entry.kind)]
