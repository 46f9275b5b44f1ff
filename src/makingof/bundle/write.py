"""Writes a package. Everything in it follows from the `PackageInput` and from this installation.

(1) The small files of the payload are made in memory; larger ones are opened
when their turn comes. (2) The manifest of the payload is signed with the log's
key; its SHA-256 is the payload's name. (3) What only shows the payload, the
front page and the verifiers, goes beside it under a second manifest. (4) All
of it becomes one stored zip in the order of names.
"""

from collections.abc import Callable, Mapping
from typing import BinaryIO

from makingof.bundle import layout
from makingof.bundle.crate import make_crate
from makingof.bundle.front import make_front_page
from makingof.bundle.manifest import DECLARATION, format_bag_info, format_manifest
from makingof.bundle.package_input import PackageInput
from makingof.bundle.payload import Installation, make_payload, small_file, this_installation
from makingof.bundle.zip_writer import Member, write_zip
from makingof.digest import Digest
from makingof.errors import IntegrityError
from makingof.texts import say

Signer = Callable[[bytes], bytes]
_OURS = frozenset({layout.CARRIED_SCRIPT, layout.CARRIED_PAGE})  # the same in every package
MakeViews = Callable[[Digest], Mapping[str, bytes]]


def write_package(
    out: BinaryIO,
    package: PackageInput,
    *,
    sign: Signer,
    make_views: MakeViews | None = None,
    installation: Installation | None = None,
) -> Digest:
    """Write `package` to `out`, which must be empty and seekable; return the payload's digest.

    `sign` returns the armoured SSHSIG of the manifest under the namespace
    `makingof-package`. `make_views` is given the payload's digest and returns
    dossier and pages by name, to lie under `views/`.

    Raises:
        IntegrityError: something withheld is in a file; nothing was written.
        CorruptBlobError: a file is not what the record says; `out` then holds
            half a package, which the caller removes.
    """
    installation = installation or this_installation()
    payload = make_payload(package, installation)
    files = dict(payload.files)
    files[layout.CRATE] = small_file(layout.CRATE, make_crate(payload.record))
    manifest = format_manifest({file: member.digest.hex for file, member in files.items()})
    name = Digest.of(manifest)
    folder = layout.folder_name(name.hex)
    tags = {
        layout.BAG_DECLARATION: DECLARATION,
        layout.BAG_INFO: format_bag_info(payload.record, [file.size for file in files.values()]),
        layout.MANIFEST: manifest,
        layout.SIGNATURE: sign(manifest),
        layout.FRONT_PAGE: make_front_page(payload.record, manifest, folder),
        **installation.carried,
        **{layout.VIEWS + view: data for view, data in (make_views(name) if make_views else {}).items()},
    }
    tags[layout.TAG_MANIFEST] = format_manifest({tag: Digest.of(data).hex for tag, data in tags.items()})
    files |= {tag: small_file(tag, data) for tag, data in tags.items()}
    _require_silent(package, files)
    write_zip(out, [_in_folder(folder, files[file]) for file in sorted(files)])
    return name


def _in_folder(folder: str, member: Member) -> Member:
    return Member(f"{folder}/{member.name}", member.size, member.digest, member.open)


def _require_silent(package: PackageInput, files: Mapping[str, Member]) -> None:
    """Search all but the pictures once more for what is withheld: what has left cannot be called back."""
    for name, member in files.items():
        if package.withheld and name not in _OURS and not name.startswith(layout.FILES):
            with member.open() as stream:
                if package.withheld.whole_is_in(stream.read()):
                    raise IntegrityError(say("package.withheld_in_extra", name=name))
