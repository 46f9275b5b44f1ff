"""ComfyUI's HTTP interface on the loopback, over the same stand-in that the hook is tried in."""

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from tests.comfyui_host import RUNS
from tests.loopback import served_by


@contextmanager
def serving(host):
    """Serve `/history`, `/queue` and `/system_stats` as the recorded server did; give the address."""
    stats = json.loads((RUNS / host.version / "system_stats.json").read_text("utf-8"))
    queue = host.server.prompt_queue

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            answers = {
                "/history": queue.get_history,
                "/queue": lambda: {
                    "queue_running": [list(item[:5]) for item in queue.currently_running.values()],
                    "queue_pending": [list(item[:5]) for item in queue.queue],
                },
                "/system_stats": lambda: stats,
            }
            answer = answers.get(self.path.split("?")[0])
            self.send_response(200 if answer else 404)
            self.end_headers()
            self.wfile.write(json.dumps(answer() if answer else {}).encode())

    with served_by(Handler) as address:
        yield address
