"""Which generator answers at an address, and how each one is followed and asked."""

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from makingof.capture import comfyui, invokeai, invokeai_calls
from makingof.capture.follower import Follower, Listed, Seen
from makingof.capture.invokeai_rows import TOOL as INVOKEAI
from makingof.capture.local_http import LocalHost
from makingof.errors import SourceError
from makingof.texts import Message, say


@dataclass(frozen=True, slots=True)
class Generator:
    """One generator that tells what it does to those who ask.

    `ask_version` raises `SourceError` where something else answers.
    """

    tool: str
    ask_version: Callable[[LocalHost], str]
    list_jobs: Callable[[LocalHost], list[Listed]]
    follow: Callable[[LocalHost, Path], Follower]


GENERATORS = (
    Generator(comfyui.TOOL, comfyui.ask_version, comfyui.list_jobs, comfyui.ComfyUIFollower),
    Generator(INVOKEAI, invokeai.ask_version, invokeai.list_jobs, invokeai_calls.follow),
)


def generator_of(tool: str) -> Generator:
    """Return the generator that events call `tool`, one of `GENERATORS`."""
    return next(generator for generator in GENERATORS if generator.tool == tool)


def find_generator(host: LocalHost) -> Generator:
    """Return the generator that answers.

    Raises:
        SourceError: nothing answers there, or nothing that could be followed.
    """
    refused: SourceError | None = None
    for generator in GENERATORS:
        try:
            generator.ask_version(host)
        except SourceError as err:
            refused = err
        else:
            return generator
    known = ", ".join(generator.tool for generator in GENERATORS)
    raise SourceError(
        say("recording.no_generator", url=host.url, known=known), hint=say("recording.no_generator_hint")
    ) from refused


@dataclass(slots=True)
class WhoeverAnswers:
    """Follows the generator that answers first at an address: it may be started later than the recorder."""

    host: LocalHost
    root: Path
    _found: Follower | None = None

    def find(self) -> Follower:
        """Return the follower of what answers.

        Raises:
            SourceError: nothing that could be followed answers yet.
        """
        if self._found is None:
            self._found = find_generator(self.host).follow(self.host, self.root)
        return self._found

    @property
    def tool(self) -> str:
        return self.find().tool

    @property
    def remark(self) -> Message | None:
        return None if self._found is None else self._found.remark

    @property
    def is_called(self) -> bool:
        return self._found is not None and self._found.is_called

    def look(self, recorded: AbstractSet[str]) -> Iterator[Seen]:
        return self.find().look(recorded)

    def close(self) -> None:
        if self._found is not None:
            self._found.close()
