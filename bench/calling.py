"""What recording costs a program that calls a hosted service: `python -m bench.calling`.

A server in a process of its own answers with a picture of about a megabyte in base64. The same
calls are made by a plain client and by a recorded one, in turns. Told are the median and the
worst of both, and the longest the recording itself kept the program's thread.
"""

import base64
import json
import multiprocessing
import os
import secrets
import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx2

from makingof.archive.archive import Plan, create_archive
from makingof.archive.home import Home
from makingof.archive.hooks import hook_folder, publish_nonce, spool_path
from makingof.clock import SystemClock
from makingof.config import Settings
from makingof.live.call import Call
from makingof.live.calls import Calls
from makingof.live.services.known import Addresses
from makingof.live.transports import record_client
from makingof.spool.hook import Hook

ROUNDS = 60
PICTURE_BYTES = 1 << 20
THINKING_SECONDS = 0.3  # services take seconds; what a request costs falls into them
PAUSE_SECONDS = 0.3  # and what an answer costs falls after it
PATH = "/v1/images/generations"


def serve(pipe):
    from tests.services_host import Host, Reply  # noqa: PLC0415 - in the server's process only

    data = base64.b64encode(secrets.token_bytes(PICTURE_BYTES)).decode()
    reply = Reply({"created": 1, "data": [{"b64_json": data}]}, wait=THINKING_SECONDS)
    with Host({("POST", PATH): reply}) as host:
        pipe.send(host.url)
        pipe.recv()


class Timed:
    """Adds up what the methods of a call take in the program's thread."""

    def __init__(self):
        self.seconds = []
        self.worked = []

    def around(self, name):
        method = getattr(Call, name)

        def timed(*arguments, **settings):
            start, worked = time.perf_counter(), time.thread_time()
            try:
                return method(*arguments, **settings)
            finally:
                self.worked.append(time.thread_time() - worked)
                self.seconds.append(time.perf_counter() - start)

        return timed


def measure(url, calls):
    clients = {"plain": httpx2.Client(trust_env=False), "recorded": httpx2.Client(trust_env=False)}
    record_client(clients["recorded"], calls)
    asked = {"model": "gpt-image-2", "prompt": "a crane at dusk, ink", "size": "1024x1024"}
    found = {name: [] for name in clients}
    for number in range(ROUNDS + 5):
        for name, client in clients.items():
            start = time.perf_counter()
            client.post(f"{url}{PATH}", json=asked)
            if number >= 5:
                found[name].append((time.perf_counter() - start) * 1000)
            time.sleep(PAUSE_SECONDS)
    for client in clients.values():
        client.close()
    return found


def main():
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    url = ours.recv()
    timed = Timed()
    for name in ("answer", "note", "finish", "finish_request", "__init__"):
        setattr(Call, name, timed.around(name))
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / ".makingof", Path(folder) / "state")
        archive, _ = create_archive(home, SystemClock(), Plan("Bench", Settings()))
        with archive:
            hook = Hook.make("python", "/tool", spool_path(archive), (), {})
            hook_folder(archive).add(hook)
            publish_nonce(archive)
            addresses = Addresses()
            addresses.add({f"{url}/v1": "openai"})
            calls = Calls({"id": hook.id, "secret": hook.secret, "spool": hook.spool}, addresses, dict)
            found = measure(url, calls)
            is_whole = calls.close(60)
    ours.send("end")
    server.join()
    told = {
        name: {"median_ms": round(statistics.median(all_ms), 2), "worst_ms": round(max(all_ms), 2)}
        for name, all_ms in found.items()
    }
    told["recording_itself"] = {
        "notes": len(timed.seconds),
        "processor_ms_per_call": round(sum(timed.worked) * 1000 / (ROUNDS + 5), 3),
        "worst_processor_ms": round(max(timed.worked) * 1000, 3),
        "median_us": round(statistics.median(timed.seconds) * 1e6, 1),
        "worst_wait_ms": round(max(timed.seconds) * 1000, 2),
    }
    told |= {"calls": ROUNDS, "all_recorded": is_whole, "load": os.getloadavg()[0]}
    json.dump(told, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
