"""What Civitai's list of resources names as the model: `[{"type": "checkpoint", "modelName": …}, …]`."""

from typing import Any

from makingof.errors import MalformedError
from makingof.metadata.tool_json import parse_tool_json

_KEYS = ("modelName", "air")


def find_checkpoint(resources: str) -> str | None:
    """Return the one checkpoint the list names, as the hub spells it; None for several or a bare number."""
    try:
        value, _ = parse_tool_json(resources)
    except MalformedError:
        return None
    items = value if isinstance(value, list) else []
    checkpoints = [item for item in items if isinstance(item, dict) and item.get("type") == "checkpoint"]
    return _named(checkpoints[0]) if len(checkpoints) == 1 else None


def _named(checkpoint: dict[str, Any]) -> str | None:
    return next((str(checkpoint[key]) for key in _KEYS if isinstance(checkpoint.get(key), str)), None)
