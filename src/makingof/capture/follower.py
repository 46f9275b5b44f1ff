"""What following a generator from outside has in common, whichever generator it is."""

import base64
import json
import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from makingof.capture.local_http import LocalHost
from makingof.digest import Digest
from makingof.observation import Attached, Attachment, Draft, Observation
from makingof.part import Means, PartType, Place, Raw, Role, body_of, portable_text
from makingof.texts import Message

_MAX_RAW_BYTES = 512 * 1024

# Named fields only: a prompt that looks like a key stays, removing it would destroy what is to be shown.
_SECRET = re.compile(
    r"(?i)(^|[_\-.])(api[_\-]?key|auth[_\-]?token|access[_\-]?token|bearer|secret|password|passwd|authorization)($|[_\-.])"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing a look showed: of which job, and by which means we learned of it.

    `about` are pictures of earlier events, by where they lie. In the drafts they are numbered
    on from the attachments: with two of these, `Attached(2)` stands for `about[0]`. What
    recorded them is cited. `key` names what is told once; `undoes` is the key of what
    this takes back.
    """

    job: str
    observation: Observation
    means: Means
    about: tuple[Path, ...] = ()
    key: str | None = None
    undoes: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A job that is over, as the generator's own queue or history lists it."""

    id: str
    started_ms: int | None  # by the generator's clock
    ended_ms: int | None = None


class Follower(Protocol):
    """Looks again and again at one generator that runs."""

    @property
    def tool(self) -> str:
        """Name the generator as events name it; a `SourceError` where none has answered yet."""

    @property
    def host(self) -> LocalHost:
        """Say where it listens."""

    @property
    def remark(self) -> Message | None:
        """Say what is not seen this way and could be."""

    @property
    def is_called(self) -> bool:
        """Tell whether the generator itself has said that there is something to look at."""

    def look(self, recorded: AbstractSet[str]) -> Iterator[Seen]:
        """Yield what is new since the last look; jobs in `recorded` were recorded by others.

        Raises:
            SourceError: the generator does not answer, or not in a shape we know.
        """

    def close(self) -> None:
        """Let go of what is open."""


def raw_drafts(value: Any, locator: str, tool: str, number: int) -> tuple[list[Draft], list[Attachment]]:
    """Keep a tool's JSON as bytes: what a host remembers is read from it afterwards, so it is `recovered`.

    What is too long for a part becomes attachment `number`. Credentials in fields named
    like one are taken out first.
    """
    # Python's own spelling is that of hosts written in Python: their files hold the same bytes.
    data = json.dumps(without_secrets(value)).encode("utf-8", "surrogatepass")
    body = Raw(locator=locator, digest=Digest.of(data), size=len(data), tool=tool)
    if len(data) <= _MAX_RAW_BYTES:
        kept = body_of(body) | {"base64": base64.b64encode(data).decode("ascii")}
        return [Draft(PartType.RAW, kept, locator, Means.RECOVERED)], []
    attached = body_of(body) | {"file": Attached(number), "offset": 0}
    file = Attachment(data, Role.REFERENCE, name="graph.json")
    return [Draft(PartType.RAW, attached, locator, Means.RECOVERED)], [file]


def without_secrets(value: Any) -> Any:
    """Return JSON without the credentials that stand in fields named like one."""
    if isinstance(value, dict):
        return {
            name: "(removed by makingof: a credential)"
            if isinstance(item, str) and item and _SECRET.search(str(name))
            else without_secrets(item)
            for name, item in value.items()
        }
    return [without_secrets(item) for item in value] if isinstance(value, list) else value


def place_of(path: Path, where: str, number: int | None) -> Draft:
    """Say where attachment `number` lay, or a file that is none."""
    text, unreadable = portable_text(str(path))
    place = Place(path=text, name=portable_text(path.name)[0], base64=unreadable)
    file = {} if number is None else {"file": Attached(number)}
    return Draft(PartType.PLACE, body_of(place) | file, where)


def path_inside(top: Path, *names: str) -> Path | None:
    """Return where a file that a host names lies, or None where the name leads out of the host's folder.

    `..` is resolved by name alone; links stay as they are.
    """
    top = top.absolute()
    kept: list[str] = []
    for part in top.joinpath(*names).parts:
        if part == ".." and len(kept) > 1:
            kept.pop()
        elif part != "..":
            kept.append(part)
    path = Path(*kept)
    return path if path != top and path.is_relative_to(top) else None
