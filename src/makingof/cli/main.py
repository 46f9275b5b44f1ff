"""The program: finds the command, loads only its module, turns our errors into exit codes."""

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

import click

from makingof import __version__
from makingof.cli.command import TextCommand, TextOption, Translated, shared_options
from makingof.cli.terminal import Terminal
from makingof.config import environment
from makingof.errors import MakingofError
from makingof.texts import in_language, say

# name → module under makingof.cli and the command in it. Loading one loads nothing else.
COMMANDS: Mapping[str, str] = {
    "demo": "demo:demo",
    "init": "setup:init",
    "connect": "recording:connect",
    "disconnect": "recording:disconnect",
    "watch": "recording:watch",
    "start": "recording:start",
    "stop": "recording:stop",
    "drain": "recording:drain",
    "doctor": "recording:doctor",
    "import": "importing:import_",
    "inspect": "inspecting:inspect",
    "enrol": "people:enrol",
    "brief": "acts:brief",
    "keep": "choices:keep",
    "reject": "choices:reject",
    "edit": "acts:edit",
    "note": "acts:note",
    "film": "acts:film",
    "publish": "acts:publish",
    "affirm": "people:affirm",
    "undo": "acts:undo",
    "erase": "erasing:erase",
    "log": "looking:log",
    "show": "showing:show",
    "status": "looking:status",
    "search": "looking:search",
    "assess": "judging:assess",
    "challenge": "judging:challenge",
    "packs": "judging:packs",
    "cases": "judging:cases",
    "stamp": "stamping:stamp",
    "export": "packing:export",
    "verify": "verifying:verify",
    "fsck": "upkeep:fsck",
    "reindex": "upkeep:reindex",
    "backup": "upkeep:backup",
    "restore": "upkeep:restore",
}


class Program(Translated, click.Group):
    """The group of all commands, in the order people meet them, loaded one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        target = COMMANDS.get(cmd_name)
        if target is None:
            return None
        module, _, attribute = target.partition(":")
        found = getattr(importlib.import_module(f"makingof.cli.{module}"), attribute)
        assert isinstance(found, TextCommand)  # noqa: S101 - a slip in COMMANDS, not a user's error
        return found

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_options(ctx, formatter)
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        language = _language_of(ctx)
        rows = [(name, in_language(say(f"help.{name}"), language).split("\n")[0]) for name in COMMANDS]
        with formatter.section(in_language(say("help.commands"), language)):
            formatter.write_dl(rows)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(in_language(say("help.program"), _language_of(ctx)))


def program() -> click.Group:
    """Build the root group."""
    group = Program(name="makingof", no_args_is_help=True, callback=lambda: None)
    for shared in shared_options():
        group = shared(group)
    group.params.reverse()
    group.params.append(_version_option())
    return group


def run(arguments: Sequence[str], env: Mapping[str, str] | None = None) -> int:
    """Run one command and return its exit code; errors of ours are printed, bugs show a traceback."""
    env = environment() if env is None else env
    terminal = Terminal(language=find_language(arguments, env), env=env)
    try:
        result = program().main(list(arguments), prog_name="makingof", obj=terminal, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as err:
        click.echo(err.format_message())
        return 2
    except click.ClickException as err:
        terminal.notice(say("errors.usage", message=terminal.text(_spelled(err))))
        return 2
    except click.Abort:
        terminal.notice(say("errors.aborted"))
        return 130
    except MakingofError as err:
        show_error(terminal, err)
        return err.exit_code
    return result if isinstance(result, int) else 0


def _spelled(err: click.ClickException) -> object:
    from makingof.cli.mistakes import spell_mistake  # noqa: PLC0415 - only where something was typed wrongly

    return spell_mistake(err)


def show_error(terminal: Terminal, err: MakingofError) -> None:
    """Print what happened, what it concerns and what to do, in the reader's language."""
    terminal.notice(say(f"errors.{type(err).__name__}", message=terminal.text(err.message)))
    if err.hint is not None:
        terminal.notice(say("errors.hint", hint=terminal.text(err.hint)))


def find_language(arguments: Sequence[str], env: Mapping[str, str]) -> str:
    """Return `--lang` wherever it stands, else `MAKINGOF_LANG`, else the locale's; English otherwise."""
    for number, item in enumerate(arguments):
        value = arguments[number + 1] if item == "--lang" and number + 1 < len(arguments) else item
        if item == "--lang" or item.startswith("--lang="):
            value = value.removeprefix("--lang=")
            return value if value in ("en", "zh") else "en"
    for name in ("MAKINGOF_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if locale := env.get(name):
            return "zh" if locale.lower().startswith("zh") else "en"
    return "en"


def _language_of(ctx: click.Context) -> str:
    terminal = ctx.find_object(Terminal)
    return terminal.language if terminal else "en"


def _version_option() -> click.Option:
    def show(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:  # noqa: ARG001
        if value:
            click.echo(f"makingof {__version__}")
            ctx.exit()

    return TextOption(
        ["--version"],
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=show,
        help="help.option_version",
    )
