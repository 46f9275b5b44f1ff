"""Hooking a generator in and out: what would be written is a value that can be shown before it is done.

A hook is a folder of our own inside the tool. Only files we wrote, unchanged, are ever
taken away again; nothing of the tool's is touched.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path, PurePosixPath

from makingof import durable
from makingof.archive.archive import Archive
from makingof.archive.hooks import add_hook, hook_folder, publish_nonce
from makingof.canonical import strict_json
from makingof.digest import Digest
from makingof.errors import MalformedError, UsageError
from makingof.event import Kind
from makingof.observation import Draft
from makingof.part import Means, PartType, Place, body_of, portable_text
from makingof.recorder.write import Recorded
from makingof.spool.hook import PYTHON, Hook
from makingof.texts import say

CONNECTION = "connection.json"
CARRIED = "handing_over.py"
HOOK_FOLDER = "makingof"
SHARED = "shared"
_CODE_MODE = 0o644


@dataclass(frozen=True, slots=True)
class Layout:
    """Where one tool takes hooks: the folder under its root, and what its root is known by."""

    tool: str
    shim: str
    plugins: str
    signs: tuple[tuple[str, ...], ...]  # one of these groups has to be there, whole
    below: tuple[str, ...]  # folders under the one named that may be the root
    modules: str = ""  # the folder of our folder where the hook's modules lie
    own_sign: str = ""  # what tells it from others of its kind that lie beside it

    def hook_folder(self, root: Path) -> Path:
        """Return our folder inside the tool."""
        return root / self.plugins / HOOK_FOLDER

    def modules_folder(self, root: Path) -> Path:
        """Return where the modules of a hook lie that is connected in `root`."""
        return self.hook_folder(root) / self.modules


def _webui(tool: str, below: str, own_sign: str = "") -> Layout:
    """AUTOMATIC1111 and what came of it take the same extensions."""
    return Layout(
        tool=tool,
        shim="a1111",
        plugins="extensions",
        # the program, or a data folder of its own (`--data-dir`)
        signs=(("webui.py", "modules/script_callbacks.py"), ("extensions", "ui-config.json")),
        below=("", "webui", below, "Packages/*", "Data/Packages/*"),
        modules="makingof_in_webui",
        own_sign=own_sign,
    )


LAYOUTS: Mapping[str, Layout] = {
    "comfyui": Layout(
        tool="comfyui",
        shim="comfyui",
        plugins="custom_nodes",
        # git and portable have the program; the desktop's base folder has its data only
        signs=(("custom_nodes", "main.py"), ("custom_nodes", "models"), ("custom_nodes", "user")),
        below=("", "ComfyUI", "ComfyUI_windows_portable/ComfyUI", "comfyui"),
    ),
    "a1111": _webui("a1111", "stable-diffusion-webui"),
    "forge": _webui("forge", "stable-diffusion-webui-forge", "modules_forge"),
    "reforge": _webui("reforge", "stable-diffusion-webui-reForge", "ldm_patched"),
}


@dataclass(frozen=True, slots=True)
class Connection:
    """What connecting would write, and where."""

    layout: Layout
    root: Path
    files: Mapping[str, bytes]

    @property
    def folder(self) -> Path:
        return self.layout.hook_folder(self.root)


def layout_of(tool: str) -> Layout:
    """Return where the hook of `tool` goes; a `UsageError` where there is none for it."""
    layout = LAYOUTS.get(tool)
    if layout is None:
        known = ", ".join(LAYOUTS)
        key = "recording.no_hook_followed" if tool == "invokeai" else "recording.no_hook_hint"
        raise UsageError(say("recording.no_hook", tool=tool), hint=say(key, known=known))
    return layout


def plan_connection(tool: str, folder: Path) -> Connection:
    """Find `tool` in `folder` and say what its hook consists of; nothing is written.

    Raises:
        UsageError: there is no hook for the tool, it is not there, or a folder of
            another origin stands where ours would.
    """
    layout = layout_of(tool)
    root = _find_root(layout, folder)
    plan = Connection(layout, root, dict(_files_of(layout)))
    if plan.folder.exists() and _read_connection(plan.folder) is None:
        raise UsageError(
            say("recording.not_ours", path=plan.folder), hint=say("recording.not_ours_hint", path=plan.folder)
        )
    return plan


def connect(archive: Archive, plan: Connection) -> Recorded:
    """Write the hook with a secret of its own, and record it as `configured`.

    A hook that was there is replaced, its secret too.
    """
    archive.require_writable()
    remove_hook(archive, plan.folder)
    hook, kept = add_hook(archive, plan.layout.tool, str(plan.root))
    for name, data in plan.files.items():
        durable.make_folders((plan.folder / name).parent, mode=0o755)
        durable.replace(plan.folder / name, data, mode=_CODE_MODE)
    digests = {name: str(Digest.of(data)) for name, data in plan.files.items()}
    told = {"v": 1, "id": hook.id, "hook_file": str(kept.absolute()), "files": digests}
    durable.replace(plan.folder / CONNECTION, json.dumps(told, indent=1).encode() + b"\n", mode=_CODE_MODE)
    facts: dict[str, object] = {"what": "connected", "tool": hook.tool, "hook": hook.id, "files": digests}
    return archive.record_own(Kind.CONFIGURED, facts, [_place(plan.root)])


@dataclass(frozen=True, slots=True)
class Disconnected:
    """What was taken away, and what was left because somebody changed it."""

    recorded: Recorded
    left: tuple[Path, ...]


def disconnect(archive: Archive, tool: str, folder: Path) -> Disconnected:
    """Take the hook out again and forget its secret."""
    archive.require_writable()
    plan = plan_connection(tool, folder)
    told = _read_connection(plan.folder)
    if told is None:
        raise UsageError(say("recording.not_connected", tool=tool, path=plan.root))
    left = remove_hook(archive, plan.folder)
    facts: dict[str, object] = {"what": "disconnected", "tool": tool, "hook": str(told.get("id"))}
    return Disconnected(archive.record_own(Kind.CONFIGURED, facts, [_place(plan.root)]), tuple(left))


def remove_hook(archive: Archive, folder: Path) -> list[Path]:
    """Remove what we wrote in `folder`, as far as it is unchanged; return what stays."""
    told = _read_connection(folder)
    if told is None:
        return []
    hooks = hook_folder(archive)
    if (hook := hooks.find(str(told.get("id")))) is not None:
        hooks.remove(hook)
    ours = list(_files_named(told))
    for name, digest in ours:
        if _digest(folder / name) == digest:
            durable.remove(folder / name)
    durable.remove(folder / CONNECTION)
    durable.remove(folder / "digests.json")
    # Bytecode was written by the host's Python, from our modules.
    folders = {(folder / name).parent for name, _ in ours} | {folder}
    for inside in sorted(folders, reverse=True):
        for compiled in (inside / "__pycache__").glob("*.pyc"):
            durable.remove(compiled)
        for empty in (inside / "__pycache__", inside):
            if empty.is_dir() and not any(empty.iterdir()):
                empty.rmdir()
    return sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []


def _files_named(told: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """The files a connection lists. Others can write the list: nothing outside its folder counts."""
    files = told.get("files")
    for name, digest in (files if isinstance(files, dict) else {}).items():
        path = PurePosixPath(name)
        if not path.is_absolute() and ".." not in path.parts and "\\" not in name and ":" not in name:
            yield name, str(digest)


def connect_python(archive: Archive) -> Recorded:
    """Give programs that import makingof a hook; it lies in the state folder and nowhere else.

    One that was there goes on: programs may be running with it.
    """
    archive.require_writable()
    known = [hook for hook in hook_folder(archive).all() if hook.tool == PYTHON]
    hook = known[0] if known else add_hook(archive, PYTHON, "")[0]
    publish_nonce(archive)
    return archive.record_own(Kind.CONFIGURED, {"what": "connected", "tool": PYTHON, "hook": hook.id})


def disconnect_python(archive: Archive) -> Recorded:
    """Forget the hook of Python programs: what they hand over from now on is from an unknown one."""
    archive.require_writable()
    known = [hook for hook in hook_folder(archive).all() if hook.tool == PYTHON]
    if not known:
        path = archive.home.path
        raise UsageError(say("recording.not_connected", tool=PYTHON, path=path))
    for hook in known:
        hook_folder(archive).remove(hook)
    told = [hook.id for hook in known]
    return archive.record_own(Kind.CONFIGURED, {"what": "disconnected", "tool": PYTHON, "hook": told[0]})


def find_changed(hook: Hook) -> list[str] | None:
    """Name the hook's files that are not as written; None where the hook is not in its tool any more.

    The hook of Python programs has none: its code is the installed makingof.
    """
    if hook.tool == PYTHON:
        return []
    layout = LAYOUTS.get(hook.tool)
    if layout is None:
        return None
    folder = layout.hook_folder(Path(hook.folder))
    told = _read_connection(folder)
    if told is None or told.get("id") != hook.id:
        return None
    return [name for name, digest in _files_named(told) if _digest(folder / name) != digest]


def _digest(path: Path) -> str | None:
    try:
        return str(Digest.of(path.read_bytes()))
    except OSError:
        return None


def _find_root(layout: Layout, folder: Path) -> Path:
    """Find where the tool is: the folder itself, or the one below it that can be meant.

    Several of a kind that lie side by side are told apart by what only this one has.
    """
    given = folder.parent if folder.name == layout.plugins else folder
    for below in layout.below:
        roots = [root for root in sorted(given.glob(below) if below else [given]) if _is_root(layout, root)]
        own = [root for root in roots if layout.own_sign and (root / layout.own_sign).exists()]
        found = own or roots
        if len(found) > 1:
            names = ", ".join(str(root) for root in found)
            raise UsageError(
                say("recording.several", tool=layout.tool, path=folder),
                hint=say("recording.several_hint", names=names),
            )
        if found:
            return found[0].absolute()
    raise UsageError(
        say("recording.no_tool", tool=layout.tool, path=folder),
        hint=say("recording.no_tool_hint", plugins=layout.plugins),
    )


def _is_root(layout: Layout, root: Path) -> bool:
    return any(all((root / sign).exists() for sign in group) for group in layout.signs)


def _files_of(layout: Layout) -> Iterator[tuple[str, bytes]]:
    """The shim's own files, and beside its modules what every hook carries along."""
    folder, modules = _shims() / layout.shim, PurePosixPath(layout.modules)
    for path in sorted(folder.rglob("*.py")):
        yield path.relative_to(folder).as_posix(), path.read_bytes()
    for path in sorted((_shims() / SHARED).glob("*.py")):
        yield str(modules / path.name), path.read_bytes()
    carried = resources.files("makingof") / "spool" / "carried.py"
    yield str(modules / CARRIED), carried.read_bytes()


def _shims() -> Path:
    """Return the shims as installed; in a checkout they lie beside `src`."""
    package = Path(str(resources.files("makingof")))
    installed = package / "shims"
    return installed if installed.is_dir() else package.parents[1] / "shims"


def _read_connection(folder: Path) -> dict[str, object] | None:
    """Return what we wrote beside a hook, or None where this is no hook of ours."""
    try:
        told = strict_json((folder / CONNECTION).read_bytes())
    except (OSError, MalformedError):
        return None
    return told if isinstance(told, dict) and "hook_file" in told else None


def _place(path: Path) -> Draft:
    text, unreadable = portable_text(str(path))
    return Draft(PartType.PLACE, body_of(Place(path=text, base64=unreadable)), "person", Means.OWN)
