"""Record what a real InvokeAI keeps and says of one job, for the stand-in of the quick tests.

    python -m tests.invokeai.record ENVIRONMENT

runs the InvokeAI of ENVIRONMENT and writes `recorded.json` beside this file: the rows of its
tables and the words it calls out, of one picture it made. Of its code nothing is copied.
"""

import json
import sqlite3
import sys
import tempfile
import threading
from pathlib import Path

import socketio
from tests.invokeai.server import HERE, Server, text_to_image

_TABLES = ("session_queue", "images", "boards", "board_images")


def main(environment: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = Server(environment, Path(folder, "root"))
        try:
            version = server.start()["version"]
            model = server.install_model(Path(folder, "model"))
            calls = _hear(server, lambda: server.enqueue(text_to_image(model, "a crane at dusk")))
            _judge(server)
            told = {"version": version, "rows": _rows(server.root), "calls": calls}
        finally:
            server.stop()
    (HERE / "recorded.json").write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _hear(server: Server, act) -> list[object]:
    heard: list[object] = []
    done = threading.Event()
    client = socketio.Client()
    client.on("connect", lambda: client.emit("subscribe_queue", {"queue_id": "default"}))

    def hear(told):
        heard.append(told)
        if told["status"] == "completed":
            done.set()

    client.on("queue_item_status_changed", hear)
    client.connect(server.url, transports=["websocket"], socketio_path="/ws/socket.io")
    act()
    assert done.wait(120)
    client.disconnect()
    return heard


def _judge(server: Server) -> None:
    name = server.call("GET", "/api/v1/images/names")["image_names"][0]
    server.call("POST", "/api/v1/images/star", {"image_names": [name]})
    board = server.call("POST", "/api/v1/boards/?board_name=chosen")
    server.call("POST", "/api/v1/board_images/", {"board_id": board["board_id"], "image_name": name})


def _rows(root: Path) -> dict[str, dict[str, object]]:
    found = {}
    with sqlite3.connect(f"{(root / 'databases/invokeai.db').as_uri()}?mode=ro", uri=True) as database:
        database.row_factory = sqlite3.Row
        for table in _TABLES:
            row = dict(database.execute(f"SELECT * FROM {table}").fetchone())  # noqa: S608 - our own names
            if isinstance(row.get("session"), str):
                row["session"] = json.loads(row["session"])
            found[table] = row
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]))
