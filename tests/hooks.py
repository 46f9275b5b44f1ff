"""A hook as tests need it: connected to an archive, on the archive's own clock."""

from makingof.archive.hooks import hook_folder, publish_nonce, spool_path
from makingof.part import Own, Part, PartType
from makingof.spool.carried import HookStream
from makingof.spool.hook import Hook

SOURCE = {"name": "a-hook", "version": "1", "tool": "a-tool", "tool_version": "2"}


def connect_hook(archive, tool="a-tool"):
    hook = Hook.make(tool, "/tool", spool_path(archive), (), {})
    hook_folder(archive).add(hook)
    publish_nonce(archive)
    return hook


def stream_of(hook, clock, **changes):
    connection = {"id": hook.id, "secret": hook.secret, "spool": hook.spool} | changes
    now_ms = lambda: int(clock.now().timestamp() * 1000)  # noqa: E731
    return HookStream(connection, SOURCE, clock=(clock.boot_id, clock.uptime_ms, now_ms))


def prompt(text="黄昏里的仙鹤"):
    return {"type": "prompt", "from": "api", "body": {"effective": text, "written": "typed"}}


def report(outcome=None, job=None):
    body = {"facts": {}} | ({"outcome": outcome} if outcome else {}) | ({"job": job} if job else {})
    return {"type": "report", "from": "api", "body": body}


def picture(data=b"not a real picture", name="a.png"):
    return {"bytes": data, "name": name, "role": "output"}


def job(stream, data=b"a picture", cites=None):
    """Hand over a request and its result; return their numbers."""
    request = stream.hand_over("prompted", [prompt()])
    result = stream.hand_over(
        "generated", [report(job="j")], [picture(data)], [request if cites is None else cites]
    )
    return request, result


def events(archive, *kinds):
    """Return (kind, means, facts or None) of every event past entry 0, in log order."""
    found = [row for row in archive.index.events(limit=100_000)[::-1] if row.position]
    return [(str(row.kind), str(row.means)) for row in found if not kinds or str(row.kind) in kinds]


def own_facts(archive, kind):
    """Return the own facts of every event of one kind, in log order."""
    found = []
    for position in archive.index.positions_of_kind(kind):
        parts = [Part.parse(part.data) for part in archive.log.parts(position) if part.data]
        found += [part.read(Own).facts for part in parts if part.type is PartType.OWN]
    return found
