"""What `connect` gives a hook: an id, a secret, and where to hand over. Kept outside the archive."""

import re
import secrets
from pathlib import Path
from typing import Self

import msgspec

from makingof import durable
from makingof.canonical import convert, strict_json
from makingof.errors import MalformedError

PYTHON = "python"  # the tool of the hook that programs share which import makingof

SECRET_BYTES = 32

_ID = re.compile(r"[0-9a-f]{32}")
_SECRET = re.compile(rf"[0-9a-f]{{{2 * SECRET_BYTES}}}")


class Hook(msgspec.Struct, frozen=True):
    """One hook in one installation of a tool."""

    id: str
    secret: str
    tool: str
    folder: str  # of the tool; "" for programs that import makingof
    spool: str
    drain: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    v: int = 1

    @classmethod
    def make(
        cls, tool: str, folder: str, spool: Path, drain: tuple[str, ...], environment: dict[str, str]
    ) -> Self:
        """Draw a new id and secret."""
        return cls(
            id=secrets.token_hex(16),
            secret=secrets.token_hex(SECRET_BYTES),
            tool=tool,
            folder=folder,
            spool=str(spool),
            drain=drain,
            environment=environment,
        )

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a hook's file; anything else is a `MalformedError`."""
        hook = convert(strict_json(data), cls, "hook")
        if hook.v != 1 or not _ID.fullmatch(hook.id) or not _SECRET.fullmatch(hook.secret):
            message = "hook has no version, id or secret of ours"
            raise MalformedError(message)
        return hook

    def to_bytes(self) -> bytes:
        return msgspec.json.format(msgspec.json.encode(self)) + b"\n"


class HookFolder:
    """The hooks of one log, each a file of mode 0600 in the user's state folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def hook_path(self, hook_id: str) -> Path:
        return self.path / f"{hook_id}.json"

    def add(self, hook: Hook) -> Path:
        """Keep `hook`, durably; return its file."""
        durable.make_folders(self.path)
        durable.replace(self.hook_path(hook.id), hook.to_bytes())
        return self.hook_path(hook.id)

    def remove(self, hook: Hook) -> None:
        """Forget a hook: what it hands over from now on is from an unknown one."""
        durable.remove(self.hook_path(hook.id))

    def find(self, hook_id: str) -> Hook | None:
        """Return the hook of this id, or None."""
        if not _ID.fullmatch(hook_id):
            return None
        try:
            return Hook.parse(self.hook_path(hook_id).read_bytes())
        except FileNotFoundError:
            return None

    def all(self) -> list[Hook]:
        """Return every hook connected."""
        if not self.path.is_dir():
            return []
        return [Hook.parse(path.read_bytes()) for path in sorted(self.path.glob("*.json"))]
