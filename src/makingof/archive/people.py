"""Who does what: pseudonyms for people and programs, keys of their own, affirmations."""

import base64
from collections.abc import Sequence
from pathlib import Path

from makingof.archive import acts
from makingof.archive.archive import Archive
from makingof.digest import Digest
from makingof.errors import UsageError
from makingof.event import Kind
from makingof.keys.affirmation import affirmation_statement, sign_affirmation, verify_affirmation
from makingof.keys.folder import create_key, find_key, list_origins
from makingof.keys.signing import PublicKey, SigningKey
from makingof.keys.sshsig import openssh_key, parse_openssh_key
from makingof.observation import Draft, Observation, Position
from makingof.part import PartType, Person, Raw, Report, body_of
from makingof.recorder.write import Recorded, new_stream
from makingof.texts import say

_PEOPLE = "people"  # beside the log keys, never among them


def next_pseudonym(archive: Archive, kind: str) -> str:
    """Return the next free `a…` for a person or `p…` for a program."""
    letter = "p" if kind == "program" else "a"
    taken = [int(person.id[1:]) for person in archive.index.people() if person.id.startswith(letter)]
    return f"{letter}{max(taken, default=0) + 1}"


def enrol(archive: Archive, person: Person, teller: acts.Teller) -> Recorded:
    """Record a person or program under its pseudonym. The name is as given: nobody checked it."""
    return archive.record([acts.enrol(person, teller)], means=teller.means)[0]


def make_person_key(archive: Archive) -> SigningKey:
    """Make a key for a person at this machine, in the state folder, apart from the log keys."""
    return create_key(archive.home.state / _PEOPLE)


def find_person_key(archive: Archive, public: PublicKey) -> SigningKey | None:
    """Return the private key to an enrolled public one, if it lies on this machine."""
    folder = archive.home.state / _PEOPLE
    return find_key(folder, public.origin) if public.origin in list_origins(folder) else None


def affirm(archive: Archive, person: Person, events: Sequence[Digest], teller: acts.Teller) -> Recorded:
    """Record that `person` signs for `events` with the key enrolled for them."""
    if person.key is None:
        raise UsageError(say("people.no_key", person=person.id), hint=say("people.no_key_hint"))
    public = parse_openssh_key(person.key)
    key = find_person_key(archive, public)
    if key is None:
        raise UsageError(say("people.key_elsewhere", person=person.id), hint=say("people.key_elsewhere_hint"))
    signature = sign_affirmation(key, archive.log.origin, events)
    report = Report(
        outcome="sshsig",
        text=signature.decode(),
        facts={"events": [str(event) for event in events], "key": openssh_key(public, person.id).strip()},
    )
    return _record(archive, events, [Draft(PartType.REPORT, body_of(report), "person")], teller)


def affirm_from_file(
    archive: Archive, events: Sequence[Digest], signature: Path, teller: acts.Teller, person: Person
) -> Recorded:
    """Record a signature made elsewhere, verbatim: an OpenSSH one is checked, any other is kept unchecked."""
    data = signature.read_bytes()
    facts = {"events": [str(event) for event in events]}
    if data.startswith(b"-----BEGIN SSH SIGNATURE-----") and person.key is not None:
        verify_affirmation(data, parse_openssh_key(person.key), archive.log.origin, events)
        report = Report(outcome="sshsig", text=data.decode(), facts=facts | {"key": person.key})
        return _record(archive, events, [Draft(PartType.REPORT, body_of(report), "person")], teller)
    report = Report(outcome="cms", facts=facts)
    raw = Raw(
        locator=signature.name,
        digest=Digest.of(data),
        size=len(data),
        base64=base64.b64encode(data).decode(),
    )
    drafts = [
        Draft(PartType.REPORT, body_of(report), "person"),
        Draft(PartType.RAW, body_of(raw), "person"),
    ]
    return _record(archive, events, drafts, teller)


def statement_to_sign(archive: Archive, events: Sequence[Digest]) -> bytes:
    """Return what a signature made elsewhere must cover."""
    return affirmation_statement(archive.log.origin, events)


def _record(
    archive: Archive, events: Sequence[Digest], drafts: Sequence[Draft], teller: acts.Teller
) -> Recorded:
    observation = Observation(
        kind=Kind.AFFIRMED,
        source=acts.PROGRAM,
        drafts=tuple(drafts),
        actor=teller.actor,
        position=Position(new_stream(), 0),
        cites=tuple(events),
    )
    return archive.record([observation], means=teller.means)[0]
