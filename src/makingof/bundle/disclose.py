"""Opening what a package sealed: the bytes of its sealed parts, to be handed over apart from it.

They are lines as in `data/parts.jsonl` and check against the same package,
whose digests have committed to them all along.
"""

from collections.abc import Collection

from makingof.bundle.lines import join_lines
from makingof.bundle.record import Record
from makingof.digest import Digest
from makingof.errors import UsageError
from makingof.part import PartType
from makingof.texts import say
from makingof.tlog.reader import LogReader


def disclose(record: Record, log: LogReader, types: Collection[PartType] = ()) -> bytes:
    """Return the parts sealed in a package's lineage, those of `types` or all, in the order of its entries.

    A file part opens its original too: with it, the file's bytes can be checked.

    Raises:
        UsageError: the log is another one, or nothing of the kind is sealed that it still has.
    """
    if log.public != record.key:
        raise UsageError(say("package.another_log", origin=record.key.origin))
    found: dict[Digest, bytes] = {}
    for entry in record.lineage:
        sealed = {part for part in entry.silent() if not types or entry.types[part] in types}
        stored = {part.digest: part.data for part in log.parts(entry.position) if part.digest in sealed}
        found |= {part: data for part in entry.parts if (data := stored.get(part)) is not None}
    if not found:
        raise UsageError(say("package.nothing_to_open"))
    return join_lines(found.values())
