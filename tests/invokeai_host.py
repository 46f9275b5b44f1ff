"""An InvokeAI to look at: its HTTP on the loopback, its database and pictures in a folder.

What it keeps of a job is what a real one kept (`tests/invokeai/recorded.json`), with other
ids, words and pictures; the tables have the columns recorded there.
"""

import copy
import io
import json
import sqlite3
import threading
import uuid
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo
from tests.loopback import served_by

RECORDED = json.loads((Path(__file__).parent / "invokeai" / "recorded.json").read_text("utf-8"))
ROWS = RECORDED["rows"]
_KEYS = {
    "session_queue": "item_id",
    "images": "image_name",
    "boards": "board_id",
    "board_images": "image_name",
}
_QUEUE = "/api/v1/queue/default"


class InvokeAI:
    """One InvokeAI. Each act is one transaction or several, as in the real one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.pictures = root / "outputs" / "images"
        self.pictures.mkdir(parents=True)
        (root / "databases").mkdir()
        self.lock = threading.RLock()
        self.asked: list[str | None] = []  # the Authorization of every question
        self.token: str | None = None
        self.ended_ago = 0  # how long before it says so a job ended, by its own word
        self.database = sqlite3.connect(
            root / "databases" / "invokeai.db", isolation_level=None, check_same_thread=False
        )
        self.database.execute("PRAGMA journal_mode = WAL")
        # not read, but there: SQLite looks at every table before it reads one
        self.database.execute(
            "CREATE TABLE workflow_library (workflow TEXT,"
            " name TEXT GENERATED ALWAYS AS (json_extract(workflow, '$.name')) VIRTUAL)"
        )
        for table, row in ROWS.items():
            key = "INTEGER PRIMARY KEY AUTOINCREMENT" if table == "session_queue" else "TEXT PRIMARY KEY"
            columns = [f"{name} {key}" if name == _KEYS[table] else name for name in row]
            self.database.execute(f"CREATE TABLE {table} ({', '.join(columns)})")

    # what people and programs do

    def enqueue(self, prompt="a crane at dusk", seed=1, *, used=None, **more) -> int:
        session = copy.deepcopy(ROWS["session_queue"]["session"])
        session |= {"id": str(uuid.uuid4()), "results": {}, "executed": [], "execution_graph": {"nodes": {}}}
        nodes = session["graph"]["nodes"]
        nodes["positive_prompt"]["value"], nodes["seed"]["value"] = prompt, seed
        if used is not None:
            nodes["before"] = {"id": "before", "type": "i2l", "image": {"image_name": used}}
        row = {
            "status": "pending", "session_id": session["id"], "session": json.dumps(session),
            "batch_id": str(uuid.uuid4()), "created_at": self.now(), "updated_at": self.now(),
            "started_at": None, "completed_at": None, "item_id": None,
        } | more  # fmt: skip
        return self._insert("session_queue", row)

    def start(self, item: int) -> None:
        self._update(item, status="in_progress", started_at=self.now())

    def finish(self, item: int, count=1, *, again=(), **picture) -> list[str]:
        """Complete a job: pictures, then its session, then its status, as the real one commits them."""
        session = self.session(item)
        names = [self.picture(session=session["id"], **picture) for _ in range(count)]
        session["results"] = {
            f"node-{number}": {"type": "image_output", "image": {"image_name": name}, "width": 8, "height": 8}
            for number, name in enumerate([*names, *again])
        }
        self._update(item, session=json.dumps(session))
        self._update(item, status="completed", completed_at=self.now(-self.ended_ago))
        return names

    def run(self, prompt="a crane at dusk", seed=1, count=1, **picture) -> tuple[int, list[str]]:
        item = self.enqueue(prompt, seed)
        self.start(item)
        return item, self.finish(item, count, **picture)

    def fail(self, item: int, kind="ValueError", message="no such model") -> None:
        self._update(
            item, status="failed", error_type=kind, error_message=message, error_traceback="/home/…",
            completed_at=self.now(-self.ended_ago),
        )  # fmt: skip

    def cancel(self, item: int) -> None:
        self._update(item, status="canceled", completed_at=self.now(-self.ended_ago))

    def leave_queue(self, *items: int) -> None:
        for item in items:
            self.database.execute("DELETE FROM session_queue WHERE item_id = ?", (item,))

    def picture(self, *, session=None, metadata="", subfolder="", **more) -> str:
        name = f"{uuid.uuid4()}.png"
        (self.pictures / subfolder).mkdir(exist_ok=True)
        (self.pictures / subfolder / name).write_bytes(self.png(name, metadata))
        row = {
            "image_name": name, "session_id": session, "created_at": self.now(), "updated_at": self.now(),
            "starred": 0, "is_intermediate": 0, "metadata": metadata, "image_subfolder": subfolder,
        } | more  # fmt: skip
        self._insert("images", row)
        return name

    def upload(self) -> str:
        return self.picture(image_origin="external", image_category="user")

    def set(self, name: str, **flags) -> None:
        self._set("images", "image_name", name, updated_at=self.now(), **flags)

    def board(self, title: str) -> str:
        board = str(uuid.uuid4())
        self._insert("boards", {"board_id": board, "board_name": title})
        return board

    def put(self, board: str, name: str, *, seconds=60) -> None:
        """Put a picture on a board, `seconds` after it was made by the tables' own times."""
        (made,) = self.database.execute(
            "SELECT strftime('%Y-%m-%d %H:%M:%f', created_at, ?) FROM images WHERE image_name = ?",
            (f"+{seconds} seconds", name),
        ).fetchone()
        self._insert(
            "board_images",
            {"board_id": board, "image_name": name, "created_at": made, "updated_at": made},
            replaces=True,
        )

    def take_off(self, name: str) -> None:
        self.database.execute("DELETE FROM board_images WHERE image_name = ?", (name,))

    def delete(self, name: str) -> None:
        self.database.execute("DELETE FROM images WHERE image_name = ?", (name,))
        next(self.pictures.rglob(name)).unlink()

    # what it answers

    def answer(self, path: str, question):
        if path == "/api/v1/app/version":
            return {"version": RECORDED["version"]}
        if path == f"{_QUEUE}/item_ids":
            return {"item_ids": [number for (number,) in self._all("SELECT item_id FROM session_queue")]}
        if path == f"{_QUEUE}/items_by_ids":
            names = ("item_id", "session_id", "status", "started_at", "completed_at")
            rows = self._all(f"SELECT {', '.join(names)} FROM session_queue ORDER BY item_id")  # noqa: S608 - our own names
            items = [dict(zip(names, row, strict=True)) for row in rows]
            return [item for item in items if item["item_id"] in question["item_ids"]]
        return None

    def session(self, item: int):
        return json.loads(self._all("SELECT session FROM session_queue WHERE item_id = ?", item)[0][0])

    def item_of(self, session: str) -> int:
        return int(self._all("SELECT item_id FROM session_queue WHERE session_id = ?", session)[0][0])

    def session_id(self, item: int) -> str:
        return str(self._all("SELECT session_id FROM session_queue WHERE item_id = ?", item)[0][0])

    def now(self, seconds=0) -> str:
        return str(self._all("SELECT strftime('%Y-%m-%d %H:%M:%f', 'now', ?)", f"{seconds} seconds")[0][0])

    @staticmethod
    def png(seed: str, metadata: str) -> bytes:
        out, info = io.BytesIO(), PngInfo()
        if metadata:
            info.add_text("invokeai_metadata", metadata)
        colour = tuple(uuid.uuid5(uuid.NAMESPACE_URL, seed).bytes[:3])
        Image.new("RGB", (8, 8), colour).save(out, "PNG", pnginfo=info)
        return out.getvalue()

    def close(self) -> None:
        self.database.close()

    def _all(self, statement: str, *values):
        with self.lock:
            return self.database.execute(statement, values).fetchall()

    def _insert(self, table: str, row, *, replaces=False) -> int:
        row = ROWS[table] | row
        verb = "REPLACE" if replaces else "INSERT"
        marks = ", ".join("?" * len(row))
        done = self.database.execute(
            f"{verb} INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values())
        )
        return int(done.lastrowid or 0)

    def _update(self, item: int, **values) -> None:
        self._set("session_queue", "item_id", item, updated_at=self.now(), **values)

    def _set(self, table: str, key: str, value, **values) -> None:
        named = ", ".join(f"{name} = ?" for name in values)
        self.database.execute(f"UPDATE {table} SET {named} WHERE {key} = ?", (*values.values(), value))  # noqa: S608


@contextmanager
def serving(host: InvokeAI):
    """Answer as the recorded server did; give the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self._answer(None)

        def do_POST(self):
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answer(self, question):
            host.asked.append(self.headers["Authorization"])
            is_let_in = host.token is None or self.headers["Authorization"] == f"Bearer {host.token}"
            answer = host.answer(self.path.split("?")[0], question)
            open_to_all = self.path.endswith("/version")
            self.send_response(401 if not (is_let_in or open_to_all) else 404 if answer is None else 200)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

    with served_by(Handler) as address:
        yield address
