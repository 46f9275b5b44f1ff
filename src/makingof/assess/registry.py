"""The probes there are: those of this release, and what installed packages add."""

from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from makingof.assess.probe import Probe
from makingof.errors import UsageError
from makingof.texts import say

GROUP = "makingof.probes"
BUILT_IN = (
    "picture_traced", "prompts_recorded", "parameters_recorded", "seeds_recorded", "model_identified",
    "environment_recorded", "iterations_recorded", "settings_changed_between_jobs", "concept_recorded_first",
    "chosen_among_candidates", "alternatives_kept", "reasons_recorded", "edited_after_generation",
    "baseline_kept", "regions_reworked", "layers_kept", "human_input_used", "human_input_mapped",
    "arranged_from_several", "elements_mapped", "session_filmed", "publication_recorded",
    "contributors_named", "roles_stated", "chosen_by_a_person", "acts_affirmed", "contributions_undisputed",
    "account_control_shown", "ai_use_disclosed", "record_dated", "system_checked", "streams_complete",
    "generator_counts_agree", "generator_history_agrees", "counts_have_their_lists",
    "record_not_reconstructed", "rerun_agrees", "nothing_decided_after_publication",
    "embedded_records_agree", "no_camera_claim", "times_possible", "clock_steady", "file_times_plausible",
)  # fmt: skip


def built_in_probes() -> dict[str, Probe]:
    """Return the probes of this release, in the order people meet them."""
    found: dict[str, Probe] = {}
    for name in BUILT_IN:
        probe: Probe = import_module(f"makingof.assess.probes.{name}").PROBE
        found[name] = probe
    return found


def load_probes(*, among: Iterable[EntryPoint] | None = None) -> Mapping[str, Probe]:
    """Return every probe installed here.

    A package that does not load, provides something else than a `Probe`, or takes a
    name that is taken, is a `UsageError` that names it: an answer must not change
    because another package was installed.
    """
    found = built_in_probes()
    for entry in sorted(entry_points(group=GROUP) if among is None else among, key=lambda item: item.name):
        try:
            probe = entry.load()
        except Exception as err:
            raise UsageError(
                say("assess.plugin_fails", name=entry.name, value=entry.value, reason=repr(err))
            ) from err
        if not isinstance(probe, Probe) or probe.name != entry.name or probe.name in found:
            raise UsageError(say("assess.plugin_no_probe", name=entry.name, value=entry.value))
        found[probe.name] = probe
    return found
