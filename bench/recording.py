"""Rows: what a hook costs its host, how fast a watched folder and a spool are taken in."""

from bench.measuring import Contender, Measured, measure, ours
from bench.rows import Row, Scale, Target

ALONE, HOOKED = "saving alone", "with the ComfyUI hook"
WATCHED = "makingof watch"
DRAINED = "makingof drain"
_PICTURE_BYTES = 400_000


def measure_hook(scale: Scale) -> Row:
    """Measure a stand-in for ComfyUI that encodes and saves pictures, without and with the hook in it."""
    count = scale.hooked
    contenders = [
        Contender(ALONE, lambda _: ours("save_pictures", count), note="no sampling: the least a host does"),
        Contender(HOOKED, lambda _: ours("save_pictures_hooked", count)),
    ]
    measured = measure("hook", contenders, scale.rounds)
    row = Row("hook", f"The ComfyUI hook beside saving {count} PNG of 1024×1024", "pictures", measured)
    row.counts = {item.name: count for item in measured}
    share = _share(row.find(ALONE), row.find(HOOKED))
    row.targets = [
        Target("work in the host's own thread, of saving", 1.0, share, at_least=False, unit="%"),
    ]
    if (stall := row.find(HOOKED).said.get("stall")) is not None:
        note = (
            f"The longest of these calls took {1000 * stall:.1f} ms with the hook and"
            f" {1000 * row.find(ALONE).said['stall']:.1f} ms without. The hook hashes, copies and syncs in a"
            " thread of its own while the host goes on; the seconds show what the two cost each other on two"
            " cores. A stand-in for ComfyUI, not ComfyUI: the calls are those the hook listens to."
        )
        row.notes = [note]
    return row


def _share(alone: Measured, hooked: Measured) -> float | None:
    """Return how much more work the calls are that a hook listens to, in per cent of all the host does."""
    if not alone.said or not hooked.said:
        return None
    return max(0.0, 100 * (hooked.said["calls"] - alone.said["calls"]) / alone.said["work"])


def measure_watching(scale: Scale) -> Row:
    """Measure how long files wait in a watched folder."""
    count = scale.watched
    contenders = [Contender(WATCHED, lambda _: ours("watch_folder", count, scale.arrivals), durable=True)]
    measured = measure("watch", contenders, min(2, scale.rounds))
    row = Row("watch", f"A watched folder filled with {count:,} PNG at once", "pictures", measured)
    row.counts = {item.name: count for item in measured}
    said = row.find(WATCHED).said
    if said:
        note = (
            f"From the last byte of the last file. One that arrives alone is recorded after"
            f" {1000 * said['latency']:.0f} ms at the median, {1000 * said['slowest']:.0f} ms at most, of"
            " which 250 ms are waited for, that nobody writes any more. The pictures are small: each gives an"
            " event of seven parts and is held."
        )
        row.notes = [note]
    return row


def measure_draining(scale: Scale) -> Row:
    """Measure how fast a spool is emptied."""
    jobs = scale.handed_jobs
    contenders = [Contender(DRAINED, lambda _: ours("drain_spool", jobs, _PICTURE_BYTES), durable=True)]
    measured = measure("drain", contenders, scale.rounds)
    row = Row("drain", f"Drain {jobs:,} jobs with a picture of 400 kB each", "handovers", measured)
    row.counts = {item.name: 2 * jobs + 1 for item in measured}
    row.notes = ["Each handover's MAC, chain and digests are checked, its picture copied, hashed and synced."]
    return row
