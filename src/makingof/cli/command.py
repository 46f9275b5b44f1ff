"""Commands whose help is in the reader's language and whose shared options stand anywhere."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from makingof.cli.terminal import Terminal
from makingof.texts import in_language, say

_F = TypeVar("_F", bound=Callable[..., Any])


class TextOption(click.Option):
    """An option whose `help` is a catalogue key."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        record = super().get_help_record(ctx)
        if record is None or not self.help or "." not in self.help:
            return record
        names, text = record
        extra = text[len(self.help) :]
        return names, _translated(ctx, self.help) + extra


class Translated(click.Command):
    """A command whose help page has its headings in the reader's language."""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        prefix = _translated(ctx, "help.usage") + " "
        formatter.write_usage(ctx.command_path, " ".join(self.collect_usage_pieces(ctx)), prefix)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if (option := self.get_help_option(ctx)) is not None:  # click's own, made once per command
            option.help = _translated(ctx, "help.option_help")
        records = [param.get_help_record(ctx) for param in self.get_params(ctx)]
        with formatter.section(_translated(ctx, "help.options")):
            formatter.write_dl([record for record in records if record is not None])


class TextCommand(Translated):
    """A command whose help lies in the catalogue, under `help.<name>`."""

    def get_short_help_str(self, limit: int = 45) -> str:  # noqa: ARG002 - one line is always whole
        return ""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        with formatter.indentation():
            for paragraph in _translated(ctx, f"help.{self.name}").split("\n\n"):
                formatter.write_text(paragraph)
                formatter.write_paragraph()


def command(name: str, **settings: Any) -> Callable[[_F], click.Command]:
    """Make a command; its function gets the `Terminal` first and then its own parameters."""

    def decorate(function: _F) -> click.Command:
        wrapped = click.pass_obj(function)
        for shared in reversed(shared_options()):
            wrapped = shared(wrapped)
        return click.command(name=name, cls=TextCommand, **settings)(wrapped)

    return decorate


def option(*declarations: str, help: str, **settings: Any) -> Callable[[_F], _F]:  # noqa: A002 - click's word
    """Declare an option; `help` is a catalogue key."""
    return click.option(*declarations, cls=TextOption, help=help, **settings)


argument = click.argument


def shared_options() -> list[Callable[[Any], Any]]:
    """Return the options that stand before or after any command."""
    return [
        _shared("--archive", "archive", type=click.Path(path_type=Path), help="help.option_archive"),
        _shared("--json", "as_json", is_flag=True, default=None, help="help.option_json"),
        _shared("--lang", "language", type=click.Choice(["en", "zh"]), help="help.option_lang"),
        _shared("--as", "actor", metavar="PERSON", help="help.option_as"),
    ]


def _shared(*declarations: str, **settings: Any) -> Callable[[Any], Any]:
    def store(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
        terminal = ctx.find_object(Terminal)
        if terminal is not None and value is not None and parameter.name is not None:
            setattr(terminal, parameter.name, value)

    return click.option(
        *declarations, cls=TextOption, expose_value=False, is_eager=True, callback=store, **settings
    )


def _translated(ctx: click.Context, key: str) -> str:
    terminal = ctx.find_object(Terminal)
    return in_language(say(key), terminal.language if terminal else "en")
