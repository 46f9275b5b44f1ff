"""Our side of recording while a tool runs: a hook inside a host, a watched folder, a drain."""

import asyncio
import importlib.util
import json
import statistics
import sys
import threading
import time
import types
from io import BytesIO
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo
from tests.comfyui_host import ComfyUI
from tests.hooks import connect_hook, job, stream_of
from tests.records import a1111_png, text_to_image

from makingof.archive.archive import Archive
from makingof.archive.connecting import connect, plan_connection
from makingof.archive.draining import drain
from makingof.archive.running import record_on
from makingof.event import Kind
from makingof.spool import carried

_SIDE = 1024
_WAIT_SECONDS = 300.0


def save_pictures(count: int) -> dict[str, object]:
    """What a ComfyUI without a hook does around a picture: take the job, encode, save, note the end."""
    return _run_host(ComfyUI(Path("ComfyUI").absolute(), "0.8.0"), count)


def save_pictures_hooked(archive: Archive, count: int) -> dict[str, object]:
    """The same with the hook in it, handing over to a spool on the same disk."""
    host = ComfyUI(Path("ComfyUI").absolute(), "0.8.0")
    connect(archive, plan_connection("comfyui", host.folder))
    folder = host.folder / "custom_nodes/makingof"
    told = json.loads((folder / "connection.json").read_text("utf-8"))
    connection = carried.load_connection(told["hook_file"]) | {"drain": []}
    (folder / "connection.json").write_text(json.dumps(connection), "utf-8")
    sys.modules.update(host.modules)
    spec = importlib.util.spec_from_file_location(
        "hook", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["hook"] = module
    spec.loader.exec_module(module)
    said = _run_host(host, count)
    module.RECORDER.stop()
    done = drain(archive)
    assert sum(done.events.values()) >= 2 * count, done
    return said


def _run_host(host: ComfyUI, count: int) -> dict[str, object]:
    """Return the seconds of it all, the host's own work, that in calls a hook listens to, the longest one.

    Work is processor time of the host's thread: other programs on the machine are not in it.
    """
    pixels = Image.effect_noise((_SIDE, _SIDE), 40).convert("RGB")
    started, worked = time.perf_counter(), time.thread_time()
    calls = [_make_one(host, number, pixels) for number in range(count)]
    return {
        "seconds": time.perf_counter() - started,
        "work": time.thread_time() - worked,
        "calls": sum(work for work, _ in calls),
        "stall": max(wall for _, wall in calls),
    }


def _make_one(host: ComfyUI, number: int, pixels: Image.Image) -> tuple[float, float]:
    graph = text_to_image("a crane", seed=number)
    name = f"a_{number:05}_.png"
    entry = {
        "prompt": [number, str(number), graph, {}, ["9"]],
        "outputs": {"9": {"images": [{"filename": name, "subfolder": "", "type": "output"}]}},
        "status": {"status_str": "success", "completed": True, "messages": []},
    }
    data = json.dumps({"prompt": graph, "extra_data": {"extra_pnginfo": {"workflow": graph}}}).encode()
    before = time.thread_time(), time.perf_counter()
    answer = {"status": 200, "body": {"prompt_id": str(number), "number": number, "node_errors": {}}}
    asyncio.run(host.server.post(data, answer, {str(number): entry}))
    _, item = host.server.prompt_queue.get()
    asked = time.thread_time() - before[0], time.perf_counter() - before[1]
    text = PngInfo()
    text.add_text("prompt", json.dumps(graph))
    out = BytesIO()
    pixels.save(out, "PNG", pnginfo=text, compress_level=4)
    (host.folder / "output" / name).write_bytes(out.getvalue())
    before = time.thread_time(), time.perf_counter()
    host.server.prompt_queue.task_done(item, entry, status=types.SimpleNamespace(completed=True))
    told = time.thread_time() - before[0], time.perf_counter() - before[1]
    return asked[0] + told[0], max(asked[1], told[1])


def watch_folder(archive: Archive, count: int, single: int) -> dict[str, object]:
    """Fill a watched folder with `count` pictures at once, then let `single` ones arrive one by one."""
    folder = Path("watched").absolute()
    folder.mkdir()
    stop = threading.Event()
    turns = record_on(archive, [folder], None, stop)
    next(turns)
    for number in range(count):
        (folder / f"{number:06}.png").write_bytes(a1111_png("a crane", "", Seed=number))
    started = time.perf_counter()
    _until(turns, count, started)
    spent = time.perf_counter() - started
    waited = []
    for number in range(single):
        (folder / f"single-{number}.png").write_bytes(a1111_png("a heron", "", Seed=number))
        arrived = time.perf_counter()
        _until(turns, 1, arrived)
        waited.append(time.perf_counter() - arrived)
    stop.set()
    list(turns)
    assert len(archive.index.positions_of_kind(Kind.GENERATED)) == count + single
    return {"seconds": spent, "latency": statistics.median(waited), "slowest": max(waited)}


def _until(turns, count: int, started: float) -> None:
    seen = 0
    while seen < count and time.perf_counter() - started < _WAIT_SECONDS:
        seen += len(next(turns).noted)
    assert seen == count, seen


def drain_spool(archive: Archive, count: int, size: int) -> dict[str, object]:
    """Take in what a hook handed over: `count` jobs, each a request and a picture of `size` bytes."""
    stream = stream_of(connect_hook(archive), archive.clock)
    stream.open({})
    for number in range(count):
        job(stream, number.to_bytes(8, "big") * (size // 8))
    started = time.perf_counter()
    done = drain(archive)
    spent = time.perf_counter() - started
    assert sum(done.events.values()) == 2 * count + 1, done
    return {"seconds": spent, "handovers": 2 * count + 1}
