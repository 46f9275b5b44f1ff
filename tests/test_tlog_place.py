from pathlib import Path

import pytest

from makingof.tlog.place import find_type_in_mount_list, find_type_in_mountinfo, find_unsafe_place

MOUNTINFO = r"""
22 27 0:21 / /proc rw,nosuid shared:14 - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 27 0:40 / /mnt/team rw,relatime shared:2 - nfs4 server:/team rw,vers=4.2
41 27 0:41 / /mnt/a\040b rw - fuse.sshfs me@host:/ rw
42 27 0:42 / /mnt/c rw - 9p drvfs rw
43 27 8:1 / /mnt/usb rw - fuseblk /dev/sdb1 rw
44 40 254:1 / /mnt/team/local rw - xfs /dev/vdb rw
45 27 0:45 / /over rw - nfs server:/x rw
46 27 254:1 / /over rw - ext4 /dev/vdb rw
bad line
"""

MOUNTS = """\
/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)
/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled, nobrowse)
//me@server/team on /Volumes/Team (1) (smbfs, nodev, nosuid, mounted by me)
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/me/.makingof", "ext4"),
        ("/mnt/team/archive", "nfs4"),
        ("/mnt/teamwork", "ext4"),
        ("/mnt/team/local/archive", "xfs"),
        ("/mnt/a b/archive", "fuse.sshfs"),
        ("/mnt/c/Users", "9p"),
        ("/over/archive", "ext4"),
    ],
)
def test_the_deepest_and_last_mount_tells_the_type(path, kind):
    assert find_type_in_mountinfo(Path(path), MOUNTINFO) == kind


def test_the_mount_list_of_macos_is_read():
    assert find_type_in_mount_list(Path("/Users/me"), MOUNTS) == "apfs"
    assert find_type_in_mount_list(Path("/Volumes/Team (1)/x"), MOUNTS) == "smbfs"
    assert find_type_in_mount_list(Path("/x"), "nonsense") is None


def test_a_plain_folder_is_safe(tmp_path):
    assert find_unsafe_place(tmp_path) is None
    assert find_unsafe_place(tmp_path / "not" / "yet" / "there") is None


@pytest.mark.parametrize(
    "folder",
    [
        "OneDrive",
        "OneDrive - Example Ltd",
        "Dropbox (Personal)",
        "Library/Mobile Documents/com~apple~CloudDocs",
        "Library/CloudStorage/GoogleDrive-me@example.com",
        "我的坚果云",
        "BaiduSyncdisk",
        "Nextcloud",
    ],
)
def test_folders_of_sync_programs_are_found_by_name_in_both_languages(tmp_path, folder):
    found = find_unsafe_place(tmp_path / folder / "art" / ".makingof")
    assert found is not None
    assert found.in_language("zh") != found.in_language("en")


@pytest.mark.parametrize("folder", ["Dropboxes", "my onedrive notes", "Drive", "box", "cloud"])
def test_other_names_are_left_alone(tmp_path, folder):
    assert find_unsafe_place(tmp_path / folder) is None


@pytest.mark.parametrize("marker", [".stfolder", ".dropbox.cache", ".sync/ID"])
def test_folders_of_sync_programs_are_found_by_what_they_leave(tmp_path, marker):
    (tmp_path / marker).mkdir(parents=True)
    assert find_unsafe_place(tmp_path / "art" / ".makingof") is not None


def test_a_link_into_a_synced_folder_is_followed(tmp_path):
    (tmp_path / "Dropbox").mkdir()
    (tmp_path / "art").symlink_to(tmp_path / "Dropbox")
    assert find_unsafe_place(tmp_path / "art" / ".makingof") is not None


def test_the_configuration_of_a_sync_program_at_home_is_no_sign(tmp_path):
    (tmp_path / ".dropbox").mkdir()
    assert find_unsafe_place(tmp_path / "art") is None


@pytest.mark.parametrize(
    ("kind", "safe"),
    [
        ("ext4", True),
        ("apfs", True),
        ("fuseblk", True),
        ("fuse.fuse-overlayfs", True),
        (None, True),
        ("nfs4", False),
        ("CIFS", False),
        ("fuse.sshfs", False),
        ("fuse.rclone", False),
        ("9p", False),
    ],
)
def test_only_local_file_systems_are_safe(tmp_path, kind, safe):
    found = find_unsafe_place(tmp_path, find_type=lambda _: kind)
    assert (found is None) is safe
    assert safe or kind in found.in_language("zh")
