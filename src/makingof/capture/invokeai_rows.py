"""What rows of InvokeAI's database say, read the same by the importer and by those who follow it as it runs.

Its times are SQLite's own, without an offset, and stay claims. A board takes new pictures
by itself while it is the one chosen for them: to lie on a board is a choice only of a
picture that was put there clearly after it was made.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from makingof.metadata.documents.database import Database, Row
from makingof.part import Role

TOOL = "invokeai"
OUTPUTS = "outputs/images"  # under InvokeAI's root
IMAGES = (
    "image_name", "image_origin", "image_category", "session_id", "node_id", "metadata", "is_intermediate",
    "created_at", "updated_at", "deleted_at", "starred", "image_subfolder",
)  # fmt: skip
QUEUE = (
    "item_id", "batch_id", "session_id", "status", "error_type", "error_message", "created_at", "started_at",
    "completed_at", "origin", "destination",
)  # fmt: skip
LATER = timedelta(seconds=10)  # the board chosen for new pictures takes them within moments of being made
BOARD_IMAGES = ("board_id", "image_name", "created_at", "updated_at")
_ROLES = {"mask": Role.MASK, "control": Role.CONTROL}


def texts(row: Row) -> dict[str, str]:
    """Spell the values of a row; SQLite keeps a flag as a number."""
    return {name: str(value) for name, value in row.items() if isinstance(value, str | int) and value != ""}


def role_of(said: Mapping[str, str]) -> Role:
    """Tell what a row of `images` is to its job."""
    role = _ROLES.get(said.get("image_category", ""))
    if role is not None:
        return role
    return Role.PREVIEW if said.get("is_intermediate") == "1" else Role.OUTPUT


def outcome_of(said: Mapping[str, str]) -> str | None:
    """Return what `attempted` calls the end that a row of `session_queue` tells; None for any other state."""
    match said.get("status"):
        case "failed":
            return "failed"
        case "canceled":
            return "interrupted" if "started_at" in said else "cancelled"
        case _:
            return None


def error_of(said: Mapping[str, str]) -> str | None:
    """Spell an error without its traceback: that names folders of the machine."""
    return "\n".join(said[name] for name in ("error_type", "error_message") if name in said) or None


def board_names(database: Database) -> dict[str, str]:
    """Return the names of boards by their id."""
    rows = map(texts, database.each("boards", ("board_id", "board_name")))
    return {said.get("board_id", ""): said.get("board_name", "") for said in rows}


def put_after(said: Mapping[str, str], made_at: str) -> timedelta | None:
    """Return how long after it was made, by the tables, a picture came onto a board."""
    made = moment(made_at)
    put = [found for name in ("created_at", "updated_at") if (found := moment(said.get(name, "")))]
    return None if made is None or not put else max(put) - made


def moment(text: str) -> datetime | None:
    """Read a time of the database, which counts in UTC and does not say so."""
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=UTC)
    except ValueError:
        return None


def star_key(name: str) -> str:
    """Name a star, so that it is told once."""
    return f"told:{TOOL}/starred/{name}"


def board_key(board: str, name: str) -> str:
    """Name a picture's place on a board, so that it is told once."""
    return f"told:{TOOL}/board/{board}/{name}"
