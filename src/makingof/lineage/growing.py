"""From a lineage to the tree that shows it."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from makingof.clock import format_instant
from makingof.digest import Digest
from makingof.event import Kind
from makingof.lineage.choices import judge, read_choices
from makingof.lineage.differences import compare_parameters, compare_texts
from makingof.lineage.entry import Entry, PartState
from makingof.lineage.generations import Making, find_edits, find_generations
from makingof.lineage.judged import Judged
from makingof.lineage.lineage import Lineage, Member, Why
from makingof.lineage.links import FileLink
from makingof.lineage.tree import Asked, Edit, Generation, OtherAct, Pixels, Step, Tree, TreePicture
from makingof.part import Note, Parameter, Parameters, PartType, Place, Reason, Report, Role, Text

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ASKING = (PartType.PROMPT, PartType.NEGATIVE, PartType.PARAMETERS)
# Their pixels stand in no relation to what was made with them.
_NOT_COMPARED = frozenset({Role.MASK, Role.CONTROL, Role.REFERENCE})
_REASONS = list(Why)


def make_tree(lineage: Lineage) -> Tree:
    """Put a lineage in order and say what changed from step to step."""
    return _Grower(lineage).grow()


class _Grower:
    """What the parts of one tree share while it grows."""

    def __init__(self, lineage: Lineage) -> None:
        self.lineage = lineage
        self.members = {member.entry.name: member for member in lineage.members}
        self.generations = find_generations(lineage)
        self.edits = find_edits(lineage)
        self.choices = read_choices(lineage)
        self.file_names = dict(_file_names(lineage.entries()))
        self.blobs = {said.digest: said.body.digest for entry in lineage.entries() for said in entry.files()}
        self.judged = judge(self.choices, self.blobs)
        self.subjects = {part for picture in lineage.pictures for part in picture.file_parts}
        self.subjects |= {picture.blob for picture in lineage.pictures if picture.blob is not None}
        self.makers = {
            link.blob: number
            for number, making in reversed(list(enumerate(self.generations)))
            for link in making.outputs
            if link.blob is not None
        }
        self.numbers = {
            name: number for number, making in enumerate(self.generations) for name in making.names
        }
        self.makings = {name: making for making in (*self.generations, *self.edits) for name in making.names}
        self.asked = [_asked(making) for making in self.generations]

    def grow(self) -> Tree:
        generations = tuple(self.generation(number) for number in range(len(self.generations)))
        edits = tuple(self.edit(number, making) for number, making in enumerate(self.edits))
        told = {name for making in (*self.generations, *self.edits) for name in making.names}
        told |= {choice.event for choice in self.choices}
        others = [member for member in self.lineage.members if member.entry.name not in told]
        pictures = [picture for made in generations for picture in made.pictures]
        pictures += [picture for made in edits for picture in made.pictures]
        return Tree(
            rule=self.lineage.rule,
            size=self.lineage.size,
            subjects=tuple(picture for picture in pictures if picture.is_subject),
            briefs=tuple(self.act(member) for member in others if member.entry.kind is Kind.BRIEFED),
            generations=generations,
            edits=edits,
            choices=self.choices,
            acts=tuple(self.act(member) for member in others if member.entry.kind is not Kind.BRIEFED),
            streams=self.lineage.streams,
            looks=tuple(self.lineage.looks()),
            sealed=sum(1 for _ in self.lineage.silent(PartState.SEALED)),
            erased=sum(1 for _ in self.lineage.silent(PartState.ERASED)),
        )

    def generation(self, number: int) -> Generation:
        making = self.generations[number]
        best, asked = making.entries[0], self.asked[number]
        outputs, inputs = self.pictures(making.outputs), self.pictures(making.inputs)
        told_by = asked.parameters.tool if asked.parameters else None
        return Generation(
            number=number,
            events=tuple(entry.name for entry in making.entries),
            positions=tuple(entry.position for entry in making.entries),
            why=min((self.members[name].why for name in making.names), key=_REASONS.index),
            means=best.means,
            at=_instant(making.moment_ms),
            is_claimed=making.is_claimed,
            tool=best.event.header.source.tool or told_by,
            outcome=None if outputs else _outcome(making.entries),
            asked=asked,
            pictures=outputs,
            sources=inputs,
            step=self.step(number),
            pixels=_pixels(inputs, outputs),
            withdrawn=bool(self.members[best.name].withdrawn_by),
        )

    def step(self, number: int) -> Step | None:
        """Say what changed since the generation this one started from, or else since the one before it."""
        sources = {
            self.makers[link.blob] for link in self.generations[number].inputs if link.blob in self.makers
        }
        sources |= {self.numbers[name] for name in self.generations[number].cites if name in self.numbers}
        earlier = [source for source in sources if source < number]
        since = max(earlier, default=number - 1)
        if since < 0:
            return None
        before, after = self.asked[since], self.asked[number]
        return Step(
            since=since,
            relation="from" if earlier else "after",
            prompt=compare_texts(before.prompt, after.prompt),
            negative=compare_texts(before.negative, after.negative),
            parameters=compare_parameters(_fields(before), _fields(after)),
        )

    def edit(self, number: int, making: Making) -> Edit:
        best = making.entries[0]
        outputs, sources = self.pictures(making.outputs), self.pictures(self.sources_of(making))
        return Edit(
            number=number,
            events=tuple(entry.name for entry in making.entries),
            positions=tuple(entry.position for entry in making.entries),
            means=best.means,
            actor=best.event.header.actor,
            at=_instant(making.moment_ms),
            is_claimed=making.is_claimed,
            texts=tuple(text for entry in making.entries for text in _texts(entry)),
            pictures=outputs,
            sources=sources,
            cites=tuple(sorted(making.cites)),
            pixels=_pixels(sources, outputs),
            withdrawn=bool(self.members[best.name].withdrawn_by),
        )

    def sources_of(self, making: Making) -> list[FileLink]:
        """Return the pictures an edit used, and those of cited events that gave exactly one."""
        cited = [
            self.makings[name].outputs for name in sorted(making.cites - making.names) if name in self.makings
        ]
        single = [outputs[0] for outputs in cited if len(outputs) == 1]
        found = {link.blob or link.part: link for link in (*making.inputs, *single)}
        return list(found.values())

    def act(self, member: Member) -> OtherAct:
        entry, header = member.entry, member.entry.event.header
        notes = [said.body for said in entry.statements(PartType.NOTE, Note)]
        places = (
            [said.body for said in entry.statements(PartType.PLACE, Place)] if _goes_somewhere(entry) else []
        )
        files = [
            FileLink(said.digest, said.body.digest, said.body.role, given=True) for said in entry.files()
        ]
        return OtherAct(
            event=entry.name,
            position=entry.position,
            kind=entry.kind,
            means=entry.means,
            actor=header.actor,
            at=header.recorded_at,
            title=next((note.title for note in notes if note.title), None),
            texts=tuple(_texts(entry)),
            where=tuple(where for place in places if (where := place.url or place.path or place.name)),
            pictures=self.pictures(files),
            about=header.cites,
            withdrawn=bool(member.withdrawn_by),
        )

    def pictures(self, links: Iterable[FileLink]) -> tuple[TreePicture, ...]:
        return tuple(
            TreePicture(
                file=link.part,
                blob=link.blob,
                role=link.role,
                name=self.file_names.get(link.part),
                judged=self.judged.get(link.blob or link.part, Judged.NEVER),
                is_subject=not self.subjects.isdisjoint({link.part, link.blob}),
            )
            for link in links
        )


def _asked(making: Making) -> Asked:
    """Take each side of the request from the event that knows best among those that tell it."""
    parameters = next((said for entry in making.entries if (said := _main_parameters(entry))), None)
    ordinal = parameters.ordinal if parameters else None
    return Asked(
        prompt=_first_text(making.entries, PartType.PROMPT, ordinal),
        negative=_first_text(making.entries, PartType.NEGATIVE, ordinal),
        parameters=parameters,
        records=max(len(entry.statements(PartType.PROMPT, Text)) for entry in making.entries),
        hidden=any(entry.silent(part_type) for entry in making.entries for part_type in _ASKING),
    )


def _main_parameters(entry: Entry) -> Parameters | None:
    """Return what the record says that speaks for the picture, or the last one."""
    said = [statement.body for statement in entry.statements(PartType.PARAMETERS, Parameters)]
    return next((parameters for parameters in said if parameters.main), said[-1] if said else None)


def _first_text(entries: Iterable[Entry], part_type: PartType, ordinal: int | None) -> Text | None:
    return next((text for entry in entries if (text := _text(entry, part_type, ordinal))), None)


def _text(entry: Entry, part_type: PartType, ordinal: int | None) -> Text | None:
    said = [statement.body for statement in entry.statements(part_type, Text)]
    return next((text for text in said if text.ordinal == ordinal), said[-1] if said else None)


def _outcome(entries: Iterable[Entry]) -> str | None:
    reports = (report for entry in entries if (report := entry.first(PartType.REPORT, Report)))
    return next((report.outcome for report in reports if report.outcome), None)


def _fields(asked: Asked) -> dict[str, Parameter]:
    return dict(asked.parameters.fields) if asked.parameters else {}


def _texts(entry: Entry) -> Iterator[str]:
    yield from (said.body.text for said in entry.statements(PartType.NOTE, Note) if said.body.text)
    yield from (said.body.text for said in entry.statements(PartType.REASON, Reason) if said.body.text)


def _goes_somewhere(entry: Entry) -> bool:
    """Tell whether an event's place is what it is about, and not merely where a file lay."""
    return entry.kind in (Kind.PUBLISHED, Kind.REMOVED)


def _file_names(entries: Iterable[Entry]) -> Iterator[tuple[Digest, str]]:
    for entry in entries:
        for said in entry.statements(PartType.PLACE, Place):
            if said.body.file is not None and said.body.name is not None:
                yield said.body.file, said.body.name


def _pixels(before: Sequence[TreePicture], after: Sequence[TreePicture]) -> tuple[Pixels, ...]:
    return tuple(
        Pixels(source.blob, picture.blob)
        for source in before
        for picture in after
        if source.role not in _NOT_COMPARED and source.blob is not None and picture.blob is not None
    )


def _instant(ms: int) -> str:
    return format_instant(_EPOCH + timedelta(milliseconds=ms))
