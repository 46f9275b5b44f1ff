"""Does the record name exactly the bytes asked about, as something a job or an edit gave?"""

from makingof.assess.evidence import Evidence, cite
from makingof.assess.finding import Answer, Basis, Outcome
from makingof.assess.probe import answer, make_probe

NAME = "picture_traced"


def ask(evidence: Evidence) -> Answer:
    """Proved is that the record names these bytes; that the job happened rests on its means."""
    blobs = [picture.blob for picture in evidence.lineage.pictures]
    makers = [evidence.makers[blob] for blob in blobs if blob is not None and blob in evidence.makers]
    if None in blobs and not makers:
        return answer(NAME, Outcome.UNVERIFIABLE)
    if not makers:
        return answer(NAME, Outcome.ABSENT)
    outcome = Outcome.SHOWN if len(makers) == len(blobs) else Outcome.PARTLY
    cited = [cite(maker) for maker in makers]
    return answer(NAME, outcome, cited, basis=Basis.PROVED, count=len(makers), total=len(blobs))


PROBE = make_probe(NAME, ask, "file", "generated edited")
