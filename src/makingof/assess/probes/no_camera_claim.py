"""Does no picture with a generator's trace also claim to come out of a camera?"""

from makingof.assess.evidence import INPUT_ROLES, Evidence, Seen
from makingof.assess.finding import Answer, Outcome
from makingof.assess.probe import answer, make_probe, not_applicable
from makingof.event import Kind
from makingof.lineage.lineage import Member, Why
from makingof.part import Parameters, PartType

NAME = "no_camera_claim"
_CAMERA = ("ExposureTime", "FNumber", "ISO", "FocalLength", "LensModel", "LensMake", "BodySerialNumber")
_CAPTURED = ("digitalCapture", "negativeFilm", "positiveFilm", "print", "computationalCapture")
_WAYS = frozenset({Why.PICTURE, Why.ANCESTOR})


def ask(evidence: Evidence) -> Answer:
    """Embedded metadata is an unsigned claim; two that exclude each other are worse than none (Wei)."""
    generated = [member for member in evidence.of_kind(Kind.GENERATED) if member.why in _WAYS]
    if not generated:
        return not_applicable(NAME)
    told = evidence.said(PartType.PARAMETERS, Parameters, generated)
    camera = [seen for seen in told if _claims_camera(seen)]
    if not camera:
        return answer(NAME, Outcome.SHOWN)
    # A job that started from a photograph may have carried its metadata over; one from words alone cannot.
    from_words = [seen for seen in camera if not _has_input(seen.member)]
    outcome = Outcome.CONTRADICTED if from_words else Outcome.PARTLY
    cited = [seen.cited for seen in from_words or camera]
    return answer(NAME, outcome, cited, count=len(cited))


def _has_input(member: Member) -> bool:
    return any(said.body.role in INPUT_ROLES for said in member.entry.files())


def _claims_camera(seen: Seen[Parameters]) -> bool:
    fields = seen.body.fields
    if any((field := fields.get(f"tool:{name}")) and field.value for name in _CAMERA):
        return True
    kinds = (fields.get("tool:DigitalSourceType"), fields.get("tool:digitalSourceType"))
    return any(kind and (kind.value or "").rpartition("/")[2] in _CAPTURED for kind in kinds)


PROBE = make_probe(NAME, ask, "parameters raw", "generated")
