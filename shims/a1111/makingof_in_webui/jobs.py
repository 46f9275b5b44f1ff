"""What became of every job: notices from the host's threads, and the thread that hands over.

One run of `process_images` is one job here. Its request is handed over when the host
begins with it, its end when the host is done: with pictures, interrupted, or failed, which
the host does not tell and the thread finds out by looking at its state. All jobs the host
makes in one go (a grid of settings, a loop) share the host's own name of the job.
"""

import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

from .handing_over import HookStream, now_ms
from .host import Host, absolute, error_text
from .job import Job, facts_of, places_of, reference_to
from .notices import Recording
from .pictures import Copies, Picture, State, find_written, hold, name_written, state_of
from .plain import Part, environment_part, own_part, report_part
from .results import Result, copy_added, looks_like_grid, name_pictures, result_of
from .saving import Kept, SaveButton
from .telling import (
    cleaned_facts,
    infotext_parts,
    note_effective,
    parameters_part,
    request_of,
    request_parts,
)

PREPARE_SECONDS = 1.0  # styles, wildcards and seeds are settled by then, unless a model is loaded first
ADDED_SECONDS = 0.25  # other extensions put their pictures among the results right after us
IDLE_LOOKS = 2
WEIGHTS_SECONDS = 3.0  # a digest that takes longer stands in the next job
MAX_CITES = 64
MAX_REMEMBERED = 512
MAX_PASTED = 64


class Jobs(Recording):
    """The recording thread, and the notices it is given. None of them waits for anything."""

    def __init__(self, stream: HookStream, host: Host, folder: Path) -> None:
        super().__init__(stream, folder / "digests.json")
        self.host = host
        self.is_started = False
        self.jobs: deque[Job] = deque(maxlen=MAX_REMEMBERED)
        self._open: list[Job] = []
        self._lock = threading.Lock()
        self._count = 0
        self._before = threading.local()
        self._copies = Copies()
        self._pasted: deque[str] = deque(maxlen=MAX_PASTED)
        self._save_button = SaveButton(self)

    def start(self) -> None:
        self.is_started = True
        super().start()

    # In the host's threads

    def begun(self, p: Any, *_arguments: Any, **_named: Any) -> None:
        """A job begins: what was asked for is read now, before anything changes it."""
        job = Job(reference_to(p), threading.get_ident(), self.host.timestamp(), request_of(p))
        job.inputs, job.error = self._inputs_of(p), self.host.last_error()
        job.around = self._innermost()
        with self._lock:
            self._count += 1
            job.key = self._count
            self._open.append(job)
        self._notices.put(("begun", job))

    def prepared(self, p: Any, *_arguments: Any, **_named: Any) -> None:
        """Styles are applied and seeds drawn. Versions that have no earlier word begin here."""
        if self._find(p) is None:
            self.begun(p)

    def sampling(self, p: Any, *_arguments: Any, **_named: Any) -> None:
        """A batch begins: what other extensions make of prompts is settled by now."""
        job = self._find(p)
        if job is not None and not job.prepared.is_set():
            note_effective(job.request, p)
            job.prepared.set()

    def batch_made(self, p: Any, *_arguments: Any, **_named: Any) -> None:
        """The next batch takes back that this one was skipped."""
        job = self._find(p)
        if job is not None:
            job.flags |= self._flags()

    def saving(self, params: Any, *_arguments: Any, **_named: Any) -> None:
        """A picture is going to be written: what stands under its name now is not it."""
        path = Path(params.filename)
        self._before.seen = (path, state_of(path))

    def saved(self, params: Any, *_arguments: Any, **_named: Any) -> None:
        """A picture was written. Held open at once, for its name may be another's a moment later."""
        named = name_written(params.image, Path(params.filename))
        before: tuple[Path, State | None] = getattr(self._before, "seen", (named, None))
        path = find_written(named, before[1]) if before[0] == named else named
        info = params.pnginfo if isinstance(getattr(params, "pnginfo", None), dict) else {}
        text = info.get("parameters")
        p, job = params.p, self._find(params.p) or self._find_given_up(params.p)
        folder = self.host.save_folder()
        if job is None and folder is not None and absolute(path).is_relative_to(folder) and _is_press(p):
            kept = Kept(hold(params.image, path, text), str(getattr(p, "job_timestamp", "")))
            kept.picture.role = "grid" if _is_grid_kept(p) else kept.picture.role
            self._notices.put(("kept", kept))
            return
        job = job or self._innermost()
        if job is None:
            # The object lives on in the host: its timestamp is of the job that made it.
            timestamp = str(getattr(p, "job_timestamp", None) or self.host.timestamp())
            self._notices.put(("late", hold(params.image, path, text), timestamp, sorted(info), now_ms()))
        elif not any(one.image is params.image and one.path == path for one in job.saved):
            job.saved.append(hold(params.image, path, text))

    def ended(self, p: Any, processed: Any = None, *_arguments: Any, **_named: Any) -> None:
        """The host is done with a job; what it made is taken now."""
        moment, job = now_ms(), self._find(p) or self._find_given_up(p)
        if job is None:  # an object nobody announced: its request was not seen
            job = Job(reference_to(p), threading.get_ident(), self.host.timestamp(), request_of(p))
        with self._lock:
            self._open = [one for one in self._open if one is not job]
        note_effective(job.request, p)
        job.prepared.set()
        job.is_given_up = False
        job.flags |= self._flags()
        result = result_of(p, processed, job.saved, self.host, self._copies)
        models = self.host.models(p, job.request.effective)
        self._notices.put(("ended", job, result, models, moment))

    def model_loaded(self, model: Any = None, *_arguments: Any, **_named: Any) -> None:
        path = self.host.checkpoint_path(model)
        if path is not None:
            self._notices.put(("weights", path))

    def pasted(self, _infotext: Any = None, params: Any = None, *_arguments: Any, **_named: Any) -> None:
        """A prompt was put in by reading another picture or text back."""
        for name in ("Prompt", "Negative prompt"):
            text = params.get(name) if isinstance(params, dict) else None
            if isinstance(text, str) and text:
                self._pasted.append(text)

    def _find(self, p: Any) -> "Job | None":
        with self._lock:
            return next((job for job in reversed(self._open) if p is not None and job.p() is p), None)

    def _find_given_up(self, p: Any) -> "Job | None":
        """Find a job that was taken for failed: its request stands, and it did end."""
        jobs = reversed(list(self.jobs))
        return next((job for job in jobs if job.is_given_up and p is not None and job.p() is p), None)

    def _innermost(self) -> "Job | None":
        """Return the job in whose course this thread is, if the host is still at it."""
        thread, timestamp = threading.get_ident(), self.host.timestamp()
        with self._lock:
            ours = [job for job in self._open if job.thread == thread and job.timestamp == timestamp]
            return ours[-1] if ours else None

    def _flags(self) -> "set[str]":
        return {
            name for name in ("interrupted", "skipped", "stopping_generation") if self.host.flag(name) is True
        }

    def _inputs_of(self, p: Any) -> "list[Picture]":
        """The pictures a job starts from; a batch names one picture many times."""
        found = []
        images = getattr(p, "init_images", None)
        masks = [getattr(p, "image_mask", None), getattr(p, "mask", None)]
        wanted = [(image, "init") for image in images] if isinstance(images, (list, tuple)) else []
        wanted += [(image, "mask") for image in masks]
        seen: set[int] = set()
        for image, role in wanted:
            if (
                hasattr(image, "copy")
                and isinstance(getattr(image, "size", None), tuple)
                and id(image) not in seen
            ):
                seen.add(id(image))
                picture = self._copies.take(image)
                picture.role = role
                found.append(picture)
        return found

    # In our own thread

    def _open_stream(self) -> None:
        facts = {"host": str(self.stream.source["tool"]), "attached": self.attached}
        self.stream.open(facts, [environment_part(self.host.environment())])
        self._save_button.start()

    def _open_count(self) -> int:
        return len(self._open)

    def _is_watching(self) -> bool:
        return True  # the Save button's list is somebody else's file: nobody gives notice of it

    def _patience(self) -> float:
        return self._save_button.patience(super()._patience())

    def _on_weights(self, path: Path) -> None:
        self.weights.ask(path)

    def _on_begun(self, job: Job) -> None:
        self._close_others(job)
        job.prepared.wait(PREPARE_SECONDS)
        files, left_out = self._files(job.inputs)
        around = [job.around.number] if job.around is not None and job.around.number is not None else []
        facts = {**job.request.facts, "process": str(job.key), "left_out": left_out}
        parts = request_parts(job.request, self._pasted)
        parts.append(parameters_part(job.request, self._tool()))
        parts.append(report_part(None, job.timestamp or None, None, None, cleaned_facts(facts)))
        job.number = self.stream.hand_over("prompted", parts, files, around)
        self._let_go(job.inputs)
        self.jobs.append(job)

    def _on_ended(self, job: Job, result: Result, models: "list[tuple[str, Path]]", moment: int) -> None:
        for _, path in models:
            self.weights.ask(path)
        pictures: list[Picture] = [*job.saved, *result.copies.values()]
        try:
            time.sleep(ADDED_SECONDS)
            pictures += (added := copy_added(result, self._copies))
            named = name_pictures(result, job.saved, self.host) + added
            self.weights.wait([path for _, path in models], WEIGHTS_SECONDS)
            told = [{"role": role, **self.weights.facts(path)} for role, path in models]
            self._hand_over_end(job, named, [environment_part({"models": told})] if told else [], moment)
        finally:
            self._let_go(pictures)

    def _hand_over_end(
        self, job: Job, pictures: "list[Picture]", parts: "list[Part]", moment: "int | None", failed: str = ""
    ) -> None:
        """Hand the end over: `generated` where there are pictures, else `attempted`."""
        files, left_out = self._files(pictures)
        kept = [picture for number, picture in enumerate(pictures) if number not in left_out]
        stopped = {"interrupted", "stopping_generation"} & job.flags
        outcome = "failed" if failed or not (kept or stopped) else "interrupted" if stopped else None
        outputs = sum(picture.role == "output" for picture in kept)
        facts = cleaned_facts(facts_of(job, kept, files))
        parts = [report_part(outcome, job.timestamp or None, outputs, failed or None, facts), *parts]
        parts += request_parts(job.request, self._pasted)
        parts += infotext_parts(kept, self._tool(), files) or [parameters_part(job.request, self._tool())]
        parts += places_of(kept, files)
        cites = [] if job.number is None else [job.number]
        occurred = None if moment is None else (moment, "hook")
        job.end_number = self.stream.hand_over(
            "generated" if kept else "attempted", parts, files, cites, occurred
        )
        for picture, file in zip(kept, files, strict=False):
            if picture.role in ("output", "grid") and "digest" in file:
                job.outputs.append({"digest": file["digest"], "role": picture.role, "text": picture.infotext})
        if left_out:
            self._say_not_seen(job.timestamp, len(left_out))

    def _say_not_seen(self, job: str, count: int) -> None:
        facts = {"why": "output_not_seen", "stream": self.stream.stream, "job": job, "count": count}
        self.stream.hand_over("gap", [own_part(facts)])

    def _on_late(self, picture: Picture, timestamp: str, info: "list[str]", moment: int) -> None:
        """A picture saved when no job was open: a script's grid of all it made, or something of its own."""
        is_extra = bool({"postprocessing", "extras"} & set(info))
        jobs = [job for job in self.jobs if job.timestamp == timestamp and not is_extra]
        cites = [job.number for job in jobs if job.number is not None][-MAX_CITES:]
        self._name_grid(picture)
        try:
            self._hand_over_late(picture, timestamp, info, cites, moment, is_extra=is_extra)
        finally:
            self._let_go([picture])

    def _hand_over_late(
        self,
        picture: Picture,
        timestamp: str,
        info: "list[str]",
        cites: "list[int]",
        moment: int,
        *,
        is_extra: bool,
    ) -> None:
        files, left_out = self._files([picture])
        if left_out:
            self._say_not_seen(timestamp, 1)
            return
        facts = {"saved_besides": picture.what or "a picture", "texts": info}
        parts = [report_part(None, timestamp or None, None, None, facts), *places_of([picture], files)]
        parts += infotext_parts([picture], self._tool(), files)
        self.stream.hand_over("edited" if is_extra else "generated", parts, files, cites, (moment, "hook"))

    def _name_grid(self, picture: Picture) -> None:
        if self.host.is_grid_folder(picture.path) and looks_like_grid(picture, self.host):
            picture.role, picture.what = "grid", "grid"

    def _on_kept(self, kept: Kept) -> None:
        self._save_button.hear(kept)

    def come_back(self) -> None:
        """Have the list looked at again when all that was told before is heard."""
        self._notices.put(("rows",))

    def _on_rows(self) -> None:
        self._save_button.match_rows()

    def _finish(self) -> None:
        super()._finish()
        self._save_button.look(is_last=True)

    def _look(self) -> None:
        """Find jobs that ended without a word: the host raised, and went on to something else."""
        is_idle = self.host.is_idle()
        for job in list(self._open):
            job.idle_looks = job.idle_looks + 1 if is_idle else 0
            if job.idle_looks >= IDLE_LOOKS:
                self._fail(job)
        self._save_button.look()

    def _close_others(self, new: Job) -> None:
        """What is open under an older name of the host's has ended: it works at one at a time."""
        for job in list(self._open):
            if job.key < new.key and job.timestamp != new.timestamp:
                self._fail(job)

    def _fail(self, job: Job) -> None:
        with self._lock:
            if job not in self._open:
                return
            self._open = [one for one in self._open if one is not job]
        job.is_given_up, saved, job.saved = True, job.saved, []
        error = self.host.last_error()
        text = error_text(error) if error is not None and error is not job.error else None
        for picture in saved:
            self._name_grid(picture)
        self._hand_over_end(job, saved, [], None, text or "the host ended it without a word")
        self._let_go(saved)

    def _files(self, pictures: "list[Picture]") -> "tuple[list[Part], list[int]]":
        """Return what to hand over of each picture, and the places of those that cannot be."""
        files: list[Part] = []
        left_out = []
        for number, picture in enumerate(pictures):
            try:
                content = picture.content()
            except Exception:  # noqa: BLE001 - one picture that cannot be encoded leaves the others; counted
                left_out.append(number)
                continue
            name = picture.path.name if picture.path is not None else f"{picture.what or picture.role}.png"
            if "bytes" in content:
                name = f"{Path(name).stem}.png"
            files.append({**content, "role": picture.role, "name": name, "number": picture.number})
        return files, left_out

    def _let_go(self, pictures: "list[Picture]") -> None:
        for picture in pictures:
            if picture.path is None and picture.image is not None:
                self._copies.let_go(picture)
            picture.close()

    def _tool(self) -> str:
        return str(self.stream.source["tool"])


def _is_press(p: Any) -> bool:
    """Whether this is what the Save button hands on: what the page knows of a job, and where it is.

    Its folder may be the one where samples and grids go too.
    """
    return hasattr(p, "infotexts") and hasattr(p, "batch_index")


def _is_grid_kept(p: Any) -> bool:
    """Whether the Save button is at a grid: grids come first, and the number told is one less."""
    at, first = getattr(p, "batch_index", None), getattr(p, "index_of_first_image", None)
    return isinstance(at, int) and isinstance(first, int) and at + 1 < first
