"""What we ask of the host: its queue, its history, its folders. Everything is looked for, nothing assumed."""

import contextlib
import os
import sys
from pathlib import Path
from typing import Any

from .surroundings import IF_THERE, surroundings
from .telling import WEIGHTS


class Host:
    """A running ComfyUI."""

    def __init__(self, server: Any, folders: Any) -> None:
        self.server = server
        self.queue = server.prompt_queue
        self.folders = folders

    def version(self) -> str:
        """Return the host's version, or "" where it does not say."""
        return str(getattr(sys.modules.get("comfyui_version"), "__version__", ""))

    def url(self) -> "str | None":
        """Return where the host answers on this machine by its own command line, or None."""
        port = getattr(getattr(sys.modules.get("comfy.cli_args"), "args", None), "port", None)
        return f"http://127.0.0.1:{port}" if type(port) is int else None

    def running_id(self, item_id: Any) -> Any:
        """Return the id of the job that runs under the queue's own number."""
        return self.queue.currently_running[item_id][1]

    def waiting(self) -> dict[str, Any]:
        """Return the queue's items, waiting and running, by id; the items are the queue's own."""
        with getattr(self.queue, "mutex", contextlib.nullcontext()):
            items = [*self.queue.queue, *self.queue.currently_running.values()]
        return {item[1]: item for item in items}

    def find_history(self, prompt_id: str) -> Any:
        """Return what the history says of a job, or None."""
        return self.queue.get_history(prompt_id=prompt_id).get(prompt_id)

    def file_path(self, named: dict[str, Any]) -> "Path | None":
        """Return where a file lies that a node named, if it lies in the host's own folders."""
        kind, name = named.get("type", "output"), named.get("filename")
        top = self._folder(kind)
        if top is None or not isinstance(name, str):
            return None
        path = Path(os.path.abspath(Path(top) / str(named.get("subfolder") or "") / name))  # noqa: PTH100 - links stay as they are
        return path if path.is_relative_to(Path(os.path.abspath(top))) else None  # noqa: PTH100

    def input_path(self, name: str) -> "Path | None":
        """Return where an input picture lies: `a.png`, `clipspace/a.png [input]`."""
        with IF_THERE:
            return Path(self.folders.get_annotated_filepath(name))
        return None

    def weights_path(self, name: Any) -> "Path | None":
        """Return where the weights a node names lie, in whichever of the host's folders."""
        if not isinstance(name, str) or not name.lower().endswith(WEIGHTS) or self.folders is None:
            return None
        for category in list(getattr(self.folders, "folder_names_and_paths", {})):
            with IF_THERE:
                if found := self.folders.get_full_path(category, name):
                    return Path(found)
        return None

    def environment(self) -> dict[str, Any]:
        """Return what the run depends on, as far as it is loaded already; nothing is imported for it."""
        facts = surroundings(["comfyui_frontend_package"])
        with IF_THERE:
            management = sys.modules["comfy.model_management"]
            facts["device"] = str(management.get_torch_device_name(management.get_torch_device()))
        with IF_THERE:
            facts["custom_nodes"] = sorted(sys.modules["nodes"].LOADED_MODULE_DIRS)
        return facts

    def _folder(self, kind: Any) -> "str | None":
        with IF_THERE:
            return str(self.folders.get_directory_by_type(kind))
        with IF_THERE:
            return str(getattr(self.folders, f"get_{kind}_directory")())
        return None
