"""Row: what the hook for AUTOMATIC1111, Forge and reForge costs its host, in the stand-in of the tests.

The stand-in has no model: it waits a moment instead, and its own work for a picture is encoding and
saving a PNG. In a real web UI seconds on a graphics card come on top, so a share of saving is the
largest share there is. Shares are of processor time, which other programs on the machine leave alone;
the longest call is by the clock, waiting for a busy machine included.
"""

import json
import sys
import time
from pathlib import Path

from bench.measuring import ROOT, Contender, measure
from bench.rows import Row, Scale, Target
from PIL import Image

ALONE, HOOKED, UNSAVED = "without the hook", "with the hook", "with the hook, nothing saved"
_READING = (
    "Not the real programs: a stand-in made from their documented callbacks, which waits a quarter of a"
    " second for each picture where they have a model. Nothing saved: auto-save and grids off, so that the"
    " host encodes nothing and the hook copies each image. What the hook's own thread costs is in the second"
    " column."
)
SIDE = 1024
SAMPLING_SECONDS = 0.25


def measure_webui_hook(scale: Scale) -> Row:
    """Measure pictures of 1024 × 1024 with and without the hook, and where the host saves none itself."""
    count = scale.webui_pictures
    modes = {ALONE: "alone", HOOKED: "hooked", UNSAVED: "unsaved"}
    contenders = [
        Contender(name, lambda _, mode=mode: [sys.executable, "-m", "bench.webui_hook", mode, str(count)])
        for name, mode in modes.items()
    ]
    measured = measure("webui-hook", contenders, scale.rounds)
    title = "Hook in AUTOMATIC1111, Forge, reForge (stand-in)"
    row = Row("webui-hook", title, "pictures", measured, counts=dict.fromkeys(modes, count))
    alone = row.find(ALONE)
    for name in (HOOKED, UNSAVED):
        said = row.find(name).said
        if said and alone.said:
            text = f"{name}: the host's own threads in the hook, of saving a picture"
            share = 100 * said["in_hook"] / alone.said["cpu"]
            row.targets.append(Target(text, 1.0, share, at_least=False, unit="%"))
            spent, by_clock = (1000 * said[key] / count for key in ("in_hook", "by_clock"))
            row.notes.append(
                f"{name.capitalize()}: per picture {spent:.2f} ms of processor time of the host's own"
                f" threads, {by_clock:.2f} ms by the clock; the longest single call"
                f" {1000 * said['worst']:.1f} ms."
            )
    row.notes.append(_READING)
    row.facts = {name: row.find(name).said for name in modes}
    return row


def main() -> None:
    """Run as a program of its own: MODE COUNT, in an empty folder."""
    sys.path.insert(0, str(ROOT))
    from tests import a1111_host  # noqa: PLC0415 - the tests lie beside, not on the path

    mode, count = sys.argv[1], int(sys.argv[2])
    pictures = [Image.effect_noise((SIDE, SIDE), 24 + n).convert("RGB") for n in range(4)]
    a1111_host.picture = lambda seed, _width, _height: pictures[seed % 4].copy()
    folder = Path("webui").absolute()
    host = a1111_host.Webui(folder)
    if mode != "alone":
        _connect(folder)
    if mode == "unsaved":
        host.options.samples_save = host.options.grid_save = host.options.return_grid = False
    sys.modules.update(host.modules)
    host.load_scripts()
    calls = [_timed(host, name) for name in ("step", "call")]
    time.sleep(1.0)
    started, used = time.perf_counter(), time.process_time()
    for _ in range(count):
        job = a1111_host.Processing("a lantern in fog", width=SIDE, height=SIDE)
        host.run(job, during=lambda *_: time.sleep(SAMPLING_SECONDS))
    said = {"seconds": time.perf_counter() - started, "cpu": time.process_time() - used}
    assert not host.reported
    spent = [moment for kept in calls for moment in kept]
    said |= {"in_hook": sum(cpu for _, cpu in spent), "by_clock": sum(wall for wall, _ in spent)}
    print(json.dumps(said | {"worst": max(wall for wall, _ in spent)}))


def _connect(folder: Path) -> None:
    from makingof.archive.archive import Plan, create_archive  # noqa: PLC0415 - not where the host is alone
    from makingof.archive.connecting import connect, plan_connection  # noqa: PLC0415
    from makingof.archive.home import Home  # noqa: PLC0415
    from makingof.clock import SystemClock  # noqa: PLC0415
    from makingof.config import Settings  # noqa: PLC0415

    home = Home(Path("archive").absolute(), Path("state").absolute())
    archive, _ = create_archive(home, SystemClock(), Plan("bench", Settings(authorities=())))
    connect(archive, plan_connection("a1111", folder))
    archive.close()
    # What it hands over stays in the spool: a recorder beside it is another row.
    hook = next(Path("state").absolute().rglob("hooks/*/*.json"))
    hook.write_text(json.dumps(json.loads(hook.read_text("utf-8")) | {"drain": []}), "utf-8")


def _timed(host: object, name: str) -> list[tuple[float, float]]:
    """Take the time of every call into extensions, by the clock and of this thread. There is one."""
    inner, spent = getattr(host, name), []

    def call(*arguments: object, **named: object) -> None:
        started, used = time.perf_counter(), time.thread_time()
        inner(*arguments, **named)
        spent.append((time.perf_counter() - started, time.thread_time() - used))

    setattr(host, name, call)
    return spent


if __name__ == "__main__":
    main()
