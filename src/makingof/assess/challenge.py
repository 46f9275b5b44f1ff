"""Challenge: what an opponent or a court's expert would ask, each with the record's answer or its lack."""

from collections.abc import Mapping
from dataclasses import dataclass

from makingof.assess.engine import find_all
from makingof.assess.evidence import Evidence
from makingof.assess.finding import Finding, Outcome, message_to_builtins
from makingof.assess.probe import Probe
from makingof.texts import Message, say

# The question (a catalogue key) → the probes whose findings answer it. The order is that of an inspection:
# the thing itself, the traces, the making, the people, the time, what is not there.
QUESTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("same_picture", ("picture_traced",)),
    (
        "gaps",
        ("streams_complete", "generator_history_agrees", "generator_counts_agree", "counts_have_their_lists"),
    ),
    ("metadata", ("embedded_records_agree", "no_camera_claim")),
    ("impossible_times", ("times_possible", "clock_steady", "file_times_plausible")),
    ("before_dispute", ("record_dated", "nothing_decided_after_publication", "publication_recorded")),
    ("reconstruction", ("record_not_reconstructed", "session_filmed")),
    ("rerun", ("rerun_agrees", "seeds_recorded", "model_identified", "environment_recorded")),
    ("what_was_typed", ("prompts_recorded", "parameters_recorded")),
    ("way", ("iterations_recorded", "settings_changed_between_jobs", "concept_recorded_first")),
    ("why_this_one", ("chosen_among_candidates", "alternatives_kept", "reasons_recorded")),
    ("by_hand", ("edited_after_generation", "baseline_kept", "layers_kept", "regions_reworked")),
    ("own_material", ("human_input_used", "human_input_mapped")),
    ("visible", ("elements_mapped", "arranged_from_several")),
    ("who", ("contributors_named", "roles_stated", "chosen_by_a_person", "acts_affirmed")),
    ("others", ("contributions_undisputed",)),
    ("account", ("account_control_shown",)),
    ("open_about_ai", ("ai_use_disclosed",)),
    ("well", ("system_checked",)),
)


@dataclass(frozen=True, slots=True)
class Challenge:
    """One question, the findings that answer it, and whether they leave it open."""

    name: str
    findings: tuple[Finding, ...]

    @property
    def question(self) -> Message:
        """What would be asked."""
        return say(f"challenge.{self.name}")

    @property
    def is_answered(self) -> bool:
        """Whether everything asked is shown; what is not applicable leaves nothing open."""
        settled = {Outcome.SHOWN, Outcome.NOT_APPLICABLE}
        return all(finding.outcome in settled for finding in self.findings)

    @property
    def is_applicable(self) -> bool:
        """Whether the record holds anything the question could be asked of."""
        return any(finding.outcome is not Outcome.NOT_APPLICABLE for finding in self.findings)

    @property
    def is_contradicted(self) -> bool:
        """Whether the record itself speaks against its holder."""
        return any(finding.outcome is Outcome.CONTRADICTED for finding in self.findings)

    def to_builtins(self) -> dict[str, object]:
        """Return values for canonical JSON."""
        return {
            "question": self.name,
            "text": message_to_builtins(self.question),
            "applicable": self.is_applicable,
            "answered": self.is_answered,
            "contradicted": self.is_contradicted,
            "findings": [finding.to_builtins() for finding in self.findings],
        }


def challenge(evidence: Evidence, probes: Mapping[str, Probe]) -> tuple[Challenge, ...]:
    """Ask everything: what the record itself speaks against, what is open, answered, and not applicable."""
    found = find_all(evidence, probes, (name for _, names in QUESTIONS for name in names))
    asked = [Challenge(name, tuple(found[probe] for probe in names)) for name, names in QUESTIONS]
    return tuple(
        sorted(asked, key=lambda item: (not item.is_contradicted, item.is_answered, not item.is_applicable))
    )
