"""Our own side of each row: one job per process, timed where its work begins and ends."""

import ctypes
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import recorders
from bench.events import observations, plain_log
from bench.growth import grow
from bench.packing import make

from makingof.archive.archive import Archive, Plan, create_archive
from makingof.archive.home import Home
from makingof.archive.imports import import_files
from makingof.clock import SystemClock
from makingof.config import Settings
from makingof.containers.headed import HeadedFile
from makingof.metadata.facts import facts_of
from makingof.metadata.registry import read_records
from makingof.part import Means
from makingof.tlog.audit import check_log
from makingof.tlog.reader import open_reader
from makingof.verify.check import check_bundle

FOLDER = Path("work")


Moment = tuple[float, float]  # on the wall, and of this process


def now() -> Moment:
    return time.perf_counter(), time.process_time()


def since(started: Moment) -> Moment:
    wall, cpu = now()
    return wall - started[0], cpu - started[1]


def report(spent: Moment, **more: object) -> None:
    print(json.dumps({"seconds": spent[0], "cpu": spent[1], **more}))


@contextmanager
def new_archive() -> Iterator:

    home = Home(Path("archive").absolute(), Path("state").absolute())
    archive, _ = create_archive(home, SystemClock(), Plan("bench", Settings(authorities=())))
    with archive:
        yield archive


# Import, and what it is held against.


def import_held(pictures: str) -> None:
    _import(pictures, in_place=False)


def import_in_place(pictures: str) -> None:
    _import(pictures, in_place=True)


def _import(pictures: str, *, in_place: bool) -> None:

    paths = sorted(Path(pictures).glob("*.png"))
    with new_archive() as archive:
        os.sync()
        started = now()
        done = list(import_files(archive, paths, in_place=in_place))
        spent = since(started)
        assert {str(item.outcome) for item in done} == {"recognised"}
        assert len(done) == len(paths)
        report(spent, bytes=sum(path.stat().st_size for path in paths))


def copy_sync_hash(pictures: str) -> None:
    """One after the other: copy everything, sync the file system, hash everything."""
    started = now()
    shutil.copytree(pictures, "copy")
    handle = os.open("copy", os.O_RDONLY)
    _syncfs(handle)
    _hash_all(Path("copy"))
    report(since(started))


def hash_alone(pictures: str) -> None:
    started = now()
    _hash_all(Path(pictures))
    report(since(started))


def _hash_all(folder: Path) -> None:
    for path in sorted(folder.glob("*.png")):
        hashlib.sha256(path.read_bytes()).hexdigest()


def _syncfs(handle: int) -> None:

    if ctypes.CDLL(None, use_errno=True).syncfs(handle):
        raise OSError(ctypes.get_errno(), "syncfs")


# Appending.


def append_events(count: str, group: str) -> None:
    """Events of five parts through the recorder, `group` to a commit; nothing but the log."""

    size = int(group)
    with new_archive() as archive:
        given = list(observations(int(count)))
        os.sync()
        started = now()
        for start in range(0, len(given), size):
            archive.recorder.record(given[start : start + size], means=Means.LIVE)
        spent = since(started)
        assert archive.log.size() == len(given) + 1
        report(spent)


def append_and_index(count: str, group: str) -> None:
    """The same with the index following after each commit: what a command does."""

    size = int(group)
    with new_archive() as archive:
        given = list(observations(int(count)))
        os.sync()
        started = now()
        for start in range(0, len(given), size):
            archive.record(given[start : start + size], means=Means.LIVE)
        report(since(started))


# The log.


def fill_log(count: str, parts: str) -> None:
    """Make the log that `verify_log` goes through: headers alone, or events of five parts."""

    if parts == "0":
        plain_log(FOLDER, int(count))
        return
    with new_archive() as archive:
        given = list(observations(int(count)))
        for start in range(0, len(given), 512):
            archive.recorder.record(given[start : start + 512], means=Means.LIVE)


def verify_log(path: str) -> None:

    with open_reader(Path(path)) as reader:
        started = now()
        found = check_log(reader)
        spent = since(started)
    found.require()
    report(spent, entries=found.head.size)


def grow_log(count: str) -> None:
    """Append up to `count` entries; at each power of ten, and in between, what one more costs."""

    report((0.0, 0.0), points=grow(Path("grown"), int(count)))


# Packages.


def make_package(pictures: str, package: str) -> None:

    with new_archive() as archive:
        make(archive, sorted(Path(pictures).glob("*.png")), Path(package))


def verify_package(package: str) -> None:

    started = now()
    found = check_bundle(Path(package))
    spent = since(started)
    found.require()
    report(spent, steps=len(found.steps))


def hash_file(path: str) -> None:
    """Every byte of one file, read and hashed by hashlib alone."""
    started = now()
    with Path(path).open("rb", buffering=0) as file:
        hashlib.file_digest(file, "sha256")
    report(since(started))


# Reading.


def read_pictures(pictures: str) -> None:
    """Open each file and read every record in it."""

    paths = sorted(Path(pictures).glob("*.png"))
    started = now()
    for path in paths:
        with HeadedFile(path) as data:
            assert read_records(data, path.name)
    report(since(started), files=len(paths))


def read_listed(listed: str, passes: str) -> None:
    """Read every record of the files of a list, again and again: they are few."""
    paths = [Path(path) for path in Path(listed).read_text(encoding="utf-8").splitlines()]
    started = now()
    for _ in range(int(passes)):
        for path in paths:
            with HeadedFile(path) as data:
                read_records(data, path.name)
    report(since(started))


def read_labelled(listed: str) -> None:

    answers = {}
    for path in Path(listed).read_text(encoding="utf-8").splitlines():
        facts = facts_of(Path(path).read_bytes(), Path(path).name)
        answers[path] = {name: facts[name] for name in ("prompt", "negative", "seed", "steps")}
    report((0.0, 0.0), answers=answers)


# Recording while a tool runs.


def save_pictures(count: str) -> None:
    _recorded(lambda _: recorders.save_pictures(int(count)))


def save_pictures_hooked(count: str) -> None:
    _recorded(lambda archive: recorders.save_pictures_hooked(archive, int(count)))


def watch_folder(count: str, single: str) -> None:
    _recorded(lambda archive: recorders.watch_folder(archive, int(count), int(single)))


def drain_spool(count: str, size: str) -> None:
    _recorded(lambda archive: recorders.drain_spool(archive, int(count), int(size)))


def _recorded(work: Callable[[Archive], dict[str, object]]) -> None:
    """Do work that times itself."""
    with new_archive() as archive:
        os.sync()
        print(json.dumps(work(archive)))


JOBS: dict[str, Callable[..., None]] = {
    job.__name__: job
    for job in (
        import_held,
        import_in_place,
        copy_sync_hash,
        hash_alone,
        append_events,
        append_and_index,
        fill_log,
        verify_log,
        grow_log,
        make_package,
        verify_package,
        hash_file,
        read_pictures,
        read_listed,
        read_labelled,
        save_pictures,
        save_pictures_hooked,
        watch_folder,
        drain_spool,
    )
}

if __name__ == "__main__":
    JOBS[sys.argv[1]](*sys.argv[2:])
