"""A stand-in for AUTOMATIC1111, Forge and reForge, made from their documented callbacks without their code.

It loads extensions as the web UI does, calls scripts and callbacks with the arguments that
are documented, catches what they raise, writes real files under the names the web UI gives
them, and keeps `log.csv`. What differs between versions is a `Version`.
"""

import csv
import importlib.util
import inspect
import itertools
import json
import os
import sys
import time
import types
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image, PngImagePlugin

_TIMESTAMPS = itertools.count(20260301093000)


@dataclass(frozen=True)
class Version:
    tag: str
    has_before_process: bool = True
    names_jobs: bool = True  # older versions leave `state.job` empty while one runs
    tells_suffix: bool = True  # `already_saved_as` names the file that was really written
    has_model_columns: bool = True
    more_arguments: tuple[Any, ...] = ()  # what a later version might add to every call
    callbacks: tuple[str, ...] = (
        "app_started",
        "before_image_saved",
        "image_saved",
        "model_loaded",
        "infotext_pasted",
    )


A1111 = Version("v1.10.1")
OLD = Version("v1.2.0", has_before_process=False, names_jobs=False, has_model_columns=False)
FORGE = Version("f2.0.1v1.10.1-previous-664-gd557aef9", tells_suffix=False)
REFORGE = Version("f1.7.0-v1.10.1RC-latest-2071-g6d3cbd6b")
FUTURE = Version("v9.0.0", more_arguments=("something new", 7))


class OutOfMemoryError(Exception):
    """What a model raises in the middle of a job."""


class Script:
    """`modules.scripts.Script`: all methods do nothing."""

    args_from = args_to = 0

    def title(self):
        raise NotImplementedError  # as the real one does: every script has to give itself a name

    def show(self, is_img2img):
        return True

    def ui(self, is_img2img):
        return None

    def _nothing(self, *_arguments, **_named):
        return None

    setup = before_process = process = before_process_batch = process_batch = _nothing
    postprocess_batch = postprocess_batch_list = postprocess_image = postprocess = _nothing


ALWAYS = object()
STEPS = (
    "before_process",
    "process",
    "process_batch",
    "postprocess_batch",
    "postprocess_image",
    "postprocess",
)


class State:
    def __init__(self, version):
        self._version = version
        self.job, self.job_count, self.job_timestamp = "", 0, "0"
        self.interrupted = self.skipped = self.stopping_generation = False

    def begin(self, job):
        self.job = job if self._version.names_jobs else ""
        self.job_count = -1
        self.job_timestamp = str(next(_TIMESTAMPS))
        self.interrupted = self.skipped = self.stopping_generation = False

    def end(self):
        self.job, self.job_count = "", 0


@dataclass(eq=False)
class Processing:
    """What a job is asked for, as scripts see it."""

    prompt: Any
    negative_prompt: str = ""
    styles: list = field(default_factory=list)
    seed: int = -1
    subseed: int = -1
    steps: int = 20
    sampler_name: str = "Euler a"
    scheduler: str = "Karras"
    cfg_scale: float = 7.0
    width: int = 64
    height: int = 64
    batch_size: int = 1
    n_iter: int = 1
    restore_faces: bool = False
    enable_hr: bool = False
    denoising_strength: float | None = None
    init_images: list = field(default_factory=list)
    image_mask: Any = None
    do_not_save_samples: bool = False
    is_api: bool = False
    user: str | None = None
    extra_generation_params: dict = field(default_factory=dict)
    override_settings: dict = field(default_factory=dict)
    mask_for_overlay: Any = None
    all_prompts: Any = None
    all_negative_prompts: Any = None
    all_seeds: Any = None
    all_subseeds: Any = None


class Processed:
    def __init__(self, p, images, infotexts, first, timestamp):
        self.images, self.infotexts, self.index_of_first_image = images, infotexts, first
        self.all_prompts, self.all_negative_prompts = p.all_prompts, p.all_negative_prompts
        self.all_seeds, self.all_subseeds = p.all_seeds, p.all_subseeds
        self.prompt, self.negative_prompt, self.seed = (
            p.all_prompts[0],
            p.all_negative_prompts[0],
            p.all_seeds[0],
        )
        self.width, self.height, self.steps, self.cfg_scale = p.width, p.height, p.steps, p.cfg_scale
        self.sampler_name, self.job_timestamp = p.sampler_name, timestamp
        self.sd_model_name, self.sd_model_hash = "random-sd15", "0123456789"

    def js(self):
        told = {name: value for name, value in vars(self).items() if name != "images"}
        return json.dumps(told)


class Route:
    """As much of a FastAPI application as takes routes."""

    def __init__(self):
        self.routes = {}

    def add_api_route(self, path, endpoint, *, methods):
        self.routes[path] = endpoint


class Webui:
    """One running host in a folder. `modules` is what extensions can import."""

    def __init__(self, folder: Path, version: Version = A1111):
        self.folder, self.version = folder, version
        self.reported: list[str] = []  # errors of scripts and callbacks, which the host catches and prints
        self.scripts: list[Any] = []
        self.app = Route()
        self.seeds = itertools.count(1000)
        self.styles = {"ink": "{prompt}, ink wash"}
        self._callbacks: dict[str, list[Any]] = {}
        for name in ("modules", "extensions", "models/Stable-diffusion", "models/Lora", "outputs"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        for name in ("webui.py", "modules/script_callbacks.py"):
            (folder / name).write_text("", "utf-8")
        if version.tag.startswith("f"):
            (folder / "modules_forge").mkdir(exist_ok=True)
        self.checkpoint = folder / "models/Stable-diffusion/random-sd15.safetensors"
        self.checkpoint.write_bytes(b"random weights" * 1000)
        (folder / "models/Lora/paper.safetensors").write_bytes(b"lora" * 1000)
        self.state = State(version)
        self.options = self._options()
        self.modules = self._modules()

    def _options(self):
        out = self.folder / "outputs"
        return types.SimpleNamespace(
            samples_save=True, samples_format="png", grid_save=True, return_grid=True, grid_format="png",
            grid_only_if_multiple=True, enable_pnginfo=True, save_incomplete_images=False,
            save_images_before_highres_fix=False, save_images_before_face_restoration=False,
            save_mask=False, save_mask_composite=False, return_mask=False, return_mask_composite=False,
            save_selected_only=True, save_write_log_csv=True, save_init_img=False,
            outdir_samples="", outdir_grids="", outdir_save=str(self.folder / "log/images"),
            outdir_txt2img_samples=str(out / "txt2img-images"),
            outdir_img2img_samples=str(out / "img2img-images"),
            outdir_txt2img_grids=str(out / "txt2img-grids"), outdir_img2img_grids=str(out / "img2img-grids"),
            outdir_extras_samples=str(out / "extras-images"), outdir_init_images=str(out / "init-images"),
            add_number=True,
        )  # fmt: skip

    def _modules(self):
        module = types.SimpleNamespace
        info = module(filename=str(self.checkpoint), name="random-sd15")
        model = module(sd_checkpoint_info=info)
        lora = module(filename=str(self.folder / "models/Lora/paper.safetensors"))
        found = {
            "modules": types.ModuleType("modules"),
            "modules.shared": module(state=self.state, opts=self.options),
            "modules.scripts": module(Script=Script, AlwaysVisible=ALWAYS),
            "modules.script_callbacks": module(
                **{f"on_{name}": self._registrar(name) for name in self.version.callbacks}
            ),
            "modules.errors": module(exception_records=[]),
            "modules.sd_models": module(model_data=module(sd_model=model)),
            "modules.sd_vae": module(loaded_vae_file=None),
            "modules.launch_utils": module(git_tag=lambda: self.version.tag),
            "modules.paths_internal": module(script_path=str(self.folder)),
            "networks": module(available_networks={"paper": lora}),
        }
        for name, part in found.items():
            if name.startswith("modules."):
                setattr(found["modules"], name.removeprefix("modules."), part)
        return found

    def _registrar(self, name):
        return lambda callback: self._callbacks.setdefault(name, []).append(callback)

    # Loading

    def load_scripts(self):
        """Load every `scripts/*.py` of every extension, as at the start and on "Reload UI"."""
        self._callbacks.clear()
        self.scripts.clear()
        for path in sorted((self.folder / "extensions").glob("*/scripts/*.py")):
            before = sys.path
            try:
                sys.path = [str(path.parents[1]), *sys.path]
                spec = importlib.util.spec_from_file_location(path.name, path)
                module = importlib.util.module_from_spec(spec)
                sys.modules.setdefault(path.name, module)
                spec.loader.exec_module(module)
                kinds = [
                    kind
                    for kind in vars(module).values()
                    if inspect.isclass(kind) and issubclass(kind, Script)
                ]
                self.scripts += [kind() for kind in kinds]
            except Exception as err:  # noqa: BLE001 - as the host does
                self.reported.append(f"{path.name}: {err!r}")
            finally:
                sys.path = before
        for script in self.scripts:
            assert script.show(False) is ALWAYS
            assert list(script.ui(False) or ()) == []
        self.app = Route()
        self.call("app_started", None, self.app)

    def call(self, name, *arguments):
        for callback in self._callbacks.get(name, ()):
            try:
                callback(*arguments)
            except Exception as err:  # noqa: BLE001 - as the host does
                self.reported.append(f"{name}: {err!r}")

    def step(self, name, *arguments, **named):
        if name.startswith("before_process") and not self.version.has_before_process:
            return
        for script in self.scripts:
            try:
                getattr(script, name)(*arguments, *self.version.more_arguments, **named)
            except Exception as err:  # noqa: BLE001 - as the host does
                self.reported.append(f"{name}: {err!r}")

    # Jobs

    def run(self, p, script=None, **how):
        """One press of Generate: the whole job, with a script around it or none."""
        self.state.begin("task(abc)")
        try:
            return script(p) if script else self.process_images(p, **how)
        except Exception as err:  # noqa: BLE001 - as the host does
            self.modules["modules.errors"].exception_records.append({"exception": f"{err}", "traceback": []})
            return None
        finally:
            self.state.end()

    def process_images(self, p, *, fail_at=None, interrupt_at=None, skip_at=None, during=None, after=None):
        """Make the pictures of one job; `during(p, n)` runs as a batch is sampled."""
        self.step("before_process", p)
        self._prepare(p)
        self.step("process", p)
        images, texts = [], []
        self.state.job_count = p.n_iter
        for n in range(p.n_iter):
            p.iteration = n
            self.state.skipped = False
            if self.state.interrupted:
                break
            for step in ("before_process_batch", "process_batch"):
                self.step(step, p, batch_number=n, prompts=p.all_prompts)
            if during:
                during(p, n)
            if fail_at == n:
                message = "out of memory"
                raise OutOfMemoryError(message)
            self.state.interrupted |= interrupt_at == n
            self.state.skipped |= skip_at == n
            self.step("postprocess_batch", p, images=None, batch_number=n)
            for i in range(p.batch_size):
                p.batch_index = i
                self._make_one(p, n * p.batch_size + i, images, texts)
        first = self._make_grid(p, images, texts)
        processed = Processed(p, images, texts or [self.infotext(p, 0)], first, self.state.job_timestamp)
        if after:
            after(processed)
        self.step("postprocess", p, processed)
        return processed

    def _prepare(self, p):
        count = p.batch_size * p.n_iter
        prompts = p.prompt if isinstance(p.prompt, list) else [p.prompt] * count
        p.all_prompts = [self._styled(prompt, p.styles) for prompt in prompts]
        p.all_negative_prompts = [p.negative_prompt] * count
        seed = next(self.seeds) if p.seed == -1 else p.seed
        p.all_seeds = [seed + i for i in range(count)]
        p.all_subseeds = [9_000_000_000 + i for i in range(count)]
        p.sd_model_name, p.sd_model_hash = "random-sd15", "0123456789"
        if p.image_mask is not None:
            p.mask_for_overlay = p.image_mask

    def _styled(self, prompt, styles):
        for name in styles:
            prompt = self.styles[name].replace("{prompt}", prompt)
        return prompt

    def infotext(self, p, number):
        size = f"{p.width}x{p.height}"
        settings = {
            "Steps": p.steps, "Sampler": p.sampler_name, "Schedule type": p.scheduler,
            "CFG scale": p.cfg_scale, "Seed": p.all_seeds[number], "Size": size,
            "Model hash": "0123456789", "Model": "random-sd15",
            **p.extra_generation_params, "Version": self.version.tag,
        }  # fmt: skip
        negative = p.all_negative_prompts[number]
        line = ", ".join(f"{name}: {value}" for name, value in settings.items())
        return "\n".join(
            [p.all_prompts[number], *([f"Negative prompt: {negative}"] if negative else []), line]
        )

    def _make_one(self, p, number, images, texts):
        opts, text = self.options, self.infotext(p, number)
        saves = opts.samples_save and not p.do_not_save_samples
        saves = saves and (opts.save_incomplete_images or not (self.state.interrupted or self.state.skipped))
        folder = opts.outdir_img2img_samples if p.init_images else opts.outdir_txt2img_samples
        keep = {"p": p, "seed": p.all_seeds[number], "info": text}
        image = picture(p.all_seeds[number], p.width, p.height)
        if p.enable_hr and saves and opts.save_images_before_highres_fix:
            self.save_image(
                picture(7, p.width // 2, p.height // 2), folder, suffix="-before-highres-fix", **keep
            )
        if p.restore_faces and saves and opts.save_images_before_face_restoration:
            self.save_image(picture(8, p.width, p.height), folder, suffix="-before-face-restoration", **keep)
        args = types.SimpleNamespace(image=image)
        self.step("postprocess_image", p, args)
        image = args.image
        if saves:
            self.save_image(image, folder, **keep)
        if opts.enable_pnginfo:
            image.info["parameters"] = text
        images.append(image)
        texts.append(text)
        if p.mask_for_overlay is not None:
            mask, composite = p.mask_for_overlay.convert("RGB"), image.convert("RGBA")
            if saves and opts.save_mask:
                self.save_image(mask, folder, suffix="-mask", **keep)
            if opts.return_mask:
                images.append(mask)
            if saves and opts.save_mask_composite:
                self.save_image(composite, folder, suffix="-mask-composite", **keep)
            if opts.return_mask_composite:
                images.append(composite)

    def _make_grid(self, p, images, texts):
        opts = self.options
        if not (opts.return_grid or opts.grid_save) or (len(images) < 2 and opts.grid_only_if_multiple):
            return 0
        grid, text = picture(sum(p.all_seeds), p.width * len(images), p.height), self.infotext(p, 0)
        if opts.return_grid:
            grid.info["parameters"] = text
            images.insert(0, grid)
            texts.insert(0, text)
        if opts.grid_save:
            folder = opts.outdir_img2img_grids if p.init_images else opts.outdir_txt2img_grids
            self.save_image(grid, folder, basename="grid", p=p, info=text)
        return 1 if opts.return_grid else 0

    # Files

    def save_image(
        self, image, folder, *, basename="", seed=None, suffix="", p=None, info=None, existing=None, name=None
    ):
        """Write one picture under the next free number, through `.tmp`, and tell before and after."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        number = len(list(folder.iterdir()))
        head = f"{number:05d}" if self.options.add_number else ""
        stem = "-".join(part for part in (basename, head, str(seed or "")) if part) + suffix
        path = folder / f"{name or stem}.{self.options.samples_format}"
        info = {**(existing or {}), **({"parameters": info} if info else {})}
        params = types.SimpleNamespace(image=image, p=p, filename=str(path), pnginfo=info)
        self.call("before_image_saved", params)
        path = written = Path(params.filename)
        write_picture(params.image, path.with_suffix(".tmp"), path.suffix, params.pnginfo)
        for n in itertools.count(1):
            if not written.exists():
                break
            written = path.with_name(f"{path.stem}-{n}{path.suffix}")
        os.replace(path.with_suffix(".tmp"), written)  # noqa: PTH105
        image.already_saved_as = str(written if self.version.tells_suffix else path)
        self.call("image_saved", params)
        return written

    def press_save(self, processed, index):
        """The Save button: copies into its folder, then one row in its list. -1: nothing is selected."""
        data = json.loads(processed.js())
        p = types.SimpleNamespace(**data)
        folder = Path(self.options.outdir_save)
        folder.mkdir(parents=True, exist_ok=True)
        wanted = enumerate(processed.images) if index < 0 else [(index, processed.images[index])]
        names = []
        for number, image in wanted:
            p.batch_index = number - 1
            shown = Image.frombytes(
                image.mode, image.size, image.tobytes()
            )  # what came back from the browser
            made = self.save_image(shown, folder, seed=p.all_seeds[0], p=p, info=p.infotexts[number])
            names.append(made.name)
        if self.options.save_write_log_csv:
            self.write_log(p, names[0])
        return [folder / name for name in names]

    def write_log(self, p, name):
        columns = [
            "prompt",
            "seed",
            "width",
            "height",
            "sampler",
            "cfgs",
            "steps",
            "filename",
            "negative_prompt",
        ]
        row = [
            p.prompt,
            p.seed,
            p.width,
            p.height,
            p.sampler_name,
            p.cfg_scale,
            p.steps,
            name,
            p.negative_prompt,
        ]
        if self.version.has_model_columns:
            columns, row = (
                [*columns, "sd_model_name", "sd_model_hash"],
                [*row, p.sd_model_name, p.sd_model_hash],
            )
        path = Path(self.options.outdir_save) / "log.csv"
        is_new = not path.exists()
        with path.open("a", encoding="utf8", newline="") as file:
            csv.writer(file).writerows([columns, row] if is_new else [row])

    def run_extras(self, image):
        """The Extras tab: no processing object, a text of its own."""
        self.state.begin("extras")
        try:
            info = {"postprocessing": "Postprocess upscale by: 2", "extras": "Postprocess upscale by: 2"}
            return self.save_image(image, self.options.outdir_extras_samples, existing=info)
        finally:
            self.state.end()


def picture(seed, width, height):
    """A picture that differs by its seed."""
    image = Image.new("RGB", (width, height), (seed % 256, seed // 256 % 256, 40))
    image.putpixel((seed % width, 0), (255, 255, 255))
    return image


def write_picture(image, path, extension, info):
    if extension == ".png":
        texts = PngImagePlugin.PngInfo()
        for key, text in info.items():
            texts.add_text(key, text)
        image.save(path, "PNG", pnginfo=texts)
        return
    exif = Image.Exif()
    comment = b"UNICODE\0" + info.get("parameters", "").encode("utf-16-be")
    exif.get_ifd(0x8769)[0x9286] = comment
    image.convert("RGB").save(path, "JPEG", exif=exif)


def main():
    """Run as a program of its own, until it is killed: FOLDER, then what to do."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    host = Webui(Path(sys.argv[1]))
    sys.modules.update(host.modules)
    host.load_scripts()
    if sys.argv[2] == "hang":
        host.run(
            Processing("a slow lantern"),
            during=lambda _p, _n: (print("sampling", flush=True), time.sleep(60)),
        )
    print("done", flush=True)


if __name__ == "__main__":
    main()
