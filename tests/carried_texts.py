"""Writes the words of the two carried verifiers anew: `python -m tests.carried_texts`."""

import json
import re
from pathlib import Path

from makingof.texts import load_area

CARRIED = Path(__file__).parent.parent / "src" / "makingof" / "bundle" / "carried"
_KEY = re.compile(r"[a-z0-9_]+")
# In the script: between the quotes of `json.loads(r"""…""")`. In the page: the JSON of a script element.
_PLACES = {
    "verify.py": re.compile(r'(TEXTS = json\.loads\(r""")(.*?)("""\))', re.DOTALL),
    "check.html": re.compile(r'(<script type="application/json" id="texts">)(.*?)(</script>)', re.DOTALL),
}


def texts_of(name: str) -> dict[str, dict[str, str]]:
    """The words a carried verifier holds."""
    found = _PLACES[name].search((CARRIED / name).read_text("utf-8"))
    return json.loads(found[2])


def wanted_texts() -> dict[str, dict[str, str]]:
    """Every message of the catalogue, for every verifier says the same."""
    return dict(sorted(load_area("verify").items()))


def main() -> None:
    lines = (
        f"{json.dumps(key)}: {json.dumps(text, ensure_ascii=False)}" for key, text in wanted_texts().items()
    )
    block = "{\n" + ",\n".join(lines).replace("<", "\\u003c") + "\n}"
    for name, place in _PLACES.items():
        path = CARRIED / name
        source = path.read_text("utf-8")
        path.write_text(place.sub(lambda found: found[1] + block + found[3], source), "utf-8")


if __name__ == "__main__":
    main()
