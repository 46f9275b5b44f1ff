"""The catalogue of everything makingof says to people, in English and Chinese.

One TOML file per area lies beside this module; a key is `area.name` and holds
both languages side by side, so that a missing translation is a failing test
and not a surprise:

    [kept]
    en = "kept {picture}"
    zh = "已选中 {picture}"
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "zh")
_FOLDER = Path(__file__).parent  # importlib.resources takes longer to load than all that is read here


@dataclass(frozen=True, slots=True)
class Message:
    """Something to say, kept apart from the language it will be said in."""

    key: str
    values: Mapping[str, object]

    def in_language(self, language: str) -> str:
        """Return the text in `language`, one of `LANGUAGES`; nested messages follow it.

        Unknown keys raise `KeyError`: a missing text is a bug, not a user's error.
        """
        values = {
            name: value.in_language(language) if isinstance(value, Message) else value
            for name, value in self.values.items()
        }
        return _entry(self.key)[language].format_map(values)

    def __str__(self) -> str:
        return self.in_language("en")


def say(key: str, /, **values: object) -> Message:
    """Make a `Message` from the catalogue; `key` is `area.name`."""
    _entry(key)
    return Message(key, values)


def in_language(text: object, language: str) -> str:
    """Show a `Message` in `language` and anything else as it is."""
    return text.in_language(language) if isinstance(text, Message) else str(text)


def areas() -> list[str]:
    """Name every catalogue file, for the test that both languages are whole."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


@cache
def load_area(area: str) -> dict[str, dict[str, str]]:
    """Read one catalogue file: name → language → text."""
    return tomllib.loads((_FOLDER / f"{area}.toml").read_text(encoding="utf-8"))


def _entry(key: str) -> dict[str, str]:
    area, _, name = key.partition(".")
    return load_area(area)[name]
