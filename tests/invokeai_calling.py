"""What InvokeAI calls out, from a real Socket.IO server on the loopback that takes websockets only."""

import threading
import time
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import socketio


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    def get_environ(self):
        # by this name the library looks for the bare connection
        return super().get_environ() | {"werkzeug.socket": self.connection}

    def log_message(self, *_arguments):
        pass


class Caller:
    """Calls out to those who subscribed to the queue."""

    def __init__(self) -> None:
        self.server = socketio.Server(async_mode="threading", transports=["websocket"])
        self.auth: list[object] = []
        self.subscribed = threading.Event()
        self.server.on("connect", self._connect)
        self.server.on("subscribe_queue", self._subscribe)
        self.url = ""

    def call(self, name: str, told) -> None:
        self.server.emit(name, told, room="default")

    def _connect(self, _sid, _environ, auth):
        self.auth.append(auth)

    def _subscribe(self, sid, told):
        self.server.enter_room(sid, told["queue_id"])
        self.subscribed.set()


@contextmanager
def calling(port: int = 0):
    """Serve until the block ends; `url` is where."""
    caller = Caller()
    answer = socketio.WSGIApp(caller.server, socketio_path="/ws/socket.io")

    def app(environ, start_response):
        try:
            return answer(environ, start_response)
        except ConnectionError:  # so the library ends a websocket on a bare connection
            return []

    server = make_server("127.0.0.1", port, app, server_class=_Server, handler_class=_Handler)
    caller.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield caller
    finally:
        caller.server.shutdown()
        server.shutdown()
        thread.join()
        server.server_close()


def wait_for(is_so, seconds=10.0):
    """Wait until something that another thread does is done."""
    deadline = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.005)
    return found
