"""Whether a log is safe where it is: not on another computer's disk, and not in a folder that is synced.

SQLite's locks and the shared memory of its write-ahead log do not cross a
network, and a sync program copies a file in mid-write and puts older ones
back: both end in lost entries or in two histories under one key.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from makingof.texts import Message, say

_NETWORK_TYPES = frozenset({
    "nfs", "nfs3", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afpfs", "webdav", "davfs", "davfs2",
    "ftp", "sshfs", "afs", "ncpfs", "ceph", "glusterfs", "lustre", "beegfs", "gpfs", "orangefs", "ocfs2",
    "gfs2", "coda", "9p", "drvfs", "vboxsf", "vmhgfs", "prl_fs", "fuse", "macfuse", "osxfuse",
})  # fmt: skip
_LOCAL_FUSE = frozenset({"fuse.fuse-overlayfs"})  # the root of containers; fuseblk is a local disk too

FindType = Callable[[Path], str | None]

# Folder names as the programs make them; lower case, whole or followed by a space, hyphen or bracket
# ("OneDrive - Company", "Dropbox (Personal)").
_SYNC_FOLDERS = {
    "onedrive": "OneDrive",
    "dropbox": "Dropbox",
    "google drive": "Google Drive",
    "googledrive": "Google Drive",
    "my drive": "Google Drive",
    "icloud drive": "iCloud",
    "iclouddrive": "iCloud",
    "com~apple~clouddocs": "iCloud",
    "mobile documents": "iCloud",
    "cloudstorage": "macOS CloudStorage",
    "nextcloud": "Nextcloud",
    "owncloud": "ownCloud",
    "resilio sync": "Resilio Sync",
    "box sync": "Box",
    "pcloud drive": "pCloud",
    "pclouddrive": "pCloud",
    "megasync": "MEGA",
    "yandex.disk": "Yandex.Disk",
    "seafile": "Seafile",
    "nutstore": "坚果云",
    "nutstore files": "坚果云",
    "我的坚果云": "坚果云",
    "坚果云": "坚果云",
    "baidusyncdisk": "百度网盘",
    "百度网盘同步空间": "百度网盘",
    "baidunetdiskworkspace": "百度网盘",
    "weiyun": "微云",
    "微云同步助手": "微云",
    "wps云盘": "WPS 云盘",
    "wpsdrive": "WPS 云盘",
    "阿里云盘": "阿里云盘",
}
# Files that sync programs leave in the folders they watch.
_SYNC_MARKERS = {
    ".dropbox.cache": "Dropbox",  # not .dropbox: that one lies in every home with the client
    ".stfolder": "Syncthing",
    ".sync/ID": "Resilio Sync",
    ".nextcloudsync.log": "Nextcloud",
    ".owncloudsync.log": "ownCloud",
    ".tmp.drivedownload": "Google Drive",
    ".seafile-data": "Seafile",
}
_DRIVE_REMOTE = 4  # GetDriveTypeW
_MOUNT_SECONDS = 5


def find_unsafe_place(path: Path, *, find_type: FindType | None = None) -> Message | None:
    """Return why an archive must not lie at `path`, which need not exist yet, or None.

    Names and mounts are looked at, nothing is written. A sync program that
    gives no sign of itself is not found. `find_type` asks the system for the
    type of the file system at a path; tests answer in its place.
    """
    path = Path(os.path.abspath(path)).resolve()  # noqa: PTH100 - also where nothing exists yet
    if name := _find_sync_program(path):
        return say("tlog.synced_folder", path=path, program=name)
    kind = (find_type or _find_type)(path)
    if kind is not None and _is_network(kind):
        return say("tlog.network_folder", path=path, kind=kind)
    return None


def find_type_in_mountinfo(path: Path, mountinfo: str) -> str | None:
    """Return the type of the file system that holds `path`, from the text of `/proc/self/mountinfo`."""
    mounts = []
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) > 4 and after:  # noqa: PLR2004 - proc(5): the fifth field is the mount point
            mounts.append((_unescape(fields[4]), after.split(" ")[0]))
    return _type_of_deepest(path, mounts)


def find_type_in_mount_list(path: Path, listing: str) -> str | None:
    """Return the type of the file system that holds `path`, from what `mount` prints on macOS."""
    found = re.findall(r"^.*? on (/.*) \(([^,)]+)", listing, re.MULTILINE)
    return _type_of_deepest(path, found)


def _find_sync_program(path: Path) -> str | None:
    for folder in (path, *path.parents):
        whole = folder.name.lower()
        first = re.split(r" [-(（]", whole)[0]
        if name := _SYNC_FOLDERS.get(whole) or _SYNC_FOLDERS.get(first):
            return name
        for marker, name in _SYNC_MARKERS.items():
            if (folder / marker).exists():
                return name
    return None


def _find_type(path: Path) -> str | None:
    if sys.platform == "win32":
        return _find_drive_type(path)
    try:
        if sys.platform == "darwin":
            listing = subprocess.run(
                ["/sbin/mount"], capture_output=True, text=True, timeout=_MOUNT_SECONDS, check=True
            ).stdout
            return find_type_in_mount_list(path, listing)
        return find_type_in_mountinfo(path, Path("/proc/self/mountinfo").read_text(errors="surrogateescape"))
    except (OSError, subprocess.SubprocessError):
        return None  # the system does not say; SQLite still refuses where it cannot lock


def _find_drive_type(path: Path) -> str | None:
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 - only there

        root = path.drive + "\\"
        if root.startswith("\\\\") or ctypes.windll.kernel32.GetDriveTypeW(root) == _DRIVE_REMOTE:
            return "smb"
    return None


def _is_network(kind: str) -> bool:
    return kind.lower() in _NETWORK_TYPES or (kind.startswith("fuse.") and kind not in _LOCAL_FUSE)


def _type_of_deepest(path: Path, mounts: Iterable[tuple[str, str]]) -> str | None:
    """Of several mounts over one folder the last one counts."""
    holding = [(Path(point), kind) for point, kind in mounts if path.is_relative_to(point)]
    return max(reversed(holding), key=lambda mount: len(mount[0].parts))[1] if holding else None


def _unescape(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
