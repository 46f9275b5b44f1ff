"""Archive: what the readers of zipped documents (.kra, .ora, .procreate) share.

Members are looked at one by one; a damaged one is noted once and the others are read.
"""

from makingof.containers.source import Source
from makingof.containers.zip import Member, Zip
from makingof.errors import MalformedError
from makingof.metadata.documents.document import Damage, Picture, PictureRole, listed
from makingof.metadata.documents.markup import MAX_XML_BYTES, Node, parse_xml
from makingof.metadata.documents.stored import Member as InZip

MAX_PICTURES = 5_000
_PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")
_MEDIA_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}


class Archive:
    """An open zipped document and the damage seen in it so far."""

    def __init__(self, container: str, source: Source, archive: Zip) -> None:
        self.container = container
        self._source = source
        self._zip = archive
        self._damage = [Damage("zip", text) for text in archive.damage]
        self._offsets: dict[str, int | None] = {}

    def hurt(self, where: str, what: object) -> None:
        """Note that something could not be read."""
        self._damage.append(Damage(where, str(what)))

    def all_damage(self) -> tuple[Damage, ...]:
        """Return everything noted."""
        return listed(self._damage)

    def names(self) -> tuple[str, ...]:
        """Name every member, in directory order."""
        return self._zip.names()

    def find(self, name: str) -> Member | None:
        """Return a member, or None."""
        return self._zip.find(name)

    def unpack(self, name: str, *, limit_bytes: int) -> bytes | None:
        """Unpack a member; a missing or damaged one is noted and None."""
        member = self.find(name)
        if member is None:
            self.hurt(name, "is not in the archive")
            return None
        try:
            return self._zip.read(member, limit_bytes=limit_bytes)
        except MalformedError as err:
            self.hurt(name, err)
            return None

    def xml(self, name: str) -> Node | None:
        """Parse a member; a missing or damaged one is noted and None."""
        data = self.unpack(name, limit_bytes=MAX_XML_BYTES)
        if data is None:
            return None
        try:
            return parse_xml(data)
        except MalformedError as err:
            self.hurt(name, err)
            return None

    def place(self, member: Member, *, start: int = 0, size_bytes: int | None = None) -> InZip:
        """Say where a member lies, or the part of it from `start` on."""
        size = member.size_bytes - start if size_bytes is None else size_bytes
        if member.name not in self._offsets:
            self._offsets[member.name] = self._zip.stored_offset(member)
        offset = self._offsets[member.name]
        return InZip(self.container, member.name, size, start, None if offset is None else offset + start)

    def mark(self, member: Member) -> str:
        """Return the check sum and size the directory gives: two unequal marks are different bytes."""
        return f"crc32:{member.crc32:08x}/{member.size_bytes}"

    def picture(self, name: str, role: PictureRole) -> Picture | None:
        """Point at a member that is a picture, or None where there is none."""
        member = self.find(name)
        if member is None:
            return None
        suffix = name[name.rfind(".") :].lower()
        return Picture(role, self.place(member), _MEDIA_TYPES.get(suffix))

    def pictures(self) -> tuple[str, ...]:
        """Name the members that are pictures by their suffix."""
        return tuple(name for name in self.names() if name.lower().endswith(_PICTURE_SUFFIXES))[:MAX_PICTURES]
