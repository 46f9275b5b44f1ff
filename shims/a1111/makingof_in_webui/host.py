"""What we ask of the host: its state, options, folders and models. Everything is looked for, nothing assumed.

Only modules that are loaded are looked into, and only attributes whose reading does
nothing: `shared.sd_model` would load a model that is not there.
"""

import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from .surroundings import IF_THERE, surroundings

_ADAPTER = re.compile(r"<(?:lora|lyco|hypernet):([^:>]+)")
# f1.7.0-v1.10.1RC-latest-…: reForge writes a dash where Forge has none
_REFORGE = re.compile(r"f\d+(\.\d+)*(v\d+)?-v\d|reforge", re.IGNORECASE)
_GRID_FOLDERS = ("outdir_grids", "outdir_txt2img_grids", "outdir_img2img_grids")
_MAX_ADAPTERS = 100


class Host:
    """A running web UI."""

    def module(self, name: str) -> Any:
        """Return one of the host's modules, or None where it is not loaded."""
        return sys.modules.get(f"modules.{name}")

    def tool(self) -> str:
        """Tell which of the family this is."""
        folder = Path(str(getattr(self.module("paths_internal"), "script_path", "."))).absolute()
        if _REFORGE.search(self.version()) or "reforge" in folder.name.lower():
            return "reforge"
        is_forge = "modules_forge" in sys.modules or (folder / "modules_forge").is_dir()
        return "forge" if is_forge else "a1111"

    def version(self) -> str:
        """Return what the host calls its version, or "" where it does not say."""
        for module in (self.module("launch_utils"), sys.modules.get("launch")):
            with IF_THERE:
                return str(module.git_tag())
        return ""

    def flag(self, name: str) -> Any:
        """Return one value of the state the host keeps of its jobs, or None."""
        return getattr(getattr(self.module("shared"), "state", None), name, None)

    def timestamp(self) -> str:
        """Return the host's own name for the job that runs now: it names all it makes in one go."""
        return str(self.flag("job_timestamp") or "")

    def is_idle(self) -> bool:
        """Whether the host says that no job runs. Some versions name none, some count none in between."""
        job, count = self.flag("job"), self.flag("job_count")
        return job is not None and not job and not count

    def option(self, name: str) -> Any:
        """Return one of the host's options, or None."""
        with IF_THERE:
            return getattr(self.module("shared").opts, name)
        return None

    def is_in(self, path: Path, *options: str) -> bool:
        """Whether `path` lies in one of the folders these options name."""
        folders = [self.option(name) for name in options]
        return any(
            isinstance(folder, str) and folder and absolute(path).is_relative_to(absolute(Path(folder)))
            for folder in folders
        )

    def is_grid_folder(self, path: Path) -> bool:
        return self.is_in(path, *_GRID_FOLDERS)

    def save_folder(self) -> "Path | None":
        """Return where the Save button puts copies."""
        folder = self.option("outdir_save")
        return absolute(Path(folder)) if isinstance(folder, str) and folder else None

    def checkpoint_path(self, model: Any = None) -> "Path | None":
        """Return the file of a model, or of the one that is loaded now."""
        with IF_THERE:
            model = model if model is not None else self.module("sd_models").model_data.sd_model
            return Path(model.sd_checkpoint_info.filename)
        return None

    def models(self, p: Any, prompts: Iterable[str]) -> "list[tuple[str, Path]]":
        """Return the model files a job works with, each with what it is to the job."""
        found = [("checkpoint", self.checkpoint_path()), ("vae", self._vae_path())]
        for role, name in (("refiner", "refiner_checkpoint_info"), ("hires", "hr_checkpoint_info")):
            with IF_THERE:
                found.append((role, Path(getattr(p, name).filename)))
        with IF_THERE:
            found += [("module", Path(path)) for path in self.option("forge_additional_modules") or ()]
        found += [("adapter", path) for path in self._adapter_paths(prompts)]
        return [(role, path) for role, path in found if path is not None]

    def _vae_path(self) -> "Path | None":
        with IF_THERE:
            return Path(self.module("sd_vae").loaded_vae_file)
        return None

    def _adapter_paths(self, prompts: Iterable[str]) -> Iterator[Path]:
        names = {name.strip() for prompt in prompts for name in _ADAPTER.findall(prompt)}
        networks = sys.modules.get("networks")  # the built-in Lora extension's own module
        for name in sorted(names)[:_MAX_ADAPTERS]:
            for table in ("available_networks", "available_network_aliases"):
                entry = (getattr(networks, table, None) or {}).get(name)
                if entry is not None:
                    with IF_THERE:
                        yield Path(entry.filename)
                        break

    def last_error(self) -> Any:
        """Return the newest error the host has on record, or None: an object to be compared and read."""
        with IF_THERE:
            return self.module("errors").exception_records[-1]
        return None

    def environment(self) -> "dict[str, Any]":
        """Return what the run depends on, as far as it is loaded already."""
        facts = surroundings(["gradio", "pytorch_lightning", "diffusers", "k_diffusion"])
        with IF_THERE:
            facts["device"] = str(self.module("devices").get_optimal_device_name())
        with IF_THERE:
            facts["extensions"] = sorted(
                extension.name for extension in self.module("extensions").extensions if extension.enabled
            )
        return facts


def absolute(path: Path) -> Path:
    """Return `path` from the root; links stay as they are."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - see above


def error_text(record: Any) -> "str | None":
    """Return what an error of the host says, without the places in its code."""
    found = record.get("exception") if isinstance(record, dict) else None
    return str(found)[:2000] if found else None
