"""How a terminal is shown what others wrote, and what has a long name."""

from makingof.digest import Digest

_SHORT = 10


def visible(text: str) -> str:
    """Spell text from a stranger's file so that a terminal shows it and does nothing else.

    Control characters could move the cursor or recolour the screen; signs that turn
    the direction of writing could show another text than is there.
    """
    shown = []
    for sign in text:
        if sign in "\n\r":
            shown.append("⏎ " if sign == "\n" else "")
        elif sign.isprintable():
            shown.append(sign)
        else:
            shown.append(sign.encode("unicode_escape").decode("ascii"))
    return "".join(shown)


def short(name: Digest) -> str:
    """Return the first digits of a digest: enough to name it on the command line."""
    return name.hex[:_SHORT]
