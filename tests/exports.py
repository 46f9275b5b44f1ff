"""Exports as their programs write them, made after the writers' own sources."""

import csv
import io
import json
import sqlite3
from typing import Any
from urllib.parse import quote

LOG_FIELDS = [
    "prompt", "seed", "width", "height", "sampler", "cfgs", "steps", "filename", "negative_prompt",
    "sd_model_name", "sd_model_hash",
]  # fmt: skip


def log_csv(*rows: dict[str, Any], fields=LOG_FIELDS) -> bytes:
    """As `save_files` of ui_common.py: the csv module's own spelling, one row a press."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(fields)
    plain = {"width": 512, "height": 512, "sampler": "Euler a", "cfgs": 7, "steps": 20, "negative_prompt": ""}
    for row in rows:
        said = plain | {"sd_model_name": "m", "sd_model_hash": "0a1b2c3d4e"} | row
        writer.writerow([said[name] for name in fields])
    return out.getvalue().encode()


def fooocus_log(*entries: tuple[str, dict[str, Any]], with_json: bool = True) -> bytes:
    """As `log` of private_logger.py, 2.5 (or before 2.1, `with_json` false): newest first, unescaped."""
    middle = ""
    for name, values in entries:
        item = f'<div id="{name.replace(".", "_")}" class="image-container"><hr><table><tr>\n'
        item += (
            f'<td><a href="{name}" target="_blank"><img src=\'{name}\' '
            "onerror=\"this.closest('.image-container').style.display='none';\" loading='lazy'/></a>"
            f"<div>{name}</div></td><td><table class='metadata'>"
        )
        for key, value in values.items():
            label = key.replace("_", " ").title()
            shown = str(value).replace("\n", " </br> ")
            kind = "label" if with_json else "key"
            item += f"<tr><td class='{kind}'>{label}</td><td class='value'>{shown}</td></tr>\n"
        item += "</table>"
        if with_json:
            copied = quote(json.dumps(values, indent=0), safe="")
            item += f"</br><button onclick=\"to_clipboard('{copied}')\">Copy to Clipboard</button>"
        middle = item + "</td></tr></table></div>\n\n" + middle
    split = "<!--fooocus-log-split-->"
    head = "<!DOCTYPE html><html><head><title>Fooocus Log 2026-03-01</title></head><body><p>(private)</p>\n"
    return f"{head}{split}\n\n{middle}\n{split}</body></html>".encode()


def fooocus_values(prompt: str, seed: int) -> dict[str, Any]:
    return {
        "prompt": prompt,
        "negative_prompt": "blurry",
        "styles": "['Fooocus V2']",
        "performance": "Speed",
        "steps": 30,
        "resolution": "(1152, 896)",
        "guidance_scale": 4,
        "base_model": "juggernautXL_v8.safetensors",
        "sampler": "dpmpp_2m_sde_gpu",
        "scheduler": "karras",
        "seed": str(seed),
        "version": "Fooocus v2.5.5",
    }


_INVOKE = """
CREATE TABLE images (
    image_name TEXT NOT NULL PRIMARY KEY, image_origin TEXT NOT NULL, image_category TEXT NOT NULL,
    width INTEGER NOT NULL, height INTEGER NOT NULL, session_id TEXT, node_id TEXT, metadata TEXT,
    is_intermediate BOOLEAN DEFAULT FALSE,
    created_at DATETIME NOT NULL DEFAULT(STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW')),
    updated_at DATETIME NOT NULL DEFAULT(STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW')),
    deleted_at DATETIME, starred BOOLEAN DEFAULT FALSE, has_workflow BOOLEAN DEFAULT FALSE);
CREATE TABLE boards (
    board_id TEXT NOT NULL PRIMARY KEY, board_name TEXT NOT NULL, cover_image_name TEXT,
    created_at DATETIME NOT NULL, updated_at DATETIME NOT NULL, deleted_at DATETIME);
CREATE TABLE board_images (
    board_id TEXT NOT NULL, image_name TEXT NOT NULL, created_at DATETIME NOT NULL,
    updated_at DATETIME NOT NULL, deleted_at DATETIME, PRIMARY KEY (image_name));
CREATE TABLE session_queue (
    item_id INTEGER PRIMARY KEY AUTOINCREMENT, batch_id TEXT NOT NULL, queue_id TEXT NOT NULL,
    session_id TEXT NOT NULL UNIQUE, field_values TEXT, session TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'pending', priority INTEGER NOT NULL DEFAULT 0, error_type TEXT,
    error_message TEXT, error_traceback TEXT, created_at DATETIME NOT NULL, updated_at DATETIME NOT NULL,
    started_at DATETIME, completed_at DATETIME);
CREATE TABLE workflow_library (
    workflow_id TEXT NOT NULL PRIMARY KEY, workflow TEXT NOT NULL, created_at DATETIME NOT NULL,
    updated_at DATETIME NOT NULL, opened_at DATETIME,
    category TEXT GENERATED ALWAYS AS (json_extract(workflow, '$.meta.category')) VIRTUAL NOT NULL,
    name TEXT GENERATED ALWAYS AS (json_extract(workflow, '$.name')) VIRTUAL NOT NULL,
    description TEXT GENERATED ALWAYS AS (json_extract(workflow, '$.description')) VIRTUAL NOT NULL);
"""


class Invoke:
    """A database as InvokeAI 5's migrations make it."""

    def __init__(self, path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._made = sqlite3.connect(path)
        self._made.executescript(_INVOKE)

    def image(self, name, *, at="2026-03-01 09:00:00.000", **more) -> None:
        row = {
            "image_name": name, "image_origin": "internal", "image_category": "general", "width": 8,
            "height": 8, "session_id": f"session-{name}", "created_at": at, "updated_at": at, "starred": 0,
        } | more  # fmt: skip
        self._insert("images", row)

    def board(self, board, name, **pictures) -> None:
        at = "2026-03-01 08:00:00.000"
        self._insert("boards", {"board_id": board, "board_name": name, "created_at": at, "updated_at": at})
        for picture, put in pictures.values():
            row = {"board_id": board, "image_name": picture, "created_at": put, "updated_at": put}
            self._insert("board_images", row)

    def job(self, session, status, *, graph=None, **more) -> None:
        at = "2026-03-01 09:00:00.000"
        row = {
            "batch_id": "b", "queue_id": "default", "session_id": session,
            "session": json.dumps({"id": session, "graph": graph or {}}), "status": status,
            "created_at": at, "updated_at": at,
        } | more  # fmt: skip
        self._insert("session_queue", row)

    def workflow(self, identity, name, workflow, category="user") -> None:
        at = "2026-03-01 09:00:00.000"
        row = {
            "workflow_id": identity, "created_at": at, "updated_at": at,
            "workflow": json.dumps(
                {"name": name, "description": "", "meta": {"category": category}} | workflow
            ),
        }  # fmt: skip
        self._insert("workflow_library", row)

    def close(self) -> None:
        self._made.commit()
        self._made.close()

    def _insert(self, table, row) -> None:
        marks = ", ".join("?" * len(row))
        self._made.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values()))  # noqa: S608 - our own names


def invoke_metadata(prompt: str, seed: int) -> str:
    return json.dumps(
        {
            "app_version": "5.6.0",
            "generation_mode": "txt2img",
            "positive_prompt": prompt,
            "negative_prompt": "blurry",
            "width": 8,
            "height": 8,
            "seed": seed,
            "cfg_scale": 7.5,
            "steps": 30,
            "scheduler": "euler",
            "model": {"key": "k", "hash": "blake3:00", "name": "dreamshaper", "base": "sd-1", "type": "main"},
        }
    )


def invoke_graph(prompt: str, seed: int) -> dict[str, Any]:
    """As InvokeAI 5 builds it: words and seed come to the metadata by edges, and may stand there too."""
    metadata = json.loads(invoke_metadata("stands there from before", 1)) | {
        "id": "core",
        "type": "core_metadata",
    }
    return {
        "id": "g",
        "nodes": {
            "core": metadata,
            "words": {"id": "words", "type": "string", "value": prompt},
            "seed": {"id": "seed", "type": "integer", "value": seed},
            "noise": {"id": "noise", "type": "noise", "seed": 5},
        },
        "edges": [
            {
                "source": {"node_id": node, "field": "value"},
                "destination": {"node_id": "core", "field": field},
            }
            for node, field in (("words", "positive_prompt"), ("seed", "seed"))
        ],
    }


JOBS = ("11111111-0000-4000-8000-000000000001", "22222222-0000-4000-8000-000000000002")


def midjourney_job(identity: str, command: str, **more) -> dict[str, Any]:
    return {
        "id": identity,
        "enqueue_time": "2026-03-01T09:00:00.000Z",
        "job_type": "v6_diffusion",
        "event_type": "diffusion",
        "full_command": command,
        "batch_size": 4,
        "width": 1024,
        "height": 1024,
        "parent_grid": None,
        "parent_id": None,
        "username": "painter",
        "user_id": "u1",
    } | more


def channel(*messages: dict[str, Any]) -> bytes:
    """As DiscordChatExporter writes JSON."""
    return json.dumps(
        {
            "guild": {"id": "1", "name": "studio"},
            "channel": {"id": "2", "type": "GuildTextChat", "name": "general"},
            "exportedAt": "2026-03-02T00:00:00+00:00",
            "messages": list(messages),
            "messageCount": len(messages),
        },
        indent=2,
    ).encode()


def message(identity: str, content: str, *files: str, answers: str | None = None, **more) -> dict[str, Any]:
    said: dict[str, Any] = {
        "id": identity,
        "type": "Reply" if answers else "Default",
        "timestamp": "2026-03-01T09:00:00.5+00:00",
        "content": content,
        "author": {"id": "936929561302675456", "name": "Midjourney Bot", "isBot": True},
        "attachments": [{"id": "9", "url": f"https://cdn/{name}", "fileName": name} for name in files],
        "embeds": [],
    }
    if answers:
        said["reference"] = {"messageId": answers, "channelId": "2", "guildId": "1"}
    return said | more


def sent(number: int, content: str, *, at="2026-03-01 09:00:00") -> dict[str, Any]:
    """One message as `messages.json` of Discord's own data package holds it."""
    return {"ID": number, "Timestamp": at, "Contents": content, "Attachments": ""}


def sent_csv(*messages: dict[str, Any]) -> bytes:
    """As `messages.csv` of the older packages: every field quoted only where it must be."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["ID", "Timestamp", "Contents", "Attachments"])
    writer.writerows(item.values() for item in messages)
    return out.getvalue().encode()


def conversation(*messages: dict[str, Any], identity="conv-1") -> dict[str, Any]:
    """As ChatGPT's `conversations.json`: a tree, here of one branch under an empty root."""
    mapping: dict[str, Any] = {"root": {"id": "root", "message": None, "parent": None, "children": []}}
    before = "root"
    for item in messages:
        mapping[before]["children"] = [item["id"]]
        mapping[item["id"]] = {"id": item["id"], "message": item, "parent": before, "children": []}
        before = item["id"]
    return {"title": "cats", "create_time": 1772355600.5, "mapping": mapping, "conversation_id": identity}


def chat(identity, role, parts, **more) -> dict[str, Any]:
    return {
        "id": identity,
        "author": {"role": role, "name": more.pop("name", None), "metadata": {}},
        "create_time": 1772355600.5,
        "content": {"content_type": "multimodal_text", "parts": parts},
        "recipient": more.pop("recipient", "all"),
        "metadata": {},
    } | more


def asset(file, **dalle) -> dict[str, Any]:
    return {
        "content_type": "image_asset_pointer",
        "asset_pointer": file,
        "size_bytes": 100,
        "width": 1024,
        "height": 1024,
        "metadata": {"dalle": dalle} if dalle else None,
    }


HOSTILE = (
    b'{"messages": [], "channel"',
    b'[{"mapping": ' + b"[" * 200_000,
    b'[{"mapping": {"a": 1, "b": {"message": 7}}}]',
    b'{"channel": 1, "messages": [1, {"author": 2}, {"author": {"id": "936929561302675456"}}]}',
    b'{"x": {"prompt": [1, 2], "outputs": {}}}',
    (
        b'{"x": {"prompt": [1, "x", {"1": {"class_type": 1}}, {}, []], "status": 3,'
        b' "outputs": {"9": {"images": [{"filename": 7}]}}}}'
    ),
    b'[{"id": "11111111-0000-4000-8000-000000000001", "enqueue_time": 5, "full_command": null}]',
    b'[{"id": "11111111-0000-4000-8000-000000000001", "enqueue_time": "x", "full_command": "\\ud800"}]',
    (
        b'{"mapping": {"a": {"message": {"content": {"parts": [{"asset_pointer": "sediment://file_00001111",'
        b' "metadata": {"dalle": {"prompt": NaN, "gen_id": [1]}}}]}, "create_time": 1e400}}}}'
    ),
    b'\xff\xfe{"messages": []}',
    b'[{"ID": [1], "Timestamp": 3, "Contents": {}}, {"ID": 1e9, "Timestamp": "x", "Contents": "/imagine a"}]',
    b'[{"ID": 1477678000000000000, "Timestamp": "x", "Contents": "/imagine \\ud800 a"}, 7, null]',
)
