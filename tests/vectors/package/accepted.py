"""Packages every verifier accepts."""

import io
import zipfile
from collections.abc import Iterator

from tests.histories import job, own, prompt
from tests.packages import NEGATIVE, PROMPT, Session, make_session, packed
from tests.records import a1111_png
from tests.vectors.package.packages import (
    BASE,
    Case,
    Files,
    package,
    stamp_by_deposit,
    stamped,
    whole,
)

from makingof.event import Kind
from makingof.part import Means


def accepted() -> Iterator[Case]:
    yield Case("whole", package(make_session()))
    yield Case("withheld", package(make_session(), withhold=("prompts",)))
    yield Case("withheld_reason_of_one_event", package(make_session(), withhold=(reason_of_one(),)))
    yield Case("full", package(make_session(), full=True))
    yield Case("deposited", packed(stamped()))
    yield Case("open_stream_and_gap", package(session_with_gap()))
    yield Case("second_looks", package(session_looked_at()))
    yield Case("imported", package(imported_session()))
    yield Case("without_a_folder", packed(whole(), base=""))
    yield Case("packed_anew_deflated", deflated(whole()))
    yield Case("packed_anew_with_folders_and_descriptors", streamed(whole()))


def session_looked_at() -> Session:
    """Two generators compared, one of them twice; a third look has a shape nobody wrote."""
    session = make_session()
    history = session.archive.history
    history.look(2, early="before_hook")
    history.open("another run")
    history.look(2, "invokeai", "http://127.0.0.1:9090")
    odd = own(second_look={"tool": "comfyui", "url": 1, "jobs": 2, "missing": []})
    history.tell(Kind.CHECKED, odd, means=Means.OWN)
    same = a1111_png(PROMPT, NEGATIVE, seed=1)
    session.archive.generate(same, prompt(PROMPT), job("job-3"), stream="another run")
    history.look(3, lost="hook_lost", early="before_hook")
    history.close("another run")
    return session


def reason_of_one() -> str:
    session = make_session()
    rejected = next(
        item for item in session.archive.history.told if session.archive.kind(item) is Kind.REJECTED
    )
    return f"{rejected.name}:reason"


def session_with_gap() -> Session:
    """A run that was never closed, one of whose numbers never arrived, which a `gap` says."""
    session = make_session()
    history = session.archive.history
    history.open("second")
    session.archive.generate(a1111_png(PROMPT, seed=5), prompt(PROMPT), job("job-5"), stream="second", seq=2)
    gap = own(why="number_missing", stream=history.stream("second"), missing=[[1, 1]])
    history.tell(Kind.GAP, gap, means=Means.OWN)
    stamp_by_deposit(session.archive)
    return session


def imported_session() -> Session:
    session = make_session()
    history = session.archive.history
    history.open("import", of="import")
    for seed in (7, 8):
        session.archive.generate(
            a1111_png(PROMPT, seed=seed), prompt(PROMPT), stream="import", means=Means.RECOVERED
        )
    history.close("import")
    return session


def deflated(files: Files) -> bytes:
    """As another program packs a folder."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files, reverse=True):
            archive.writestr(
                zipfile.ZipInfo(BASE + name, (2026, 3, 1, 0, 0, 0)), files[name], zipfile.ZIP_DEFLATED
            )
    return out.getvalue()


class _Unseekable(io.RawIOBase):
    """Makes `zipfile` write data descriptors, as a program does that cannot go back."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:
        self.data += data
        return len(data)


def streamed(files: Files) -> bytes:
    out = _Unseekable()
    with zipfile.ZipFile(out, "w") as archive:
        for folder in ("", "data/", "data/log/"):
            archive.writestr(zipfile.ZipInfo(BASE + folder, (2026, 3, 1, 0, 0, 0)), b"")
        for name in sorted(files):
            info = zipfile.ZipInfo(BASE + name, (2026, 3, 1, 0, 0, 0))
            archive.writestr(info, files[name], zipfile.ZIP_DEFLATED)
    return bytes(out.data)
