"""What recording costs a diffusers pipeline, with a real one of random weights: `.ci/diffusers` runs it.

    .venv-diffusers/bin/python bench/pipelines.py [--pictures 60]

Pictures are made in pairs, one recorded and one not, the order changing. `own` is the time
the recorder spends in the program's thread (before and after the pipeline's own call, which
times itself), by the clock and, where the machine has other work, by the processor's time;
`whole` compares medians with and without, so it also holds what the journal's thread takes
away while it encodes and writes, and the process that takes it into the archive.
"""

import argparse
import json
import os
import sys
import tempfile
import time
import warnings
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
warnings.simplefilter("ignore")

import torch  # noqa: E402 - warns when it is imported
from tests import tiny_pipeline  # noqa: E402 - the folder above is where it is found

import makingof  # noqa: E402 - as above
from makingof.archive.archive import Plan, create_archive  # noqa: E402 - as above
from makingof.archive.home import Home  # noqa: E402 - as above
from makingof.clock import SystemClock  # noqa: E402 - as above
from makingof.config import Settings  # noqa: E402 - as above

MOST = 0.01  # of the time a picture takes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=60)
    given = parser.parse_args()
    torch.set_num_threads(1)  # with more, whoever else runs on the machine decides what is measured
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        os.environ["MAKINGOF_STATE"] = str(place / "state")
        home = Home(place / ".makingof", place / "state")
        create_archive(home, SystemClock(), Plan("Bench", Settings()))[0].close()
        pipe = timed(tiny_pipeline.load(tiny_pipeline.make_model(place)))
        found = [measure(pipe, home.path, side, given.pictures) for side in (64, 256)]
    print(json.dumps(found, indent=1))
    for row in found:
        print(
            f"{row['side']}x{row['side']}, 10 steps: a picture takes {row['picture_ms']} ms; of its thread "
            f"recording takes {row['own_ms']} ms ({row['own_share']:.2%}, worst {row['worst_ms']} ms), "
            f"{row['own_processor_ms']} ms of the processor ({row['own_processor_share']:.2%}); "
            f"with everything {row['whole_share']:+.2%}"
        )


def timed(pipe):
    """Have a pipeline's own call time itself."""
    inner = type(pipe)

    class Timed(inner):
        def __call__(self, *args, **kwargs):
            started = now()
            try:
                return inner.__call__(self, *args, **kwargs)
            finally:
                self.took = since(started)

    pipe.__class__ = Timed
    return pipe


def now() -> tuple[float, float]:
    """Return the clock, and the processor's time of this thread."""
    return time.perf_counter(), time.thread_time()


def since(started: tuple[float, float]) -> tuple[float, float]:
    clock, thread = now()
    return clock - started[0], thread - started[1]


def measure(pipe, archive: Path, side: int, pictures: int) -> dict:
    plain, recorded, own = [], [], []
    recording = makingof.record(pipe, archive=archive)
    for _ in range(3):
        paint(pipe, side, 0)
        paint(recording, side, 0)
    recording.flush()
    for number in range(pictures):
        for is_recorded in (number % 2 == 0, number % 2 == 1):
            started = now()
            paint(recording if is_recorded else pipe, side, number)
            spent = since(started)
            (recorded if is_recorded else plain).append(spent)
            if is_recorded:
                own.append((spent[0] - pipe.took[0], spent[1] - pipe.took[1]))
    recording.flush()
    picture, thread = medians(plain)
    own_picture, own_thread = medians(own)
    return {
        "side": side,
        "pictures": pictures,
        "picture_ms": milliseconds(picture),
        "own_ms": milliseconds(own_picture),
        "worst_ms": milliseconds(max(spent for spent, _ in own)),
        "own_share": round(own_picture / picture, 5),
        "own_processor_ms": milliseconds(own_thread),
        "own_processor_share": round(own_thread / thread, 5),
        "whole_share": round(medians(recorded)[0] / picture - 1, 5),
        "goal": MOST,
    }


def medians(times: list) -> tuple[float, float]:
    return median(clock for clock, _ in times), median(thread for _, thread in times)


def paint(call, side: int, seed: int) -> None:
    call(
        "a crane at dusk",
        height=side,
        width=side,
        num_inference_steps=10,
        generator=tiny_pipeline.seeded(seed),
    )


def milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)


if __name__ == "__main__":
    main()
