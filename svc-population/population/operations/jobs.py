"""The verbs on jobs and their files. Pure. Jobs leave no facts: what they do to residents does."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from population.domain.job import Job, JobCount, JobFile, JobOutput, JobState
from population.policies.jobs import (
    FILE_KEPT,
    MOST_ATTEMPTS,
    after,
    check_append,
    check_approver,
    check_part,
    lacks_approval,
)
from population.policies.requests import Actor

Outcome = tuple[Job, tuple[()]]


def approve_job(job: Job, *, by: Actor, now: datetime) -> Outcome:
    """Another person agrees. Raises FailedPrecondition (JOB_STATE), PermissionDenied (OWN_JOB)."""
    state = after(job, "approve")
    check_approver(job, by)
    return replace(job, state=state, approved_by=by.subject, changed_at=now), ()


def begin_job(job: Job, *, now: datetime) -> Outcome:
    """A worker takes it, also one that another left behind; given up after MOST_ATTEMPTS. Raises FailedPrecondition (JOB_STATE)."""
    if job.state is JobState.CANCELLING:
        return stop_job(job, now=now)
    state = after(job, "begin")
    if job.attempts >= MOST_ATTEMPTS:
        failure = f"Its workers ended {MOST_ATTEMPTS} times without finishing it."
        return replace(job, state=JobState.FAILED, failure_reason="WORKERS_LOST", failure=failure, ended_at=now), ()
    attempts = job.attempts + 1
    return replace(job, state=state, attempts=attempts, failure="", failure_reason="", changed_at=now, ended_at=None), ()


def report_progress(
    job: Job, *, stage: str, done: int, total: int, counts: tuple[JobCount, ...], checkpoint: str, now: datetime
) -> Outcome:
    """Says how far it is. A job that is being cancelled may still tell; one that ended is left alone."""
    if job.state not in (JobState.RUNNING, JobState.CANCELLING):
        return job, ()
    told = {"stage": stage, "done": done, "total": total, "counts": counts, "checkpoint": checkpoint}
    return replace(job, **told, changed_at=now), ()


def cancel_job(job: Job, *, now: datetime) -> Outcome:
    """Stops it: at once while nobody works on it, else as soon as its worker notices. Raises FailedPrecondition (JOB_STATE)."""
    if job.state in (JobState.CANCELLING, JobState.CANCELLED):
        return job, ()
    if job.state is JobState.RUNNING:
        return replace(job, state=after(job, "cancel"), changed_at=now), ()
    return replace(job, state=after(job, "withdraw"), changed_at=now, ended_at=now), ()


def stop_job(job: Job, *, now: datetime) -> Outcome:
    """Its worker has stopped because it was told to."""
    return replace(job, state=after(job, "stop"), changed_at=now, ended_at=now), ()


def hand_over_job(job: Job, *, now: datetime) -> Outcome:
    """Its worker ends, as in an update: another one takes it, and this attempt does not count against the job."""
    if job.state is not JobState.RUNNING:
        return job, ()
    return replace(job, attempts=max(job.attempts - 1, 0), changed_at=now), ()


def fail_job(job: Job, *, reason: str, failure: str, now: datetime) -> Outcome:
    """It cannot go on; of one that was to be stopped anyway nobody is told that."""
    if job.state is JobState.CANCELLING:
        return stop_job(job, now=now)
    return replace(job, state=after(job, "fail"), failure_reason=reason, failure=failure, changed_at=now, ended_at=now), ()


def finish_job(job: Job, *, counts: tuple[JobCount, ...], outputs: tuple[JobOutput, ...], now: datetime) -> Outcome:
    """It is done, even where somebody wanted to stop it a moment too late."""
    state = after(job, "finish")
    return replace(job, state=state, counts=counts, outputs=outputs, stage="", checkpoint="", changed_at=now, ended_at=now), ()


def resume_job(job: Job, *, now: datetime) -> Outcome:
    """Goes on where it stopped, with as many attempts as a new one. An export nobody approved waits again."""
    state = after(job, "resume")
    if lacks_approval(job):
        state = JobState.AWAITING_APPROVAL
    asks = state is JobState.AWAITING_APPROVAL
    return replace(
        job,
        state=state,
        needs_approval=asks or job.needs_approval,
        attempts=0,
        failure="",
        failure_reason="",
        changed_at=now,
        ended_at=None,
    ), ()


def create_file(*, file_id: str, name: str, area_code: str, owner: str, now: datetime) -> JobFile:
    """Begins a file."""
    return JobFile(
        file_id=file_id, name=name, area_code=area_code, owner=owner, created_at=now, changed_at=now, expires_at=now + FILE_KEPT
    )


def append_part(file: JobFile, *, offset: int, length: int, last: bool, now: datetime) -> tuple[JobFile, tuple[()]]:
    """Counts the next part. Raises FailedPrecondition (OFFSET_WRONG, FILE_COMPLETE), InvalidArgument (PART_SIZE, FILE_TOO_LARGE)."""
    check_part(length=length, last=last)
    check_append(file, offset=offset, length=length)
    return replace(file, size=file.size + length, complete=last, changed_at=now), ()
