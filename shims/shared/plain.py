"""What every hook says alike: parts of an observation, made of plain values and without credentials. Pure."""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

MAX_RAW_BYTES = 512 * 1024
MAX_TEXT = 20_000
REMOVED = "(removed by makingof: a credential)"
# Named fields only. A prompt that looks like a key stays: removing it would destroy what is to be shown.
SECRET = re.compile(
    r"(?i)(^|[_\-.])(api[_\-]?key|auth[_\-]?token|access[_\-]?token|bearer|secret|password|passwd|authorization)($|[_\-.])"
)

Part = dict[str, Any]


def raw_part(data: bytes, locator: str, tool: str, files: "list[Part]", name: str) -> Part:
    """Keep a tool's own bytes in a part, or among `files` under `name` where they are too many for one."""
    body: dict[str, Any] = {
        "locator": locator,
        "digest": "sha256:" + hashlib.sha256(data).hexdigest(),
        "size": len(data),
        "tool": tool,
    }
    if len(data) <= MAX_RAW_BYTES:
        body["base64"] = base64.b64encode(data).decode("ascii")
    else:
        body |= {"file": {"attached": len(files)}, "offset": 0}
        files.append({"bytes": data, "role": "reference", "name": name})
    return {"type": "raw", "from": locator, "body": body}


def without_credentials(data: bytes) -> "tuple[bytes, list[str]]":
    """Return JSON without the values of fields named like credentials, and which those were."""
    if not SECRET.search(data.decode("utf-8", "replace").replace('"', ".")):
        return data, []
    cleaned, removed = cleaned_value(json.loads(data))
    return (json.dumps(cleaned).encode("utf-8", "surrogatepass"), removed) if removed else (data, [])


def cleaned_value(value: Any) -> "tuple[Any, list[str]]":
    """Return a plain value without what stands in fields named like credentials, and which those were."""
    removed: list[str] = []
    return _clean(value, "", removed), removed


def _clean(value: Any, place: str, removed: "list[str]") -> Any:
    if isinstance(value, dict):
        kept = {}
        for name, item in value.items():
            if isinstance(item, str) and item and SECRET.search(str(name)):
                removed.append(f"{place}.{name}".lstrip("."))
                kept[name] = REMOVED
            else:
                kept[name] = _clean(item, f"{place}.{name}", removed)
        return kept
    if isinstance(value, list):
        return [_clean(item, place, removed) for item in value]
    return value


def report_part(
    outcome: "str | None",
    job: "str | None",
    outputs: "int | None",
    text: "str | None",
    facts: "dict[str, Any]",
) -> Part:
    """What the host said of a job."""
    told = {"outcome": outcome, "job": job, "outputs": outputs, "text": portable(text)}
    body = {name: value for name, value in told.items() if value is not None}
    return {"type": "report", "from": "host", "body": body | {"facts": plain(facts)}}


def environment_part(facts: "dict[str, Any]") -> Part:
    """What the job or the run depends on."""
    return {"type": "environment", "from": "host", "body": {"facts": plain(facts)}}


def place_part(path: Path, number: int) -> Part:
    """Where attachment `number` lies."""
    body = {"path": portable(str(path)), "name": portable(path.name), "file": {"attached": number}}
    return {"type": "place", "from": "host", "body": body}


def own_part(facts: "dict[str, Any]") -> Part:
    """What the hook says of itself."""
    return {"type": "own", "from": "hook", "body": {"facts": facts}}


def portable(text: "str | None") -> Any:
    return None if text is None else text.encode("utf-8", "backslashreplace").decode()


def plain(value: Any) -> Any:
    """Facts hold text, whole numbers, truth values, lists and objects; a float is its text."""
    if isinstance(value, dict):
        return {portable(str(name)): plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value if isinstance(value, (bool, int)) or value is None else portable(str(value))
