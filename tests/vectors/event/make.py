"""Write the vectors of docs/spec/event.md: events and parts to accept, and to refuse with the reason.

Run from the project's root: `python tests/vectors/event/make.py`. A test runs it too and compares.
"""

import json
import sys
from pathlib import Path

from makingof import canonical
from makingof.digest import Digest
from makingof.event import event_name

HERE = Path(__file__).parent
ROOT = Digest.of(b"").hex
A, B = ("sha256:" + letter * 64 for letter in "ab")


def header(**changes):
    """A small valid `noted` header, with changes; a change to `...` removes the field."""
    value = {
        "v": 1,
        "kind": "noted",
        "means": "live",
        "actor": "a1",
        "project": None,
        "stream": "0" * 32,
        "seq": 0,
        "occurred_at": None,
        "occurred_by": None,
        "recorded_at": "2026-03-01T09:30:00.000Z",
        "uptime_ms": 1000,
        "source": {"name": "makingof", "version": "1", "tool": None, "tool_version": None},
        "cites": [],
        "parts": [{"type": "note", "digest": A}],
        "head": {"size": 0, "root": "sha256:" + ROOT},
    } | changes
    return {name: item for name, item in value.items() if item is not ...}


def part(**changes):
    value = {
        "type": "note",
        "salt": "5a" * 16,
        "means": "live",
        "from": "person",
        "vouched": None,
        "body": {"text": "她更像黄昏里的仙鹤"},
    } | changes
    return {name: item for name, item in value.items() if item is not ...}


def parts_of(*types):
    return [{"type": kind, "digest": "sha256:" + f"{number:064x}"} for number, kind in enumerate(types)]


EVENTS_ACCEPTED = {
    "a note": header(),
    "entry 0": header(
        kind="enrolled", means="own", actor=None, stream=None, seq=None, parts=parts_of("own", "people")
    ),
    "fields of a later version survive": header(later={"x": 1}),
    "a program as actor": header(actor="p12"),
    "an instant told by a person": header(
        means="stated", occurred_at="2025-12-31T23:59:59.999Z", occurred_by="person"
    ),
    "sixteen parts": header(kind="generated", means="watched", actor=None, parts=parts_of(*["file"] * 16)),
    "sixty-four citations": header(cites=["sha256:" + f"{n:064x}" for n in range(64)]),
    "a job without a picture": header(
        kind="attempted", means="spooled", actor=None, parts=parts_of("report", "prompt")
    ),
}
EVENTS_REFUSED = {
    "another version": header(v=2),
    "a kind that does not exist": header(kind="authored"),
    "a means outside the table": header(means="watched"),
    "an import that claims to be live": header(kind="imported", means="live", parts=parts_of("own")),
    "an own event with an actor": header(kind="gap", means="own", parts=parts_of("own")),
    "a required part is missing": header(kind="generated", parts=parts_of("prompt")),
    "a part the kind may not have": header(parts=parts_of("note", "choice")),
    "seventeen parts": header(kind="generated", means="live", parts=parts_of(*["file"] * 17)),
    "one part twice": header(kind="generated", parts=[{"type": "file", "digest": A}] * 2),
    "sixty-five citations": header(cites=["sha256:" + f"{n:064x}" for n in range(65)]),
    "a citation twice": header(cites=[A, A]),
    "a withdrawal of nothing": header(kind="withdrawn", parts=parts_of("reason")),
    "a stream without a number": header(seq=None),
    "a stream in upper case": header(stream="A" * 32),
    "a negative number": header(seq=-1),
    "a real name as actor": header(actor="Ana"),
    "a pseudonym of zero": header(actor="a0"),
    "an instant without whose clock": header(occurred_at="2026-03-01T09:30:00.000Z"),
    "an instant with an offset": header(recorded_at="2026-03-01T09:30:00.000+08:00"),
    "an instant without milliseconds": header(recorded_at="2026-03-01T09:30:00Z"),
    "a negative uptime": header(uptime_ms=-1),
    "a head of negative size": header(head={"size": -1, "root": A}),
    "a digest in upper case": header(cites=["sha256:" + "A" * 64]),
    "a field is missing": header(project=...),
    "a number as text": header(seq="0"),
    "a list instead of an object": [header()],
}
PARTS_ACCEPTED = {
    "a note": part(),
    "fields of a later version survive": part(body={"text": "x", "later": [1, None]}),
    "a list of further parts": part(type="file", body={"parts": [A, B]}),
    "a prompt that is not Unicode": part(type="prompt", body={"state": "unreadable", "base64": "7aC9"}),
    "a vouched prompt": part(
        type="prompt",
        means="recovered",
        vouched={"by": "novelai", "job": None, "check": "novelai_signature"},
        body={"effective": "a crane"},
    ),
    "a file left in place": part(
        type="file", body={"role": "output", "digest": A, "size": 0, "holding": "known"}
    ),
    "a seed of 64 bits, as text": part(
        type="parameters", body={"fields": {"seed": {"value": "18446744073709551615"}}}
    ),
}
PARTS_REFUSED = {
    "no salt": part(salt=...),
    "a short salt": part(salt="5a" * 15),
    "a salt in upper case": part(salt="5A" * 16),
    "a type that does not exist": part(type="work"),
    "a file without its digest": part(type="file", body={"role": "output", "size": 1}),
    "a role that does not exist": part(type="file", body={"role": "original", "digest": A, "size": 1}),
    "a choice of nothing named": part(type="choice", body={}),
    "a list of names that are none": part(type="file", body={"parts": ["x"]}),
    "a body that is text": part(body="x"),
    "a reason without words": part(type="reason", body={}),
}
BYTES_REFUSED = {
    "white space": b'{"v": 1}',
    "duplicate keys": canonical.to_bytes(header()).replace(b'"v":1', b'"v":1,"v":1'),
    "a float": canonical.to_bytes(header()).replace(b'"v":1', b'"v":1.0'),
    "not JSON": b"\x89PNG",
    "nothing": b"",
}


def vectors():
    return {
        "events_accepted": {
            name: {"entry": canonical.to_bytes(value).decode(), "name": event_name(canonical.to_bytes(value))}
            for name, value in EVENTS_ACCEPTED.items()
        },
        "events_refused": {
            name: canonical.to_bytes(value).decode() for name, value in EVENTS_REFUSED.items()
        },
        "parts_accepted": {
            name: {"part": canonical.to_bytes(value).decode(), "digest": Digest.of(canonical.to_bytes(value))}
            for name, value in PARTS_ACCEPTED.items()
        },
        "parts_refused": {name: canonical.to_bytes(value).decode() for name, value in PARTS_REFUSED.items()},
        "bytes_refused_hex": {name: data.hex() for name, data in BYTES_REFUSED.items()},
    }


if __name__ == "__main__":
    text = json.dumps(vectors(), ensure_ascii=False, indent=1) + "\n"
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "vectors.json"
    target.write_text(text, encoding="utf-8")
