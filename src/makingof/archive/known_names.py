"""What a person means by a name: a path, a prefix of a digest, `e41`, `last`.

A path names the bytes in it now; a vanished one names the last bytes seen there, because
ComfyUI reuses `ComfyUI_00001_.png` and people clean up.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from makingof.archive.picture import Picture
from makingof.archive.reader import ArchiveReader
from makingof.capture.folder import list_files
from makingof.digest import Digest
from makingof.errors import SourceError, UsageError
from makingof.texts import say

_POSITION = re.compile(r"e(0|[1-9][0-9]{0,15})")
_PREFIX = re.compile(r"(?:sha256:)?([0-9a-f]{4,64})")


class KnownNamer:
    """Finds what names stand for in what is recorded; what is not is refused."""

    def __init__(self, archive: ArchiveReader) -> None:
        self._archive = archive

    def pictures(self, names: Sequence[str]) -> list[Picture]:
        """Return the pictures `names` stand for, folders as all files in them; each one once."""
        missing = [path for path in self._files(names) if not self._archive.index.files_of(_digest_of(path))]
        if missing:
            self._take_in(missing)
        found = [picture for name in names for picture in self._named(name)]
        return list({picture.blob: picture for picture in found}.values())

    def picture(self, name: str) -> Picture:
        """Return the one picture `name` stands for."""
        found = self.pictures([name])
        if len(found) != 1:
            raise UsageError(say("names.not_one", name=name, count=len(found)))
        return found[0]

    def event(self, name: str) -> Digest:
        """Return the event `name` stands for: `e41`, `last`, or a prefix of its name."""
        if name == "last":
            return self._last_act()
        if found := _POSITION.fullmatch(name):
            position = int(found[1])
        else:
            return self._event_by_prefix(name)
        if not 0 <= position < self._archive.log.size():
            raise UsageError(say("names.no_event", name=name), hint=say("names.no_event_hint"))
        return Digest.from_raw(self._archive.log.leaf(position))

    def _last_act(self) -> Digest:
        found = self._archive.index.last_act()
        if found is None:
            raise UsageError(say("names.no_event", name="last"), hint=say("names.no_event_hint"))
        return found

    def _event_by_prefix(self, name: str) -> Digest:
        prefix = _PREFIX.fullmatch(name)
        leaves = self._archive.log.find_leaves(prefix[1], 2) if prefix else []
        if len(leaves) != 1:
            key = "names.ambiguous" if leaves else "names.no_event"
            raise UsageError(say(key, name=name), hint=say(f"{key}_hint"))
        return Digest.from_raw(leaves[0])

    def _take_in(self, missing: Sequence[Path]) -> None:
        """Meet files nobody recorded: to look at them is refused."""
        path = missing[0]
        if erased := self._erased_at(path):
            raise UsageError(say("names.erased_there", name=path, event=erased))
        raise UsageError(say("names.not_recorded", name=path), hint=say("names.not_recorded_hint"))

    def _erased_at(self, path: Path) -> str | None:
        position = self._archive.index.erased_at(str(path.absolute()))
        return None if position is None else f"e{position}"

    def _files(self, names: Sequence[str]) -> list[Path]:
        listing = list_files([path for path in map(Path, names) if path.exists()])
        if listing.failed:
            raise listing.failed[0][1]
        return listing.files

    def _named(self, name: str) -> list[Picture]:
        path = Path(name)
        if path.exists():
            return [self._by_digest(_digest_of(file), file.name) for file in self._files([name])]
        if name == "last" or _POSITION.fullmatch(name):
            return self._by_event(name)
        if prefix := _PREFIX.fullmatch(name):
            blobs = self._archive.index.find_blobs(prefix[1], limit=2)
            if len(blobs) == 1:
                return [self._by_digest(blobs[0], None)]
            if len(blobs) > 1:
                raise UsageError(say("names.ambiguous", name=name), hint=say("names.ambiguous_hint"))
        if seen := self._archive.index.last_seen(str(path.absolute())):
            return [self._by_digest(seen, path.name)]
        if erased := self._erased_at(path):
            raise UsageError(say("names.erased", name=name, event=erased))
        raise UsageError(say("names.no_picture", name=name), hint=say("names.no_picture_hint"))

    def _by_event(self, name: str) -> list[Picture]:
        """Return the outputs of one event; `last` is the newest event that has any."""
        event = self._archive.index.last_output_event() if name == "last" else self.event(name)
        files = self._archive.index.outputs_of(event) if event else []
        if not files:
            raise self._without_pictures(name, event)
        return [Picture.of(file) for file in files]

    def _without_pictures(self, name: str, event: Digest | None) -> UsageError:
        """Say that an event gives no picture, or which one erased what it gave."""
        position = None if event is None else self._archive.index.position_of(event)
        erased = None if position is None else self._archive.index.erased_from(position)
        if erased is not None:
            return UsageError(say("names.erased", name=name, event=f"e{erased}"))
        return UsageError(say("names.no_picture", name=name), hint=say("names.no_picture_hint"))

    def _by_digest(self, blob: Digest, name: str | None) -> Picture:
        files = self._archive.index.files_of(blob)
        if not files:
            raise UsageError(say("names.no_picture", name=name or blob), hint=say("names.no_picture_hint"))
        return Picture.of(files[0], name)


def _digest_of(path: Path) -> Digest:
    try:
        with path.open("rb") as stream:
            return Digest.of_stream(stream)[0]
    except OSError as err:
        raise SourceError(
            say("storage.source_unreadable", path=path, reason=err.strerror or str(err))
        ) from err
