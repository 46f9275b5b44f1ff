"""What people do, as Observations: pure descriptions, recorded by `Archive`.

An act done now is `live`; one told afterwards, with `when`, is `stated`. The
moment told is kept in the teller's own words; it becomes `occurred_at` only
where it states an instant with its offset.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from makingof import __version__
from makingof.archive.picture import Picture
from makingof.clock import format_instant
from makingof.digest import Digest
from makingof.errors import UsageError
from makingof.event import MAX_CITES, Kind, OccurredBy, Source
from makingof.observation import Attachment, Draft, Observation, Position
from makingof.part import (
    Choice,
    Means,
    Note,
    PartType,
    People,
    Person,
    Place,
    Reason,
    Role,
    body_of,
    portable_text,
)
from makingof.recorder.found import place_draft
from makingof.recorder.write import new_stream
from makingof.texts import say

PROGRAM = Source(name="makingof", version=__version__)
_FIRST_ZONE = timezone(timedelta(hours=14))  # where a day begins first
_CLOCKS_DIFFER = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Teller:
    """Who acts, and when it happened if not now."""

    actor: str
    when: str | None = None

    @property
    def means(self) -> Means:
        """Of an act done in makingof itself, such as a choice: live, unless told afterwards."""
        return Means.LIVE if self.when is None else Means.STATED

    @property
    def stated(self) -> Means:
        """Of what happened elsewhere and is only told here: an edit, a publication, a recording."""
        return Means.STATED


@dataclass(frozen=True, slots=True)
class Table:
    """What lay on the table when a choice was made, and how we know."""

    among: tuple[Picture, ...] = ()
    known_from: str = "none"  # given, batch, page, tool, none


def choose(
    kind: Kind,
    judged: Sequence[Picture],
    table: Table,
    teller: Teller,
    *,
    reason: str | None = None,
    final: bool = False,
    title: str | None = None,
) -> Observation:
    """Describe a selection or rejection of `judged`, among what lay on the table."""
    if not judged:
        raise UsageError(say("acts.nothing_judged"))
    choice = Choice(
        judged=tuple(dict.fromkeys(picture.file_part for picture in judged)),
        among=tuple(dict.fromkeys(picture.file_part for picture in table.among)),
        among_from=table.known_from,
        final=final,
    )
    drafts = [Draft(PartType.CHOICE, body_of(choice), "person")]
    if reason:
        drafts.append(_reason(reason))
    if title:
        drafts.append(_note("", title))
    return _act(kind, teller, drafts, cites=[picture.event for picture in (*judged, *table.among)])


def note(text: str, about: Sequence[Picture], teller: Teller, *, title: str | None = None) -> Observation:
    """Describe a note, about pictures or about the work."""
    if not text.strip():
        raise UsageError(say("acts.empty_note"))
    return _act(Kind.NOTED, teller, [_note(text, title, about)], cites=[picture.event for picture in about])


def brief(name: str, text: str, files: Sequence[Path], teller: Teller) -> Observation:
    """Describe the opening of a project with its concept notes, sketches and references."""
    attachments = [Attachment(path, Role.REFERENCE, name=path.name) for path in files]
    return _act(Kind.BRIEFED, teller, [_note(text, name), *_places(files)], attachments=attachments)


def edit(
    after: Path,
    before: Sequence[Picture],
    layers: Sequence[Path],
    teller: Teller,
    *,
    text: str | None = None,
) -> Observation:
    """Describe manual work: `after` was made from `before`, in the layered documents given.

    A picture before whose bytes are held is named as a file of this event too, for its
    event may have given several; one left in place is cited only.
    """
    attachments = [Attachment(after, Role.OUTPUT, name=after.name)]
    attachments += [Attachment(path, Role.LAYER, name=path.name) for path in layers]
    attachments += [Attachment(picture.blob, Role.INIT) for picture in before if picture.held]
    drafts = [*_places([after, *layers])]
    if text:
        drafts.append(_note(text, None))
    return _act(
        Kind.EDITED, teller, drafts, attachments=attachments, cites=[picture.event for picture in before]
    )


def film(
    recording: Path, about: Sequence[Picture], teller: Teller, *, text: str | None = None
) -> Observation:
    """Describe a screen recording or time-lapse of the work."""
    drafts = _places([recording])
    if text:
        drafts.append(_note(text, None))
    return _act(
        Kind.FILMED,
        teller,
        drafts,
        attachments=[Attachment(recording, Role.OUTPUT, name=recording.name)],
        cites=[picture.event for picture in about],
    )


def publish(pictures: Sequence[Picture], url: str, teller: Teller, *, text: str | None = None) -> Observation:
    """Describe that pictures were published at `url`, or in the place it names."""
    drafts = [
        Draft(PartType.PLACE, body_of(Place(url=_valid(url), file=picture.file_part)), "person")
        for picture in pictures
    ]
    if text:
        drafts.append(_note(text, None))
    return _act(Kind.PUBLISHED, teller, drafts, cites=[picture.event for picture in pictures])


def withdraw(events: Sequence[Digest], teller: Teller, *, reason: str | None = None) -> Observation:
    """Describe the taking back of events; they stay in the record."""
    drafts = [_reason(reason)] if reason else []
    return _act(Kind.WITHDRAWN, teller, drafts, cites=events)


def enrol(person: Person, teller: Teller) -> Observation:
    """Describe the enrolment of a person or program under a pseudonym."""
    body = body_of(People(people=(person,)))
    return _act(Kind.ENROLLED, teller, [Draft(PartType.PEOPLE, body, "person")])


def _act(
    kind: Kind,
    teller: Teller,
    drafts: Sequence[Draft],
    *,
    attachments: Sequence[Attachment] = (),
    cites: Sequence[Digest] = (),
) -> Observation:
    """An act at the command line is a stream of one."""
    told = [] if teller.when is None else [Draft(PartType.NOTE, body_of(Note(teller.when, "when")), "person")]
    occurred_at = None if teller.when is None else _instant(teller.when)
    return Observation(
        kind=kind,
        source=PROGRAM,
        drafts=(*drafts, *told),
        attachments=tuple(attachments),
        actor=teller.actor,
        position=Position(new_stream(), 0),
        occurred_at=occurred_at,
        occurred_by=OccurredBy.PERSON if occurred_at else None,
        # Sixty-four citations give the lineage its shape while parts are sealed; the choice part names all.
        cites=tuple(dict.fromkeys(cites))[:MAX_CITES],
    )


def is_in_future(told: str, now: datetime) -> bool:
    """Tell whether `told` is a time yet to come wherever it was read; words that are no time are not."""
    try:
        moment = datetime.fromisoformat(told.strip())
    except ValueError:
        return False
    try:
        earliest = moment if moment.tzinfo is not None else moment.replace(tzinfo=_FIRST_ZONE)
        return earliest - now > _CLOCKS_DIFFER
    except OverflowError:
        return moment.year > now.year


def _instant(told: str) -> str | None:
    """Return the instant `told` states, or None where it has no offset or is no instant at all."""
    try:
        moment = datetime.fromisoformat(told.strip())
    except ValueError:
        return None
    return None if moment.tzinfo is None else format_instant(moment)


def _reason(text: str) -> Draft:
    return Draft(PartType.REASON, body_of(Reason(_valid(text))), "person")


def _note(text: str, title: str | None, about: Sequence[Picture] = ()) -> Draft:
    files = tuple(picture.file_part for picture in about)
    return Draft(PartType.NOTE, body_of(Note(_valid(text), title and _valid(title), files)), "person")


def _valid(text: str) -> str:
    """Refuse what a terminal passed on and is no text: the person is here to mend it."""
    if portable_text(text)[0] is None:
        raise UsageError(say("acts.not_text"), hint=say("acts.not_text_hint"))
    return text


def _places(paths: Sequence[Path]) -> list[Draft]:
    return [place_draft(path, number) for number, path in enumerate(paths)]
