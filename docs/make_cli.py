"""Write `docs/reference/cli.md` from the program's own commands: `python docs/make_cli.py`.

Usage lines and options come from the commands, their texts from the catalogue the program speaks from,
so the page cannot say anything the program does not. Commands whose module does not exist yet are left out.
"""
# ruff: noqa: INP001 - a script, not part of a package

from importlib.util import find_spec
from pathlib import Path

import click

from makingof.cli.command import TextCommand, TextOption, shared_options
from makingof.cli.main import COMMANDS, program
from makingof.texts import in_language, say

PAGE = Path(__file__).parent / "reference" / "cli.md"

_HEAD = """# Commands

<!-- Written by docs/make_cli.py from the program itself. Do not edit. -->

```
makingof [OPTIONS] COMMAND …
```

{program}

The options of every command stand before or after its name:

{shared}

Without `--lang`, the environment decides: [Settings](settings.md#environment). What exit codes mean:
[Errors and exit codes](errors.md).

## What can stand for a picture or an event

A **path** names the bytes that are in it now. If they were never recorded, they are recorded first, and the
program says so. A path that no longer exists names the last bytes seen there. A **folder** stands for all
files in it. The first letters of a **digest**, four or more, name a picture or an event. `e41` is event 41,
or the pictures it gave. `last` is the newest event, or the newest event that gave pictures.
"""


def missing() -> list[str]:
    """Name the commands whose module does not exist yet."""
    return [name for name in COMMANDS if not _exists(name)]


def page() -> str:
    """Return the page as it should be."""
    root = program()
    context = click.Context(root, info_name="makingof")
    sections = [_section(name, root, context) for name in COMMANDS if _exists(name)]
    head = _HEAD.format(program=_said("help.program"), shared=_options_table(_shared()))
    return "\n".join([head, *sections])


def _exists(name: str) -> bool:
    module = COMMANDS[name].partition(":")[0]
    return find_spec(f"makingof.cli.{module}") is not None


def _section(name: str, root: click.Group, context: click.Context) -> str:
    command = root.get_command(context, name)
    assert isinstance(command, TextCommand)  # noqa: S101 - COMMANDS names nothing else
    own = click.Context(command, info_name=name, parent=context)
    usage = " ".join(["makingof", name, *command.collect_usage_pieces(own)])
    shared = {tuple(option.opts) for option in _shared()}
    options = [item for item in command.params if isinstance(item, TextOption)]
    options = [item for item in options if tuple(item.opts) not in shared]
    lines = [
        f"## {name}",
        "",
        "```",
        usage,
        "```",
        "",
        _said(f"help.{name}"),
        "",
        f"*中文* {_said(f'help.{name}', 'zh').split(chr(10))[0]}",
        "",
    ]
    return "\n".join([*lines, *([_options_table(options), ""] if options else [])])


def _options_table(options: list[TextOption]) -> str:
    rows = [f"| {_spelled(option)} | {_described(option)} |" for option in options]
    return "\n".join(["| option | meaning |", "|---|---|", *rows])


def _spelled(option: TextOption) -> str:
    value = "" if option.is_flag else f" {option.make_metavar(click.Context(click.Command('none')))}"
    names = (*option.opts, *option.secondary_opts)
    return "<br>".join(f"`{name}{value}`" for name in names).replace("|", "\\|")


def _described(option: TextOption) -> str:
    assert option.help is not None  # noqa: S101 - every option has a catalogue key
    text = _said(option.help)
    notes = [
        *(["required"] if option.required else []),
        *(["may be repeated"] if option.multiple and "repeated" not in text else []),
    ]
    return text + (f" ({', '.join(notes)})" if notes else "")


def _shared() -> list[TextOption]:
    command = click.Command("none")
    for shared in reversed(shared_options()):
        command = shared(command)
    return [item for item in command.params if isinstance(item, TextOption)]


def _said(key: str, language: str = "en") -> str:
    return _escaped(in_language(say(key), language))


def _escaped(text: str) -> str:
    """Keep what the catalogue wrote for a terminal from being taken as Markdown or HTML."""
    return "".join(f"\\{letter}" if letter in "<>*_[]|" else letter for letter in text)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
