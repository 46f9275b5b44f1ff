"""Random histories for property tests: few pictures, folders, jobs and projects, so that they meet."""

from hypothesis import strategies as st
from tests.histories import History, blob, file, job, negative, note, own, parameters, place, prompt, reason

from makingof.event import Kind
from makingof.part import Means, Role

NAMES = [f"{letter}.png" for letter in "abcdefgh"]
FOLDERS = ["/out", "/other"]
WORDS = ["a cat", "a (cat:1.2)", "女孩站在窗边", "soft light, 光线", ""]

_NAME = st.sampled_from(NAMES)
_MINUTES = st.sampled_from([0, 1, 30, 59, 61, 600])
_MEANS = st.sampled_from([Means.LIVE, Means.SPOOLED, Means.WATCHED, Means.RECOVERED, Means.STATED])
_CLAIM = st.none() | st.integers(0, 300).map(
    lambda minute: f"2026-01-05T{minute // 60:02}:{minute % 60:02}:00.000Z"
)
_NUMBER = st.integers(0, 30)


@st.composite
def histories(draw, max_events: int = 24) -> History:
    """A history of up to `max_events` events."""
    history = History()
    for _ in range(draw(st.integers(1, max_events))):
        draw(st.sampled_from(_TELLERS))(draw, history)
    return history


def _generate(draw, history):
    means = draw(_MEANS)
    names = draw(st.lists(_NAME, min_size=1, max_size=3, unique=True))
    said = [
        file(name, draw(st.sampled_from([Role.INIT, Role.MASK])))
        for name in draw(st.lists(_NAME, max_size=2))
    ]
    said += [prompt(draw(st.sampled_from(WORDS))), parameters(seed=str(draw(_NUMBER)))]
    if draw(st.booleans()):
        said.append(job(str(draw(st.integers(0, 3)))))
    if draw(st.integers(0, 3)):
        said.append(place(f"{draw(st.sampled_from(FOLDERS))}/{names[0]}", modified=draw(_CLAIM), file=None))
    history.generate(
        *names,
        said=said,
        means=means,
        minutes=draw(_MINUTES),
        cites=_some(draw, history),
        listed=draw(st.booleans()),
        occurred_at=draw(_CLAIM) if means is Means.RECOVERED else None,
        **_stream(draw, means),
    )


def _request(draw, history):
    said = [prompt(draw(st.sampled_from(WORDS))), negative("lowres")]
    history.tell(Kind.PROMPTED, *said, minutes=draw(_MINUTES), **_stream(draw, Means.LIVE))


def _attempt(draw, history):
    history.tell(Kind.ATTEMPTED, job(str(draw(st.integers(0, 3))), outcome="failed"), minutes=draw(_MINUTES))


def _edit(draw, history):
    used = [file(name, Role.INIT) for name in draw(st.lists(_NAME, max_size=1))]
    cites = _some(draw, history)
    history.tell(Kind.EDITED, file(draw(_NAME)), *used, cites=cites, actor="a1", minutes=draw(_MINUTES))


def _choose(draw, history):
    files = [digest for told in history.told for digest in told.parts if digest in _file_parts(told)]
    if not files:
        return
    judged = draw(st.lists(st.sampled_from(files), min_size=1, max_size=2, unique=True))
    act = draw(st.sampled_from([history.keep, history.reject]))
    act(*judged, among=files[:3], said=[reason("so")], cites=_some(draw, history), minutes=draw(_MINUTES))


def _publish(draw, history):
    said = [file(name, Role.FINAL) for name in draw(st.lists(_NAME, max_size=1))]
    history.tell(
        Kind.PUBLISHED, place(url="https://example.org/"), *said, cites=_some(draw, history), actor="a1"
    )


def _note(draw, history):
    history.tell(Kind.NOTED, note(draw(st.sampled_from(WORDS)), "t"), cites=_some(draw, history), actor="a1")


def _withdraw(draw, history):
    if cites := _some(draw, history, at_least=1):
        history.withdraw(*cites)


def _brief(draw, history):
    history.brief(draw(st.sampled_from(["Cat", "Dog"])), "words", file(draw(_NAME), Role.REFERENCE))


def _end_brief(draw, history):
    history.project = None


def _import(draw, history):
    history.tell(Kind.IMPORTED, own(files=1), file(draw(_NAME)), means=Means.OWN, minutes=draw(_MINUTES))


def _stream_facts(draw, history):
    stream = draw(st.sampled_from(["s", "t"]))
    which = draw(st.sampled_from(["open", "close", "pulse", "gap", "stamp"]))
    if which == "pulse":
        history.tell(Kind.PULSE, own(streams={history.stream(stream): draw(_NUMBER)}), means=Means.OWN)
    elif which == "gap":
        history.tell(Kind.GAP, own(why="lost", stream=history.stream(stream)), means=Means.OWN)
    elif which == "stamp":
        history.stamp()
    else:
        getattr(history, which)(stream)


def _look(draw, history):
    tool, port = draw(st.sampled_from(["comfyui", "other"])), draw(st.sampled_from([1, 2]))
    history.look(3, tool, f"http://127.0.0.1:{port}")


def _stream(draw, means):
    return {} if means is Means.STATED else {"stream": draw(st.sampled_from([None, "s", "t"]))}


def _some(draw, history, at_least=0):
    if len(history.told) <= at_least:
        return history.told[:at_least]
    return draw(
        st.lists(st.sampled_from(history.told), min_size=at_least, max_size=2, unique_by=lambda t: t.name)
    )


def _file_parts(told):
    return {digest for digest, part_type in zip(told.parts, told.types, strict=True) if part_type == "file"}


_TELLERS = [
    _generate, _generate, _generate, _request, _attempt, _edit, _choose, _choose, _publish, _note,
    _withdraw, _brief, _end_brief, _import, _stream_facts, _look,
]  # fmt: skip


def known_pictures(history: History) -> list:
    """The pictures somebody could ask about."""
    blobs = {blob(name) for name in NAMES}
    graph = history.graph()
    return sorted(
        name for name in blobs if graph.with_blobs({name}, given=True) | graph.with_blobs({name}, given=False)
    )
