"""Write the vectors of the spool in docs/spec/observation.md; a test runs it too and compares.

Made with `hmac` and `json` alone, so that nothing of the program checks itself.
"""

import hashlib
import hmac
import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
SECRET = bytes(range(32))
HOOK, STREAM = "0123456789abcdef" * 2, "5f1c0e2b7a9d4c3e8f6a1b2c3d4e5f60"
SOURCE = {"name": "a-hook", "version": "1", "tool": "comfyui", "tool_version": "0.8.0"}


def handover(secret=SECRET, mac=None, observation=None, ending="\n", **changes):
    said = {
        "v": 1,
        "hook": HOOK,
        "previous": None,
        "boot": "b",
        "uptime_ms": 7,
        "said_at": "2026-03-01T09:30:00.000Z",
    }
    said = {name: item for name, item in (said | changes).items() if item is not ...}
    told = observation or {
        "v": 1,
        "kind": "opened",
        "source": SOURCE,
        "stream": STREAM,
        "seq": 0,
        "parts": [],
    }
    lines = f"{json.dumps(said)}\n{json.dumps(told, ensure_ascii=False)}\n"
    made = hmac.new(secret, b"makingof-handover/1\n" + lines.encode(), hashlib.sha256).hexdigest()
    return lines + (made if mac is None else mac) + ending


FIRST = handover()
NAMED = "sha256:" + hashlib.sha256(FIRST.encode()).hexdigest()
SECOND = {
    "v": 1, "kind": "prompted", "source": SOURCE, "stream": STREAM, "seq": 1,
    "parts": [{"type": "prompt", "from": "api", "body": {"effective": "黄昏里的仙鹤"}}],
}  # fmt: skip

ACCEPTED = {"the first of a stream": FIRST, "the second": handover(previous=NAMED, observation=SECOND)}
FORGED = {
    "another secret": handover(secret=bytes(32)),
    "a MAC of nothing": handover(mac="0" * 64),
    "a word changed": ACCEPTED["the second"].replace("黄昏", "清晨"),
    "a clock changed": FIRST.replace('"uptime_ms": 7', '"uptime_ms": 8'),
}
MALFORMED = {
    "no MAC": handover(mac=""),
    "a MAC in upper case": FIRST.rstrip("\n").rsplit("\n", 1)[0] + "\n" + "A" * 64 + "\n",
    "no newline at the end": handover(ending=""),
    "a fourth line": FIRST + "\n",
    "another version": handover(v=2),
    "no hook": handover(hook=...),
    "a hook that leads elsewhere": handover(hook="../../secret"),
    "a field we do not know": handover(means="live"),
    "an uptime below zero": handover(uptime_ms=-1),
    "a time of no calendar": handover(said_at="yesterday"),
    "an observation without its number": handover(observation={"v": 1, "kind": "opened", "source": SOURCE}),
    "a float": FIRST.replace('"uptime_ms": 7', '"uptime_ms": 7.0'),
    "nothing": "",
}


def vectors():
    return {
        "secret": SECRET.hex(),
        "accepted": ACCEPTED,
        "forged": FORGED,
        "malformed": MALFORMED,
        "second_after": NAMED,
    }


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "vectors.json"
    target.write_text(json.dumps(vectors(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
