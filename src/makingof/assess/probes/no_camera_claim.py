"""Does no picture with a generator's trace also claim to come out of a camera?"""

from makingof.assess.evidence import Evidence, Seen
from makingof.assess.finding import Answer, Outcome
from makingof.assess.probe import answer, make_probe, not_applicable
from makingof.event import Kind
from makingof.lineage.lineage import Why
from makingof.part import Parameters, PartType

NAME = "no_camera_claim"
_CAMERA = ("ExposureTime", "FNumber", "ISO", "FocalLength", "LensModel", "LensMake", "BodySerialNumber")
_CAPTURED = ("digitalCapture", "negativeFilm", "positiveFilm", "print", "computationalCapture")
_WAYS = frozenset({Why.PICTURE, Why.ANCESTOR})


def ask(evidence: Evidence) -> Answer:
    """Embedded metadata is an unsigned claim; two that exclude each other are worse than none (Wei)."""
    members = [member for member in evidence.members if member.why in _WAYS]
    told = evidence.said(PartType.PARAMETERS, Parameters, members)
    camera = [seen for seen in told if _claims_camera(seen)]
    by_tool = any(seen.body.tool is not None for seen in told)
    if not by_tool and not any(member.entry.kind is Kind.GENERATED for member in members):
        return not_applicable(NAME)
    if camera:
        return answer(NAME, Outcome.CONTRADICTED, [seen.cited for seen in camera], count=len(camera))
    return answer(NAME, Outcome.SHOWN)


def _claims_camera(seen: Seen[Parameters]) -> bool:
    fields = seen.body.fields
    if any((field := fields.get(f"tool:{name}")) and field.value for name in _CAMERA):
        return True
    kinds = (fields.get("tool:DigitalSourceType"), fields.get("tool:digitalSourceType"))
    return any(kind and (kind.value or "").rpartition("/")[2] in _CAPTURED for kind in kinds)


PROBE = make_probe(NAME, ask, "parameters raw", "generated edited imported")
