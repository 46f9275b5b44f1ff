"""What was typed wrongly, in the reader's language; the command-line library speaks English alone."""

import re

import click

from makingof.texts import say

_ABSENT = re.compile(r"'(.*)' does not exist", re.DOTALL)  # the library hands over no path but in its words


def spell_mistake(err: click.ClickException) -> object:
    """Say what is wrong with a command line and what would be right; rare mistakes in the library's words."""
    match err:
        case click.MissingParameter(param=click.Parameter() as param):
            return say("mistake.missing", name=_name(param, err))
        case click.NoSuchOption():
            return _unknown("option", err.option_name, err.possibilities)
        case click.exceptions.NoSuchCommand():
            return _unknown("command", err.command_name, err.possibilities)
        case click.BadParameter(param=click.Parameter(type=click.Choice(choices=choices)) as param):
            known = ", ".join(map(str, choices))
            return say("mistake.no_choice", name=_name(param, err), choices=known)
        case click.BadParameter(param=click.Parameter(type=click.Path()) as param):
            return _path(_name(param, err), err.message)
        case _:
            return err.format_message()


def _unknown(what: str, name: str, near: list[str] | None) -> object:
    if near:
        return say(f"mistake.no_{what}_but", name=name, near=", ".join(near))
    return say(f"mistake.no_{what}", name=name)


def _path(name: str, message: str) -> object:
    if (absent := _ABSENT.search(message)) is not None:
        return say("mistake.no_such_path", name=name, path=absent[1])
    return say("mistake.no_path", name=name, message=message)


def _name(param: click.Parameter, err: click.UsageError) -> str:
    return param.opts[0] if isinstance(param, click.Option) else param.make_metavar(_context(err))


def _context(err: click.UsageError) -> click.Context:
    return err.ctx or click.Context(click.Command("makingof"))
