"""Judging: a lineage of 10,000 events under all packs, and how time and memory grow towards it.

.venv/bin/python bench/judging.py [EVENTS …]
"""

import sys
import time
import tracemalloc
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.histories import History, parameters, prompt, reason

from makingof.assess.challenge import challenge
from makingof.assess.engine import assess_all
from makingof.assess.evidence import Evidence
from makingof.assess.registry import built_in_probes
from makingof.assess.shipped import shipped_packs
from makingof.lineage.lineage import Lineage
from makingof.lineage.rule import find_lineage


def make_lineage(events: int) -> Lineage:
    """A project of `events` events: nine jobs and a choice among them, over and over."""
    history = History()
    history.brief("long work", "an idea")
    made = []
    while history.size() < events - 1:
        batch = [
            history.generate(
                f"{history.size()}.png",
                said=[prompt(f"a cat, {history.size()}"), parameters(seed=str(history.size()), steps="20")],
                actor="a1",
                minutes=0.1,
            )
            for _ in range(min(9, events - 1 - history.size()))
        ]
        made += batch
        files = [job.file() for job in batch]
        history.keep(files[0], among=files, cites=batch, said=[reason("the light")])
    return find_lineage(history.graph(), [made[-1].file()])


def measure(events: int) -> dict[str, float]:
    """Judge once for the time and once more for the memory: tracing makes everything slower."""
    lineage = make_lineage(events)
    probes, packs = built_in_probes(), shipped_packs()

    def judge() -> int:
        evidence = Evidence(lineage)
        written = sum(len(done.to_bytes()) for done in assess_all(evidence, packs, probes))
        challenge(evidence, probes)
        return written

    started, busy = time.perf_counter(), time.process_time()
    written = judge()
    seconds, cpu = time.perf_counter() - started, time.process_time() - busy
    tracemalloc.start()
    judge()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {
        "members": len(lineage.members),
        "seconds": seconds,
        "cpu_seconds": cpu,
        "MB": peak / 1e6,
        "written_kB": written / 1e3,
    }


if __name__ == "__main__":
    for size in [int(text) for text in sys.argv[1:]] or [1000, 2000, 5000, 10_000]:
        print(size, {name: round(value, 2) for name, value in measure(size).items()})
