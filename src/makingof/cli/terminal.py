"""What every command shares: the reader's language, where the archive lies, how to print."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from makingof.clock import Clock, SystemClock
from makingof.config import environment, find_archive_path, state_path
from makingof.texts import Message, in_language, say


@dataclass(slots=True)
class Terminal:
    """One run of the program: options, environment, clock and output."""

    language: str
    as_json: bool = False
    archive: Path | None = None
    actor: str | None = None
    env: Mapping[str, str] = field(default_factory=environment)
    clock: Clock = field(default_factory=SystemClock)

    @property
    def archive_path(self) -> Path:
        """The archive this run speaks of; it need not exist."""
        return self.archive or find_archive_path(self.env, Path.cwd())

    @property
    def state_path(self) -> Path:
        return state_path(self.env)

    def text(self, message: object) -> str:
        """Return a catalogue message in the reader's language; anything else as it is.

        A file's name need not be valid Unicode; what no terminal takes is escaped.
        """
        return in_language(message, self.language).encode("utf-8", "backslashreplace").decode()

    def say(self, key: str, /, **values: object) -> None:
        """Print one line of the catalogue, unless the output is JSON."""
        if not self.as_json:
            click.echo(self.text(say(key, **values)))

    def line(self, text: object = "") -> None:
        """Print `text`, unless the output is JSON."""
        if not self.as_json:
            click.echo(self.text(text))

    def notice(self, message: object) -> None:
        """Print to standard error, also when the output is JSON."""
        click.echo(self.text(message), err=True)

    def json(self, value: Any) -> None:
        """Print one JSON value on one line, if the output is JSON.

        Text that is not valid Unicode is escaped rather than refused: what a tool
        wrote must stay visible.
        """
        if self.as_json:
            try:
                line = json.dumps(value, ensure_ascii=False)
                line.encode()
            except UnicodeEncodeError:
                line = json.dumps(value, ensure_ascii=True)
            click.echo(line)

    @contextmanager
    def progress(self, message: Message, total: int | None = None) -> Iterator["Progress"]:
        """Show progress on a terminal while the block runs; silent elsewhere."""
        if self.as_json or not sys.stderr.isatty():
            yield Progress(None)
            return
        from rich import progress  # noqa: PLC0415 - imported only when drawing

        columns = (
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.MofNCompleteColumn(),
            progress.TimeRemainingColumn(),
        )
        with progress.Progress(*columns, transient=True) as bar:
            task = bar.add_task(self.text(message), total=total)
            yield Progress(lambda done, of: bar.update(task, completed=done, total=of))


class Progress:
    """Reports how far long work has come."""

    def __init__(self, update: Any | None) -> None:
        self._update = update

    def __call__(self, done: int, total: int | None = None) -> None:
        """Say that `done` of `total` are done."""
        if self._update is not None:
            self._update(done, total)
