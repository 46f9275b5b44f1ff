"""Stories for judging: short histories that probes are asked about."""

from datetime import timedelta

from tests.histories import History, Said, Told, file, negative, note, parameters, prompt, reason

from makingof.assess.engine import find
from makingof.assess.evidence import Evidence
from makingof.assess.registry import built_in_probes
from makingof.clock import format_instant
from makingof.digest import Digest
from makingof.event import Kind
from makingof.lineage.rule import find_lineage
from makingof.part import Environment, Means, PartType, People, Person, Place, Report, Role, body_of
from makingof.stamp.base import Kind as StampKind
from makingof.stamp.bounds import Bound, Bounds, Standing
from makingof.stamp.bounds import Said as SaidAt

PROBES = built_in_probes()


def people(*told: Person) -> Said:
    return Said(PartType.PEOPLE, body_of(People(people=told)), "person")


def report(**more) -> Said:
    return Said(PartType.REPORT, body_of(Report(**more)))


def environment(**facts) -> Said:
    return Said(PartType.ENVIRONMENT, body_of(Environment(facts=facts)))


def published_at(url: str = "a page", **more) -> Said:
    return Said(PartType.PLACE, body_of(Place(url=url, **more)), "person")


def enrol(history: History, pseudonym: str = "a1", name: str | None = "N", **more) -> Told:
    person = Person(id=pseudonym, name=name, **more)
    return history.tell(Kind.ENROLLED, people(person), means=Means.STATED, minutes=0)


def bounded(history: History, *, until: int | None = None) -> dict[int, Bounds]:
    """Every event dated an hour after it was recorded, by two authorities."""
    bounds = {}
    for told in history.told[:until]:
        entry = history.entry_at(told.position)
        at = entry.event.recorded_at + timedelta(hours=1)
        by = tuple(SaidAt(at, name, StampKind.RFC3161) for name in ("one", "two"))
        bounds[told.position] = Bounds(Bound(Standing.NONE), Bound(Standing.TWO, at, by, by[0]))
    return bounds


def evidence(history: History, *pictures: Digest, sealed=(), **more) -> Evidence:
    return Evidence(find_lineage(history.graph(sealed=sealed), pictures), **more)


def whole_story(*, means: Means = Means.LIVE) -> tuple[History, dict[str, Told]]:
    """A project with everything a creator can record, told by one person."""
    history = History()
    told = {"person": enrol(history, role="artist", account="acc", bound_by="a platform")}
    told["brief"] = history.brief("Cat", "a cat made of moonlight")
    history.open("run")
    jobs = [
        history.generate(
            f"{number}.png",
            said=[
                prompt(f"a cat of moonlight, version {number}"),
                negative("blur"),
                parameters(seed=str(number), steps="20", model="m", model_hash="abc", guidance="7"),
                environment(device="a card"),
                report(outputs=1),
            ],
            means=means,
            stream="run" if means is Means.LIVE else None,
            actor="a1",
        )
        for number in range(1, 4)
    ]
    told["look"] = history.look(3)
    history.close("run")
    told |= {f"job{number}": job for number, job in enumerate(jobs, 1)}
    table = [job.file() for job in jobs]
    told["keep"] = history.keep(
        table[1], among=table, said=[reason("the light falls from the left")], cites=jobs
    )
    told["edit"] = history.tell(
        Kind.EDITED,
        file("final.png"),
        file("2.png", Role.INIT),
        file("final.psd", Role.LAYER),
        cites=[jobs[1]],
        means=Means.STATED,
        actor="a1",
    )
    told["final"] = history.keep(told["edit"].file(), among=[], final=True, cites=[told["edit"]])
    told["film"] = history.tell(Kind.FILMED, file("film.mp4"), cites=[told["edit"]], means=Means.STATED)
    told["map"] = history.tell(
        Kind.NOTED, note("cat => the animal @ 10,10,50,60\nmoonlight => the glow", "mapping"), cites=[jobs[1]]
    )
    told["disclosure"] = history.tell(Kind.NOTED, note("made with AI", "disclosure"), cites=[told["edit"]])
    history.clock.advance(days=2)
    told["publish"] = history.tell(
        Kind.PUBLISHED,
        published_at(account="acc", file=told["edit"].file()),
        cites=[told["edit"]],
        means=Means.STATED,
        occurred_at=format_instant(history.clock.now()),
    )
    return history, told


def ask(name, history, *pictures, **more):
    return find(evidence(history, *pictures, **more), PROBES[name])


def publish(history, made, *, days=0, means=Means.STATED, text="", **more):
    at = history.clock.now() + timedelta(days=days)
    said = [published_at(file=made.file(), **more), *([note(text)] if text else [])]
    return history.tell(Kind.PUBLISHED, *said, cites=[made], means=means, occurred_at=format_instant(at))
