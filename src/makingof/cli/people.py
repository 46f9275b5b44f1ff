"""`enrol` and `affirm`: who does what, and who signs for it."""

import sys
from pathlib import Path

import click

from makingof.archive.archive import Archive
from makingof.archive.names import Namer
from makingof.archive.people import (
    affirm as record_affirmation,
)
from makingof.archive.people import (
    affirm_from_file,
    make_person_key,
    next_pseudonym,
    statement_to_sign,
)
from makingof.archive.people import (
    enrol as record_enrolment,
)
from makingof.cli.command import argument, command, option
from makingof.cli.printing import show_recorded
from makingof.cli.terminal import Terminal
from makingof.cli.writing import teller_of, writing
from makingof.keys.sshsig import openssh_key, parse_openssh_key
from makingof.part import Person

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@command("enrol")
@argument("name")
@option("--program", is_flag=True, help="help.option_program")
@option("--version", help="help.option_program_version")
@option("--role", help="help.option_role")
@option("--account", help="help.option_account")
@option("--bound-by", help="help.option_bound_by")
@option("--make-key", is_flag=True, help="help.option_make_key")
@option("--key", "key_file", type=_FILE, help="help.option_person_key")
@option("--again", metavar="PSEUDONYM", help="help.option_again")
def enrol(
    terminal: Terminal,
    name: str,
    program: bool,
    version: str | None,
    role: str | None,
    account: str | None,
    bound_by: str | None,
    make_key: bool,
    key_file: Path | None,
    again: str | None,
) -> None:
    """Give a person or program a pseudonym; see `help.enrol`."""
    with writing(terminal) as archive:
        kind = "program" if program else "person"
        pseudonym = again or next_pseudonym(archive, kind)
        person = Person(
            id=pseudonym,
            name=name,
            kind=kind,
            role=role,
            version=version,
            key=_key_line(archive, pseudonym, key_file, make_key=make_key),
            account=account,
            bound_by=bound_by,
        )
        recorded = record_enrolment(archive, person, teller_of(terminal, archive))
        show_recorded(terminal, "cli.enrolled", [recorded], name=name, person=pseudonym)


def _key_line(archive: Archive, pseudonym: str, key_file: Path | None, *, make_key: bool) -> str | None:
    if make_key:
        return openssh_key(make_person_key(archive).public, pseudonym).strip()
    if key_file is None:
        return None
    return openssh_key(parse_openssh_key(key_file.read_text("utf-8")), pseudonym).strip()


@command("affirm")
@argument("events", nargs=-1, required=True)
@option("--signature", type=_FILE, help="help.option_signature")
@option("--statement", is_flag=True, help="help.option_statement")
def affirm(
    terminal: Terminal,
    events: tuple[str, ...],
    signature: Path | None,
    statement: bool,
) -> None:
    """Sign for events; see `help.affirm`."""
    with writing(terminal) as archive:
        namer = Namer(archive)
        names = [namer.event(name) for name in events]
        if statement:
            sys.stdout.buffer.write(statement_to_sign(archive, names))
            return
        teller = teller_of(terminal, archive)
        person = next(person for person in archive.index.people() if person.id == teller.actor)
        if signature is None:
            recorded = record_affirmation(archive, person, names, teller)
        else:
            recorded = affirm_from_file(archive, names, signature, teller, person)
        show_recorded(terminal, "cli.affirmed", [recorded], events=", ".join(events), person=person.id)
