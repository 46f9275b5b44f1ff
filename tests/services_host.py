"""A stand-in for the services' servers on loopback, speaking each wire form from its documentation.

What it does is told per path: a `Reply` or a function of the request. It keeps every
request as it came, so that a test can compare what the program sent with what arrived.
"""

import base64
import gzip
import io
import json
import threading
import time
import zlib
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from PIL import Image

KEY = "sk-proj-Zt93kQ81mmWq0vVx7Lb2"
DATE = "Sun, 22 Nov 2026 10:11:12 GMT"
DATE_AT = "2026-11-22T10:11:12.000Z"


def png(color="crimson", size=(8, 8)):
    stream = io.BytesIO()
    Image.new("RGB", size, color).save(stream, "PNG")
    return stream.getvalue()


def b64(data):
    return base64.b64encode(data).decode()


def sse(*events):
    """Spell events as a server sends them, one piece each."""
    return [f"event: {e['type']}\ndata: {json.dumps(e)}\n\n".encode() for e in events]


@dataclass
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict
    body: bytes


@dataclass
class Reply:
    """What is answered. `chunks` go out one by one, `pause` seconds apart; `breaks` ends in the middle."""

    body: object = b""
    status: int = 200
    headers: dict = field(default_factory=dict)
    chunks: list = field(default_factory=list)
    pause: float = 0.0
    breaks: bool = False
    coding: str = ""
    wait: float = 0.0

    def coded(self):
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        if self.coding == "gzip":
            return gzip.compress(body)
        return zlib.compress(body) if self.coding == "deflate" else body


class Host:
    """One server. `replies` maps (method, path without query) to what is answered: a list one by one."""

    def __init__(self, replies=None):
        self.replies = replies or {}
        self.seen = []
        host = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                host._answer(self)

            def do_POST(self):
                host._answer(self)

            def date_time_string(self, _timestamp=None):
                return DATE

            def log_message(self, *_arguments):
                """Nobody reads a log here."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                """A client that went away is what some tests are about."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()

    def _answer(self, handler):
        seen = Seen(handler.command, handler.path, dict(handler.headers), _read_body(handler))
        self.seen.append(seen)
        reply = self.replies.get((seen.method, seen.path.partition("?")[0]), Reply({"error": "none"}, 404))
        if isinstance(reply, list):
            reply = reply.pop(0) if len(reply) > 1 else reply[0]
        if callable(reply):
            reply = reply(seen)
        time.sleep(reply.wait)
        handler.send_response(reply.status)
        headers = {"Content-Type": "application/json", **reply.headers}
        if reply.coding:
            headers["Content-Encoding"] = reply.coding
        if reply.chunks:
            headers["Transfer-Encoding"] = "chunked"
        else:
            headers["Content-Length"] = str(len(reply.coded()) + (1000 if reply.breaks else 0))
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        if not reply.chunks:
            handler.wfile.write(reply.coded())
        for chunk in reply.chunks:
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            handler.wfile.flush()
            time.sleep(reply.pause)
        if reply.breaks:
            handler.close_connection = True
            handler.connection.shutdown(2)
        elif reply.chunks:
            handler.wfile.write(b"0\r\n\r\n")


def _read_body(handler):
    if handler.headers.get("Transfer-Encoding") != "chunked":
        return handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
    found = b""
    while size := int(handler.rfile.readline().split(b";")[0], 16):
        found += handler.rfile.read(size)
        handler.rfile.readline()
    handler.rfile.readline()
    return found
