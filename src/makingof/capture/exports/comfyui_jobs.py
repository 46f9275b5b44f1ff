"""Saved answers of ComfyUI's `/api/jobs`: one job with its graph, or the list of all without any.

The list names one picture of each job and no graph, so nothing decides whether a file of
that name is the job's; it tells that the job was there, when it ran, and how it ended.
"""

from collections.abc import Mapping
from typing import Any

from makingof.capture.comfyui_entry import milliseconds, parse_job_answer
from makingof.capture.exports.comfyui_history import MAX_JOBS, SOURCE, TOOL, job_key, moment, tell
from makingof.capture.exports.told import Export, Told, observe, place, portable, report
from makingof.errors import MalformedError
from makingof.event import Kind

_ENDS = {"failed": "failed", "cancelled": "cancelled"}
_MISLEADING = "ComfyUI 0.8 lists interrupted jobs as failed too"


def is_job(value: Any) -> bool:
    """Tell whether parsed JSON is the answer for one job."""
    return isinstance(value, dict) and "execution_status" in value and isinstance(value.get("workflow"), dict)


def read_job(value: Any) -> Export:
    """Read one job; one without a graph is a problem."""
    try:
        return Export(SOURCE, (tell(parse_job_answer(value)),))
    except MalformedError as err:
        return Export(SOURCE, (), (str(err),))


def is_job_list(value: Any) -> bool:
    """Tell whether parsed JSON is the list of jobs."""
    jobs = value.get("jobs") if isinstance(value, dict) else None
    return (
        isinstance(jobs, list)
        and bool(jobs)
        and all(isinstance(job, dict) and {"id", "status", "outputs_count"} <= job.keys() for job in jobs[:3])
    )


def read_job_list(value: Mapping[str, Any]) -> Export:
    """Read every job of a list that has ended; what waits or runs will be told by a later answer."""
    jobs = value["jobs"]
    problems = [f"{len(jobs)} jobs, and {MAX_JOBS} are read"] if len(jobs) > MAX_JOBS else []
    told: list[Told] = []
    for number, job in enumerate(jobs[:MAX_JOBS]):
        if not isinstance(job, dict) or not isinstance(job.get("id"), str):
            problems.append(f"entry {number} has another shape")
        elif job.get("status") in ("completed", *_ENDS):
            told.append(_tell_listed(job))
    return Export(SOURCE, tuple(told), tuple(problems[:100]))


def _tell_listed(job: Mapping[str, Any]) -> Told:
    identity = portable(job["id"])
    where = f"jobs {identity}"
    started, ended = (
        milliseconds({"timestamp": job.get(f"execution_{name}_time")}) for name in ("start", "end")
    )
    outcome = _ENDS.get(str(job["status"]))
    error = job.get("execution_error")
    preview = job.get("preview_output")
    name = preview.get("filename") if isinstance(preview, dict) else None
    count = str(job.get("outputs_count"))
    drafts = [
        report(
            where,
            outcome=outcome,
            job=identity,
            outputs=int(count) if count.isascii() and count.isdigit() and len(count) < 6 else None,  # noqa: PLR2004 - no job makes more
            text=_MISLEADING if outcome == "failed" and not isinstance(error, dict) else None,
            status=job["status"],
            ended_ms=ended,
        ),
        *([place(where, name)] if isinstance(name, str) and name else []),
    ]
    return Told(
        key=f"{job_key(identity, started)}/listed",
        observation=observe(Kind.ATTEMPTED if outcome else Kind.PROMPTED, TOOL, drafts, at=moment(ended)),
        after=(job_key(identity, started),),
        job=identity,
    )
