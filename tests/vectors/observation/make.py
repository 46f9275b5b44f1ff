"""Write the vectors of docs/spec/observation.md. Run from the root; a test runs it too and compares."""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
STREAM = "5f1c0e2b7a9d4c3e8f6a1b2c3d4e5f60"
SOURCE = {"name": "a-hook", "version": "1", "tool": "comfyui", "tool_version": "0.8.0"}
DIGEST = "sha256:" + "ab" * 32


def observation(**changes):
    value = {"v": 1, "kind": "generated", "source": SOURCE, "stream": STREAM, "seq": 7} | changes
    return json.dumps({name: item for name, item in value.items() if item is not ...}, ensure_ascii=False)


def with_file(**changes):
    return observation(files=[{"file": "00001.png"} | changes])


ACCEPTED = {
    "the least there can be": observation(stream=..., seq=...),
    "a file with all that may be said of it": with_file(
        role="output", held=False, digest=DIGEST, media_type="image/png", name="吊坠/仙鹤.png", number=3
    ),
    "a file whose bytes were handed over before": observation(files=[{"digest": DIGEST, "role": "output"}]),
    "a part that names its file": observation(
        files=[{"file": "00001.png"}],
        parts=[{"type": "parameters", "from": "api", "body": {"file": {"attached": 0}}}],
    ),
    "text that only looks like an attachment": observation(
        parts=[{"type": "prompt", "from": "api", "body": {"effective": '{"attached": 0}'}}]
    ),
    "citations of both sorts": observation(cites=[DIGEST, {"stream": STREAM, "seq": 6}]),
    "any spacing": '{\n "v" : 1, "source": {"version": "1", "name": "x"}, "kind": "gap" }',
}
REFUSED = {
    "another version": observation(v=2),
    "a means of its own": observation(means="live"),
    "a field we do not know": observation(colour="red"),
    "a float": observation(seq=7).replace("7", "7.0"),
    "not a number": observation(seq=7).replace("7", "NaN"),
    "duplicate keys": '{"v": 1, "v": 1, "kind": "gap", "source": {"name": "x", "version": "1"}}',
    "a stream without its number": observation(seq=...),
    "a file that lies elsewhere": with_file(file="../secret.png"),
    "a file on another drive": with_file(file="C:secret.png"),
    "a file without a name": with_file(file=""),
    "a file with neither bytes nor digest": observation(files=[{"role": "output"}]),
    "a digest alone, to be left where it is": observation(files=[{"digest": DIGEST, "held": False}]),
    "a citation of neither sort": observation(cites=[{"stream": STREAM}]),
    "a digest in upper case": with_file(digest=DIGEST.upper()),
    "a kind that does not exist": observation(kind="authored"),
    "not JSON": "v: 1",
    "a list": "[]",
    "too deep": "[" * 100_000,
}


def vectors():
    return {"accepted": ACCEPTED, "refused": REFUSED}


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "vectors.json"
    target.write_text(json.dumps(vectors(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
