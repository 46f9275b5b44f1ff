"""A server on the loopback address for as long as a block runs."""

import threading
from contextlib import contextmanager
from http.server import ThreadingHTTPServer


@contextmanager
def served_by(handler):
    """Answer by `handler`, which says on no screen what it was asked; give the address."""
    quiet = type("Quiet", (handler,), {"log_message": lambda *_arguments: None})
    server = ThreadingHTTPServer(("127.0.0.1", 0), quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
