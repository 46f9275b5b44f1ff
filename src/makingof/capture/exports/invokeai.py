"""InvokeAI's database: pictures it made, stars, boards, its queue, saved workflows, and what was deleted."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from makingof.capture.exports.invokeai_queue import read_session
from makingof.capture.exports.told import (
    Export,
    Told,
    Wanted,
    choice,
    content_key,
    note,
    observe,
    place,
    portable,
    report,
    sheet_of,
)
from makingof.capture.invokeai_rows import (
    BOARD_IMAGES,
    IMAGES,
    LATER,
    OUTPUTS,
    QUEUE,
    TOOL,
    board_key,
    board_names,
    error_of,
    outcome_of,
    put_after,
    role_of,
    star_key,
    texts,
)
from makingof.containers.source import Source
from makingof.errors import MalformedError
from makingof.event import Kind
from makingof.metadata import invokeai
from makingof.metadata.documents.database import Database
from makingof.metadata.tool_json import parse_tool_object
from makingof.observation import Draft
from makingof.reading import Locator, Reading, State

MAX_DATABASE_BYTES = 1 << 30
MAX_PICTURES = 200_000
_MAX_PROBLEMS = 100
_LIBRARY = ("workflow_id", "workflow", "created_at", "updated_at")
_SESSIONS_AT_ONCE = 20  # each may be a megabyte


@dataclass(slots=True)
class _Found:
    told: list[Told] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    made_at: dict[str, str] = field(default_factory=dict)  # picture → when, by the table
    sessions: set[str] = field(default_factory=set)

    def problem(self, what: str) -> None:
        if len(self.problems) < _MAX_PROBLEMS:
            self.problems.append(what)


def is_database(source: Source) -> bool:
    """Tell whether an SQLite file is InvokeAI's, by its tables; a damaged one is a `MalformedError`."""
    with Database.open(source, 0, len(source), limit_bytes=MAX_DATABASE_BYTES) as database:
        return {"image_name", "image_category"} <= database.columns("images")


def read_database(source: Source) -> Export:
    """Read the tables one by one; where one breaks off, what came before stands and the others are read."""
    found = _Found()
    with Database.open(source, 0, len(source), limit_bytes=MAX_DATABASE_BYTES) as database:
        for read in (_read_images, _read_boards, _read_queue, _read_library):
            try:
                read(database, found)
            except MalformedError as err:
                found.problem(str(err))
    return Export("invokeai", tuple(found.told), tuple(found.problems))


def _read_images(database: Database, found: _Found) -> None:
    for number, row in enumerate(database.each("images", IMAGES)):
        if number >= MAX_PICTURES:
            found.problem(f"more than {MAX_PICTURES} pictures")
            return
        said = texts(row)
        name = said.get("image_name")
        if not name:
            found.problem(f"row {number + 1} of images has no name")
            continue
        found.made_at[name] = said.get("created_at", "")
        found.sessions.add(said.get("session_id", ""))
        found.told += _tell_image(name, said)


def _tell_image(name: str, said: Mapping[str, str]) -> Iterator[Told]:
    where = f"images {name}"
    wanted = _wanted(name, said)
    # `external` is what a person uploaded; makingof met that picture on its own.
    if said.get("image_origin") != "external":
        yield Told(
            key=f"told:invokeai/image/{portable(name)}",
            observation=observe(Kind.GENERATED, TOOL, [_image_report(where, said), place(where, name)]),
            wanted=(wanted,),
            readings=_readings(said.get("metadata"), where),
            job=said.get("session_id"),
        )
    if said.get("starred") == "1":
        drafts = [
            choice(where, [0]),
            report(where, text="starred", updated_at=said.get("updated_at")),
            place(where, name),
        ]
        yield Told(
            key=star_key(portable(name)),
            observation=observe(Kind.SELECTED, TOOL, drafts),
            wanted=(wanted,),
        )
    if said.get("deleted_at"):
        drafts = [place(where, name), report(where, text="deleted", deleted_at=said["deleted_at"])]
        yield Told(
            key=f"told:invokeai/deleted/{portable(name)}",
            observation=observe(Kind.REMOVED, TOOL, drafts),
            wanted=(wanted,),
        )


def _image_report(where: str, said: Mapping[str, str]) -> Draft:
    return report(
        where,
        job=said.get("session_id"),
        text="intermediate" if said.get("is_intermediate") == "1" else None,
        category=said.get("image_category"),
        node=said.get("node_id"),
        created_at=said.get("created_at"),
        updated_at=said.get("updated_at"),
    )


def _wanted(name: str, said: Mapping[str, str]) -> Wanted:
    inner = said.get("image_subfolder", "").strip("/")
    folder = f"../{OUTPUTS}/{inner}".rstrip("/")
    return Wanted(name.replace("\\", "/").rpartition("/")[2], (folder,), unique=True, role=role_of(said))


def _readings(metadata: str | None, where: str) -> tuple[Reading, ...]:
    if not metadata:
        return ()
    return tuple(invokeai.read(sheet_of("sqlite", where, "invokeai_metadata", metadata)).readings)


def _read_boards(database: Database, found: _Found) -> None:
    names = board_names(database)
    automatic: dict[str, list[str]] = defaultdict(list)
    for row in database.each("board_images", BOARD_IMAGES):
        said = texts(row)
        board, name = said.get("board_id", ""), said.get("image_name", "")
        if name not in found.made_at:
            drafts = [
                place(f"board_images {name}", name),
                report(f"board_images {name}", text="on a board, and no longer among the pictures"),
            ]
            key = f"told:invokeai/gone/{portable(name)}"
            found.told.append(Told(key, observe(Kind.REMOVED, TOOL, drafts), (Wanted(name, unique=True),)))
        elif _was_put(said, found.made_at[name]):
            found.told.append(_put_on_board(board, names.get(board, ""), name, said))
        else:
            automatic[board].append(name)
    for board, pictures in automatic.items():
        found.told += _on_board(board, names.get(board, ""), pictures)


def _was_put(said: Mapping[str, str], made_at: str) -> bool:
    """Tell a picture put on a board later from one that the board took as it was made."""
    later = put_after(said, made_at)
    return later is not None and later > LATER


def _put_on_board(board: str, title: str, name: str, said: Mapping[str, str]) -> Told:
    where = f"board_images {name}"
    drafts = [
        choice(where, [0]),
        note(where, title, title="board"),
        report(
            where,
            text="put on a board",
            board=board,
            created_at=said.get("created_at"),
            updated_at=said.get("updated_at"),
        ),
        place(where, name),
    ]
    return Told(
        key=board_key(portable(board), portable(name)),
        observation=observe(Kind.SELECTED, TOOL, drafts),
        wanted=(Wanted(name, (f"../{OUTPUTS}",), unique=True),),
    )


def _on_board(board: str, title: str, pictures: list[str]) -> Iterator[Told]:
    """What a board took by itself was chosen by nobody; where it lies is noted, some hundred at a time."""
    for start in range(0, len(pictures), 200):
        group = pictures[start : start + 200]
        where = f"boards {board}"
        drafts = [note(where, title, title="board", about=range(len(group)))]
        yield Told(
            key=f"told:invokeai/on-board/{portable(board)}/{portable(group[0])}/{len(group)}",
            observation=observe(Kind.NOTED, TOOL, drafts),
            wanted=tuple(Wanted(name, (f"../{OUTPUTS}",), unique=True) for name in group),
        )


def _read_queue(database: Database, found: _Found) -> None:
    """Tell jobs that left no picture here; finished ones are pruned by InvokeAI after a while."""
    for row in database.each("session_queue", (*QUEUE, "session"), at_once=_SESSIONS_AT_ONCE):
        said = texts(row)
        session = said.get("session_id")
        if not session or session in found.sessions:
            continue
        where = f"session_queue {said.get('item_id', '?')}"
        readings = read_session(said.get("session"), where)
        if outcome_of(said) or readings:
            found.told.append(_tell_session(session, where, said, readings))


def _tell_session(session: str, where: str, said: Mapping[str, str], readings: tuple[Reading, ...]) -> Told:
    """A job that ended well and of which no picture is left was asked for, and that is all it shows."""
    status = said.get("status", "")
    outcome = outcome_of(said)
    drafts = [
        report(
            where,
            outcome=outcome,
            job=session,
            outputs=0 if outcome else None,
            text=error_of(said),
            status=status,
            created_at=said.get("created_at"),
            started_at=said.get("started_at"),
            completed_at=said.get("completed_at"),
            batch=said.get("batch_id"),
        )
    ]
    # One that waits or runs now may be told again when it has ended.
    ending = "" if status in ("failed", "canceled", "completed") else f"/{portable(status)}"
    kind = Kind.ATTEMPTED if outcome else Kind.PROMPTED
    key = f"told:invokeai/session/{portable(session)}{ending}"
    return Told(key, observe(kind, TOOL, drafts), readings=readings, job=session)


def _read_library(database: Database, found: _Found) -> None:
    """Note the workflows a person saved; those that come with InvokeAI are nobody's."""
    for row in database.each("workflow_library", _LIBRARY, at_once=_SESSIONS_AT_ONCE):
        said = texts(row)
        identity = said.get("workflow_id")
        words = _words_of_a_person(said.get("workflow"))
        if not identity or words is None:
            continue
        where = f"workflow_library {identity}"
        drafts = [
            note(where, "\n".join(words), title="workflow"),
            report(
                where,
                text="saved workflow",
                created_at=said.get("created_at"),
                updated_at=said.get("updated_at"),
            ),
        ]
        key = content_key(TOOL, "workflow", f"{identity}\n{said['workflow']}")
        reading = Reading(
            TOOL, Locator("sqlite", where), State.PRESENT, said["workflow"].encode("utf-8", "surrogatepass")
        )
        found.told.append(Told(key, observe(Kind.NOTED, TOOL, drafts), readings=(reading,)))


def _words_of_a_person(workflow: str | None) -> list[str] | None:
    """Return name and description of a workflow that is not InvokeAI's own; columns for them are computed."""
    if workflow is None:
        return None
    try:
        told = parse_tool_object(workflow)[0]
    except MalformedError:
        return []
    about = told.get("meta")
    category = about.get("category", "user") if isinstance(about, dict) else "user"
    words = [told.get(name) for name in ("name", "description")]
    return [word for word in words if isinstance(word, str) and word] if category == "user" else None
