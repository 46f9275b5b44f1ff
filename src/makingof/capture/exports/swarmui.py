"""SwarmUI's stars: a picture that is starred is copied into `Starred/` under the output folder.

The star itself is a copy of the file, and taking it back deletes the copy: what was once
starred and is no longer leaves nothing. The copy says nothing of when.
"""

from makingof.capture.exports.told import Told, Wanted, choice, content_key, observe, place, report
from makingof.event import Kind

TOOL = "swarmui"
FOLDER = "Starred"


def tell_star(parts: tuple[str, ...], identity: str) -> Told | None:
    """Describe the star of the picture at the path `parts`, or None where it lies under no such folder.

    `identity` names the picture's bytes.
    """
    if FOLDER not in parts[:-1]:
        return None
    at = len(parts) - 1 - parts[::-1].index(FOLDER)
    inner = "/".join(parts[at + 1 :])
    where = f"{FOLDER}/"
    return Told(
        key=content_key("swarmui", "starred", f"{inner}\n{identity}"),
        observation=observe(
            Kind.SELECTED,
            TOOL,
            [choice(where, [0]), report(where, text="starred"), place(where, inner)],
        ),
        wanted=(Wanted(parts[-1]),),
    )
