"""Second looks that nobody asks for: at the generators known to run, when the log has news of them."""

from collections.abc import Iterator
from contextlib import suppress

from makingof.archive.archive import Archive
from makingof.archive.doctor import ask_host
from makingof.archive.following import look_again
from makingof.archive.hooks import hook_folder
from makingof.archive.second_look import own_facts_at
from makingof.capture.follower import Follower
from makingof.capture.generators import Generator, generator_of
from makingof.capture.local_http import LocalHost
from makingof.errors import SourceError, UsageError
from makingof.event import Event, Kind
from makingof.lineage.second_looks import SecondLook, read_second_look

LOOK_SECONDS = 300.0
_COMFYUI = generator_of("comfyui")
_MAX_OPENINGS = 32  # streams asked for the address of their host, the newest first


def look_at_hosts(archive: Archive, followed: Follower | None) -> list[SecondLook]:
    """Compare with every host that answers: the one followed, and those a hook of ours is in.

    One that does not answer is no fault: it may have ended long ago, and its stream says so.
    """
    return [found for at in _hosts(archive, followed) if (found := _look(archive, *at)) is not None]


def look_where_news(
    archive: Archive, followed: Follower | None, *, apart_seconds: float = LOOK_SECONDS
) -> list[SecondLook]:
    """The same, where the log has news of a host since the last look, `apart_seconds` or more ago."""
    last = _last_looks(archive)
    return [
        found
        for generator, host in _hosts(archive, followed)
        if _is_due(archive, generator.tool, last.get((generator.tool, host.url)), apart_seconds)
        and (found := _look(archive, generator, host)) is not None
    ]


def _look(archive: Archive, generator: Generator, host: LocalHost) -> SecondLook | None:
    with suppress(SourceError):  # no fault: it may have ended long ago
        return look_again(archive, host, generator)
    return None


def _hosts(archive: Archive, followed: Follower | None) -> Iterator[tuple[Generator, LocalHost]]:
    asked = set()
    if followed is not None:
        with suppress(SourceError):  # nobody has answered there yet
            yield generator_of(followed.tool), followed.host
        asked.add(followed.host)
    hooks = {hook.id: hook for hook in hook_folder(archive).all() if hook.tool == _COMFYUI.tool}
    for position in archive.index.positions_of_kind(Kind.OPENED)[: -_MAX_OPENINGS - 1 : -1]:
        for facts in own_facts_at(archive, position):
            hook, host = hooks.get(str(facts.get("hook"))), _address(facts.get("url"))
            if hook is None or host is None or host in asked:
                continue
            asked.add(host)
            # Another program may listen there by now: its history is nothing to compare with.
            if ask_host(hook, host)[0] == "attached":
                yield _COMFYUI, host


def _address(url: object) -> LocalHost | None:
    with suppress(UsageError):  # no hook gives such an address; whoever wrote it is not asked
        return LocalHost.parse(str(url))
    return None


def _last_looks(archive: Archive) -> dict[tuple[str, str], int]:
    """Return where the newest look at each generator stands, by its name and address."""
    looks = (
        (position, read_second_look(facts))
        for position in archive.index.last_second_looks()
        for facts in own_facts_at(archive, position)
    )
    return {(look.tool, look.url): position for position, look in looks if look is not None}


def _is_due(archive: Archive, tool: str, last: int | None, apart_seconds: float) -> bool:
    if last is None:
        return True
    since = archive.clock.now() - Event.parse(archive.log.entry(last)).recorded_at
    return abs(since.total_seconds()) >= apart_seconds and archive.index.has_events_of(tool, after=last)
